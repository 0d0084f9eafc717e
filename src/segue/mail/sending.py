"""The short ways to send, each for `def` and for `async def`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias, TypedDict, Unpack

from ..colours import Operation, arun, run
from .addresses import AddressLike
from .backends.base import MailBackend
from .mailers import current_mail, deliver, find_connection
from .message import EmailMessage

__all__ = [
    "amail_admins",
    "asend_mail",
    "asend_mass_mail",
    "get_connection",
    "mail_admins",
    "send_mail",
    "send_mass_mail",
]


class Options(TypedDict, total=False):
    """How mails are sent."""

    fail_silently: bool
    connection: MailBackend | None
    using: str


class MailOptions(Options, total=False):
    """How one is sent, and its HTML."""

    html_message: object


MassMail: TypeAlias = tuple[object, object, AddressLike | None, Sequence[AddressLike]]


def get_connection(backend: str | None = None, *, using: str = "default") -> MailBackend:
    """Return what sends: one mailer of the running app, or what an address names.

    Args:
        backend: An address as `MAIL` has it. It is taken as it is, in tests too.
        using: The name of one of several mailers.
    """
    return find_connection(backend, using)


def send_mail(
    subject: object,
    message: object,
    from_email: AddressLike | None,
    recipient_list: Sequence[AddressLike],
    **options: Unpack[MailOptions],
) -> int:
    """Send one mail, and return how many were sent: 1, or 0 where nobody would get it.

    Args:
        from_email: `None` is `MAIL_FROM`.
        recipient_list: Who gets it; each sees the others.
        options: `html_message`: the same as HTML; `fail_silently`: whether a failure is only
            logged; `connection`: what sends; `using`: one of several mailers.

    Raises:
        BadHeaderError: A header holds a line break or another control character.
        InvalidAddress: An address is none.
        DeliveryError: The server refuses it, or is out of reach.
    """
    return run(
        _send([EmailMessage(subject, message, from_email, recipient_list)], options, options.get("html_message"))
    )


async def asend_mail(
    subject: object,
    message: object,
    from_email: AddressLike | None,
    recipient_list: Sequence[AddressLike],
    **options: Unpack[MailOptions],
) -> int:
    """Send one mail from an `async def` function; as `send_mail`."""
    return await arun(
        _send([EmailMessage(subject, message, from_email, recipient_list)], options, options.get("html_message"))
    )


def send_mass_mail(datatuple: Iterable[MassMail], **options: Unpack[Options]) -> int:
    """Send several mails over one connection, and return how many were sent.

    Args:
        datatuple: Subject, text, sender and recipients of each.
        options: As for `send_mail`. With `fail_silently` the failure of one does not keep the others.
    """
    return run(_send(_several(datatuple), options))


async def asend_mass_mail(datatuple: Iterable[MassMail], **options: Unpack[Options]) -> int:
    """Send several mails from an `async def` function; as `send_mass_mail`."""
    return await arun(_send(_several(datatuple), options))


def mail_admins(subject: object, message: object, **options: Unpack[MailOptions]) -> int:
    """Send a mail to the `ADMINS`, and return how many were sent: 0 where there are none.

    Args:
        subject: `MAIL_SUBJECT_PREFIX` is put before it.
        options: As for `send_mail`.
    """
    return run(_send(_to_admins(subject, message), options, options.get("html_message")))


async def amail_admins(subject: object, message: object, **options: Unpack[MailOptions]) -> int:
    """Send a mail to the `ADMINS` from an `async def` function; as `mail_admins`."""
    return await arun(_send(_to_admins(subject, message), options, options.get("html_message")))


def _send(mails: list[EmailMessage], options: Options, html: object = None) -> Operation[int]:
    for mail in mails if html is not None else ():
        mail.attach_alternative(html, "text/html")
    if not mails:
        return 0
    return (
        yield from deliver(
            mails,
            options.get("connection"),
            using=options.get("using", "default"),
            fail_silently=options.get("fail_silently", False),
        )
    )


def _several(mails: Iterable[MassMail]) -> list[EmailMessage]:
    return [EmailMessage(subject, text, sender, to) for subject, text, sender, to in mails]


def _to_admins(subject: object, text: object) -> list[EmailMessage]:
    settings = current_mail()
    mail = EmailMessage(f"{settings.subject_prefix}{subject}", text, None, settings.admins)
    return [mail] if settings.admins else []
