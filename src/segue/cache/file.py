"""A back end of files in a folder: shared by the processes of one machine, and kept over restarts.

A file holds `SGC1`, the moment of its end, a checksum and the value. It is written beside its place
and moved there, so nobody reads half of one; what is damaged all the same is a miss. What reads
before it writes holds the lock of its shard, of which there are 256.
"""

from __future__ import annotations

import math
import os
import struct
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple

from ..clock import now
from .backends import Backend, Count

__all__ = ["FileBackend"]

_HEADER = struct.Struct(">4sdI")
_MAGIC = b"SGC1"
_SHARDS = 256
_ABANDONED_SECONDS = 600


class _Kept(NamedTuple):
    value: bytes
    until: float


class FileBackend(Backend):
    """Keeps values as files below *folder*, which only this user can read.

    Args:
        max_entries: About how many values there may be; the oldest make room.
        clock: The moment in seconds, on which all processes agree.
    """

    def __init__(self, folder: str | Path, *, max_entries: int = 10_000, clock: Callable[[], float] = now) -> None:
        self.folder: Path = Path(folder)
        self._most_of_a_shard = max_entries // _SHARDS + 8
        self._clock = clock

    def __repr__(self) -> str:
        return f"<FileBackend {self.folder}>"

    def get(self, key: str) -> bytes | None:
        """Return the value of *key*, or `None`."""
        kept = self._read(self._path(key))
        return None if kept is None else kept.value

    def set(self, key: str, value: bytes, seconds: float | None) -> None:
        """Keep *value*, over what was there."""
        with self._locked(key) as path:
            self._write(path, value, self._until(seconds))

    def add(self, key: str, value: bytes, seconds: float | None) -> bool:
        """Keep *value* where nothing is; tell whether it was."""
        with self._locked(key) as path:
            if self._read(path) is not None:
                return False
            self._write(path, value, self._until(seconds))
            return True

    def delete(self, key: str) -> bool:
        """Forget *key*; tell whether it was there."""
        with self._locked(key) as path:
            is_there = self._read(path) is not None
            path.unlink(missing_ok=True)
            return is_there

    def touch(self, key: str, seconds: float | None) -> bool:
        """Let *key* live so long from now; tell whether it is there."""
        with self._locked(key) as path:
            kept = self._read(path)
            if kept is None:
                return False
            self._write(path, kept.value, self._until(seconds))
            return True

    def count(self, key: str, step: int, initial: int | None, seconds: float | None) -> Count | None:
        """Add *step* to a number."""
        with self._locked(key) as path:
            kept = self._read(path)
            if kept is None and initial is None:
                return None
            number = step + (int(kept.value) if kept is not None else initial or 0)
            until = kept.until if kept is not None else self._until(seconds)
            self._write(path, b"%d" % number, until)
            return Count(number, None if until == math.inf else until - self._clock())

    def swap(self, key: str, old: bytes, new: bytes, seconds: float | None) -> bool:
        """Keep *new* if *old* is what is there; tell whether it was."""
        with self._locked(key) as path:
            kept = self._read(path)
            if kept is None or kept.value != old:
                return False
            self._write(path, new, self._until(seconds))
            return True

    def clear(self, start: str) -> None:
        """Forget all keys that start with *start*."""
        folder = self.folder / start.rstrip(":")
        for file in folder.glob("*/*"):
            if not file.name.startswith("."):
                file.unlink(missing_ok=True)

    def _until(self, seconds: float | None) -> float:
        return math.inf if seconds is None else self._clock() + seconds

    # Files

    def _path(self, key: str) -> Path:
        start, _, name = key.partition(":")
        return self.folder / start / name[:2] / name

    def _read(self, path: Path) -> _Kept | None:
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        if len(data) < _HEADER.size:
            return None
        magic, until, checksum = _HEADER.unpack_from(data)
        value = data[_HEADER.size :]
        if magic != _MAGIC or checksum != zlib.crc32(value) or not until > self._clock():
            return None
        return _Kept(value, until)

    def _write(self, path: Path, value: bytes, until: float) -> None:
        if not path.exists():
            self._make_room(path.parent)
        # mkstemp gives it to this user alone.
        descriptor, name = tempfile.mkstemp(prefix=".", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(_HEADER.pack(_MAGIC, until, zlib.crc32(value)) + value)
            os.replace(name, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise

    def _make_room(self, shard: Path) -> None:
        files: list[tuple[float, Path]] = []
        for file in shard.iterdir():
            if file.name == ".lock":
                continue
            with suppress(FileNotFoundError):
                age = file.stat().st_mtime
                if not file.name.startswith("."):
                    files.append((age, file))
                elif age < time.time() - _ABANDONED_SECONDS:
                    file.unlink()  # whoever wrote it was killed
        if len(files) < self._most_of_a_shard:
            return
        live = sorted((age, file) for age, file in files if self._read(file) is not None)
        kept = {file for _, file in live[-(self._most_of_a_shard - 1) :]}
        for _, file in files:
            if file not in kept:
                file.unlink(missing_ok=True)

    @contextmanager
    def _locked(self, key: str) -> Generator[Path]:
        """Hold the lock of a key's shard, against threads and processes; gives the key's path."""
        path = self._path(key)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The lock of an open file, which ends with its process.
        with (path.parent / ".lock").open("ab") as lock:
            _lock(lock)
            yield path


if sys.platform == "win32":

    def _lock(file: IO[bytes]) -> None:
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
else:

    def _lock(file: IO[bytes]) -> None:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX)
