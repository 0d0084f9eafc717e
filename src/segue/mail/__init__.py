"""Mails: written, checked, and handed to a server, a terminal, a folder or a test's list.

Holds: `EmailMessage`, `send_mail` and its kin, the back ends, the `Mail` of an app.
Imports: floor 0; `email` and `smtplib` when the first mail is written or sent.
Never: knows a request or a template, or lets a line break reach a header.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..context import Key

if TYPE_CHECKING:
    from .addresses import InvalidAddress
    from .backends.base import DeliveryError, MailBackend
    from .headers import BadHeaderError
    from .later import send_later
    from .mailers import Mail
    from .message import EmailMessage, EmailMultiAlternatives
    from .sending import (
        amail_admins,
        asend_mail,
        asend_mass_mail,
        get_connection,
        mail_admins,
        send_mail,
        send_mass_mail,
    )

    outbox: list[EmailMessage]

__all__ = [
    "MAIL",
    "BadHeaderError",
    "DeliveryError",
    "EmailMessage",
    "EmailMultiAlternatives",
    "InvalidAddress",
    "Mail",
    "MailBackend",
    "amail_admins",
    "asend_mail",
    "asend_mass_mail",
    "get_connection",
    "mail_admins",
    "send_later",
    "send_mail",
    "send_mass_mail",
]

MAIL: Key["Mail"] = Key("mail")

_WHERE = {
    "BadHeaderError": "headers",
    "DeliveryError": "backends.base",
    "EmailMessage": "message",
    "EmailMultiAlternatives": "message",
    "InvalidAddress": "addresses",
    "Mail": "mailers",
    "MailBackend": "backends.base",
    "amail_admins": "sending",
    "asend_mail": "sending",
    "asend_mass_mail": "sending",
    "get_connection": "sending",
    "mail_admins": "sending",
    "send_later": "later",
    "send_mail": "sending",
    "send_mass_mail": "sending",
}


def __getattr__(name: str) -> Any:
    # Every app can send mail; what writes it is loaded with the first one.
    if name in _WHERE:
        return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    if name == "outbox":  # of the running app, so never kept here
        return import_module(f"{__name__}.mailers").current_mail().outbox
    raise AttributeError(f"segue.mail has no {name!r}")
