"""The caches of an app by their names, and the addresses that say what they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.parse import parse_qsl, unquote

from ..context import current
from ..errors import SetupError, UsageError, cut, did_you_mean
from ..targets import load_target
from . import CACHES
from .backends import Backend
from .keeping import Cache
from .memory import MemoryBackend

__all__ = ["Caches", "cache", "caches", "make_caches"]

_SCHEMES = ("memory", "file", "database", "redis", "rediss", "unix", "dummy")
_OPTIONS = {"timeout", "prefix", "version"}
_EXAMPLES = (
    "memory://\nmemory://?max_entries=1000\nfile:///var/cache/club\ndatabase://\n"
    "redis://127.0.0.1:6379/0?timeout=60\ndummy://\npackage.module:MyBackend"
)


class Caches(Mapping[str, Cache]):
    """Several caches by their names; `default` is the one that is meant where none is named."""

    def __init__(self, given: Mapping[str, Cache]) -> None:
        self._caches = dict(given)

    def __repr__(self) -> str:
        return f"<Caches {', '.join(self._caches)}>"

    def __getitem__(self, name: str) -> Cache:
        try:
            return self._caches[name]
        except KeyError:
            raise UsageError(
                f"No cache is called {cut(name)}.",
                code="cache/unknown-cache",
                why="The key CACHES names those of an app.",
                hint=did_you_mean(name, self._caches),
            ) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._caches)

    def __len__(self) -> int:
        return len(self._caches)

    def __contains__(self, name: object) -> bool:
        return name in self._caches

    def close(self) -> None:
        """Close all of them."""
        for each in self._caches.values():
            each.close()

    async def aclose(self) -> None:
        """Close all of them in async code."""
        for each in self._caches.values():
            await each.aclose()


def make_caches(configured: Any, *, root: Path, prefix: str = "", databases: Mapping[str, Any] | None = None) -> Caches:
    """Make the caches that the key `CACHES` says; nothing is opened.

    Args:
        configured: An address, or addresses, mappings with `url`, or back ends by name; `None` is
            one in memory.
        root: What relative folders and targets are relative to.
        prefix: Keeps the keys of this app apart from those of others, unless an address says one.
        databases: Those of the app, for `database://name`.

    Raises:
        SetupError: An address cannot be read (`cache/bad-address`).
    """
    given: dict[str, Any] = {"default": configured or "memory://"}
    if isinstance(configured, Mapping):
        given = dict(cast("Mapping[str, Any]", configured))
    made = {name: _Maker(name, root, prefix, databases).make(each) for name, each in given.items()}
    if "default" not in made:
        made["default"] = Cache(MemoryBackend(), prefix=prefix)
    return Caches(made)


class _Maker(NamedTuple):
    """Makes one cache of what `CACHES` says of it."""

    name: str
    root: Path
    prefix: str
    databases: Mapping[str, Any] | None

    def make(self, given: Any) -> Cache:
        options: dict[str, Any] = {"url": given}
        if isinstance(given, Mapping):
            options = dict(cast("Mapping[str, Any]", given))
        url = options.pop("url", None)
        if isinstance(url, str):
            address, _, query = url.partition("?") if "://" in url else (url, "", "")
            options = {**dict(parse_qsl(query, keep_blank_values=True)), **options}
            own = {key: options.pop(key) for key in _OPTIONS & options.keys()}
            backend = self._backend(address, options)
        else:
            own, backend = options, url
        if not isinstance(backend, Backend):
            raise self._bad(f"{cut(url)} makes no back end of a cache: it made {cut(backend)}.")
        return Cache(
            backend,
            timeout=self._seconds(own.get("timeout", 300)),
            prefix=str(own.get("prefix", self.prefix)),
            version=own.get("version", 1),
            name=self.name,
        )

    def _backend(self, address: str, options: dict[str, Any]) -> Any:
        scheme, separator, rest = address.partition("://")
        if not separator:
            made = load_target(address, root=self.root)
            return made(**options) if isinstance(made, type) else made
        if scheme not in _SCHEMES:
            raise self._bad(
                f"The address {cut(address)} begins with no kind of cache. {did_you_mean(scheme, _SCHEMES)}"
            )
        makers: dict[str, Callable[[str, dict[str, Any]], Any]] = {
            "memory": self._memory,
            "dummy": self._dummy,
            "file": self._file,
            "database": self._database,
        }
        maker = makers.get(scheme)
        if maker is not None:
            backend = maker(unquote(rest), options)
        else:
            backend = self._redis(address, options)
        if options:
            raise self._bad(f"The address {cut(address)} has an unknown option {next(iter(options))!r}.")
        return backend

    def _memory(self, rest: str, options: dict[str, Any]) -> Any:
        return MemoryBackend(**self._numbers(options, "max_entries", "max_bytes"))

    def _dummy(self, rest: str, options: dict[str, Any]) -> Any:
        from .dummy import DummyBackend

        return DummyBackend()

    def _file(self, rest: str, options: dict[str, Any]) -> Any:
        from .file import FileBackend

        if not rest:
            raise self._bad("file:// names no folder.")
        return FileBackend(self.root / rest, **self._numbers(options, "max_entries"))

    def _database(self, rest: str, options: dict[str, Any]) -> Any:
        databases, name = self.databases, rest or "default"
        if databases is None:
            raise self._bad("A cache is to be in the database, and this app has none.", hint="App(database=…)")
        if name not in databases:
            raise self._bad(f"No database is called {name!r}. {did_you_mean(name, databases)}")
        from .database import DatabaseBackend

        return DatabaseBackend(lambda: databases[name])

    def _redis(self, address: str, options: dict[str, Any]) -> Any:
        from .redis import RedisBackend

        patience = float(options.pop("patience_seconds", 0.25))
        # What else stands there is redis-py's own.
        query = "&".join(f"{key}={options.pop(key)}" for key in list(options))
        return RedisBackend(f"{address}?{query}" if query else address, patience_seconds=patience)

    def _numbers(self, options: dict[str, Any], *names: str) -> dict[str, Any]:
        try:
            return {name: int(options.pop(name)) for name in names if name in options}
        except ValueError as error:
            raise self._bad(f"An option of the address is no number: {error}.") from None

    def _seconds(self, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        if given.lower() == "none":
            return None
        try:
            return float(given)
        except ValueError:
            raise self._bad(f"timeout={given} is no number of seconds.") from None

    def _bad(self, message: str, *, hint: str = _EXAMPLES) -> SetupError:
        return SetupError(message, code="cache/bad-address", where=f"CACHES[{self.name!r}]", hint=hint)


# For users: what these names mean is the running app's.


class _Current:
    """The default cache of the running app, whichever that is."""

    def __repr__(self) -> str:
        return "<the default cache of the running app>"

    def __getattr__(self, name: str) -> Any:
        return getattr(current().get(CACHES)["default"], name)

    def __contains__(self, key: str) -> bool:
        return key in current().get(CACHES)["default"]


class _CurrentCaches:
    """The caches of the running app."""

    def __repr__(self) -> str:
        return "<the caches of the running app>"

    def __getitem__(self, name: str) -> Cache:
        return current().get(CACHES)[name]


cache: Cache = cast("Cache", _Current())
caches: Mapping[str, Cache] = cast("Mapping[str, Cache]", _CurrentCaches())
