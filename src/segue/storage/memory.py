"""A store of files in memory, for tests."""

from __future__ import annotations

import io
import threading
from pathlib import Path
from typing import BinaryIO

from ..http.files import safe_join
from .base import Content, chunks_of, other_name, safe_name
from .errors import bad_name

__all__ = ["MemoryStorage"]

_ANYWHERE = Path("/storage")


class MemoryStorage:
    """Files that are gone with the process."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<MemoryStorage {len(self._files)} files>"

    def save(self, name: str, content: Content) -> str:
        """Store *content* and return its name; see `Storage`."""
        wanted = name = safe_name(name)
        if safe_join(_ANYWHERE, name) is None:
            raise bad_name(name)
        kept = b"".join(chunks_of(content))
        with self._lock:
            while name in self._files:
                name = other_name(wanted)
            self._files[name] = kept
        return name

    async def asave(self, name: str, content: Content) -> str:
        """`save()` in async code."""
        return self.save(name, content)

    def open(self, name: str) -> BinaryIO:
        """Return a reader of the file."""
        return io.BytesIO(self._found(name))

    async def aopen(self, name: str) -> BinaryIO:
        """`open()` in async code."""
        return self.open(name)

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        return name in self._files

    async def aexists(self, name: str) -> bool:
        """`exists()` in async code."""
        return self.exists(name)

    def size(self, name: str) -> int:
        """Return how many bytes the file has."""
        return len(self._found(name))

    async def asize(self, name: str) -> int:
        """`size()` in async code."""
        return self.size(name)

    def delete(self, name: str) -> None:
        """Remove the file; nothing happens where there is none."""
        self._files.pop(name, None)

    async def adelete(self, name: str) -> None:
        """`delete()` in async code."""
        self.delete(name)

    def _found(self, name: str) -> bytes:
        try:
            return self._files[name]
        except KeyError:
            raise FileNotFoundError(name) from None
