"""Bodies: counted while they come, kept in memory or in a temporary file; content types."""

from __future__ import annotations

import contextlib
import io
import os
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any, BinaryIO

from ..errors import BadRequest, ContentTooLarge, HTTPError, UnsupportedMediaType, UsageError

__all__ = ["BodyCounter", "ContentType", "Spool", "parse_content_type", "parse_parameters", "proves_own_end"]


class BodyCounter:
    """Counts the bytes of a body as they come, whatever its header says.

    Args:
        limit: The most bytes that are taken.
        declared_length: The Content-Length, where there is one.
    """

    __slots__ = ("_declared", "_limit", "received")

    def __init__(self, limit: int, declared_length: int | None = None) -> None:
        self._limit = limit
        self._declared = declared_length
        self.received: int = 0

    def count(self, chunk: bytes) -> None:
        """Add the length of *chunk*.

        Raises:
            ContentTooLarge: The limit is passed.
            BadRequest: More came than was declared (`http/incomplete-body`).
        """
        self.received += len(chunk)
        if self.received > self._limit:
            raise ContentTooLarge(f"The body may have at most {self._limit} bytes.")
        if self._declared is not None and self.received > self._declared:
            raise BadRequest("The body is longer than it says.", code="http/incomplete-body")

    def finish(self) -> None:
        """Compare what came with what was declared: the body is over.

        Raises:
            BadRequest: It is short (`http/incomplete-body`).
        """
        if self._declared is not None and self.received != self._declared:
            raise BadRequest(
                f"The body ended after {self.received} of {self._declared} bytes.", code="http/incomplete-body"
            )


class Spool:
    """Bytes in memory, or past a threshold in a temporary file that has no name.

    The file is 0600 and, where the system can, unlinked from the start: there is
    no path to disclose, and nothing is left behind when the process is killed.
    The creator closes it.

    Args:
        threshold: How many bytes stay in memory.
    """

    __slots__ = ("_buffer", "_file", "_lock", "is_closed", "size", "threshold")

    def __init__(self, threshold: int) -> None:
        self.threshold: int = threshold
        self.size: int = 0
        self.is_closed: bool = False
        self._buffer = bytearray()
        self._file: IO[bytes] | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Spool {self.size} bytes {'on disk' if self.is_on_disk else 'in memory'}>"

    @property
    def is_on_disk(self) -> bool:
        """Whether the bytes are in a file."""
        return self._file is not None

    def write(self, chunk: bytes) -> None:
        """Add *chunk* at the end.

        Raises:
            HTTPError: 507, the disk is full (`http/no-space`); the file is gone.
        """
        self.size += len(chunk)
        if self._file is None and self.size <= self.threshold:
            self._buffer += chunk
            return
        try:
            if self._file is None:
                import tempfile  # its weight is for bodies that go to disk

                self._file = tempfile.TemporaryFile("w+b", buffering=65_536, prefix="segue-")  # noqa: SIM115 - closed by close()
                self._file.write(self._buffer)
                self._buffer = bytearray()
            self._file.write(chunk)
        except OSError as error:
            self.close()
            raise HTTPError("There is no room for the body.", status=507, code="http/no-space") from error

    def open(self) -> BinaryIO:
        """Return a reader with a position of its own; any number may be open at once.

        Raises:
            UsageError: It is closed (`http/body-closed`).
        """
        if self.is_closed:
            raise UsageError(
                "The body or upload is closed.",
                code="http/body-closed",
                why="Its temporary file goes when the request ends.",
                hint="Read it, or save it, inside the handler.",
            )
        if self._file is None:
            return io.BytesIO(bytes(self._buffer))
        try:
            self._file.flush()
        except OSError as error:
            self.close()
            raise HTTPError("There is no room for the body.", status=507, code="http/no-space") from error
        return io.BufferedReader(_Reader(self._file, self.size, self._lock), 65_536)

    def close(self) -> None:
        """Remove the file, or forget the bytes. May be called again."""
        self.is_closed = True
        self._buffer = bytearray()
        if self._file is not None:
            file, self._file = self._file, None
            with contextlib.suppress(OSError):  # a full disk: what is thrown away need not arrive
                file.close()


class _Reader(io.RawIOBase):
    """Reads a spool's file from a position of its own; closing it leaves the file open."""

    def __init__(self, file: IO[bytes], size: int, lock: threading.Lock) -> None:
        self._source = file
        self._size = size
        self._lock = lock
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        start = (0, self._position, self._size)[whence]
        self._position = max(0, start + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any, /) -> int:  # Any: the buffer protocol has no type before 3.12
        wanted = min(len(buffer), max(0, self._size - self._position))
        data = self._read(wanted)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def _read(self, count: int) -> bytes:
        if hasattr(os, "pread"):
            return os.pread(self._source.fileno(), count, self._position)
        with self._lock:  # Windows has no pread: two readers share the file's position
            self._source.seek(self._position)
            data = self._source.read(count)
            self._source.seek(0, io.SEEK_END)
            return data


# Content types

_TYPE = re.compile(r"[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:/([!#$%&'*+.^_`|~0-9A-Za-z-]+))?[ \t]*(?=;|\Z)").match
# One parameter. The alternatives exclude each other at every character, so a match is linear.
_PARAMETER = re.compile(
    r"""[ \t]*;[ \t]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"([^"\\]*(?:\\.[^"\\]*)*)"|([^\s";,]*))[ \t]*(?=;|\Z))?"""
).match
_ESCAPE = re.compile(r'\\(["\\])')
_MAX_HEADER = 8192

# Charsets that a client may name. Python has codecs that are slow on hostile
# input (punycode, idna) or are no charsets (zip, unicode_escape): an allow list.
_CHARSETS = {
    **{name: name for name in ("big5", "euc-jp", "euc-kr", "gb18030", "gb2312", "gbk", "iso-2022-jp", "shift_jis")},
    **{name: name for name in ("ascii", "koi8-r", "koi8-u", "tis-620", "utf-8")},
    **{name: name for name in (f"windows-125{number}" for number in range(9))},
    **{name: name for name in (f"iso-8859-{number}" for number in (*range(1, 12), *range(13, 17)))},
    "latin-1": "iso-8859-1",
    "latin1": "iso-8859-1",
    "us-ascii": "ascii",
    "utf8": "utf-8",
}


@dataclass(frozen=True, slots=True)
class ContentType:
    """A `Content-Type`, parsed.

    Attributes:
        mime: `type/subtype` in lower case; empty where none was sent, or none that can be read.
        charset: A charset that Python reads, or `None` where none was named.
        boundary: Of a multipart type.
        params: Every parameter, names in lower case; the first of a name counts.
    """

    mime: str = ""
    charset: str | None = None
    boundary: str | None = None
    params: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def is_json(self) -> bool:
        """Whether it is `application/json` or a `+json` type."""
        return self.mime == "application/json" or (self.mime.startswith("application/") and self.mime.endswith("+json"))


_NONE = ContentType()
_COMMON = {
    "": _NONE,
    "application/json": ContentType("application/json"),
    "application/json; charset=utf-8": ContentType("application/json", "utf-8", None, {"charset": "utf-8"}),
    "application/x-www-form-urlencoded": ContentType("application/x-www-form-urlencoded"),
}


def parse_content_type(header: str) -> ContentType:
    """Return the parsed content type; what cannot be read has an empty `mime`.

    Raises:
        UnsupportedMediaType: It names a charset that is not read (`http/unknown-charset`).

    >>> parse_content_type('text/plain; charset="UTF-8"').charset
    'utf-8'
    """
    known = _COMMON.get(header)
    if known is not None:
        return known
    mime, params = parse_parameters(header)
    # A comma outside of quotes joins two fields: which one counts is a matter of opinion.
    if "/" not in mime or any("," in part for part in header.split('"')[::2]):
        return _NONE
    charset = params.get("charset")
    if charset is not None:
        charset = _CHARSETS.get(charset.lower())
        if charset is None:
            raise UnsupportedMediaType("The body's charset is not read.", code="http/unknown-charset")
    return ContentType(mime, charset, params.get("boundary"), params)


def parse_parameters(header: str) -> tuple[str, dict[str, str]]:
    """Return the value in lower case and the parameters of a header such as `a/b; c="d"`.

    Linear in the header; what follows something malformed is left out. RFC 2231's
    `name*=` is a parameter of that odd name, so it never overrides `name=`.
    """
    params: dict[str, str] = {}
    found = _TYPE(header[:_MAX_HEADER])
    if found is None:
        return "", params
    value = found[1] if found[2] is None else f"{found[1]}/{found[2]}"
    position, end = found.end(), min(len(header), _MAX_HEADER)
    while position < end:
        found = _PARAMETER(header, position, end)
        if found is None:
            break
        name, quoted, plain = found.groups()
        if name is not None:
            if quoted is not None and "\\" in quoted:
                quoted = _ESCAPE.sub(r"\1", quoted)
            params.setdefault(name.lower(), plain if quoted is None else quoted)
        position = found.end()
    return value.lower(), params


def proves_own_end(content_type: ContentType) -> bool:
    """Whether a body of this type shows by itself that it is whole.

    A multipart form ends in its last boundary, a JSON document in its closing
    bracket; of others, a connection that broke cannot be told from the end.
    """
    return content_type.is_json or (content_type.mime == "multipart/form-data" and bool(content_type.boundary))
