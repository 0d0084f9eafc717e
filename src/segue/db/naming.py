"""Names: of tables and columns, and of what users may call things in a query.

Holds: snake case, the grammar of aliases, the separator of look-ups, reserved names.
Imports: floor 0 and the standard library.
Never: quotes a name; SQLAlchemy does, and this is the first lock before it.
"""

from __future__ import annotations

import hashlib
import re

from .errors import QueryError

__all__ = ["LONGEST", "SEPARATOR", "check_alias", "plural", "short_name", "snake", "words"]

SEPARATOR = "__"
# PostgreSQL cuts names at 63 bytes; MariaDB at 64 characters.
LONGEST = 63
_ALIAS = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}", re.ASCII)
_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake(name: str) -> str:
    """Return a class name as a table's: `JazzClub` is `jazz_club`.

    >>> snake("HTTPLogEntry")
    'http_log_entry'
    """
    return _BOUNDARY.sub("_", name).lower()


def words(name: str) -> str:
    """Return a class or field name as words: `JazzClub` is `jazz club`."""
    return _BOUNDARY.sub(" ", name).replace("_", " ").strip().lower()


def plural(text: str) -> str:
    """Return the plural that Django would make: with an s."""
    return text + "s"


def short_name(*parts: str) -> str:
    """Join *parts* to a name that every database accepts; a long one ends in a digest."""
    name = "_".join(parts)
    if len(name.encode()) <= LONGEST:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return name.encode()[: LONGEST - 9].decode(errors="ignore") + "_" + digest


def check_alias(name: str, what: str = "annotate()") -> str:
    """Return *name* where it may name a column of a result.

    Raises:
        QueryError: It could be anything but a plain name (`data/alias`).
    """
    if not _ALIAS.fullmatch(name) or SEPARATOR in name:
        raise QueryError(
            f"{what} cannot call a value {name[:80]!r}.",
            code="data/alias",
            why="A name is a letter or _, then letters, digits and single _, at most 63.",
            hint=f"{what[:-1]}total=…)",
        )
    return name
