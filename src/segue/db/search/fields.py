"""What a model says to be searched.

Holds: `SearchField`.
Imports: the indexes of models, names, errors.
Never: holds a value: it is an index, which databases keep by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import did_you_mean
from ..errors import ModelError, QueryError
from ..models.constraints import Index
from ..naming import short_name

__all__ = ["SearchField", "search_field_of"]

_MOST_WEIGHTS = 4
_HEAVIEST = 1000


class SearchField(Index):
    """Lets the rows of a model be found by the words of some of its texts.

    >>> class Record(Model):  # doctest: +SKIP
    ...     title = CharField(max_length=200)
    ...     notes = TextField()
    ...     search = SearchField("title", "notes", weights={"title": 4})

    The database keeps the index true, whoever writes.

    Args:
        fields: Names of fields of texts, of this very model.
        weights: What a word counts in each field, from 1 to 1000; at most four different
            numbers. By name (a field that is left out counts 1), or one for each field.
        name: Of the index; made from the table and the attribute where it is not given.
        column: What the column of the index is called; the attribute, where it is not given.
    """

    def __init__(
        self,
        *fields: str,
        weights: Mapping[str, int] | Sequence[int] | None = None,
        name: str = "",
        column: str = "",
    ) -> None:
        if not fields or not all(isinstance(each, str) for each in fields) or len(set(fields)) < len(fields):  # pyright: ignore[reportUnnecessaryIsInstance]  # of users
            raise _error(
                f"SearchField{fields!r} takes the names of fields, each once.", 'SearchField("title", "notes")'
            )
        super().__init__(fields=fields, name=name)
        self.weights: dict[str, int] = _weights(fields, weights)
        self.column: str = column
        self.owner: Any = None
        self.inherited: bool = False

    def __repr__(self) -> str:
        return f"<SearchField {self.column or ', '.join(self.fields)}>"

    def contribute(self, options: Any, name: str) -> None:
        """Take a place in a model; one that a parent's table has stays there."""
        if self.inherited:
            return
        self.column = self.column or name
        self.owner = options
        options.indexes = [*(each for each in options.indexes if each is not self), self]

    @property
    def levels(self) -> list[int]:
        """The weights as steps from 1: what of them the index of a database holds."""
        steps = sorted(set(self.weights.values()))
        return [steps.index(self.weights[each]) + 1 for each in self.fields]

    @property
    def letters(self) -> dict[str, int]:
        """A letter for each weight, the heaviest first."""
        return dict(zip("abcd", sorted(set(self.weights.values()), reverse=True), strict=False))

    def letter(self, field: str) -> str:
        """Return the letter of a field's weight."""
        return next(letter for letter, weight in self.letters.items() if weight == self.weights[field])

    def named(self, options: Any) -> str:
        """Return the name of the index in a model's table.

        Raises:
            ModelError: It stands in `Meta.indexes`, and has no name of its own (`data/search`).
        """
        if not self.column:
            raise _error(
                f"A SearchField of {options.object_name} is no attribute of it.",
                f"class {options.object_name}(db.Model):\n    search = db.SearchField(…)",
            )
        if not self.name:
            return short_name("ix", options.db_table, self.column)
        return self.name.replace("%(class)s", options.model_name).replace("%(app_label)s", options.app_label)


def _error(message: str, hint: str) -> ModelError:
    return ModelError(message, code="data/search", hint=hint)


def _weights(fields: Sequence[str], given: Mapping[str, int] | Sequence[int] | None) -> dict[str, int]:
    found = dict.fromkeys(fields, 1)
    if isinstance(given, Mapping):
        for name in given:
            if name not in found:
                raise _error(
                    f"weights= names {name!r}, which is none of the fields.",
                    did_you_mean(str(name), fields) or f"Fields: {', '.join(fields)}.",
                )
        found.update(given)
    elif given is not None:
        if isinstance(given, str) or len(given) != len(fields):
            raise _error(f"weights={given!r} are not as many as the fields.", f'weights={{"{fields[0]}": 4}}')
        found = dict(zip(fields, given, strict=True))
    for name, weight in found.items():
        if type(weight) is not int or not 1 <= weight <= _HEAVIEST:
            raise _error(f"The weight {weight!r} of {name} is no whole number from 1 to {_HEAVIEST}.", "weights={…: 4}")
    if len(set(found.values())) > _MOST_WEIGHTS:
        raise _error(
            f"{len(set(found.values()))} different weights are more than PostgreSQL tells apart.",
            f"Use at most {_MOST_WEIGHTS}.",
        )
    return found


def search_field_of(model: Any, name: str = "") -> SearchField:
    """Return a model's search field.

    Raises:
        QueryError: It has none, several and none was named, or none of that name (`data/search`).
    """
    options = model._meta
    found: dict[str, SearchField] = {}
    for each in (*options.private.values(), *options.indexes):
        if isinstance(each, SearchField):
            each.owner = each.owner or options
            found[each.column] = each
    if name in found:
        return found[name]
    if not name and len(found) == 1:
        return next(iter(found.values()))
    if not found:
        texts = [each.name for each in options.fields if getattr(each, "kind", "") in ("char", "text")]
        names = ", ".join(f'"{each}"' for each in texts) or '"title"'
        raise QueryError(
            f"{model.__name__} has no search field.",
            code="data/search",
            where=options.where,
            hint=f"search = db.SearchField({names})",
        )
    raise QueryError(
        f"{model.__name__} has no search field {name[:80]!r}."
        if name
        else f"{model.__name__} has several search fields.",
        code="data/search",
        where=options.where,
        hint=f'search(…, field="{next(iter(found))}"). Choices: {", ".join(found)}.',
    )
