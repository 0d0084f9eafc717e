"""Back ends that reach no server: the terminal, a folder, a list, nothing."""

from __future__ import annotations

import secrets
import sys
import threading
from collections.abc import Sequence
from copy import copy
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import Message
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from .base import DeliveryError, MailBackend

if TYPE_CHECKING:
    from ..message import EmailMessage

__all__ = ["ConsoleBackend", "DummyBackend", "FileBackend", "MemoryBackend"]


class ConsoleBackend(MailBackend):
    """Prints mails as they are read, not as they travel: what development does.

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
                encoding = stream.encoding or "utf-8"
                stream.write(f"{text.encode(encoding, 'replace').decode(encoding)}\n{'-' * 79}\n")
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
    """Return a mail as a person reads it: decoded, so that a link is whole, and without what moves a terminal."""
    written = message.message()
    heads = [f"{name}: {make_header(decode_header(value))}" for name, value in written.items() if _is_said(name)]
    bodies = [_body(part) for part in written.walk() if not part.is_multipart()]
    text = "\n\n".join(["\n".join(heads), *bodies])
    return "".join(each if each.isprintable() or each in "\n\t" else "\N{REPLACEMENT CHARACTER}" for each in text)


def _is_said(header: str) -> bool:
    return not header.lower().startswith(("content-", "mime-"))


def _body(part: Message) -> str:
    if part.get_content_maintype() != "text" or part.get_filename() is not None:
        return f"[{part.get_filename() or 'a file'}, {part.get_content_type()}]"
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)  # it is no multipart
    return content.decode(part.get_content_charset("utf-8"), "replace").replace("\r\n", "\n").strip("\n")
