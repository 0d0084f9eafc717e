"""What `db.execute()` returns.

Holds: `Result`, rows read to their end, with names.
Imports: floor 0, the errors of this package.
Never: holds a connection.
"""

from __future__ import annotations

import keyword
from collections import namedtuple
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from .errors import DoesNotExist, MultipleObjectsReturned, QueryError

__all__ = ["Result"]


class Result:
    """The answer to a statement: its rows, all of them read already.

    Rows are named tuples: `row.title`, `row[0]`, `title, year = row`.

    Attributes:
        columns: The names; empty for a statement that returns no rows.
        rowcount: How many rows it returned or touched; -1 where the database does not say.
        lastrowid: The key that the database made for a new row, where it says so.
    """

    def __init__(
        self, columns: Sequence[str] | None, rows: Sequence[Sequence[Any]], *, rowcount: int, lastrowid: Any = None
    ) -> None:
        self.columns: tuple[str, ...] = tuple(columns or ())
        self.returns_rows: bool = columns is not None
        self.rowcount: int = rowcount
        self.lastrowid: Any = lastrowid
        self._rows: list[Any] = []
        if columns is not None:
            row = _row_class(self.columns)
            self._rows = [row._make(each) for each in rows]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {len(self._rows)} rows of {', '.join(self.columns) or 'nothing'}>"

    def __iter__(self) -> Iterator[Any]:
        return iter(self.all())

    def __len__(self) -> int:
        return len(self.all())

    def all(self) -> list[Any]:
        """Return all rows.

        Raises:
            QueryError: The statement returns no rows.
        """
        if not self.returns_rows:
            raise QueryError(
                "This statement returns no rows.",
                hint="result.rowcount says how many it touched; RETURNING makes a write return rows.",
            )
        return self._rows

    def first(self) -> Any:
        """Return the first row, or `None`."""
        rows = self.all()
        return rows[0] if rows else None

    def one(self) -> Any:
        """Return the only row.

        Raises:
            DoesNotExist: There is none.
            MultipleObjectsReturned: There are several.
        """
        rows = self.all()
        if not rows:
            raise DoesNotExist("The statement returned no row.", hint=".first() returns None instead.")
        if len(rows) > 1:
            raise MultipleObjectsReturned(f"The statement returned {len(rows)} rows.", hint=".first() or .all()")
        return rows[0]

    def scalar(self) -> Any:
        """Return the first column of the first row, or `None`."""
        row = self.first()
        return None if row is None else row[0]

    def scalars(self) -> list[Any]:
        """Return the first column of each row."""
        return [row[0] for row in self.all()]

    def mappings(self) -> list[dict[str, Any]]:
        """Return each row as a dictionary."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.all()]


@lru_cache(maxsize=256)
def _row_class(columns: tuple[str, ...]) -> Any:
    # A name that cannot be an attribute (`count(*)`, `class`, a second `id`) is still in `mappings`
    # and at its index.
    names: list[str] = []
    for index, column in enumerate(columns):
        usable = column.isidentifier() and not keyword.iskeyword(column) and not column.startswith("_")
        names.append(column if usable and column not in names else f"column_{index}")
    return namedtuple("Row", names, rename=True)  # pyright: ignore[reportUntypedNamedTuple]  # the names are known only now
