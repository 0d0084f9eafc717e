"""Mails by SMTP (RFC 5321), over TLS wherever another machine listens.

What was asked for as encrypted is never sent in the clear: where the server does not
offer STARTTLS, refuses it, or has a certificate that does not prove its name, the
connection is dropped before the mail or the password.
"""

from __future__ import annotations

import logging
import smtplib
import socket
import ssl
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from ..urls import SMTPAddress
from .base import DeliveryError, MailBackend

if TYPE_CHECKING:
    from ..message import EmailMessage

__all__ = ["SMTPBackend"]

_logger = logging.getLogger("segue.mail")


class SMTPBackend(MailBackend):
    """Sends by one server. Connects for each batch, unless it was opened before.

    Thread-safe: one thread sends, the others wait.
    """

    def __init__(self, address: SMTPAddress) -> None:
        self.address: SMTPAddress = address
        self._connection: smtplib.SMTP | None = None
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        return f"<SMTPBackend {self.address.host}:{self.address.port}, tls {self.address.tls}>"

    def open(self) -> bool:
        """Connect, encrypt, log in; return whether this call did it.

        Raises:
            DeliveryError: One of these failed; nothing was sent.
        """
        with self._lock:
            if self._connection is not None:
                return False
            self._connection = self._connect()
            return True

    def close(self) -> None:
        """Say goodbye, and disconnect."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is None:
                return
            try:
                connection.quit()
            except (smtplib.SMTPException, OSError):
                connection.close()

    def send_messages(self, messages: Sequence[EmailMessage]) -> int:
        """Send *messages* over one connection."""
        # Written out before anybody is asked: a bad header costs no connection.
        letters = [
            (message.sender().mailbox, recipients, message.message().as_bytes())
            for message in messages
            if (recipients := message.recipients())
        ]
        if not letters:
            return 0
        with self._lock:
            opened = self.open()
            try:
                for sender, recipients, content in letters:
                    self._send(sender, recipients, content)
            finally:
                if opened:
                    self.close()
        return len(letters)

    def _send(self, sender: str, recipients: list[str], content: bytes) -> None:
        assert self._connection is not None
        try:
            refused = self._connection.sendmail(sender, recipients, content)
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            raise self._failed("did not take a mail", error) from error
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            raise self._failed("broke off", error) from error
        if refused:
            codes = sorted({code for code, _ in refused.values()})
            _logger.warning("%d of %d recipients were refused, by %s", len(refused), len(recipients), codes)

    def _connect(self) -> smtplib.SMTP:
        address = self.address
        connection: smtplib.SMTP | None = None
        try:
            connection = self._reach()
            if address.tls == "starttls":
                connection.starttls(context=self._context())
                connection.ehlo_or_helo_if_needed()
            if address.user:
                connection.login(address.user, address.password)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            if connection is not None:
                connection.close()
            raise self._failed("could not be used", error) from error
        return connection

    def _reach(self) -> smtplib.SMTP:
        address = self.address
        # Given, because smtplib would ask the name service for it.
        name = address.helo or socket.gethostname()
        if address.tls == "ssl":
            return smtplib.SMTP_SSL(
                address.host,
                address.port,
                local_hostname=name,
                timeout=address.timeout_seconds,
                context=self._context(),
            )
        return smtplib.SMTP(address.host, address.port, local_hostname=name, timeout=address.timeout_seconds)

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.address.cafile or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(OSError):
                connection.close()

    def _failed(self, what: str, error: BaseException) -> DeliveryError:
        address = self.address
        return DeliveryError(
            f"The mail server {address.host}:{address.port} {what}: {type(error).__name__}: {error}",
            why="" if address.tls == "none" else "Without encryption nothing is sent, and nobody logs in.",
            hint="" if address.tls == "none" else "A server that has none at all: MAIL=smtp://host?tls=none",
        )
