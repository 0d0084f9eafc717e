"""The models of a moment, as classes.

Holds: `Historic`: for data migrations, and for the tables that statements of DDL are made of.
Imports: the models, `fields`, `schema`.
Never: enters a class in a registry that an app sees.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from ...errors import did_you_mean
from ..errors import ModelError
from ..models.base import Model
from ..models.options import CompositePrimaryKey
from ..registry import Registry
from ..schema import full_table
from .fields import Facts, build_field
from .state import State, build_constraint, build_index

__all__ = ["Historic"]


class _Isolated(Registry):
    """Knows its own models alone: none of the project's, which may be called the same."""

    def _find(self, name: str, seeker: Any) -> Any:
        label, _, short = name.rpartition(".")
        return seeker if name == "self" else self._models.get((label, short.lower()))


class Historic:
    """The models of one state; what `run_python` gives to its functions.

    >>> def fill(models):
    ...     for record in models.Record.objects.filter(year=0): ...

    They have the fields, relations and keys of that moment; no methods and no managers of
    the project's classes, which may have changed since.
    """

    def __init__(self, state: State, database: Any = None) -> None:
        self._state = state
        self._database = database
        self._registry = _Isolated("a migration")
        self._classes: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"<Historic {', '.join(sorted(self._state))}>"

    def __iter__(self) -> Iterator[Any]:
        return iter([self.of(key) for key in self._state])

    def __getitem__(self, name: str) -> Any:
        if len(self._classes) < len(self._state.models):
            # All of them: what refers to a model gives it its relations back.
            for key in self._state:
                self.of(key)
        return self.of(self._key(name))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def get_model(self, label: str, name: str | None = None) -> Any:
        """Return a model: Django's way to say it."""
        return self[f"{label}.{name}" if name is not None and label else name or label]

    def _key(self, name: str) -> str:
        low = name.lower()
        if low in self._state:
            return low
        found = [key for key in self._state if key.rpartition(".")[2] == low]
        if len(found) != 1:
            raise ModelError(
                f"{len(found) or 'No'} models are called {name!r} at this point of the history.",
                code="data/migration-model",
                hint=did_you_mean(name, [self._state[key]["name"] for key in self._state])
                or f"models[{(found or sorted(self._state) or ['label.model'])[0]!r}]",
            )
        return found[0]

    # Classes

    def of(self, key: str) -> Any:
        """Return the model of a key, and make those it needs."""
        if key not in self._classes:
            for each in self._closure(key):
                self._make(each)
        return self._classes[key]

    def table(self, key: str) -> sa.Table:
        """Return the table of a model, with all that belongs to it."""
        return full_table(self.of(key))

    def through(self, key: str, name: str) -> Any:
        """Return the model of the table between, where Segue makes it."""
        return self.of(key)._meta.find_field(name).through

    def _closure(self, key: str) -> list[str]:
        found: list[str] = []
        waiting = [key]
        while waiting:
            each = waiting.pop()
            if each in found or each in self._classes:
                continue
            found.append(each)
            facts = self._state[each]
            waiting.extend(facts.get("bases", ()))
            for field in facts["fields"].values():
                waiting.extend(field[name] for name in ("to", "through") if name in field)
        return found

    def _make(self, key: str) -> None:
        if key in self._classes:
            return
        facts = self._state[key]
        bases: tuple[Any, ...] = ()
        for base in facts.get("bases", ()):
            self._make(base)
            bases = (*bases, self._classes[base])
        body: dict[str, Any] = {
            "__module__": "__migrations__",
            "__qualname__": facts["name"],
            "_registry": self._registry,
            "Meta": self._meta(facts),
        }
        for name in facts["order"]:
            body[name] = self._field(facts["fields"][name], name)
        if "key" in facts:
            body["pk"] = CompositePrimaryKey(*facts["key"])
        self._classes[key] = type(facts["name"], bases or (Model,), body)

    def _meta(self, facts: Facts) -> type:
        return type(
            "Meta",
            (),
            {
                "app_label": facts["label"],
                "db_table": facts["table"],
                "db_table_comment": facts.get("comment", ""),
                "managed": facts.get("managed", True),
                "database": self._database,
                "unique_together": facts.get("unique_together", ()),
                "constraints": [
                    build_constraint(each, name) for name, each in sorted(facts.get("constraints", {}).items())
                ],
                "indexes": [build_index(each, name) for name, each in sorted(facts.get("indexes", {}).items())],
            },
        )

    def _field(self, facts: Facts, name: str) -> Any:
        exact = dict(facts)
        for each in ("to", "through"):
            if each in facts:
                # Without a label it is looked for under none, not under that of the model.
                exact[each] = facts[each] if "." in facts[each] else f".{facts[each]}"
        field = build_field(exact, name)
        if facts.get("parent_link"):
            field.to = self._classes.get(facts["to"], field.to)
        return field
