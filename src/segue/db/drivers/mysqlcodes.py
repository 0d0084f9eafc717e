"""What the numbers of errors that MariaDB and MySQL report mean for who called.

Holds: `translate_number`.
Imports: floor 0, the errors of this package.
Never: repeats a value of a row: messages of the server are taken only where they hold names alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable

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

__all__ = ["DEADLOCK", "translate_number"]

DEADLOCK = 1213
"""After this error the whole transaction is rolled back, savepoints and all."""

_KEY = re.compile(r"for key '(?:(?P<table>[^'.]+)\.)?(?P<key>[^']+)'\Z")
_FOREIGN = re.compile(r"\(`[^`]+`\.`(?P<table>[^`]+)`, CONSTRAINT `(?P<name>[^`]+)` FOREIGN KEY \((?P<columns>[^)]+)\)")
_COLUMN = re.compile(r"(?:Column|Field) '(?P<column>[^']+)'")
_CHECK = re.compile(
    r"CONSTRAINT `(?P<name>[^`]+)` failed for `[^`]+`\.`(?P<table>[^`]+)`|Check constraint '(?P<other>[^']+)'"
)
_QUOTED = re.compile(r"'(?:[^'\\]|\\.|'')*'")


def translate_number(number: int, text: str) -> SegueError:
    """Return what an error means.

    Args:
        number: Of the error; below 1 where the driver gave none.
        text: What the server said.
    """
    make = _BY_NUMBER.get(number)
    if make is not None:
        return make(text)
    if number < 1:
        return ProgrammingError(f"{text}.")
    return OperationalError(f"{_without_values(text)} ({number}).")


def _without_values(text: str) -> str:
    return _QUOTED.sub("'…'", text)


def _unique(text: str) -> IntegrityError:
    found = _KEY.search(text)
    key, table = (found["key"], found["table"] or "") if found else ("", "")
    return IntegrityError(
        f"A row with these values exists already ({key}).", kind="unique", constraint=key, table=table
    )


def _foreign_key(text: str) -> IntegrityError:
    found = _FOREIGN.search(text)
    table, name, columns = found.group("table", "name", "columns") if found else ("", "", "")
    names = tuple(each.strip().strip("`") for each in columns.split(",") if each.strip())
    return IntegrityError(
        f"A row refers to one that is not there, or is still referred to ({table}: {', '.join(names)}).",
        kind="foreign_key", constraint=name, columns=names, table=table,
    )  # fmt: skip


def _not_null(text: str) -> IntegrityError:
    found = _COLUMN.search(text)
    columns = (found["column"],) if found else ()
    return IntegrityError(f"A value is missing ({', '.join(columns)}).", kind="not_null", columns=columns)


def _check(text: str) -> IntegrityError:
    found = _CHECK.search(text)
    name, table = (found["name"] or found["other"], found["table"] or "") if found else ("", "")
    return IntegrityError(f"A rule refuses the row ({name}).", kind="check", constraint=name, table=table)


def _lost(text: str) -> ConnectionLost:
    return ConnectionLost("The connection to the database broke.", hint="Try again: the next one is a new one.")


def _met(text: str) -> SerializationError:
    return SerializationError("Two transactions met.", hint="@db.atomic(retry=3) runs the function again.")


def _locked(text: str) -> OperationalError:
    return OperationalError(
        "The rows are locked: another transaction held them too long.",
        code="data/locked",
        hint="Keep transactions short.",
    )


def _timed_out(text: str) -> OperationalError:
    return OperationalError(
        "The statement took too long.",
        code="data/statement-timeout",
        hint="An index may be missing; else raise statement_timeout in the address.",
    )


def _full(text: str) -> OperationalError:
    return OperationalError("The database has no room left.", hint="Free space on its disk.")


def _crowded(text: str) -> OperationalError:
    return OperationalError(
        "The database takes no more connections.", hint="Lower pool_size, or raise max_connections of the server."
    )


def _missing(text: str) -> ProgrammingError:
    return ProgrammingError(f"{text}.", hint="segue migrate")


def _wrong(text: str) -> ProgrammingError:
    return ProgrammingError(f"{text}.")


def _value(text: str) -> DataError:
    found = re.search(r"for column (?:`[^`]+`\.)*[`']?(?P<column>[^`' ]+)[`']?", text)
    return DataError(f"A value does not fit its column{' ' + found['column'] if found else ''}.")


def _read_only(text: str) -> TransactionManagementError:
    return TransactionManagementError(
        "A statement that writes, where only reading is allowed.",
        code="data/read-only",
        hint="db.atomic() without read_only=True",
    )


_Make = Callable[[str], SegueError]
_BY_NUMBER: dict[int, _Make] = {
    **dict.fromkeys((1062, 1169, 1586), _unique),
    **dict.fromkeys((1216, 1217, 1451, 1452, 1701, 1834), _foreign_key),
    **dict.fromkeys((1048, 1364), _not_null),
    **dict.fromkeys((3819, 4025), _check),
    **dict.fromkeys((1053, 1080, 1152, 1184, 1927, 2000, 2006, 2013, 2014, 2027, 2055, 4031), _lost),
    # The row has changed since it was read, under snapshot isolation of MariaDB.
    **dict.fromkeys((1020, DEADLOCK, 1614), _met),
    **dict.fromkeys((1205, 3572), _locked),
    **dict.fromkeys((1317, 1969, 3024), _timed_out),
    **dict.fromkeys((28, 1021, 1114), _full),
    **dict.fromkeys((1040, 1203, 1226), _crowded),
    **dict.fromkeys((1054, 1146, 1932), _missing),
    **dict.fromkeys(
        (1050, 1051, 1060, 1061, 1064, 1065, 1068, 1072, 1091, 1109, 1110, 1136, 1149, 1248, 1305, 1630), _wrong
    ),
    **dict.fromkeys((1264, 1265, 1292, 1300, 1366, 1367, 1406, 1411, 1425, 1426, 1441, 1690, 3140, 3141, 4038), _value),
    **dict.fromkeys((1290, 1792, 1836), _read_only),
}
