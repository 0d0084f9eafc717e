"""What happens to models, for whoever listens.

Holds: the signals of models, under Django's names, and how an operation sends one.
Imports: floor 0, steps.
Never: keeps receivers; they are an app's.
"""

from __future__ import annotations

from typing import Any

from ..signals import Receiver, Signal, Signals
from .steps import Call, Operation

__all__ = [
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


def sends(database: Any, *signals: Signal) -> bool:
    """Tell whether anybody listens to one of *signals*."""
    known: Signals = database.signals
    return bool(known) and any(signal in known and bool(known[signal].receivers) for signal in signals)


def send(database: Any, signal: Signal, sender: Any, **values: Any) -> Operation[None]:
    """Call every receiver of *signal* for *sender*; in async code they may be `async def`."""
    for receiver in list(database.signals[signal].receivers_for(sender)):
        yield Call(receiver, sender, **values)


def connect(database: Any, signal: Signal, sender: Any, function: Any) -> None:
    """Call *function* for a signal where there is no app: in a script."""
    database.signals.connect(Receiver(signal, function, sender))
