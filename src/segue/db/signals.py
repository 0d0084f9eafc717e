"""What happens to models, for whoever listens.

Holds: the signals of models, under Django's names, and how an operation sends one.
Imports: floor 0, steps.
Never: keeps receivers; they are an app's.
"""

from __future__ import annotations

from functools import partial
from inspect import iscoroutinefunction
from typing import Any

from ..signals import Receiver, Signal, Signals
from .database import running_on_loop
from .steps import Call, Operation

__all__ = [
    "call",
    "connect",
    "m2m_changed",
    "post_delete",
    "post_save",
    "pre_delete",
    "pre_save",
    "send",
    "sends",
]

pre_save: Signal = Signal("pre_save")
post_save: Signal = Signal("post_save")
pre_delete: Signal = Signal("pre_delete")
post_delete: Signal = Signal("post_delete")
m2m_changed: Signal = Signal("m2m_changed")


def sends(database: Any, sender: Any, *signals: Signal) -> bool:
    """Tell whether anybody listens to one of *signals* of *sender*."""
    known: Signals = database.signals
    # PERF: nearly always nobody listens to anything.
    return bool(known) and any(signal in known and known[signal].has_receivers_for(sender) for signal in signals)


def call(database: Any, function: Any, *arguments: Any, **values: Any) -> Operation[Any]:
    """Call a function of the user from inside an operation, in either colour.

    On a loop a `def` runs in a thread, on the same transaction: it may ask the database.
    """
    return (yield Call(_in_its_colour, database, function, arguments, values))


def _in_its_colour(database: Any, function: Any, arguments: Any, values: Any) -> Any:
    if not running_on_loop() or iscoroutinefunction(function):
        return function(*arguments, **values)
    return database.in_thread(partial(function, *arguments, **values))


def send(database: Any, signal: Signal, sender: Any, **values: Any) -> Operation[None]:
    """Call every receiver of *signal* for *sender*; in async code they may be `async def`."""
    for receiver in list(database.signals[signal].receivers_for(sender)):
        yield from call(database, receiver, sender, **values)


def connect(database: Any, signal: Signal, sender: Any, function: Any) -> None:
    """Call *function* for a signal where there is no app: in a script."""
    database.signals.connect(Receiver(signal, function, sender))
