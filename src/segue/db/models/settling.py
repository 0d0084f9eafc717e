"""Which columns a foreign key is of, once its target is known.

Holds: `settle`: a foreign key to a key of several columns gets a field for each of them.
Imports: fields, options.
Never: waits for a model that is not defined yet: it says so, and is asked again.
"""

# Facts, rows and models of users are of any type here.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..errors import ModelError
from ..fields.base import NOT_PROVIDED
from ..fields.parts import KeyOfParts, KeyPart, Reference
from ..fields.relations import ForeignKey, ManyToManyField
from .options import Options

__all__ = ["settle", "settle_ends"]


def settle(field: ForeignKey[Any], behind: tuple[Any, ...] = ()) -> bool:
    """Tell whether the columns of a foreign key are known; make them where they are several.

    Args:
        behind: The foreign keys that wait for this one: they are of their models' keys.

    Raises:
        ModelError: It cannot refer to that key (`data/relation-target`, `data/field-clash`).
    """
    if field.fields:
        return True
    if not field.target_is_known():
        return False
    target: Any = field.target._meta  # Any: what a field is to type checkers, they think of its class
    if field.to_field is None and field not in behind:
        if not _key_is_settled(target, (*behind, field)):
            return False
        if target.composite:
            _make_parts(field, target, (*behind, field))
            return True
    if field.db_columns:
        raise _refused(
            field,
            f"{_named(field)} has db_columns=, and refers to one column.",
            f"{target.object_name}.{target.pk.name} is all of the key."
            if field.to_field is None
            else "It has to_field=.",
            f'db_column="{field.db_columns[0]}"',
        )
    return True


def settle_ends(field: ManyToManyField[Any]) -> bool:
    """Tell whether the columns of both ends of a many-to-many relation are known."""
    through: Any = field._through  # pyright: ignore[reportPrivateUsage]  # one package
    if through is None or getattr(getattr(through, "_meta", None), "auto_created", False):
        ends: tuple[Any, ...] = (field.model, field.target)
        return all(_key_is_settled(each._meta, ()) for each in ends)
    return all(settle(each) for each in _foreign_keys(field.through._meta.local_fields))


def _foreign_keys(fields: Any) -> Iterator[ForeignKey[Any]]:
    return (each for each in list(fields) if isinstance(each, ForeignKey))


def _key_is_settled(options: Any, behind: tuple[Any, ...]) -> bool:
    return all(settle(each, behind) for each in _foreign_keys(options.pk_fields))


def _named(field: ForeignKey[Any]) -> str:
    return f"{field.model._meta.object_name}.{field.name}"  # pyright: ignore[reportPrivateUsage]  # one package


def _refused(field: Any, text: str, why: str, hint: str) -> ModelError:
    return ModelError(text, code="data/relation-target", where=field.model._meta.where, why=why, hint=hint)


def _make_parts(field: ForeignKey[Any], target: Options, behind: tuple[Any, ...]) -> None:
    options: Options = field.model._meta  # pyright: ignore[reportPrivateUsage]  # one package
    remotes = target.pk_fields
    _check(field, target, behind)
    columns: tuple[str | None, ...] = field.db_columns or (None,) * len(remotes)
    others = {each.column: each for each in options.local_fields if each is not field}
    defaults = _defaults(field, len(remotes))
    parts: list[Any] = []
    made: list[KeyPart] = []
    for remote, column, default in zip(remotes, columns, defaults, strict=True):
        shared = others.get(column or "")
        if shared is None:
            made.append(KeyPart(field, remote, column, **default))
        parts.append(shared or made[-1])
    _check_null(field, [each for each in parts if not isinstance(each, KeyPart)], has_own=bool(made))
    field.fields, field.remotes, field.is_column = tuple(parts), tuple(remotes), False
    for part in made:
        _contribute(options, field, part)
    setattr(options.model, field.name, Reference(field))
    setattr(options.model, field.attname, KeyOfParts(field))
    for each in (options, *_proxies(options.model)):
        each.replace(field, made)


def _check(field: ForeignKey[Any], target: Options, behind: tuple[Any, ...]) -> None:
    count = len(target.pk_fields)
    names = ", ".join(each.attname for each in target.pk_fields)
    why = f"The key of {target.object_name} has {count} columns: {names}."
    if getattr(field, "parent_link", False):
        raise _refused(
            field,
            f"{field.model.__name__} derives from {target.object_name}, whose key has several columns.",
            "Its rows are found by one column that both tables have.",
            f"{target.model_name} = db.OneToOneField({target.object_name}, …), in a model of its own",
        )
    if any(each in behind for each in target.pk_fields):
        raise ModelError(
            f"{_named(field)} is a part of the key that it refers to.",
            code="data/primary-key",
            where=target.where,
            why="So there is no end to the columns of that key.",
            hint=f"Give {target.object_name} a key that does not depend on {_named(field)}.",
        )
    if field.db_column is not None:
        wanted = ", ".join(f'"{field.name}_{each.attname}"' for each in target.pk_fields)
        raise _refused(field, f"{_named(field)} has db_column=, and several columns.", why, f"db_columns=({wanted})")
    if field.db_columns and len(field.db_columns) != count:
        raise _refused(
            field, f"{_named(field)} names {len(field.db_columns)} db_columns.", why, f"One for each: {names}."
        )


def _check_null(field: ForeignKey[Any], shared: list[Any], *, has_own: bool) -> None:
    """Refuse columns of other fields where NULL would not mean one thing."""
    loose = [each.name for each in shared if each.null]
    if loose and not field.null:
        raise _refused(
            field,
            f"{_named(field)} shares the column of {loose[0]}, which may be NULL.",
            "Then it would refer to nothing, and it has no null=True.",
            f"null=True here, or {loose[0]} without it",
        )
    if field.null and not has_own and len(loose) < len(shared):
        raise _refused(
            field,
            f"{_named(field)} has null=True, and no column of its own that could be NULL.",
            f"It shares all of them: {', '.join(each.name for each in shared)}.",
            "Leave null=True out, or name a column of its own in db_columns=.",
        )
    if shared and field.on_delete.database not in ("", "CASCADE"):
        raise _refused(
            field,
            f"{_named(field)} shares {shared[0].name}, and has on_delete={field.on_delete!r}.",
            f"The database would change {shared[0].name} too.",
            f"on_delete=db.{field.on_delete.name.removeprefix('DB_')}, which leaves it as it is",
        )


def _defaults(field: ForeignKey[Any], count: int) -> list[dict[str, Any]]:
    """Return the options of each part that follow from the defaults of the whole key."""
    found: list[dict[str, Any]] = [{} for _ in range(count)]
    for name in ("default", "db_default"):
        value: Any = getattr(field, name)
        if value is NOT_PROVIDED or value is None or (name == "default" and field.default_is_made):
            continue
        if not isinstance(value, tuple | list) or len(value) != count:
            raise _refused(
                field,
                f"{_named(field)} has {name}={value!r}.",
                f"The key of {field.target.__name__} has {count} columns.",
                f"{name}=(…), with a value for each",
            )
        for options, each in zip(found, value, strict=True):
            options[name] = each
    return found


def _contribute(options: Options, field: ForeignKey[Any], part: KeyPart) -> None:
    name = f"{field.name}_{part.remote.attname}"
    if hasattr(options.model, name) or options.find_field(name) is not None:
        raise ModelError(
            f"{_named(field)} would have a part {name!r}, and {options.object_name} has a {name!r} already.",
            code="data/field-clash",
            where=options.where,
            why=f"Each column of the key of {field.target.__name__} has a field here.",
            hint=f"Another name; or, to share the column of {name}, db_columns=(…)",
        )
    part.contribute(options, name)


def _proxies(model: Any) -> Iterator[Options]:
    children: list[Any] = model.__subclasses__()
    for each in children:
        options: Any = each.__dict__.get("_meta")
        if options is not None and options.proxy:
            yield options
            yield from _proxies(each)
