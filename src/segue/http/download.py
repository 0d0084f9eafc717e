"""Sending files: conditional, in parts, and by the server itself where it can.

Holds `FileResponse` and `SeekableResponse`, which look at the request only when they are sent.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Any, BinaryIO, TypedDict, Unpack, overload

from ..errors import NotFound, RangeNotSatisfiable, UsageError, cut
from .conditional import evaluate, format_http_date, if_range_holds
from .disposition import content_disposition
from .files import guess_type, safe_join
from .ranges import Range, content_range, multipart_pieces, parse_range
from .response import Response, StreamResponse

__all__ = ["FileOptions", "FileResponse", "RangedResponse", "SeekableResponse", "send_file", "send_from_directory"]

_CHUNK = 65_536


class FileOptions(TypedDict, total=False):
    """How a file is sent.

    Attributes:
        content_type: Guessed from the name where it is not given.
        as_attachment: Whether the browser should save it.
        download_name: The name it is saved under; the file's own where it is not given.
        max_age_seconds: How long caches may keep it; without it they ask each time.
        etag: Names the version, quotes included; made of time and size where it is not given.
    """

    content_type: str | None
    as_attachment: bool
    download_name: str | None
    max_age_seconds: int | None
    etag: str | None


class RangedResponse(Response):
    """A body of known size, of which a request may ask a part.

    Attributes:
        size: All its bytes.
        start, end: The bytes that are sent, end excluded.
        length: How many they are.
        etag, modified: Its validators, where it has them.
    """

    __slots__ = ("end", "etag", "modified", "size", "start")

    needs_request = True

    def __init__(
        self,
        size: int,
        status: int,
        headers: Mapping[str, object] | None,
        *,
        content_type: str,
        etag: str | None,
        modified: datetime | None,
    ) -> None:
        super().__init__(b"", status, headers or {}, content_type=content_type)
        self.size: int = size
        self.start: int = 0
        self.end: int = size
        self.etag: str | None = etag
        self.modified: datetime | None = modified
        if etag is not None:
            self.headers.setdefault("etag", etag)
        if modified is not None:
            self.headers.setdefault("last-modified", format_http_date(modified))
        self.headers.setdefault("accept-ranges", "bytes")
        self.headers.setdefault("cache-control", "no-cache")

    @property
    def length(self) -> int:
        """How many bytes are sent."""
        return self.end - self.start

    @property
    def is_whole(self) -> bool:
        """Whether all of it is sent."""
        return self.start == 0 and self.end == self.size

    @property
    def body(self) -> bytes:
        """The bytes that are sent, read now."""
        return b"".join(self.chunks())

    @body.setter
    def body(self, value: str | bytes) -> None:
        raise AttributeError("The body of a file response is its file; return another response.")

    def chunks(self) -> Iterator[bytes]:
        """Read the bytes that are sent, piece by piece."""
        return self.read(self.start, self.end)

    if TYPE_CHECKING:

        def read(self, start: int, end: int) -> Iterator[bytes]: ...

    def prepare(self, request: Any) -> Response:
        """Return what this request is sent: all of it, a part, several parts, or 304."""
        if self.status != 200:
            return self
        verdict = evaluate(request.method, request.headers.get, etag=self.etag, last_modified=self.modified)
        if verdict is not None:
            kept = [pair for pair in self.headers.items() if pair[0] in _KEPT_ON_304]
            return self._instead(Response(b"", verdict, kept))
        asked = request.headers.get("range")
        if asked is None or request.method != "GET":
            return self
        if not if_range_holds(request.headers.get("if-range"), etag=self.etag, last_modified=self.modified):
            return self
        try:
            ranges = parse_range(asked, self.size)
        except RangeNotSatisfiable:
            return self._instead(Response(b"", 416, {"content-range": f"bytes */{self.size}"}))
        if ranges is None:
            return self
        if len(ranges) == 1:
            self.status = 206
            self.start, self.end = ranges[0].start, ranges[0].end
            self.headers["content-range"] = content_range(ranges[0], self.size)
            return self
        return self._in_parts(ranges)

    def _instead(self, response: Response) -> Response:
        # What `on_close` was given belongs to what is sent.
        response.closers = self.closers
        return response

    def _in_parts(self, ranges: list[Range]) -> Response:
        boundary, pieces, length = multipart_pieces(ranges, self.size, self.content_type)

        def chunks() -> Iterator[bytes]:
            for piece in pieces:
                if isinstance(piece, Range):
                    yield from self.read(piece.start, piece.end)
                else:
                    yield piece

        return self._as_stream(chunks(), 206, length, f"multipart/byteranges; boundary={boundary}")

    def _as_stream(self, chunks: Iterator[bytes], status: int, length: int, content_type: str) -> Response:
        response = StreamResponse(chunks, status, content_type=content_type)
        for name, value in self.headers.items():
            if name != "content-type":
                response.headers.add(name, value)
        response.headers["content-length"] = str(length)
        return self._instead(response)


class FileResponse(RangedResponse):
    """A file, or a part of one, that the server reads.

    Attributes:
        path: The file.
    """

    __slots__ = ("path",)

    def __init__(
        self,
        path: str | os.PathLike[str],
        status: int = 200,
        headers: Mapping[str, object] | None = None,
        *,
        content_type: str | None = None,
        etag: str | None = None,
        stat: os.stat_result | None = None,
    ) -> None:
        self.path: Path = Path(path)
        if stat is None:
            try:
                stat = self.path.stat()
            except (OSError, ValueError):
                raise NotFound() from None
        if not S_ISREG(stat.st_mode):
            raise NotFound()
        super().__init__(
            stat.st_size,
            status,
            headers,
            content_type=content_type or guess_type(self.path.name),
            # The time to the nanosecond, so that two writes in one second differ.
            etag=etag or f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"',
            modified=datetime.fromtimestamp(int(stat.st_mtime), UTC),
        )

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """Read the bytes from *start* up to, and without, *end*, piece by piece."""
        with self.path.open("rb") as file:
            yield from _pieces(file, start, end)


class SeekableResponse(RangedResponse):
    """An open binary file, or what reads like one: a `BytesIO`, an object in a store.

    All of it is sent, wherever it stands now, and it is closed after the last byte.

    Args:
        file: Must be seekable.
        etag: Names the version, quotes included. Without one, nobody is told `304`.

    Raises:
        UsageError: It cannot be sought in, or reads text (`http/not-seekable`).
    """

    __slots__ = ("file",)

    def __init__(self, file: BinaryIO, *, content_type: str, etag: str | None = None) -> None:
        self.file: BinaryIO = file
        super().__init__(_size_of(file), 200, None, content_type=content_type, etag=etag, modified=None)
        self.on_close(file.close)

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """Read the bytes from *start* up to, and without, *end*, piece by piece."""
        return _pieces(self.file, start, end)

    def prepare(self, request: Any) -> Response:
        """Return what this request is sent, as a stream of known length."""
        sent = super().prepare(request)
        if sent is not self:
            return sent
        return self._as_stream(self.chunks(), self.status, self.length, self.content_type)


def _size_of(file: BinaryIO) -> int:
    if isinstance(file, io.TextIOBase) or not file.seekable():
        raise UsageError(
            f"{cut(file)} cannot be sent in parts.",
            code="http/not-seekable",
            why="send_file asks for its size and reads from any place, so it must be binary and seekable.",
            hint='Open it by "rb", or return stream(...) for what can be read once only.',
        )
    return file.seek(0, os.SEEK_END)


_KEPT_ON_304 = frozenset({"etag", "last-modified", "cache-control", "vary", "content-location", "expires"})


def _pieces(file: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    file.seek(start)
    left = end - start
    while left > 0:
        chunk = file.read(min(_CHUNK, left))
        if not chunk:
            return
        left -= len(chunk)
        yield chunk


@overload
def send_file(path: str | os.PathLike[str], **options: Unpack[FileOptions]) -> FileResponse: ...
@overload
def send_file(path: BinaryIO, **options: Unpack[FileOptions]) -> SeekableResponse: ...
def send_file(path: str | os.PathLike[str] | BinaryIO, **options: Unpack[FileOptions]) -> RangedResponse:
    """Return a response that sends the file at *path*, or an open binary file.

    Never pass a path that a visitor chose: use `send_from_directory`. An open file must
    be seekable; it is sent from its beginning and closed afterwards. Without `etag=` a
    browser cannot be told that it has it already.

    Args:
        options: As `FileOptions` says.

    Raises:
        NotFound: There is no such file.
        UsageError: An open file is no binary one, or cannot be sought in (`http/not-seekable`).
    """
    name = options.get("download_name")
    response: RangedResponse
    if isinstance(path, str | os.PathLike):
        response = FileResponse(path, content_type=options.get("content_type"), etag=options.get("etag"))
        own_name = response.path.name
    else:
        content_type = options.get("content_type") or guess_type(name or "")
        response = SeekableResponse(path, content_type=content_type, etag=options.get("etag"))
        own_name = ""
    if options.get("as_attachment") or name is not None:
        kind = "attachment" if options.get("as_attachment") else "inline"
        response.headers["content-disposition"] = content_disposition(kind, name or own_name or "download")
    max_age = options.get("max_age_seconds")
    if max_age is not None:
        response.headers["cache-control"] = f"public, max-age={max_age}"
    return response


def send_from_directory(directory: str | os.PathLike[str], name: str, **options: Unpack[FileOptions]) -> FileResponse:
    """Return a response that sends the file *name* from below *directory*.

    Args:
        name: May come from a visitor. Whatever would leave the directory, names a
            hidden file or a device, or follows a link out of it, is not found.
        options: As for `send_file`.

    Raises:
        NotFound: There is no such file in there.
    """
    found = safe_join(Path(directory), name)
    if found is None:
        raise NotFound()
    return send_file(found, **options)
