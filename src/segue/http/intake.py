"""Taking in a body: counted, limited, and parsed or spooled while it comes.

Sans-I/O: an adapter feeds chunks from wherever its protocol has them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from ..errors import BadRequest, ContentTooLarge, LengthRequired, UnsupportedMediaType
from .bodies import BodyCounter, ContentType, Spool, parse_content_type, proves_own_end
from .limits import Limits

if TYPE_CHECKING:
    from .forms import FormData, MultipartReader

__all__ = ["Body", "Intake", "declared_length", "is_small", "stream_counter"]

_SMALL = 65_536


class Body:
    """What was read of a body: bytes, a spooled file, or a form whose files are on disk."""

    # PERF: defaults on the class; what is not bytes sets its own.
    form: FormData | None = None
    spool: Spool | None = None

    def __init__(self, data: bytes | None, limits: Limits, content_type: str = "") -> None:
        self.data: bytes | None = data
        self.limits: Limits = limits
        self.content_type: str = content_type

    def __repr__(self) -> str:
        kind = "form" if self.form is not None else "spool" if self.spool is not None else "bytes"
        return f"<Body {kind}>"

    @property
    def is_empty(self) -> bool:
        """Whether nothing was sent."""
        return not self.data and self.form is None and self.spool is None

    def close(self) -> None:
        """Remove every temporary file."""
        if self.form is not None:
            for _, upload in self.form.files.multi_items():
                upload.close()
        if self.spool is not None:
            self.spool.close()


def declared_length(value: str | None) -> int | None:
    """Return the number in a `Content-Length` header.

    Raises:
        BadRequest: It is not one run of ASCII digits (RFC 9110 §8.6).
    """
    if value is None:
        return None
    if not (value.isascii() and value.isdigit()) or len(value) > 18:
        raise BadRequest("The Content-Length is not a number.", code="http/bad-length")
    return int(value)


def is_small(declared: int | None, limits: Limits, content_type: str, encoding: str | None) -> TypeGuard[int]:
    """Whether a body may be read in one piece, without the machinery of `Intake`."""
    return (
        declared is not None
        and declared <= _SMALL
        and declared <= limits.max_body
        and declared <= limits.spool_threshold
        and encoding is None
        and not content_type.startswith("multipart/")
    )


def stream_counter(limits: Limits, *, content_type: str, declared: int | None, is_open_ended: bool) -> BodyCounter:
    """Return what counts a body that a handler reads itself.

    Args:
        is_open_ended: Whether a body comes without a length.

    Raises:
        ContentTooLarge: The declared length is over the limit; nothing was read yet.
        LengthRequired: No length, in a format that does not show its own end.
    """
    _admit(parse_content_type(content_type), declared, limits, is_open_ended=is_open_ended)
    return BodyCounter(limits.max_body, declared)


def _admit(kind: ContentType, declared: int | None, limits: Limits, *, is_open_ended: bool) -> None:
    if declared is not None:
        if declared > limits.max_body:
            raise ContentTooLarge(f"The body may have at most {limits.max_body} bytes.")
    elif is_open_ended and not proves_own_end(kind):
        raise LengthRequired("A body of this type needs a Content-Length.")


class Intake:
    """One body on its way in.

    Args:
        content_type: The header, as sent.
        declared: The Content-Length, or `None`.
        content_encoding: The header; anything but `identity` is refused.
        limits: What is allowed.
        proves_end: Whether the protocol itself reports a body that was cut short; where
            it does not, a body without a length must be of a type that shows its end.

    Raises:
        ContentTooLarge: The declared length is over the limit; nothing was read yet.
        UnsupportedMediaType: The body is compressed (it could be a bomb).
        LengthRequired: No length, in a format that does not show its own end.
    """

    __slots__ = ("_chunks", "_content_type", "_counter", "_form", "_limits", "_spool")

    def __init__(
        self,
        *,
        content_type: str,
        declared: int | None,
        content_encoding: str | None,
        limits: Limits,
        proves_end: bool = False,
    ) -> None:
        if content_encoding is not None and content_encoding.strip().lower() not in ("", "identity"):
            raise UnsupportedMediaType("An encoded (compressed) body is not read.", code="http/encoded-body")
        kind = parse_content_type(content_type)
        _admit(kind, declared, limits, is_open_ended=not proves_end)
        self._limits = limits
        self._content_type = content_type
        self._counter = BodyCounter(limits.max_body, declared)
        self._chunks: list[bytes] = []
        self._spool: Spool | None = None
        self._form: MultipartReader | None = None
        if kind.mime == "multipart/form-data":
            from .forms import MultipartReader  # its weight is for uploads

            self._form = MultipartReader(kind, limits)

    @property
    def received(self) -> int:
        """Bytes so far."""
        return self._counter.received

    @property
    def touches_disk(self) -> bool:
        """Whether the next chunk may be written to a file, so that a loop should not feed it."""
        return self._spool is not None or (self._form is not None and self._form.on_disk)

    def feed(self, chunk: bytes) -> None:
        """Take the next chunk.

        Raises:
            ContentTooLarge: A limit is passed.
            BadRequest: A form is malformed.
        """
        self._counter.count(chunk)
        if self._form is not None:
            self._form.feed(chunk)
        elif self._spool is not None:
            self._spool.write(chunk)
        else:
            self._chunks.append(chunk)
            if self._counter.received > self._limits.spool_threshold:
                self._spool = Spool(self._limits.spool_threshold)
                for each in self._chunks:
                    self._spool.write(each)
                self._chunks.clear()

    def finish(self) -> Body:
        """Return the whole body.

        Raises:
            BadRequest: It is shorter than declared, or a form has no end.
        """
        self._counter.finish()
        if self._form is not None or self._spool is not None:
            body = Body(None, self._limits)
            body.form = self._form.finish() if self._form is not None else None
            body.spool = self._spool
            return body
        chunks = self._chunks
        data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        return Body(data, self._limits, self._content_type)

    def close(self) -> None:
        """Throw away what came, with its files: the request ended early."""
        if self._form is not None:
            self._form.close()
        if self._spool is not None:
            self._spool.close()
