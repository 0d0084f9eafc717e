"""What every store of files does, and how names are made for it.

Holds: `Storage`; `Content`, what can be stored; the names of new files.
Never: touches a file.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Protocol, runtime_checkable

from ..http.uploads import neutral_filename
from .errors import bad_name

__all__ = ["Content", "Storage", "chunks_of", "other_name", "safe_name"]

_CHUNK = 65_536
_LONGEST = 255

Content = bytes | BinaryIO | Iterable[bytes]
"""What can be stored: bytes, an open binary file, or pieces; an `UploadFile` is its pieces."""


@runtime_checkable
class Storage(Protocol):
    """A store of files by name.

    A name is a path below the store, with `/` between its parts. Every method has a twin for
    async code, which never blocks the loop. A store elsewhere than in a folder has no paths:
    what reads a file asks `open`.
    """

    def save(self, name: str, content: Content) -> str:
        """Store *content* and return its name: another than *name* where that is taken or unsafe.

        Raises:
            StorageFull: There is no room; nothing was kept (`storage/full`).
            UsageError: The folder in *name* leads out of the store (`storage/bad-name`).
        """
        ...

    async def asave(self, name: str, content: Content) -> str:
        """`save()` in async code."""
        ...

    def open(self, name: str) -> BinaryIO:
        """Return an open reader of the file.

        Raises:
            FileNotFoundError: There is none.
        """
        ...

    async def aopen(self, name: str) -> BinaryIO:
        """`open()` in async code; a reader of a disk still blocks where it is read."""
        ...

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        ...

    async def aexists(self, name: str) -> bool:
        """`exists()` in async code."""
        ...

    def size(self, name: str) -> int:
        """Return how many bytes the file has.

        Raises:
            FileNotFoundError: There is none.
        """
        ...

    async def asize(self, name: str) -> int:
        """`size()` in async code."""
        ...

    def delete(self, name: str) -> None:
        """Remove the file; nothing happens where there is none."""
        ...

    async def adelete(self, name: str) -> None:
        """`delete()` in async code."""
        ...


def chunks_of(content: Content) -> Iterator[bytes]:
    """Iterate *content*, piece by piece."""
    if isinstance(content, bytes | bytearray | memoryview):
        yield bytes(content)
        return
    read = getattr(content, "read", None)
    # An upload has both, and its pieces begin at its start wherever it was read to.
    if read is None or hasattr(content, "chunks"):
        yield from content
        return
    while chunk := read(_CHUNK):
        yield chunk


def safe_name(name: str) -> str:
    """Return *name* with its last part made harmless, as a visitor's file name has to be.

    Raises:
        UsageError: It names nothing, or is too long (`storage/bad-name`).
    """
    folder, slash, last = name.rpartition("/")
    made = f"{folder}{slash}{neutral_filename(last)}"
    if not last or len(made) > _LONGEST:
        raise bad_name(name)
    return made


def other_name(name: str) -> str:
    """Return *name* with a random part before its extension."""
    folder, slash, last = name.rpartition("/")
    stem, dot, extension = last.rpartition(".")
    if not dot:
        stem, extension = last, ""
    return f"{folder}{slash}{stem[:80]}_{os.urandom(8).hex()}{dot}{extension}"
