"""Mails that wait for the response: nobody sees by the time whether one was sent."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, cast

from ..context import find_current
from .mailers import find_connection

if TYPE_CHECKING:
    from .backends.base import MailBackend
    from .message import EmailMessage

__all__ = ["send_later"]

_logger = logging.getLogger("segue.mail")


class _Request(Protocol):
    """The context of a request, as far as this needs it."""

    def add_cleanup(self, cleanup: Callable[[BaseException | None], Any]) -> None:
        """Call *cleanup* after the last byte."""
        ...


def send_later(*messages: EmailMessage) -> None:
    """Send *messages* once the response of the running request is out; outside one, now.

    They are written out and checked now, so a bad address is an error here. A failure to
    send them is logged. A request that ends in an error nobody handled sends none: what
    it wrote to the database is not there either.

    Raises:
        BadHeaderError: A header holds a line break or another control character.
        InvalidAddress: An address is none.
    """
    for message in messages:
        message.recipients()
        message.message()
    ready = [(message, message.connection or find_connection(None, message.using)) for message in messages]
    context = find_current()
    if context is None or not hasattr(context, "add_cleanup"):
        _send_all(ready)
        return

    def send(error: BaseException | None) -> None:
        if error is None:
            _send_all(ready)
        else:
            _logger.warning("%d mails were not sent: the request ended in %s", len(ready), type(error).__name__)

    cast("_Request", context).add_cleanup(send)


def _send_all(ready: list[tuple[EmailMessage, MailBackend]]) -> None:
    for message, backend in ready:
        try:
            backend.send_messages([message])
        except Exception:  # a back end of somebody else's; nobody is left to be told
            _logger.exception("A mail was not sent")
