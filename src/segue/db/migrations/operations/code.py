"""Code and SQL of the project's own.

Holds: `RunPython`, `RunBatches`, `RunSQL`, `StateOnly`.
Imports: the parts of `base`.
Never: gives the project's classes to a function: it gets the models of that moment.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from ..state import State
from ..values import Imports, same_text
from .base import Context, Operation, OperationError, call_source, listed

if TYPE_CHECKING:
    from ..editor import Editor

__all__ = ["RunBatches", "RunPython", "RunSQL", "StateOnly"]

Function = Callable[..., Any]


def _name(function: Function) -> str:
    return getattr(function, "__name__", repr(function))


def _said(name: str, imports: Imports) -> str:
    return f"{imports.name('segue.db', 'migrations')}.noop" if name == "noop" else name


def _call(function: Function, *arguments: Any) -> None:
    result = function(*arguments)
    if inspect.isawaitable(result):
        asyncio.run(_awaited(result))


async def _awaited(result: Any) -> None:
    await result


class RunPython(Operation):
    """Call a function, `def` or `async def`, with the models of that moment."""

    function: ClassVar[str] = "run_python"
    writes_data: ClassVar[bool] = True

    def __init__(self, forwards: Function, backwards: Function | None = None) -> None:
        self.forwards = forwards
        self.backwards = backwards
        self.reversible: bool = backwards is not None

    def steps(self, editor: Editor, before: State, after: State) -> None:
        editor.call(
            lambda context: _call(self.forwards, context.models(before)), f"run_python: {_name(self.forwards)}()"
        )

    def steps_back(self, editor: Editor, before: State, after: State) -> None:
        backwards = self.backwards
        if backwards is None:
            raise OperationError(
                "run_python cannot be taken back.", code="data/irreversible", hint="Give it a second function."
            )
        editor.call(lambda context: _call(backwards, context.models(before)), f"run_python: {_name(backwards)}()")

    def source(self, imports: Imports) -> str:
        parts = [_name(each) for each in (self.forwards, self.backwards) if each is not None]
        return call_source(imports, self.function, [_said(each, imports) for each in parts])

    def describe(self) -> str:
        return f"Run {_name(self.forwards)}()"

    def slug(self) -> str:
        return _name(self.forwards)


class RunBatches(Operation):
    """Call a function with the rows of a model, so many at a time.

    Where the migration is no single transaction (`atomic = False`), each batch is one, and
    an interrupted run goes on behind the last batch that was saved.
    """

    function: ClassVar[str] = "run_batches"
    writes_data: ClassVar[bool] = True

    def __init__(self, model: str, forwards: Function, backwards: Function | None = None, size: int = 1000) -> None:
        self.model = model
        self.forwards = forwards
        self.backwards = backwards
        self.size = size
        self.reversible: bool = backwards is not None

    def steps(self, editor: Editor, before: State, after: State) -> None:
        self._add(editor, before, self.forwards)

    def steps_back(self, editor: Editor, before: State, after: State) -> None:
        if self.backwards is None:
            raise OperationError(
                "run_batches cannot be taken back.", code="data/irreversible", hint="Give backwards=…."
            )
        self._add(editor, before, self.backwards)

    def _add(self, editor: Editor, state: State, function: Function) -> None:
        def run(context: Context) -> None:
            models = context.models(state)
            model = models[self.model]
            last = context.progress()
            while True:
                rows = model.objects.order_by("pk")
                batch = list((rows if last is None else rows.filter(pk__gt=last))[: self.size])
                if not batch:
                    return
                with context.block():
                    _call(function, models, batch)
                    last = batch[-1].pk
                    context.note(last)

        editor.call(run, f"run_batches: {_name(function)}() for {self.size} rows of {self.model} at a time")

    def source(self, imports: Imports) -> str:
        parts = [_name(each) for each in (self.forwards, self.backwards) if each is not None]
        named = {} if self.size == 1000 else {"size": str(self.size)}
        return call_source(
            imports, self.function, [same_text(self.model), *(_said(each, imports) for each in parts)], named
        )

    def describe(self) -> str:
        return f"Run {_name(self.forwards)}() over {self.model}"

    def slug(self) -> str:
        return _name(self.forwards)


SQL = str | Sequence[str] | Mapping[str, Any]


class RunSQL(Operation):
    """Run SQL as it is written.

    Args:
        sql: One statement, several, or those of each database by its name.
        backwards: The same for the way back; an empty text does nothing.
        states: Operations that say what it does to the models, where it changes tables.
    """

    function: ClassVar[str] = "run_sql"
    writes_data: ClassVar[bool] = True

    def __init__(self, sql: SQL, backwards: SQL | None = None, states: Sequence[Operation] = ()) -> None:
        self.sql = sql
        self.backwards = backwards
        self.states: list[Operation] = list(states)
        self.reversible: bool = backwards is not None

    def apply(self, state: State) -> State:
        for each in self.states:
            state = each.apply(state)
        return state

    def steps(self, editor: Editor, before: State, after: State) -> None:
        for each in _statements(self.sql, editor.vendor):
            editor.sql(each)

    def steps_back(self, editor: Editor, before: State, after: State) -> None:
        if self.backwards is None:
            raise OperationError(
                "run_sql cannot be taken back.", code="data/irreversible", hint="Give it a second argument."
            )
        for each in _statements(self.backwards, editor.vendor):
            editor.sql(each)

    def source(self, imports: Imports) -> str:
        parts = [repr(each) for each in (self.sql, self.backwards) if each is not None]
        named = {"states": listed([each.source(imports) for each in self.states])} if self.states else {}
        return call_source(imports, self.function, parts, named)

    def describe(self) -> str:
        text = " ".join(str(self.sql).split())
        return f"Run SQL: {text[:60]}{'…' if len(text) > 60 else ''}"

    def slug(self) -> str:
        return "sql"


def _statements(sql: SQL, vendor: str) -> list[str]:
    if isinstance(sql, Mapping):
        sql = sql.get(vendor, ())
    if isinstance(sql, str):
        sql = [sql]
    return [each.strip().removesuffix(";") for each in sql if each.strip()]


class StateOnly(Operation):
    """Operations of which the database hears nothing: what they say is so already, or comes later."""

    function: ClassVar[str] = "state_only"

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.operations: list[Operation] = list(operations)

    def apply(self, state: State) -> State:
        for each in self.operations:
            state = each.apply(state)
        return state

    def steps(self, editor: Editor, before: State, after: State) -> None:
        pass

    def steps_back(self, editor: Editor, before: State, after: State) -> None:
        pass

    def describe(self) -> str:
        return f"In the state alone: {', '.join(each.describe() for each in self.operations)}"

    def slug(self) -> str:
        return self.operations[0].slug() if self.operations else "state"

    def source(self, imports: Imports) -> str:
        return call_source(imports, self.function, [each.source(imports) for each in self.operations])
