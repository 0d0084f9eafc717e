"""Back ends that reach no server: the terminal, a folder, a list, nothing."""

from __future__ import annotations

import secrets
import sys
import threading
from collections.abc import Sequence
from copy import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from .base import DeliveryError, MailBackend

if TYPE_CHECKING:
    from ..message import EmailMessage

__all__ = ["ConsoleBackend", "DummyBackend", "FileBackend", "MemoryBackend"]


class ConsoleBackend(MailBackend):
    """Prints mails: what development does.

    Args:
        stream: Where; by default standard output as it is when a mail is sent.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def send_messages(self, messages: Sequence[EmailMessage]) -> int:
        """Print *messages*."""
        texts = [_text(message) for message in messages if message.recipients()]
        stream = self._stream or sys.stdout
        with self._lock:
            for text in texts:
                stream.write(f"{text}\n{'-' * 79}\n")
            stream.flush()
        return len(texts)


class FileBackend(MailBackend):
    """Writes each mail to a file that mail programs open (`.eml`).

    Args:
        folder: Where; made at the first mail.
    """

    def __init__(self, folder: Path) -> None:
        self.folder: Path = folder

    def send_messages(self, messages: Sequence[EmailMessage]) -> int:
        """Write *messages*, each to a file of its own that only the owner can read."""
        written = [message.message().as_bytes() for message in messages if message.recipients()]
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for content in written:
                path = self.folder / f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-{secrets.token_hex(4)}.eml"
                path.touch(mode=0o600, exist_ok=False)
                path.write_bytes(content)
        except OSError as error:
            raise DeliveryError(f"A mail could not be written to {self.folder}: {error}") from error
        return len(written)


class MemoryBackend(MailBackend):
    """Keeps mails in a list: what tests look at.

    Args:
        outbox: The list; each mail is copied as it was when it was sent.
    """

    def __init__(self, outbox: list[EmailMessage] | None = None) -> None:
        self.outbox: list[EmailMessage] = [] if outbox is None else outbox

    def send_messages(self, messages: Sequence[EmailMessage]) -> int:
        """Keep *messages*, once each could be written out."""
        kept = [_checked(message) for message in messages if message.recipients()]
        self.outbox.extend(kept)
        return len(kept)

    async def asend_messages(self, messages: Sequence[EmailMessage]) -> int:
        """Do the same: it never waits."""
        return self.send_messages(messages)


class DummyBackend(MailBackend):
    """Sends nothing."""

    def send_messages(self, messages: Sequence[EmailMessage]) -> int:
        """Check *messages*, and drop them."""
        return len([_checked(message) for message in messages if message.recipients()])

    async def asend_messages(self, messages: Sequence[EmailMessage]) -> int:
        """Do the same: it never waits."""
        return self.send_messages(messages)


def _checked(message: EmailMessage) -> EmailMessage:
    message.message()
    kept = copy(message)
    kept.to, kept.cc, kept.bcc, kept.reply_to = list(kept.to), list(kept.cc), list(kept.bcc), list(kept.reply_to)
    kept.attachments, kept.alternatives = list(kept.attachments), list(kept.alternatives)
    kept.extra_headers = dict(kept.extra_headers)
    return kept


def _text(message: EmailMessage) -> str:
    written = message.message()
    return written.as_bytes(policy=written.policy.clone(linesep="\n")).decode("ascii", "replace")
