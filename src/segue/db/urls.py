"""Addresses of databases: what users have at hand, read into one form.

Holds: `parse_url` and the `DatabaseURL` that it returns; the options that an address may carry.
Imports: floor 0.
Never: opens a connection, loads a driver, or shows a password.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from ..errors import SetupError, cut, did_you_mean
from ..masking import MASK

__all__ = ["MEMORY", "DatabaseURL", "parse_url"]

MEMORY = ":memory:"
"""The name of a SQLite database that lives in memory alone."""

# What others call them: Heroku, dj-database-url, Rails, and SQLAlchemy's drivers. A driver
# that is named behind a plus does not matter: Segue has one for each database and colour.
_VENDORS = {
    "sqlite": "sqlite",
    "sqlite3": "sqlite",
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "pgsql": "postgresql",
    "psql": "postgresql",
    "mysql": "mysql",
    "mysql2": "mysql",
    "mariadb": "mysql",
}
_DRIVERS = {
    "sqlite": {"pysqlite", "aiosqlite"},
    "postgresql": {"psycopg", "psycopg2", "psycopg_async", "asyncpg", "pg8000"},
    "mysql": {"pymysql", "asyncmy", "aiomysql", "mysqldb", "mysqlclient", "mysqlconnector"},
}
_EXAMPLES = {
    "sqlite": "sqlite:///club.db, or sqlite://:memory:",
    "postgresql": "postgresql://user:password@localhost/club",
    "mysql": "mysql://user:password@localhost/club",
}

# What an address may say after its question mark, and how it is read.
_COMMON = {"pool_size": int, "pool_timeout": float, "connect_timeout": float, "statement_timeout": float}
_OPTIONS: dict[str, dict[str, type]] = {
    "sqlite": {**_COMMON, "timeout": float, "mode": str},
    "postgresql": {
        **_COMMON,
        "lock_timeout": float,
        "prepare_threshold": int,
        **dict.fromkeys(
            (
                "application_name", "channel_binding", "gssencmode", "host", "keepalives", "keepalives_count",
                "keepalives_idle", "keepalives_interval", "options", "passfile", "port", "service", "sslcert",
                "sslcrl", "sslkey", "sslmode", "sslpassword", "sslrootcert", "target_session_attrs",
                "tcp_user_timeout",
            ),
            str,
        ),
    },
    "mysql": {
        **_COMMON,
        "lock_timeout": float,
        "read_timeout": float,
        "write_timeout": float,
        **dict.fromkeys(("charset", "ssl_ca", "ssl_cert", "ssl_key", "unix_socket"), str),
    },
}  # fmt: skip
_NUMBER = {int: re.compile(r"[0-9]{1,6}"), float: re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")}
_MODES = ("ro", "rw", "rwc")
_CHARSETS = ("utf8", "utf8mb4")


@dataclass(frozen=True)
class DatabaseURL:
    """Where a database is, and how it is to be used.

    Attributes:
        vendor: `sqlite`, `postgresql` or `mysql` (which is MariaDB too).
        database: The name; of SQLite the absolute path of its file, or `:memory:`.
        user: Who connects; empty means what the driver assumes.
        password: Never shown by `repr` or `str`.
        host: Empty means the local socket, or what the driver assumes.
        port: 0 means the usual one.
        options: What stood after the question mark, read to its types.

    >>> parse_url("postgres://me:hunter2@db.example.org/club?sslmode=require")
    <DatabaseURL postgresql://me:***@db.example.org/club?sslmode=require>
    """

    vendor: str
    database: str
    user: str = ""
    password: str = field(default="", repr=False)
    host: str = ""
    port: int = 0
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def is_memory(self) -> bool:
        """Whether it is a SQLite database that lives in memory alone."""
        return self.vendor == "sqlite" and self.database == MEMORY

    def __str__(self) -> str:
        query = "&".join(
            f"{name}={MASK if 'password' in name else quote(str(value), safe='/')}"
            for name, value in self.options.items()
        )
        query = "?" + query if query else ""
        if self.vendor == "sqlite":
            return f"sqlite:///{self.database}{query}"
        password = f":{MASK}" if self.password else ""
        user = f"{quote(self.user, safe='')}{password}@" if self.user or password else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.port else ""
        return f"{self.vendor}://{user}{host}{port}/{quote(self.database, safe='')}{query}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"


def parse_url(text: str, *, root: str | Path | None = None, options: Mapping[str, Any] | None = None) -> DatabaseURL:
    """Read the address of a database, in any of its usual spellings.

    Args:
        text: Such as `sqlite:///club.db`, `sqlite://:memory:`, `postgres://me@host/club`,
            `mysql://me:password@host:3306/club?pool_size=5`.
        root: What the path of a SQLite file is relative to; `None` is the working directory.
        options: What the address does not say itself after its question mark.

    Raises:
        SetupError: `data/bad-url`, with the nearest right spelling.
    """
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # it comes from configuration
        raise _bad(f"The address of a database is a text, not {type(text).__name__}.", _examples())
    scheme, separator, rest = text.strip().partition("://")
    if not separator:
        raise _bad(
            f"{cut(_shown(text))} is no address of a database.",
            "For a file of SQLite: sqlite:///club.db\n" + _examples(),
        )
    vendor = _vendor_of(scheme.casefold(), text)
    rest, _, query = rest.partition("?")
    read = _read_options(vendor, [(name, str(value)) for name, value in (options or {}).items()])
    read.update(_read_options(vendor, parse_qsl(query, keep_blank_values=True)))
    if vendor == "sqlite":
        return DatabaseURL(vendor, _sqlite_path(rest, root), options=read)
    return _server(vendor, rest, read, text)


def _vendor_of(scheme: str, text: str) -> str:
    name, plus, driver = scheme.partition("+")
    vendor = _VENDORS.get(name)
    if vendor is None:
        suggestion = did_you_mean(name, _VENDORS)
        raise _bad(f"{cut(_shown(text))}: there is no database {name!r}.", suggestion or _examples())
    if plus and driver not in _DRIVERS[vendor]:
        raise _bad(
            f"{cut(_shown(text))}: there is no driver {driver!r} for {vendor}.",
            f"{did_you_mean(driver, _DRIVERS[vendor])}\nThe driver may be left out: {_EXAMPLES[vendor]}".strip(),
        )
    return vendor


def _sqlite_path(rest: str, root: str | Path | None) -> str:
    name = unquote(rest)
    if name in ("", "/", MEMORY, "/" + MEMORY):
        return MEMORY
    if not name.startswith("/"):
        raise _bad(
            f"sqlite://{cut(rest)[1:-1]} has no third slash, so {name.partition('/')[0]!r} would be a host.",
            f"sqlite:///{name} for a path below the project, sqlite:////{name} for one from the root.",
        )
    path = Path(name[1:])
    return str(path if path.is_absolute() else (Path(root) if root is not None else Path.cwd()) / path)


def _server(vendor: str, rest: str, options: dict[str, Any], text: str) -> DatabaseURL:
    location, _, database = rest.partition("/")
    # A password may hold an @ that nobody escaped; a host cannot.
    login, _, address = location.rpartition("@")
    user, _, password = login.partition(":")
    if address.startswith("["):
        host, _, port = address[1:].partition("]")
        port = port.removeprefix(":")
    else:
        host, _, port = address.partition(":")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise _bad(
            f"{cut(_shown(text))}: a port is a number from 1 to 65535.",
            f"{_EXAMPLES[vendor]}\nA / or a # in a password is written as %2F or %23.",
        )
    if not database and vendor != "postgresql":
        raise _bad(f"{cut(_shown(text))} names no database.", _EXAMPLES[vendor])
    host, number = unquote(host), int(port or 0)
    host = str(options.pop("host", host))
    number = int(options.pop("port", number))
    return DatabaseURL(vendor, unquote(database), unquote(user), unquote(password), host, number, options)


def _read_options(vendor: str, pairs: list[tuple[str, str]]) -> dict[str, Any]:
    known = _OPTIONS[vendor]
    found: dict[str, Any] = {}
    for name, text in pairs:
        kind = known.get(name)
        if kind is None:
            raise _bad(f"{vendor} has no option {cut(name)}.", did_you_mean(name, known) or f"Choices: {_list(known)}.")
        if kind is not str and not _NUMBER[kind].fullmatch(text):
            what = "a whole number" if kind is int else "a number of seconds"
            raise _bad(f"{name}={cut(text)} is not {what}.", f"?{name}={5 if kind is int else 2.5}")
        found[name] = kind(text)
    if found.get("mode", "rwc") not in _MODES:
        raise _bad(f"mode={cut(found['mode'])} is no way to open a file.", f"Choices: {_list(_MODES)}.")
    if str(found.get("charset", "utf8mb4")).casefold() not in _CHARSETS:
        raise _bad(f"charset={cut(found['charset'])} cannot hold every text.", "?charset=utf8mb4, or nothing")
    if found.get("pool_size") == 0:
        raise _bad("pool_size=0 leaves no connection.", "?pool_size=5")
    return found


def _shown(text: str) -> str:
    """The address without what may be a password, however badly it is written."""
    before, at, after = text.rpartition("@")
    scheme, separator, login = before.partition("://")
    if not at:
        return text
    return f"{scheme}{separator}{login.partition(':')[0]}:{MASK}@{after}" if separator else f"{MASK}@{after}"


def _list(names: Any) -> str:
    return ", ".join(sorted(names))


def _examples() -> str:
    return "\n".join(_EXAMPLES.values())


def _bad(message: str, hint: str) -> SetupError:
    return SetupError(message, code="data/bad-url", hint=hint)
