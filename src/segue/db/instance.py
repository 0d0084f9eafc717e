"""The least that every instance of a model is.

Holds: `Instance`, what fields and queries know of a row in memory; `Peers`; how they are fetched.
Imports: floor 0.
Never: saves or fetches; `models.base.Model` does.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import ref

from ..errors import cut
from .errors import QueryError

__all__ = ["FETCH_ONE", "FETCH_PEERS", "RAISE", "FetchMode", "Instance", "Peers", "fetch_mode_of"]


class FetchMode(StrEnum):
    """What touching a relation or column does that was not loaded."""

    PEERS = "peers"
    ONE = "one"
    RAISE = "raise"


FETCH_PEERS: FetchMode = FetchMode.PEERS
"""It is loaded for all instances of the same fetch, by one query: the default."""
FETCH_ONE: FetchMode = FetchMode.ONE
"""It is loaded for that instance alone."""
RAISE: FetchMode = FetchMode.RAISE
"""It is an error (`data/unloaded-relation`)."""


def fetch_mode_of(given: Any, what: str = "fetch_mode()") -> FetchMode:
    """Return the mode that *given* means.

    Raises:
        QueryError: It is none (`data/argument`).
    """
    try:
        return FetchMode(given)
    except ValueError:
        raise QueryError(
            f"{what} was given {cut(given)}, which is no fetch mode.",
            code="data/argument",
            hint="db.FETCH_PEERS, db.FETCH_ONE or db.RAISE",
        ) from None


class Peers:
    """The instances of one fetch, held weakly: none keeps another alive.

    Attributes:
        database: The database they came from.
        mode: What touching an unloaded relation does.
        origin: The model that a query was of, and the path by which these were loaded with it or
            after it; `None` for what a query gave itself.
    """

    __slots__ = ("database", "mode", "origin", "refs")

    def __init__(self, database: Any, mode: str = FETCH_PEERS, origin: tuple[Any, str] | None = None) -> None:
        self.database: Any = database
        self.mode: str = mode
        self.origin: tuple[Any, str] | None = origin
        self.refs: list[ref[Any]] = []

    def __reduce__(self) -> tuple[Any, ...]:
        # An instance that travels is alone where it arrives.
        return Peers, (None, self.mode)

    def __deepcopy__(self, memo: Any) -> Peers:
        return Peers(self.database, self.mode)

    def beside(self, model: Any, name: str) -> Peers:
        """Return a holder for what instances of *model* here reach by *name*."""
        root, path = self.origin or (model, "")
        return Peers(self.database, self.mode, (root, f"{path}__{name}" if path else name))

    def hold(self, instances: Iterable[Any]) -> None:
        """Remember *instances* as peers of each other."""
        if self.mode != "one":
            self.refs = list(map(ref, instances))

    def add(self, instance: Any) -> None:
        """Remember one more."""
        if self.mode != "one":
            self.refs.append(ref(instance))

    def alive(self) -> list[Any]:
        """Return the instances that still are."""
        return [instance for instance in (each() for each in self.refs) if instance is not None]


class Instance:
    """A row in memory. Values of columns and loaded relations are its attributes."""

    # Any: the options know fields, and fields know this.
    _meta: ClassVar[Any]
    # Of an instance that was never stored; a stored one has its own.
    _peers: Peers | None = None
    if TYPE_CHECKING:
        # The value of the key; a model's descriptor knows of which columns.
        pk: Any

    def _load_deferred(self, attname: str) -> Any:
        """Fetch a column that was not loaded, for all peers."""
        raise AttributeError(attname)

    def _related(self, field: Any) -> Any:
        """Return what a relation refers to, fetched if need be."""
        raise AttributeError(field.name)

    def _set_related(self, field: Any, value: Any) -> None:
        """Refer to another row."""
        raise AttributeError(field.name)

    def _manager(self, relation: Any) -> Any:
        """Return the queryset of a to-many relation."""
        raise AttributeError(relation.name)
