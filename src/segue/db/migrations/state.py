"""What the tables are at one point of the history.

Holds: `State`: models as facts, read from classes, from JSON, and changed by operations.
Imports: `fields`, `values`.
Never: asks a database; a state is compared with a state.

A state is a value: what changes one returns another, which shares what did not change.
Facts of a model: `name`, `label`, `table`, `order` (of its fields), `fields`, and where it has
them `key` (composite), `bases`, `comment`, `managed`, `unique_together`, `constraints`, `indexes`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any

from ...errors import did_you_mean
from ..errors import ModelError
from ..models.constraints import CheckConstraint, Index, UniqueConstraint
from ..naming import short_name
from ..search.fields import SearchField
from .fields import Facts, columns_of, facts_of
from .values import Imports, decode, encode, same_text, source

__all__ = [
    "State",
    "build_constraint",
    "build_index",
    "constraint_facts",
    "constraint_source",
    "index_facts",
    "index_name",
]

_VERSION = 1


class State:
    """The models of one database at one point of the history."""

    def __init__(self, models: Mapping[str, Facts] | None = None) -> None:
        self.models: dict[str, Facts] = dict(models or {})
        self._historic: Any = None

    def __repr__(self) -> str:
        return f"<State {', '.join(sorted(self.models)) or 'empty'}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, State) and self.models == other.models

    def __hash__(self) -> int:
        return hash(tuple(sorted(self.models)))

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self.models))

    def __contains__(self, key: object) -> bool:
        return key in self.models

    def __getitem__(self, key: str) -> Facts:
        try:
            return self.models[key]
        except KeyError:
            raise ModelError(
                f"The history has no model {key!r} here.",
                code="data/migration-model",
                hint=did_you_mean(key, self.models) or f"Known: {', '.join(sorted(self.models)) or 'none'}.",
            ) from None

    def field(self, key: str, name: str) -> Facts:
        """Return the facts of one field.

        Raises:
            ModelError: There is none of that name (`data/migration-model`).
        """
        fields = self[key]["fields"]
        if name not in fields:
            raise ModelError(
                f"{key} has no field {name!r} here.",
                code="data/migration-model",
                hint=did_you_mean(name, fields) or f"Known: {', '.join(sorted(fields))}.",
            )
        found: Facts = fields[name]
        return found

    @property
    def historic(self) -> Any:
        """The models of this state, as classes: made at the first touch."""
        if self._historic is None:
            from .historic import Historic

            self._historic = Historic(self)
        return self._historic

    # Changing

    def edit(self, key: str) -> tuple[State, Facts]:
        """Return a state of its own, and the facts of one model in it, to be changed."""
        facts = deepcopy(self[key])
        return State({**self.models, key: facts}), facts

    def with_model(self, key: str, facts: Facts) -> State:
        """Return this with one model more, or another in its place."""
        return State({**self.models, key: facts})

    def without(self, key: str) -> State:
        """Return this without a model."""
        _ = self[key]
        return State({name: facts for name, facts in self.models.items() if name != key})

    # JSON

    def to_json(self) -> str:
        """Return the snapshot: sorted, one fact a line, so that versions of it can be compared."""
        return (
            json.dumps({"version": _VERSION, "models": self.models}, indent=1, sort_keys=True, ensure_ascii=False)
            + "\n"
        )

    @classmethod
    def from_json(cls, text: str, where: str = "") -> State:
        """Read a snapshot.

        Raises:
            ModelError: It is none (`data/migration-snapshot`).
        """
        try:
            found = json.loads(text)
            if found["version"] > _VERSION:
                raise ValueError("it is of a newer Segue")
            return cls(found["models"])
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(
                "The snapshot of a migration cannot be read.",
                code="data/migration-snapshot",
                where=where,
                why=str(error),
                hint="segue makemigrations --resnapshot writes the snapshots anew, from the operations.",
            ) from error

    # From classes

    @classmethod
    def of(cls, models: Iterable[Any]) -> State:
        """Return the state that *models* declare; abstract ones and proxies are no tables."""
        found: dict[str, Facts] = {}
        for model in models:
            options = model._meta
            if options.abstract or options.proxy or options.auto_created:
                continue
            found[options.label_key] = _model_facts(options)
        return cls(found)


def _model_facts(options: Any) -> Facts:
    fields: dict[str, Facts] = {}
    order: list[str] = []
    for field in _declared(options):
        order.append(field.name)
        try:
            fields[field.name] = facts_of(field, field.name)
        except ModelError as error:
            if error.code != "data/migration-value":
                raise
            raise ModelError(
                f"{options.object_name}.{field.name}: {error.message}",
                code=error.code,
                where=options.where,
                why=error.why,
                hint=error.hint,
            ) from error
    facts: Facts = {
        "name": options.object_name,
        "label": options.app_label,
        "table": options.db_table,
        "fields": fields,
        "order": order,
    }
    if len(options.pk_fields) > 1:
        key = list(dict.fromkeys(getattr(field, "reference", field).name for field in options.pk_fields))
        # A foreign key of several columns that is the whole key says so itself.
        facts |= {"key": key} if len(key) > 1 else {}
    if options.parents:
        facts["bases"] = [parent._meta.label_key for parent in options.parents]
    if options.db_table_comment:
        facts["comment"] = options.db_table_comment
    if not options.managed:
        facts["managed"] = False
    groups = [list(group) for group in _groups(options.unique_together)]
    if groups:
        facts["unique_together"] = groups
    constraints = {_named(options, each.name): constraint_facts(each) for each in options.constraints}
    if constraints:
        facts["constraints"] = constraints
    indexes: dict[str, Facts] = {}
    for index in options.indexes:
        told = index_facts(index)
        if isinstance(index, SearchField):
            name = index.named(options)
        else:
            name = _named(options, index.name) if index.name else index_name(facts, told)
        indexes[name] = told
    if indexes:
        facts["indexes"] = indexes
    return facts


def _declared(options: Any) -> list[Any]:
    """Return the fields as the class declares them: a foreign key of several columns is one."""
    fields = [getattr(field, "reference", field) for field in options.local_fields]
    own = [each for each in options.many_to_many if each.model is options.model]
    return list(dict.fromkeys([*fields, *options.local_references, *own]))


def _named(options: Any, name: str) -> str:
    return name.replace("%(class)s", options.model_name).replace("%(app_label)s", options.app_label)


def _groups(given: Any) -> list[tuple[str, ...]]:
    if given and all(isinstance(each, str) for each in given):
        return [tuple(given)]
    return [tuple(each) for each in given]


# Constraints and indexes


def constraint_facts(constraint: Any) -> Facts:
    """Return the facts of a constraint, without its name."""
    if isinstance(constraint, CheckConstraint):
        return {"kind": "check", "condition": encode(constraint.condition)}
    if not isinstance(constraint, UniqueConstraint):
        raise ModelError(
            f"Meta.constraints holds {constraint!r}.",
            code="data/constraint",
            hint="CheckConstraint(…) or UniqueConstraint(…)",
        )
    facts = _parts(constraint)
    for name in ("nulls_distinct", "deferrable"):
        if getattr(constraint, name) is not None:
            facts[name] = getattr(constraint, name)
    return {"kind": "unique", **facts}


def index_facts(index: Index) -> Facts:
    """Return the facts of an index; one that has no name says so."""
    facts = _parts(index)
    if isinstance(index, SearchField):
        # Which weight is the larger one; what each counts is said by the query.
        facts.update(kind="search", column=index.column, weights=index.levels)
    if index.using:
        facts["using"] = index.using
    if not index.name:
        facts["unnamed"] = True
    return facts


def _parts(thing: Any) -> Facts:
    facts: Facts = {}
    if thing.fields:
        facts["fields"] = list(thing.fields)
    if thing.expressions:
        facts["expressions"] = [encode(each) for each in thing.expressions]
    if thing.condition is not None:
        facts["condition"] = encode(thing.condition)
    if thing.include:
        facts["include"] = list(thing.include)
    return facts


def index_name(model: Facts, facts: Facts) -> str:
    """Return the name of an index that was given none, as `schema` makes it."""
    if "column" in facts:
        return short_name("ix", model["table"], facts["column"])
    columns = [each for name in facts.get("fields", ()) for each in _columns_named(model, name.removeprefix("-"))]
    return short_name("ix", model["table"], *columns)


def _columns_named(model: Facts, name: str) -> list[str]:
    """Return the columns of a field; one part of a foreign key of several is called as its column is."""
    return columns_of(model["fields"][name]) if name in model["fields"] else [name]


def _call_of(facts: Facts, name: str) -> tuple[type, list[Any], dict[str, Any]]:
    named: dict[str, Any]
    if facts.get("kind") == "check":
        return CheckConstraint, [], {"condition": facts["condition"], "name": name}
    if facts.get("kind") == "search":
        named = {key: facts[key] for key in ("weights", "column")}
        if not facts.get("unnamed"):
            named["name"] = name
        return SearchField, facts["fields"], named
    kind: type = UniqueConstraint if facts.get("kind") == "unique" else Index
    named = {
        key: facts[key]
        for key in ("fields", "condition", "include", "using", "nulls_distinct", "deferrable")
        if key in facts
    }
    if not facts.get("unnamed"):
        named["name"] = name
    return kind, facts.get("expressions", []), named


def build_constraint(facts: Facts, name: str) -> Any:
    """Return the constraint or index of these facts."""
    kind, positional, named = _call_of(facts, name)
    return kind(*[decode(each) for each in positional], **{key: decode(each) for key, each in named.items()})


build_index = build_constraint


def constraint_source(facts: Facts, name: str, imports: Imports) -> str:
    """Return the Python source of a constraint or an index."""
    kind, positional, named = _call_of(facts, name)
    texts = [source(each, imports) for each in positional]
    texts += [
        f"{key}={same_text(each) if isinstance(each, str) else source(each, imports)}" for key, each in named.items()
    ]
    return f"{imports.name('segue', 'db')}.{kind.__name__}({', '.join(texts)})"
