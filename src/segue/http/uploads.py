"""Uploaded files: where their bytes are, and under which harmless name."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from .bodies import Spool

__all__ = ["UploadFile", "is_device_name", "neutral_filename"]

_CHUNK = 65_536
_MAX_NAME = 100
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
# Windows opens a device under these names whatever the extension or directory.
_DEVICES = frozenset({"con", "prn", "aux", "nul", "conin$", "conout$", "clock$"}) | frozenset(
    f"{kind}{digit}" for kind in ("com", "lpt") for digit in "0123456789¹²³"
)


def is_device_name(name: str) -> bool:
    """Whether Windows takes the file name *name* for a device, as `NUL.txt` or `aux .css`."""
    return name.partition(".")[0].strip(" ").casefold() in _DEVICES


def neutral_filename(raw: str, *, default: str = "file") -> str:
    """Return a name made from *raw* that is safe as a file name on every system.

    Only `[A-Za-z0-9._-]` remain, at most 100 of them; no directory, no leading or
    trailing dot, no Windows device. The extension survives a cut.

    >>> neutral_filename("../../Été à Paris.JPG")
    'Ete_a_Paris.JPG'
    """
    import unicodedata

    # The length first: normalising many combining marks takes quadratic time.
    base = raw[-1024:].replace("\\", "/").rpartition("/")[2].partition("\0")[0][-255:]
    plain = unicodedata.normalize("NFKD", base).encode("ascii", "ignore").decode("ascii")
    # NFKD makes `/` and `..` out of a few single characters, so the rules come after it.
    plain = _UNSAFE.sub("_", plain).strip("._-")
    stem, dot, extension = plain.rpartition(".")
    if not plain or (dot and not stem):
        return default
    if len(plain) > _MAX_NAME:
        keep = len(extension) if dot and len(extension) <= 20 else 0
        plain = f"{stem[: _MAX_NAME - keep - 1]}.{extension}" if keep else plain[:_MAX_NAME].rstrip(".")
    return f"_{plain}"[:_MAX_NAME] if is_device_name(plain) else plain


class UploadFile:
    """One uploaded file. It is closed, and gone, when its request ends.

    Attributes:
        filename: Neutralised: a base name of `[A-Za-z0-9._-]`, never a path.
        raw_filename: As the client sent it. For display only.
        content_type: What the client says it is; nobody checked.
        headers: Of its part of the form, names in lower case.
        size: In bytes.
    """

    __slots__ = ("_reader", "_spool", "content_type", "filename", "headers", "raw_filename")

    def __init__(
        self,
        spool: Spool,
        *,
        filename: str,
        content_type: str = "application/octet-stream",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._spool = spool
        self._reader: BinaryIO | None = None
        self.raw_filename: str = filename
        self.filename: str = neutral_filename(filename)
        self.content_type: str = content_type
        self.headers: dict[str, str] = dict(headers or {})

    def __repr__(self) -> str:
        return f"<UploadFile {self.filename} {self.size} bytes>"

    @property
    def size(self) -> int:
        """How many bytes were sent."""
        return self._spool.size

    @property
    def is_on_disk(self) -> bool:
        """Whether reading it touches a disk."""
        return self._spool.is_on_disk

    def open(self) -> BinaryIO:
        """Return a reader of its own position, for libraries that want a file object."""
        return self._spool.open()

    def read(self, size: int = -1) -> bytes:
        """Return the next *size* bytes, or all that are left."""
        return self._opened().read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to *offset* for the next `read`."""
        return self._opened().seek(offset, whence)

    def tell(self) -> int:
        """Return where the next `read` begins."""
        return self._opened().tell()

    def chunks(self, size: int = _CHUNK) -> Iterator[bytes]:
        """Iterate the whole file, *size* bytes at a time, from its start."""
        with self._spool.open() as reader:
            while chunk := reader.read(size):
                yield chunk

    def __iter__(self) -> Iterator[bytes]:
        return self.chunks()

    def save(self, target: str | os.PathLike[str]) -> Path:
        """Write the file to *target* and return where it is.

        Into a directory it goes under `filename`, with a random suffix if that is
        taken: a visitor's name never replaces a file. A path is replaced at once,
        when all bytes are written; nothing is left of a write that fails.

        Args:
            target: Written by you. Never a path made from what a visitor sent.
        """
        path = Path(target)
        if path.is_dir():
            return self._save_new(path)
        part = path.with_name(f".{os.urandom(8).hex()}.part")
        self._write_to(part)
        try:
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        return path

    async def aread(self, size: int = -1) -> bytes:
        """Return the next *size* bytes, or all that are left; a disk is read in a thread."""
        if self.is_on_disk:
            return await asyncio.to_thread(self.read, size)
        return self.read(size)

    async def asave(self, target: str | os.PathLike[str]) -> Path:
        """Write the file to *target*, in a thread, and return where it is."""
        return await asyncio.to_thread(self.save, target)

    def close(self) -> None:
        """Remove what was kept of it. May be called again."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        self._spool.close()

    def _opened(self) -> BinaryIO:
        if self._reader is None:
            self._reader = self._spool.open()
        return self._reader

    def _save_new(self, directory: Path) -> Path:
        path = directory / self.filename
        try:
            self._write_to(path)
        except FileExistsError:
            path = directory / f"{os.urandom(8).hex()}-{self.filename[-80:].lstrip('._-')}"
            self._write_to(path)
        return path

    def _write_to(self, path: Path) -> None:
        with path.open("xb") as file:
            try:
                for chunk in self.chunks():
                    file.write(chunk)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
