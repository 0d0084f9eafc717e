"""A lock between processes, beside a file of SQLite.

Holds: `FileLock`.
Imports: the standard library.
Never: outlives its process: the system takes the lock away with it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["FileLock"]


class FileLock:
    """A file that one process at a time holds.

    It is gone when nobody holds it: who takes the lock looks whether the file is still the
    one of that name, since the holder before may have removed it meanwhile.
    """

    def __init__(self, path: str | Path) -> None:
        self.path: Path = Path(path)
        self._handle: int | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path}{', held' if self._handle is not None else ''}>"

    def take(self) -> bool:
        """Take the lock; tell whether nobody else had it."""
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        if _lock(handle) and self._is_named(handle):
            self._handle = handle
            return True
        os.close(handle)
        return False

    def _is_named(self, handle: int) -> bool:
        try:
            named = os.stat(self.path)
        except FileNotFoundError:
            return False
        return os.path.samestat(named, os.fstat(handle))

    def give(self) -> None:
        """Give it back."""
        handle, self._handle = self._handle, None
        if handle is None:
            return
        if sys.platform != "win32":
            self.path.unlink(missing_ok=True)
        os.close(handle)


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
