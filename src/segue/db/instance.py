"""The least that every instance of a model is.

Holds: `Instance`, what fields and queries know of a row in memory; `Peers`.
Imports: the standard library.
Never: saves or fetches; `models.base.Model` does.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar
from weakref import ref

__all__ = ["Instance", "Peers"]


class Peers:
    """The instances of one fetch, held weakly: none keeps another alive.

    Attributes:
        database: The database they came from.
        mode: `peers`, `one` or `raise`: what touching an unloaded relation does.
    """

    __slots__ = ("database", "mode", "refs")

    def __init__(self, database: Any, mode: str = "peers") -> None:
        self.database: Any = database
        self.mode: str = mode
        self.refs: list[ref[Any]] = []

    def __reduce__(self) -> tuple[Any, ...]:
        # An instance that travels is alone where it arrives.
        return Peers, (None, self.mode)

    def __deepcopy__(self, memo: Any) -> Peers:
        return Peers(self.database, self.mode)

    def beside(self) -> Peers:
        """Return a holder for what is loaded beside these: one side's peers are another's."""
        return Peers(self.database, self.mode)

    def hold(self, instances: Iterable[Any]) -> None:
        """Remember *instances* as peers of each other."""
        self.refs = list(map(ref, instances))

    def add(self, instance: Any) -> None:
        """Remember one more."""
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
