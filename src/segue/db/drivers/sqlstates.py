"""What the states of SQL that PostgreSQL reports mean for who called.

Holds: `translate_sqlstate`.
Imports: floor 0, the errors of this package, psycopg.
Never: repeats a value of a row: messages of the server are taken only where they hold names alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from psycopg import DataError as PsycopgDataError
from psycopg import Error as PsycopgError
from psycopg import InterfaceError, NotSupportedError
from psycopg import ProgrammingError as PsycopgProgrammingError

from ...errors import SegueError
from ..errors import (
    ConnectionLost,
    DataError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
    SerializationError,
    TransactionManagementError,
)
from ..errors import NotSupportedError as NotSupported

__all__ = ["translate_sqlstate"]

_KEY = re.compile(r"Key \((?P<columns>.+?)\)=\(")
_KINDS = {"23505": "unique", "23503": "foreign_key", "23502": "not_null", "23514": "check", "23P01": "exclusion"}


def translate_sqlstate(error: BaseException) -> SegueError | None:
    """Return what an error of psycopg means, or `None` where it is none."""
    if isinstance(error, UnicodeError):
        return DataError("A text holds characters that cannot be stored.")
    if not isinstance(error, PsycopgError):
        return None
    state = error.sqlstate
    if state is None:
        return _without_state(error)
    for length in (5, 2):
        make = _BY_STATE.get(state[:length])
        if make is not None:
            return make(error)
    return OperationalError(f"{_primary(error)}.")


def _without_state(error: PsycopgError) -> SegueError:
    """Errors that never reached the server, or ended the way to it."""
    if isinstance(error, PsycopgDataError):
        return DataError("A value cannot be stored: a text with a zero byte, or a number out of range.")
    if isinstance(error, PsycopgProgrammingError | InterfaceError | NotSupportedError):
        return ProgrammingError(f"{error}.")
    if "number of parameters" in str(error):
        return DataError(
            "A statement has more values than the 65,535 that PostgreSQL takes.",
            hint="Give many values as one list: WHERE id = ANY(:ids).",
        )
    return ConnectionLost("The connection to the database broke.", hint="Try again: the next one is a new one.")


def _primary(error: PsycopgError) -> str:
    return error.diag.message_primary or type(error).__name__


def _integrity(error: PsycopgError) -> IntegrityError:
    diag = error.diag
    kind = _KINDS.get(error.sqlstate or "", "")
    found = _KEY.match(diag.message_detail or "")
    columns = tuple(each.strip().strip('"') for each in found["columns"].split(",")) if found else ()
    if diag.column_name:
        columns = (diag.column_name,)
    table, constraint = diag.table_name or "", diag.constraint_name or ""
    named = f"{table}: {', '.join(columns) or constraint}"
    text = {
        "unique": "A row with these values exists already",
        "foreign_key": "A row refers to one that is not there, or is still referred to",
        "not_null": "A value is missing",
        "check": "A rule refuses the row",
        "exclusion": "A row that excludes this one exists already",
    }.get(kind, "A constraint refuses the row")
    return IntegrityError(f"{text} ({named}).", kind=kind, constraint=constraint, columns=columns, table=table)


def _lost(error: PsycopgError) -> ConnectionLost:
    return ConnectionLost(
        f"The connection to the database broke: {_primary(error)}.", hint="Try again: the next one is a new one."
    )


def _met(error: PsycopgError) -> SerializationError:
    return SerializationError(
        f"Two transactions met: {_primary(error)}.", hint="@db.atomic(retry=3) runs the function again."
    )


def _locked(error: PsycopgError) -> OperationalError:
    return OperationalError(
        f"The rows are locked: {_primary(error)}.", code="data/locked", hint="Keep transactions short."
    )


def _timed_out(error: PsycopgError) -> OperationalError:
    return OperationalError(
        f"The statement took too long: {_primary(error)}.",
        code="data/statement-timeout",
        hint="An index may be missing; else raise statement_timeout in the address.",
    )


def _full(error: PsycopgError) -> OperationalError:
    return OperationalError(f"The database has no room left: {_primary(error)}.", hint="Free space on its disk.")


def _crowded(error: PsycopgError) -> OperationalError:
    return OperationalError(
        f"The database takes no more connections: {_primary(error)}.",
        hint="Lower pool_size, or raise max_connections of the server.",
    )


def _missing(error: PsycopgError) -> ProgrammingError:
    return ProgrammingError(f"{_primary(error)}.", hint="segue migrate")


def _wrong(error: PsycopgError) -> ProgrammingError:
    return ProgrammingError(f"{_primary(error)}.", hint=error.diag.message_hint or "")


def _value(error: PsycopgError) -> DataError:
    # 22001 and 22003 name the type; the others quote the value.
    safe = _primary(error) if error.sqlstate in ("22001", "22003") else type(error).__name__
    return DataError(f"A value does not fit its column: {safe}.")


def _broken(error: PsycopgError) -> TransactionManagementError:
    return TransactionManagementError(
        "The transaction is broken: a statement in it failed before.",
        code="data/transaction-broken",
        hint="Let the error leave the block, or put the statement that may fail in a block of its own.",
    )


def _read_only(error: PsycopgError) -> TransactionManagementError:
    return TransactionManagementError(
        f"A statement that writes, where only reading is allowed: {_primary(error)}.",
        code="data/read-only",
        hint="db.atomic() without read_only=True",
    )


def _unsupported(error: PsycopgError) -> NotSupported:
    return NotSupported(f"PostgreSQL cannot do that: {_primary(error)}.")


_Make = Callable[[Any], SegueError]
_BY_STATE: dict[str, _Make] = {
    "08": _lost, "57P01": _lost, "57P02": _lost, "57P03": _lost, "57P05": _lost, "25P03": _lost, "25P04": _lost,
    "23": _integrity,
    "40": _met,
    "55P03": _locked,
    "57014": _timed_out,
    "53100": _full, "53300": _crowded,
    "42P01": _missing, "42703": _missing, "3F000": _missing,
    "42": _wrong, "3F": _wrong, "26": _wrong,
    "22": _value,
    "25P02": _broken, "25006": _read_only,
    "0A": _unsupported,
}  # fmt: skip
