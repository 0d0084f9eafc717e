"""From the parts of a mail to what goes over the wire (RFC 5322, RFC 2045).

The `email` package arranges the parts. Header fields are written here, by `headers` and
`addresses`, and the policy passes them on as they are.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import EmailMessage as Part
from email.message import Message, MIMEPart
from email.policy import EmailPolicy
from typing import Any, cast

from ..errors import UsageError, cut
from .headers import check_text

__all__ = ["Alternative", "Attachment", "arrange", "with_headers"]

MAX_FILENAME = 255
_SURROGATES = re.compile("[\ud800-\udfff]")
_MEDIA_TYPE = re.compile(r"([a-z0-9][a-z0-9!#$&^_.+-]{0,126})/([a-z0-9][a-z0-9!#$&^_.+-]{0,126})", re.IGNORECASE)

# Only ASCII goes out, so that a server needs no extension.
_CONTENT = EmailPolicy(linesep="\r\n", cte_type="7bit")


class _Written(EmailPolicy):
    """Header fields are stored and sent as they were written."""

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:  # Any: text, or a parsed field
        return name, value


_WRITTEN = _Written(linesep="\r\n", cte_type="7bit", refold_source="none")


@dataclass(frozen=True, slots=True)
class Alternative:
    """The same content in another form."""

    content: str | bytes
    mimetype: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes along.

    Attributes:
        content_id: By which the HTML shows it (`cid:…`); empty where it is attached.
    """

    filename: str | None
    content: str | bytes | Message
    mimetype: str
    content_id: str = ""

    @classmethod
    def of(
        cls, filename: str | None, content: str | bytes | Message, mimetype: str | None, content_id: str = ""
    ) -> Attachment:
        """Check the name, and say the media type where *mimetype* does not."""
        if filename is not None:
            filename = check_text("filename of an attachment", filename)[-MAX_FILENAME:]
        if mimetype is None and isinstance(content, Message):
            mimetype = "message/rfc822"
        if mimetype is None and filename:
            mimetype = mimetypes.guess_type(filename)[0]
        fallback = "text/plain" if isinstance(content, str) else "application/octet-stream"
        attachment = cls(filename, content, mimetype or fallback, content_id)
        split_type(attachment.mimetype)
        return attachment


def split_type(mimetype: str) -> tuple[str, str]:
    """Return both halves of a media type.

    Raises:
        UsageError: It is none (`mail/bad-media-type`).
    """
    found = _MEDIA_TYPE.fullmatch(mimetype)
    if found is None:
        raise UsageError(
            f"{cut(mimetype)} is no media type.",
            code="mail/bad-media-type",
            why="It names a kind and a form, without parameters.",
            hint='message.attach("report.pdf", content, "application/pdf")',
        )
    return found[1].lower(), found[2].lower()


def arrange(
    body: str,
    subtype: str,
    alternatives: Iterable[Alternative],
    attachments: Iterable[Attachment | MIMEPart | Message],
) -> Part:
    """Return the content of a mail, without its own headers.

    Raises:
        UsageError: A picture is to be shown in the HTML, and there is none (`mail/no-html`).
    """
    root = Part(policy=_CONTENT)
    root.set_content(_clean(body), subtype=subtype, charset="utf-8")
    for alternative in alternatives:
        _add(root.add_alternative, alternative.content, alternative.mimetype)
    files = list(attachments)
    shown = [each for each in files if isinstance(each, Attachment) and each.content_id]
    if shown:
        html = _html_in(root)
        for each in shown:
            _add(
                html.add_related,
                each.content,
                each.mimetype,
                **_names(each),
                disposition="inline",
                cid=f"<{each.content_id}>",
            )
    for file in files:
        _attach(root, file)
    return root


def with_headers(content: Part, fields: Iterable[tuple[str, str]]) -> Part:
    """Put *fields*, already written, before the headers that *content* has."""
    described = [(name, content[name]) for name in content]
    for name, _ in described:
        del content[name]
    content.policy = _WRITTEN
    for name, value in [*fields, *described]:
        content[name] = value
    return content


def _attach(root: Part, file: Attachment | MIMEPart | Message) -> None:
    if not isinstance(file, Attachment):
        if root.get_content_type() != "multipart/mixed":
            root.make_mixed()
        root.attach(cast("Part", file))  # whoever has a part of the older kind
    elif not file.content_id:
        _add(root.add_attachment, file.content, file.mimetype, **_names(file))


def _names(file: Attachment) -> dict[str, str]:
    return {"filename": file.filename} if file.filename else {}


def _add(add: Any, content: str | bytes | Message, mimetype: str, **options: Any) -> None:  # Any: three methods
    kind, form = split_type(mimetype)
    if isinstance(content, Message):
        add(content, **options)
    elif kind == "text" and isinstance(content, str):
        add(_clean(content), subtype=form, charset="utf-8", **options)
    else:
        raw = content if isinstance(content, bytes) else _clean(content).encode()
        add(raw, maintype=kind, subtype=form, **options)


def _html_in(root: Part) -> Part:
    found = [each for each in root.walk() if each.get_content_type() == "text/html"]
    if not found:
        raise UsageError(
            "A picture is to be shown in the HTML of this mail, which has none.",
            code="mail/no-html",
            why="A plain text shows no pictures.",
            hint='message.attach_alternative(\'<img src="cid:…">\', "text/html")',
        )
    return found[0]


def _clean(text: str) -> str:
    """Replace what no charset can write."""
    return _SURROGATES.sub("\ufffd", text)
