"""What goes wrong with stores of files."""

from __future__ import annotations

import errno

from ..errors import SegueError, UsageError, cut

__all__ = ["StorageFull", "bad_name", "is_full"]

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class StorageFull(SegueError):
    """There is no room for a file; nothing of it was kept."""

    code = "storage/full"
    status = 507


def is_full(error: OSError) -> bool:
    """Whether the system refused to write for want of room."""
    return error.errno in _FULL


def bad_name(name: str) -> UsageError:
    """Return the error for a name that leads out of its store, or that no system keeps."""
    return UsageError(
        f"{cut(name)} cannot be the name of a stored file.",
        code="storage/bad-name",
        why="It leads out of the storage, is hidden, or is no name on some system.",
        hint='storage.save("covers/blue.png", file)',
    )
