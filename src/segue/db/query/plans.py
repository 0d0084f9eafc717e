"""Plans: what a query costs once, kept for every other with its shape.

Holds: `Plan`, the statement ready for a cursor; reading of rows.
Imports: the compiler.
Never: takes a value out of a cached statement; parameters are filled from slots alone.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from ..errors import too_deep
from ..instance import Instance
from ..shapes import Keyer, PlanCache, UnshapedError, key_of
from ..steps import Prepared, Row
from .compiler import PART, Column, Parameters, SelectCompiler
from .query import Query

__all__ = ["Plan", "compile_statement", "plan_of", "reader_of"]

Hydrate = Callable[[list[Row], Any], list[Any]]


class Plan(Prepared):
    """One statement and how its parameters and rows are made.

    Attributes:
        bind: Slots to parameters, in the order of the driver.
        hydrate: Rows (and the peers' holder) to what the query gives.
        model: Whose rows it is about, for those who watch.
        secrets: The places of parameters that no log shows.
    """

    __slots__ = ("bind", "columns", "hydrate", "model", "secrets")

    def __init__(
        self,
        sql: str,
        bind: Callable[[Sequence[Any]], Sequence[Any]],
        hydrate: Hydrate | None = None,
        *,
        writes: bool = False,
        returns_rows: bool = True,
        columns: Sequence[Column] = (),
    ) -> None:
        super().__init__(sql, writes=writes, returns_rows=returns_rows)
        self.bind: Callable[[Sequence[Any]], Sequence[Any]] = bind
        self.hydrate: Hydrate = hydrate if hydrate is not None else _rows
        self.columns: Sequence[Column] = columns
        self.model: Any = None
        self.secrets: frozenset[int] = frozenset()


def _rows(rows: list[Row], peers: Any) -> list[Any]:
    return rows


def plan_of(query: Query, database: Any) -> tuple[Plan, list[Any]]:
    """Return the plan of *query* and the values for its slots."""
    keyer = Keyer()
    plans: PlanCache = database.plans
    try:
        key: Hashable = query.shape(keyer)
    except RecursionError:
        raise too_deep() from None
    except UnshapedError:
        # A Core expression without a key of its own: compiled each time, and not kept.
        _, keyer = key_of(query.shape)
        return _compile(query, database, keyer.slots), keyer.values
    plan = plans.get(key)
    if plan is None:  # PERF: asked here, so that a hit makes no function
        plan = plans.find(key, lambda: _compile(query, database, keyer.slots))
    return plan, keyer.values


def _compile(query: Query, database: Any, slots: dict[int, int]) -> Plan:
    parameters = Parameters(database.dialect, slots)
    compiler = SelectCompiler(query, parameters)
    statement = compiler.select()
    plan = compile_statement(statement, parameters)
    plan.columns = compiler.columns
    plan.hydrate = _hydrator(query, compiler.columns, database.dialect)
    if query.frame.lock is not None:
        plan.writes = True
    return plan


def compile_statement(
    statement: Any, parameters: Parameters, *, writes: bool = False, returns_rows: bool = True
) -> Plan:
    """Return the plan of a Core statement whose parameters are slots.

    Parameters that are not slots are constants of the statement itself.
    """
    dialect = parameters.dialect
    compiled = statement.compile(dialect=dialect)
    sql: str = compiled.string
    order: list[str] = compiled.positiontup or []
    if "__[POSTCOMPILE" in sql:
        state = compiled.construct_expanded_state(
            {name: bound.effective_value for name, bound in compiled.binds.items() if name not in parameters.shown}
            | dict.fromkeys(parameters.shown)
        )
        sql, order = state.statement, state.positiontup or []
        constants = dict(state.parameters)
    else:
        constants = {
            name: bound.effective_value for name, bound in compiled.binds.items() if name not in parameters.shown
        }
    processors = compiled._bind_processors
    lines: list[str] = []
    scope: dict[str, Any] = {}
    for at, name in enumerate(order):
        processor = processors.get(name)
        shown = parameters.shown.get(name)
        if shown is None:
            value = constants[name]
            scope[f"k{at}"] = processor(value) if processor is not None else value
            lines.append(f"k{at}")
            continue
        slot, through = shown
        text = f"v[{slot}]"
        if through is not None:
            scope[f"t{at}"] = through
            text = f"t{at}({text})"
        if processor is not None:
            scope[f"p{at}"] = processor
            text = f"p{at}({text})"
        lines.append(text)
    bind = eval(f"lambda v: ({', '.join(lines)}{',' if lines else ''})", scope)  # made of numbers alone
    plan = Plan(sql, bind, writes=writes, returns_rows=returns_rows)
    plan.model = parameters.model
    plan.secrets = frozenset(at for at, name in enumerate(order) if name in parameters.secrets)
    return plan


# Reading rows


def reader_of(column: Column, dialect: Any) -> Callable[[Any], Any] | None:
    """Return what turns a column of the driver into a value; `None` where nothing does."""
    kind = column.element.type
    try:
        decode = kind._cached_result_processor(dialect, None)  # pyright: ignore[reportPrivateUsage]  # what SQLAlchemy's rows use
    except Exception:  # SQLAlchemy's Numeric wants the code of the driver's type, which is known later
        decode = None
    convert = column.field.from_database() if column.field is not None else None
    if decode is None or convert is None:
        return decode or convert

    def both(value: Any) -> Any:
        return convert(decode(value))

    return both


def _hydrator(query: Query, columns: Sequence[Column], dialect: Any) -> Hydrate:
    readers = [reader_of(column, dialect) for column in columns]
    if query.frame.selection is not None:
        return _selection_hydrator(query, columns, readers)
    return _model_hydrator(query, columns, readers)


def _source(readers: Sequence[Any], scope: dict[str, Any]) -> list[str]:
    found: list[str] = []
    for at, reader in enumerate(readers):
        if reader is None:
            found.append(f"c{at}")
        else:
            scope[f"r{at}"] = reader
            found.append(f"r{at}(c{at})")
    return found


def _make(source: str, scope: dict[str, Any]) -> Hydrate:
    exec(source, scope)  # made of numbers and of names that fields have, by repr
    return scope["hydrate"]  # type: ignore[no-any-return]  # of exec


def _unpacked(count: int) -> str:
    return ", ".join(f"c{at}" for at in range(count)) + ("," if count == 1 else "")


def _selection_hydrator(query: Query, columns: Sequence[Column], readers: Sequence[Any]) -> Hydrate:
    selection = query.frame.selection
    assert selection is not None
    scope: dict[str, Any] = {}
    parts = _source(readers, scope)
    labels: list[str] = []
    texts: list[str] = []
    keys: dict[int, list[int]] = {}
    for at, (column, text) in enumerate(zip(columns, parts, strict=True)):
        label, composite, _ = column.label.partition(PART)
        if composite and labels and labels[-1] == label:
            texts[-1] = texts[-1][:-1] + f"{text},)"
        else:
            labels.append(label)
            texts.append(f"({text},)" if composite else text)
        if column.optional:
            keys.setdefault(len(texts) - 1, []).append(at)
    for place, parts_of in keys.items():
        missing = " or ".join(f"c{at} is None" for at in parts_of)
        texts[place] = f"(None if {missing} else {texts[place]})"
    if selection.kind == "flat":
        value = texts[0]
    elif selection.kind == "dict":
        value = "{" + ", ".join(f"{label!r}: {text}" for label, text in zip(labels, texts, strict=True)) + "}"
    elif selection.kind == "named":
        from collections import namedtuple

        scope["Row"] = namedtuple("Row", labels)  # pyright: ignore[reportUntypedNamedTuple]  # the names are known only now
        value = f"Row({', '.join(texts)})"
    else:
        if all(reader is None for reader in readers) and len(texts) == len(columns):
            return _tuples
        value = f"({', '.join(texts)},)"
    source = f"def hydrate(rows, peers):\n    return [{value} for {_unpacked(len(columns))} in rows]\n"
    return _make(source, scope)


def _tuples(rows: list[Row], peers: Any) -> list[Any]:
    return rows if not rows or type(rows[0]) is tuple else [tuple(row) for row in rows]


def _model_hydrator(query: Query, columns: Sequence[Column], readers: Sequence[Any]) -> Hydrate:
    """Return a function of straight code: per row one instance, its dictionary written at once.

    PERF: five times the speed of a loop over columns with setattr.
    """
    scope: dict[str, Any] = {"new": object.__new__, "Root": query.model, "fill": _set_dictionary}
    parts = _source(readers, scope)
    own: list[str] = []
    below: dict[str, list[tuple[str, str, int]]] = {path: [] for path in query.frame.related}
    for at, (column, text) in enumerate(zip(columns, parts, strict=True)):
        path, _, attname = column.label.rpartition("__")
        if path in below:
            below[path].append((attname, text, at))
        else:
            own.append(f"{column.label!r}: {text}")
    lines = ["def hydrate(rows, peers):", "    found = []", "    add = found.append"]
    groups = sorted(below, key=lambda path: -path.count("__"))
    for number, path in enumerate(groups):
        lines.append(f"    peers{number} = peers.beside(Root, {path!r})")
    lines.append(f"    for {_unpacked(len(columns))} in rows:")
    held: dict[str, str] = {}
    for number, path in enumerate(groups):
        relation = query.model._meta.resolve(path).relation
        assert relation is not None
        scope[f"Model{number}"] = relation.target
        keys = [at for attname, _, at in below[path] if attname in {f.attname for f in relation.target._meta.pk_fields}]
        inner = [f"{attname!r}: {text}" for attname, text, _ in below[path]]
        for child, variable in list(held.items()):
            if child.rpartition("__")[0] == path:
                inner.append(f"{_kept_name(query, child)!r}: {variable}")
        lines += [
            f"        if {' is None and '.join(f'c{at}' for at in keys)} is None:",
            f"            m{number} = None",
            "        else:",
            f"            m{number} = new(Model{number})",
            f"            {_fill(relation.target, f'm{number}', ', '.join(inner), f'peers{number}')}",
            f"            peers{number}.add(m{number})",
        ]
        lines += _introductions(query, path, f"m{number}", held, indent=12)
        held[path] = f"m{number}"
    for path, variable in held.items():
        if "__" not in path:
            own.append(f"{_kept_name(query, path)!r}: {variable}")
    lines += [
        "        one = new(Root)",
        f"        {_fill(query.model, 'one', ', '.join(own), 'peers')}",
        "        add(one)",
    ]
    lines += _introductions(query, "", "one", held, indent=8)
    lines.append("    return found")
    return _make("\n".join(lines) + "\n", scope)


_set_dictionary = vars(Instance)["__dict__"].__set__


def _fill(model: Any, variable: str, items: str, peers: str) -> str:
    """Return the line that writes an instance's dictionary."""
    kept = f"{{{items}, '_peers': {peers}}}"
    # Past a __setattr__ of the class, which is for what users assign; without one this is faster.
    return f"{variable}.__dict__ = {kept}" if model.__setattr__ is object.__setattr__ else f"fill({variable}, {kept})"


def _introductions(query: Query, path: str, variable: str, held: Mapping[str, str], *, indent: int) -> list[str]:
    """Return the lines by which what stands beside an instance, one to one, knows it."""
    lines: list[str] = []
    for child, below in held.items():
        if child.rpartition("__")[0] != path:
            continue
        relation = query.model._meta.resolve(child).relation
        assert relation is not None
        field = relation.field
        name = field.name if relation.kind == "reverse_one" else ""
        if relation.kind == "forward" and field.one and not field.hidden:
            name = field.back_name(many=False)
        if name:
            lines.append(f"{' ' * indent}if {below} is not None: {below}.__dict__[{name!r}] = {variable}")
    return lines


def _kept_name(query: Query, path: str) -> str:
    """Return the name under which an instance keeps what a path leads to."""
    relation = query.model._meta.resolve(path).relation
    assert relation is not None
    return str(relation.accessor or relation.name)
