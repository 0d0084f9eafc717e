"""Values kept for a time, so that they are not made again.

Holds: `Cache`, what it keeps values in (memory, files, a database, Redis, nothing), an app's caches by name.
Imports: floor 0 and msgspec; `database.py` alone the data layer, `connecting.py` alone the client of Redis.
Never: unpickles, knows an app or a request, or fails a request because a server of caches is away.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..context import Key

if TYPE_CHECKING:
    from .backends import Backend, Count
    from .database import DatabaseBackend
    from .dummy import DummyBackend
    from .errors import CacheUnavailable
    from .file import FileBackend
    from .keeping import Cache
    from .memory import MemoryBackend
    from .named import Caches, cache, caches
    from .redis import RedisBackend

__all__ = [
    "CACHES",
    "Backend",
    "Cache",
    "CacheUnavailable",
    "Caches",
    "Count",
    "DatabaseBackend",
    "DummyBackend",
    "FileBackend",
    "MemoryBackend",
    "RedisBackend",
    "cache",
    "caches",
]

CACHES: Key["Caches"] = Key("caches")
"""Where an app keeps its caches, by their names."""

_WHERE = {
    "Backend": "backends",
    "Cache": "keeping",
    "CacheUnavailable": "errors",
    "Caches": "named",
    "Count": "backends",
    "DatabaseBackend": "database",
    "DummyBackend": "dummy",
    "FileBackend": "file",
    "MemoryBackend": "memory",
    "RedisBackend": "redis",
    "cache": "named",
    "caches": "named",
}


def __getattr__(name: str) -> Any:
    # Every app has caches; what they need is loaded where something is kept.
    if name in _WHERE:
        return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    raise AttributeError(f"segue.cache has no {name!r}")
