"""A store of files in a folder.

Holds: `FileSystemStorage`.
Never: follows a link out of its folder, or leaves a part of a file.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import BinaryIO

from ..http.files import safe_join
from .base import Content, chunks_of, other_name, safe_name
from .errors import StorageFull, bad_name, is_full

__all__ = ["FileSystemStorage"]


class FileSystemStorage:
    """Files in a folder of this machine.

    Args:
        root: The folder; it is made with the first file.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root: Path = Path(root)

    def __repr__(self) -> str:
        return f"<FileSystemStorage {self.root}>"

    def path(self, name: str) -> Path:
        """Return where the file is, or would be.

        Raises:
            UsageError: *name* leads out of the folder (`storage/bad-name`).
        """
        found = safe_join(self.root, name)
        if found is None:
            raise bad_name(name)
        return found

    def save(self, name: str, content: Content) -> str:
        """Store *content* and return its name; see `Storage`. It is there when all of it is written."""
        name = safe_name(name)
        target = self.path(name)
        part = target.with_name(f".{os.urandom(8).hex()}.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._write(part, content)
            return self._link(part, name)
        except OSError as error:
            if not is_full(error):
                raise
            raise StorageFull(
                f"There is no room for {name} in {self.root}.",
                code="storage/full",
                why=error.strerror or "",
                hint="Nothing of the file was kept. Make room on the disk, or raise the quota.",
            ) from error
        finally:
            part.unlink(missing_ok=True)

    def _write(self, part: Path, content: Content) -> None:
        with part.open("xb") as file:
            for chunk in chunks_of(content):
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())

    def _link(self, part: Path, name: str) -> str:
        """Give the file the first free name: the system refuses one that is taken, so no two writers get it."""
        wanted = name
        while True:
            try:
                os.link(part, self.path(name))
            except FileExistsError:
                name = other_name(wanted)
            else:
                return name

    async def asave(self, name: str, content: Content) -> str:
        """`save()` in a thread."""
        return await asyncio.to_thread(self.save, name, content)

    def open(self, name: str) -> BinaryIO:
        """Return an open reader of the file."""
        return self.path(name).open("rb")

    async def aopen(self, name: str) -> BinaryIO:
        """`open()` in a thread."""
        return await asyncio.to_thread(self.open, name)

    def exists(self, name: str) -> bool:
        """Whether there is such a file; a name that leads out of the folder is none."""
        found = safe_join(self.root, name)
        return found is not None and found.is_file()

    async def aexists(self, name: str) -> bool:
        """`exists()` in a thread."""
        return await asyncio.to_thread(self.exists, name)

    def size(self, name: str) -> int:
        """Return how many bytes the file has."""
        return self.path(name).stat().st_size

    async def asize(self, name: str) -> int:
        """`size()` in a thread."""
        return await asyncio.to_thread(self.size, name)

    def delete(self, name: str) -> None:
        """Remove the file; nothing happens where there is none."""
        self.path(name).unlink(missing_ok=True)

    async def adelete(self, name: str) -> None:
        """`delete()` in a thread."""
        await asyncio.to_thread(self.delete, name)
