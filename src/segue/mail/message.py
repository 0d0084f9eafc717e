"""One mail, with the names that Django has for its parts."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from email.message import EmailMessage as Part
from email.message import Message, MIMEPart
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..clock import today
from ..colours import arun, run
from .addresses import Address, AddressLike, encode_addresses, read_address, read_addresses
from .headers import check_name, check_text, encode_text
from .later import send_later
from .mailers import default_sender, deliver
from .mime import Alternative, Attachment, arrange, with_headers

if TYPE_CHECKING:
    from .backends.base import MailBackend

__all__ = ["EmailMessage", "EmailMultiAlternatives"]

_ADDRESSES = frozenset({"from", "sender", "to", "cc", "reply-to"})


class EmailMessage:
    """A mail: a text, and what goes along with it.

    Everything is checked when the mail is written out, so before any server is asked.

    Args:
        from_email: Who sends it; `None` is `MAIL_FROM`.
        to: The recipients: `"me@example.com"`, `"Me <me@example.com>"` or `("Me", "me@example.com")`.
        bcc: Recipients that no one sees.
        connection: What sends it; `None` is what `MAIL` names.
        attachments: What `attach` takes: tuples of filename, content and media type, or MIME parts.
        headers: Further headers. `From`, `To`, `Cc` and `Reply-To` replace what is shown, not who gets it.
        using: The name of one of several mailers.

    Attributes:
        content_subtype: `plain`, or `html` where the body is HTML and there is nothing else.
    """

    content_subtype: str = "plain"

    def __init__(
        self,
        subject: object = "",
        body: object = "",
        from_email: AddressLike | None = None,
        to: Sequence[AddressLike] | None = None,
        bcc: Sequence[AddressLike] | None = None,
        *,
        connection: MailBackend | None = None,
        attachments: Iterable[Any] | None = None,  # Any: tuples of two or three, or MIME parts
        headers: Mapping[str, Any] | None = None,
        cc: Sequence[AddressLike] | None = None,
        reply_to: Sequence[AddressLike] | None = None,
        using: str = "default",
    ) -> None:
        self.subject: object = subject
        self.body: object = body
        self.from_email: AddressLike | None = from_email
        self.to: list[AddressLike] = _listed(to, "to")
        self.cc: list[AddressLike] = _listed(cc, "cc")
        self.bcc: list[AddressLike] = _listed(bcc, "bcc")
        self.reply_to: list[AddressLike] = _listed(reply_to, "reply_to")
        self.connection: MailBackend | None = connection
        self.using: str = using
        self.extra_headers: dict[str, Any] = dict(headers or {})
        self.alternatives: list[Alternative] = []
        self.attachments: list[Attachment | MIMEPart | Message] = []
        for attachment in attachments or ():
            self.attach(*(attachment if attachment.__class__ is tuple else (attachment,)))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self.subject)!r} to {len(self.to) + len(self.cc) + len(self.bcc)}>"

    # What goes along

    def attach(
        self,
        filename: str | MIMEPart | Message | None = None,
        content: str | bytes | Message | None = None,
        mimetype: str | None = None,
    ) -> None:
        """Attach a file by its name and content, or a MIME part.

        Args:
            mimetype: By default what the name says.

        Raises:
            BadHeaderError: The name holds a line break or another control character.
        """
        if isinstance(filename, Message):
            self.attachments.append(filename)
        else:
            self.attachments.append(Attachment.of(filename, "" if content is None else content, mimetype))

    def attach_file(self, path: str | Path, mimetype: str | None = None) -> None:
        """Attach a file of the disk; it is read now."""
        path = Path(path)
        self.attach(path.name, path.read_bytes(), mimetype)

    def attach_alternative(self, content: object, mimetype: str = "text/html") -> None:
        """Add the same content in another form, most often the HTML beside the text."""
        form = content if isinstance(content, bytes) else str(content)
        self.alternatives.append(Alternative(form, Attachment.of(None, form, mimetype).mimetype))

    def attach_inline(self, filename: str, content: bytes, mimetype: str | None = None, *, cid: str = "") -> str:
        """Add a picture that the HTML shows, and return its address there: `cid:…`.

        Args:
            cid: Its name in the HTML, letters and digits; by default one that nobody else has.
        """
        name = check_text("content id", cid) or secrets.token_hex(8)
        self.attachments.append(Attachment.of(filename, content, mimetype, f"{name}@inline"))
        return f"cid:{name}@inline"

    # Written out

    def recipients(self) -> list[str]:
        """Return the mailboxes of all that get it, each once."""
        found = [each.mailbox for header, field in (("To", self.to), ("Cc", self.cc), ("Bcc", self.bcc))
                 for each in read_addresses(field, header=header)]  # fmt: skip
        return list(dict.fromkeys(found))

    def sender(self) -> Address:
        """Return who sends it.

        Raises:
            UsageError: Neither this mail nor `MAIL_FROM` says it (`mail/no-sender`).
        """
        return read_address(self.from_email or default_sender(), header="From")

    def message(self) -> Part:
        """Return it written out, as the standard library's message.

        Raises:
            BadHeaderError: A header holds a line break or another control character.
            InvalidAddress: An address is none.
        """
        subtype = "html" if self.content_subtype == "html" else check_text("content_subtype", self.content_subtype)
        content = arrange(str(self.body), subtype, self.alternatives, self.attachments)
        return with_headers(content, self._fields())

    def body_contains(self, text: str) -> bool:
        """Return whether *text* stands in the body and in every alternative that is text."""
        forms = [
            str(self.body),
            *(str(each.content) for each in self.alternatives if each.mimetype.startswith("text/")),
        ]
        return all(text in form for form in forms)

    def _fields(self) -> list[tuple[str, str]]:
        sender = self.sender()
        # The domain is the sender's: a mail tells nobody the name of this machine.
        fields: dict[str, tuple[str, Any]] = {
            "subject": ("Subject", self.subject),
            "from": ("From", [(sender.name, sender.mailbox)]),
            "to": ("To", self.to),
            "cc": ("Cc", self.cc),
            "reply-to": ("Reply-To", self.reply_to),
            "date": ("Date", format_datetime(today())),
            "message-id": ("Message-ID", f"<{secrets.token_hex(16)}@{sender.domain}>"),
        }
        for name, value in self.extra_headers.items():
            check_name(name)
            fields[name.lower()] = (name, value)
        return [(name, _write(name, value)) for name, value in fields.values() if value not in (None, [])]

    # Sent

    def send(self, *, fail_silently: bool = False) -> int:
        """Send it, and return how many mails were sent: 1, or 0 where nobody would get it.

        Args:
            fail_silently: Whether a failure is only logged.

        Raises:
            DeliveryError: The server refuses it, or is out of reach.
        """
        return run(deliver([self], self.connection, using=self.using, fail_silently=fail_silently))

    async def asend(self, *, fail_silently: bool = False) -> int:
        """Send it from an `async def` function; as `send`."""
        return await arun(deliver([self], self.connection, using=self.using, fail_silently=fail_silently))

    def send_after_response(self) -> None:
        """Send it once the response of the running request is out; outside a request, now.

        It is written out and checked now. A failure to send it is logged.
        """
        send_later(self)


class EmailMultiAlternatives(EmailMessage):
    """The same, under the name that Django gives to a mail with alternatives."""


def _listed(values: Sequence[AddressLike] | None, name: str) -> list[AddressLike]:
    if isinstance(values, str):
        read_addresses(values, header=name)  # says what is wrong with one text
    return list(values or ())


def _write(name: str, value: Any) -> str:
    if name.lower() in _ADDRESSES:
        values: Sequence[AddressLike] = value if value.__class__ is list else [value]
        return encode_addresses(read_addresses(values, header=name))
    return encode_text(name, check_text(name, value))
