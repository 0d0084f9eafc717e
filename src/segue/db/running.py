"""Drives operations: one text of an operation serves `def` and `async def`.

Holds: `run` and `arun`, which perform the steps that an operation yields.
Imports: floor 0, the steps of this package, and the database for types.
Never: knows what an operation is about.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import UsageError, place_of
from .steps import Call, Execute, ExecuteMany, Operation, Step, Transaction

if TYPE_CHECKING:
    from .database import Database

__all__ = ["arun", "run"]

T = TypeVar("T")


def run(database: Database, operation: Operation[T], *, method: str = "") -> T:
    """Drive *operation* to its end; waits.

    Args:
        method: The call that the user wrote, such as `Record.objects.get()`, for the error
            about waiting on an event loop.

    Raises:
        UsageError: `data/blocking-call`: this thread runs an event loop.
    """
    database.refuse_on_loop(method)
    return _drive(database, operation)


async def arun(database: Database, operation: Operation[T]) -> T:
    """Drive *operation* to its end on the running loop."""
    if not database.driver.is_prepared:
        await database.aprepare()
    return await _adrive(database, operation)


def _drive(database: Database, operation: Operation[T]) -> T:
    try:
        step = next(operation)
        while True:
            try:
                result = _perform(database, step)
            except BaseException as error:
                step = operation.throw(error)
            else:
                step = operation.send(result)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # what the operation returns


def _perform(database: Database, step: Step) -> Any:
    if isinstance(step, Execute):
        return database.perform("execute", step.prepared, step.parameters)
    if isinstance(step, ExecuteMany):
        return database.perform("execute_many", step.prepared, step.rows)
    if isinstance(step, Transaction):
        with database.atomic(savepoint=step.savepoint):
            return _drive(database, step.operation)
    result = step.function(*step.arguments, **step.keywords)
    if inspect.isawaitable(result):
        if inspect.iscoroutine(result):
            result.close()
        raise _async_receiver(step)
    return result


async def _adrive(database: Database, operation: Operation[T]) -> T:
    try:
        step = next(operation)
        while True:
            try:
                result = await _aperform(database, step)
            except BaseException as error:
                step = operation.throw(error)
            else:
                step = operation.send(result)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # what the operation returns


async def _aperform(database: Database, step: Step) -> Any:
    if isinstance(step, Execute):
        return await database.aperform("execute", step.prepared, step.parameters)
    if isinstance(step, ExecuteMany):
        return await database.aperform("execute_many", step.prepared, step.rows)
    if isinstance(step, Transaction):
        async with database.atomic(savepoint=step.savepoint):
            return await _adrive(database, step.operation)
    result = step.function(*step.arguments, **step.keywords)
    return await result if inspect.isawaitable(result) else result


def _async_receiver(step: Call) -> UsageError:
    name = getattr(step.function, "__qualname__", repr(step.function))
    return UsageError(
        f"{name} is async, and this is a sync call, which cannot await it.",
        code="data/async-receiver",
        where=place_of(step.function),
        hint="Call the async method (`asave()`, `adelete()`, …), or make it a `def`.",
    )
