"""What an app sends with, and the one way by which every mail goes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..colours import Operation, either
from ..context import current, find_current
from ..errors import SetupError, UsageError, cut, did_you_mean
from ..targets import Target, search_folders
from . import MAIL
from .backends.base import DeliveryError, MailBackend
from .urls import LocalAddress, MailAddress, SMTPAddress, parse_mail_url, read_mailers

if TYPE_CHECKING:
    from .message import EmailMessage

__all__ = ["Mail", "current_mail", "default_sender", "deliver"]

_logger = logging.getLogger("segue.mail")
_IN_DEVELOPMENT = "webmaster@localhost"


class Mail:
    """What an app sends mail with.

    Args:
        mailers: `MAIL`: an address, several by name, or nothing: in development the terminal.
        sender: `MAIL_FROM`.
        admins: `ADMINS`.
        subject_prefix: What the subjects of mails to the admins begin with.
        root: Where folders and files are looked for.
        is_development: Whether an app without `MAIL` prints its mails.
        is_testing: Whether what would leave the machine is kept in `outbox` instead.

    Attributes:
        outbox: The mails of tests.
    """

    def __init__(
        self,
        mailers: Any = None,  # Any: as the configuration has it
        *,
        sender: str | None = None,
        admins: Sequence[Any] = (),
        subject_prefix: str = "",
        root: Path | None = None,
        is_development: bool = False,
        is_testing: bool = False,
    ) -> None:
        self.outbox: list[EmailMessage] = []
        self.admins: tuple[Any, ...] = tuple(admins)
        self.subject_prefix: str = subject_prefix
        self._sender = sender
        self._addresses = read_mailers(mailers)
        self._root = root or Path.cwd()
        self._is_development = is_development
        self._is_testing = is_testing

    def __repr__(self) -> str:
        return f"<Mail by {', '.join(self._addresses) or 'nothing yet'}, {len(self.outbox)} in the outbox>"

    @property
    def sender(self) -> str:
        """Who sends what names no sender.

        Raises:
            UsageError: Nothing says it (`mail/no-sender`).
        """
        if self._sender:
            return self._sender
        if self._is_development or self._is_testing:
            return _IN_DEVELOPMENT
        raise _no_sender()

    def connection(self, using: str = "default") -> MailBackend:
        """Return a new back end of the mailer *using*.

        Raises:
            UsageError: There is no such mailer (`mail/unknown-mailer`), or none at all (`mail/no-mailer`).
        """
        address = self._addresses.get(using)
        if address is None:
            return self._without(using)
        if self._is_testing and not isinstance(address, LocalAddress):
            address = LocalAddress("memory")
        return self.backend(address)

    def backend(self, address: MailAddress) -> MailBackend:
        """Return the back end that an address names.

        Raises:
            SetupError: It is no back end (`mail/bad-backend`).
        """
        if isinstance(address, SMTPAddress):
            from .backends.smtp import SMTPBackend  # with smtplib: for mails that leave

            return SMTPBackend(address)
        if isinstance(address, Target):
            return _own(address, address.load(search_folders(self._root)))
        from .backends import local

        match address.kind:
            case "memory":
                return local.MemoryBackend(self.outbox)
            case "file":
                return local.FileBackend(self._root / address.folder)
            case "console":
                return local.ConsoleBackend()
            case _:
                return local.DummyBackend()

    def _without(self, using: str) -> MailBackend:
        if self._addresses or using != "default":
            raise UsageError(
                f"There is no mailer {using!r}.",
                code="mail/unknown-mailer",
                hint=did_you_mean(using, self._addresses) or f'MAIL = {{"default": "smtp://…", {using!r}: "smtp://…"}}',
            )
        if self._is_testing or self._is_development:
            return self.backend(LocalAddress("memory" if self._is_testing else "console"))
        raise UsageError(
            "This app was not told how to send mail.",
            code="mail/no-mailer",
            why="Only in development and in tests there is a default.",
            hint="SEGUE_MAIL=smtp://user:password@smtp.example.com",
        )


def current_mail() -> Mail:
    """Return what the running app sends with.

    Raises:
        UsageError: No app is running (`app/no-context`).
    """
    return current().get(MAIL)


def default_sender() -> str:
    """Return who sends what names no sender.

    Raises:
        UsageError: No app is running that says it (`mail/no-sender`).
    """
    context = find_current()
    if context is None:
        raise _no_sender()
    return context.get(MAIL).sender


def find_connection(address: str | None, using: str = "default") -> MailBackend:
    """Return the back end of an address, else that of a mailer of the running app."""
    if address is None:
        return current_mail().connection(using)
    context = find_current()
    mail = Mail() if context is None else context.get(MAIL)
    return mail.backend(parse_mail_url(address))


def deliver(
    messages: Sequence[EmailMessage], connection: MailBackend | None, *, using: str, fail_silently: bool
) -> Operation[int]:
    """Send *messages*, and return how many were."""
    backend = connection if connection is not None else find_connection(None, using)

    def send(messages: Sequence[EmailMessage]) -> int:
        _demand_no_loop()
        return backend.send_messages(messages)

    if not fail_silently:
        return (yield from either(send, backend.asend_messages, messages))
    sent = 0
    for message in messages:  # each by itself: one that fails does not keep the others
        try:
            sent += yield from either(send, backend.asend_messages, [message])
        except DeliveryError as error:
            _logger.warning("%s", error.message)
    return sent


def _demand_no_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise UsageError(
        "A mail was to be sent on the event loop, which would stand still meanwhile.",
        code="mail/blocking",
        why="This is an `async def` function; a mail server may take seconds to answer.",
        hint="await message.asend(), await asend_mail(…), or message.send_after_response()",
    )


def _own(target: Target, found: Any) -> MailBackend:
    backend = found() if isinstance(found, type) else found
    if isinstance(backend, MailBackend):
        return backend
    raise SetupError(
        f"{target.text} sends no mail: it is {cut(backend)}.",
        code="mail/bad-backend",
        why="What MAIL names is a subclass of MailBackend, or makes an instance of one.",
        hint="from segue.mail import MailBackend\n\nclass ByProvider(MailBackend):\n    "
        "def send_messages(self, messages): ...",
    )


def _no_sender() -> UsageError:
    return UsageError(
        "A mail has no sender.",
        code="mail/no-sender",
        why="Neither it nor the configuration names one.",
        hint='SEGUE_MAIL_FROM="Club <club@example.com>"',
    )
