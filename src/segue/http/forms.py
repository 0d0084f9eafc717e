"""Forms: urlencoded ones at once, multipart ones while they come."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from ..errors import BadRequest, ContentTooLarge, HeaderFieldsTooLarge
from .bodies import ContentType, Spool, parse_content_type, parse_parameters
from .limits import Limits
from .multidict import MultiDict
from .query import split_fields
from .uploads import UploadFile

if TYPE_CHECKING:
    from multipart import MultipartSegment  # type: ignore[import-untyped]  # it ships no py.typed

__all__ = ["FormData", "MultipartReader", "parse_urlencoded"]

_MAX_BOUNDARY = 70  # RFC 2046 §5.1.1
_IDENTITY = frozenset({"", "7bit", "8bit", "binary", "identity"})
# PERF: a chunk costs the parser 2 us however small it is, so tiny ones are gathered.
_GATHER = 4096
# About the largest chunk that servers hand on.
_NEAR = 131_072
_NAMES_A_FILE = re.compile(r";[ \t]*filename[ \t]*=", re.IGNORECASE).search


@dataclass(frozen=True, slots=True)
class FormData:
    """A form: its fields and its files, both by field name."""

    fields: MultiDict[str] = field(default_factory=MultiDict[str])
    files: MultiDict[UploadFile] = field(default_factory=MultiDict[UploadFile])


def parse_urlencoded(body: bytes, limits: Limits, charset: str = "utf-8") -> list[tuple[str, str]]:
    """Return the pairs of an urlencoded body, in order.

    Raises:
        ContentTooLarge: Too many fields, or too long in all.
        BadRequest: Not text in *charset*, a NUL, or a name over its limit.
    """
    if not body:
        return []
    if len(body) > limits.max_form_memory:
        _too_large(limits.max_form_memory)
    if body.count(b"&") >= limits.max_fields:
        raise ContentTooLarge(f"A form may have at most {limits.max_fields} fields.", code="http/too-many-fields")
    try:
        text = body.decode(charset)
    except (UnicodeDecodeError, LookupError):
        raise BadRequest(f"The form is not text in {charset}.", code="http/bad-encoding") from None
    pairs = split_fields(text, max_fields=limits.max_fields, charset=charset)
    for name, _ in pairs:
        _check_name(name, limits)
    return pairs


class MultipartReader:
    """Takes a multipart form chunk by chunk; files go to disk past the limits' threshold.

    Args:
        content_type: Of the request.
        limits: What is allowed.

    Raises:
        BadRequest: The boundary is missing or too long (`http/bad-form`).
    """

    __slots__ = ("_charset", "_fields", "_files", "_gathered", "_limits", "_memory", "_parser", "_part", "_pending")

    def __init__(self, content_type: ContentType, limits: Limits) -> None:
        # Who gets no such form does not pay for the parser.
        from multipart import PushMultipartParser  # pyright: ignore[reportMissingTypeStubs]  # it ships none

        boundary = content_type.boundary or ""
        if not 0 < len(boundary) <= _MAX_BOUNDARY or not boundary.isascii() or not boundary.isprintable():
            raise BadRequest("The form has no usable boundary.", code="http/bad-form")
        self._limits = limits
        self._charset = content_type.charset or "utf-8"
        self._parser = PushMultipartParser(
            boundary,
            max_header_size=limits.max_part_header_bytes,
            max_header_count=limits.max_part_headers,
            # One more than allowed, so that it is the count here that says which kind is too many.
            max_segment_count=limits.max_fields + limits.max_files + 1,
        )
        self._fields: list[tuple[str, str]] = []
        self._files: list[tuple[str, UploadFile]] = []
        self._memory = 0
        self._part: _Field | _File | None = None
        self._pending: list[bytes] = []
        self._gathered = 0

    @property
    def on_disk(self) -> bool:
        """Whether the next chunk may be written to a file."""
        part = self._part
        return isinstance(part, _File) and part.spool.size + _NEAR > part.spool.threshold

    def feed(self, chunk: bytes) -> None:
        """Take the next chunk. After an error, only `close` may follow.

        Raises:
            ContentTooLarge: Too many fields or files, or fields too long in all.
            HeaderFieldsTooLarge: The headers of a part are over their limit.
            BadRequest: It is malformed.
            UnsupportedMediaType: A part in an unknown charset.
        """
        self._pending.append(chunk)
        self._gathered += len(chunk)
        if self._gathered >= _GATHER:
            self._parse_pending()

    def finish(self) -> FormData:
        """Return the form: the body is over. Who gets it closes its files.

        Raises:
            BadRequest: Its last boundary is missing; and as for `feed`.
        """
        from multipart import MultipartError  # pyright: ignore[reportMissingTypeStubs]  # it ships none

        try:
            self._parse_pending()
            self._parser.close()
        except MultipartError as error:
            self.close()
            raise BadRequest("The form ends too early.", code="http/bad-form") from error
        return FormData(MultiDict(self._fields), MultiDict(self._files))

    def close(self) -> None:
        """Throw away what came, with its temporary files. May be called again."""
        self._pending.clear()
        if isinstance(self._part, _File):
            self._part.spool.close()
        self._part = None
        for _, upload in self._files:
            upload.close()
        self._parser.close(check_complete=False)

    def _parse_pending(self) -> None:
        if not self._gathered:
            return
        from multipart import MultipartError, MultipartSegment, ParserLimitReached  # pyright: ignore[reportMissingTypeStubs]  # it ships none

        data = b"".join(self._pending)
        self._pending.clear()
        self._gathered = 0
        try:
            for event in self._parser.parse(data):
                if event is None:
                    self._end_part()
                elif isinstance(event, MultipartSegment):
                    self._begin_part(event)
                else:
                    self._take(bytes(event))
        except ParserLimitReached as error:
            self.close()
            raise HeaderFieldsTooLarge("The headers of a part are too large.", code="http/bad-form") from error
        except MultipartError as error:
            self.close()
            raise BadRequest("The form is malformed.", code="http/bad-form") from error
        except BaseException:
            self.close()
            raise

    def _begin_part(self, segment: MultipartSegment) -> None:
        limits = self._limits
        headers = _headers_of(segment)
        if sum(map(len, headers)) + sum(map(len, headers.values())) > limits.max_part_header_bytes:
            raise HeaderFieldsTooLarge("The headers of a part are too large.", code="http/bad-form")
        if headers.get("content-transfer-encoding", "").strip().lower() not in _IDENTITY:
            raise BadRequest("An encoded part is not read (RFC 7578 §4.7).", code="http/bad-form")
        _, params = parse_parameters(headers["content-disposition"])
        name = _plain(params.get("name", ""))
        if not name:
            raise BadRequest("A part of the form has no name.", code="http/bad-form")
        _check_name(name, limits)
        kind = parse_content_type(headers.get("content-type", ""))
        filename = params.get("filename")
        if filename is None:
            if _NAMES_A_FILE(headers["content-disposition"]):
                raise BadRequest("The file name of a part is malformed.", code="http/bad-form")
            if len(self._fields) >= limits.max_fields:
                raise ContentTooLarge(
                    f"A form may have at most {limits.max_fields} fields.", code="http/too-many-fields"
                )
            self._part = _Field(name, kind.charset or self._charset)
            return
        if len(self._files) >= limits.max_files:
            raise ContentTooLarge(f"A form may have at most {limits.max_files} files.", code="http/too-many-files")
        in_memory = sum(upload.size for _, upload in self._files if not upload.is_on_disk)
        spool = Spool(max(0, limits.spool_threshold - in_memory))
        self._part = _File(name, _plain(filename), kind.mime or "application/octet-stream", headers, spool)

    def _take(self, data: bytes) -> None:
        part = self._part
        if isinstance(part, _File):
            part.spool.write(data)
        elif part is not None:
            self._memory += len(data)
            if self._memory > self._limits.max_form_memory:
                _too_large(self._limits.max_form_memory)
            part.data += data

    def _end_part(self) -> None:
        part, self._part = self._part, None
        if isinstance(part, _Field):
            self._fields.append((part.name, part.text()))
        elif part is not None:
            if not part.filename and not part.spool.size:
                return  # a file input that was left empty
            upload = UploadFile(
                part.spool, filename=part.filename, content_type=part.content_type, headers=part.headers
            )
            self._files.append((part.name, upload))


@dataclass(slots=True)
class _Field:
    name: str
    charset: str
    data: bytearray = field(default_factory=bytearray)

    def text(self) -> str:
        try:
            text = self.data.decode(self.charset)
        except UnicodeDecodeError:
            raise BadRequest(f"A field is not text in {self.charset}.", code="http/bad-encoding") from None
        if "\0" in text:
            raise BadRequest("A field holds a NUL character.", code="http/nul-character")
        return text


@dataclass(slots=True)
class _File:
    name: str
    filename: str
    content_type: str
    headers: dict[str, str]
    spool: Spool


def _headers_of(segment: MultipartSegment) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in segment.headerlist:
        key = name.lower()
        if key in headers:
            raise BadRequest("A part of the form repeats a header.", code="http/bad-form")
        headers[key] = value
    return headers


def _plain(text: str) -> str:
    # Browsers escape exactly these three (HTML, "multipart/form-data encoding algorithm").
    if "%" in text:
        return text.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
    return text


def _check_name(name: str, limits: Limits) -> None:
    if len(name) > limits.max_field_name:
        raise BadRequest(
            f"The name of a field may have at most {limits.max_field_name} characters.", code="http/long-field-name"
        )
    if "\0" in name:
        raise BadRequest("A field's name holds a NUL character.", code="http/nul-character")


def _too_large(limit: int) -> NoReturn:
    raise ContentTooLarge(f"The fields of a form may have at most {limit} bytes together.")
