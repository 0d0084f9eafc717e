"""Named signals: what happened, for whoever listens.

Holds: `Signal`, the names that Flask and Django users know, and `Signals`, an app's own set.
Imports: the standard library and blinker.
Never: keeps receivers of one app where another sends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import blinker

__all__ = [
    "Receiver",
    "Signal",
    "Signals",
    "appcontext_popped",
    "appcontext_pushed",
    "appcontext_tearing_down",
    "got_request_exception",
    "message_flashed",
    "request_finished",
    "request_started",
    "request_tearing_down",
    "template_rendered",
    "user_logged_in",
    "user_logged_out",
    "user_login_failed",
]


@dataclass(frozen=True, slots=True)
class Signal:
    """The name of something that happens. Receivers belong to an app: `@app.on(signal)`."""

    name: str


@dataclass(frozen=True, slots=True)
class Receiver:
    """A function that waits for a signal, from one sender or from any."""

    signal: Signal
    function: Callable[..., Any]
    sender: Any = None


request_started: Signal = Signal("request_started")
request_finished: Signal = Signal("request_finished")
request_tearing_down: Signal = Signal("request_tearing_down")
got_request_exception: Signal = Signal("got_request_exception")
template_rendered: Signal = Signal("template_rendered")
message_flashed: Signal = Signal("message_flashed")
user_logged_in: Signal = Signal("user_logged_in")
user_logged_out: Signal = Signal("user_logged_out")
user_login_failed: Signal = Signal("user_login_failed")
appcontext_pushed: Signal = Signal("appcontext_pushed")
appcontext_popped: Signal = Signal("appcontext_popped")
appcontext_tearing_down: Signal = Signal("appcontext_tearing_down")


class Signals(Mapping[Signal, blinker.Signal]):
    """The signals of one app, each with its own receivers."""

    def __init__(self) -> None:
        self._signals: dict[Signal, blinker.Signal] = {}

    def __getitem__(self, signal: Signal) -> blinker.Signal:
        found = self._signals.get(signal)
        if found is None:
            found = self._signals[signal] = blinker.Signal(signal.name)
        return found

    def __iter__(self) -> Iterator[Signal]:
        return iter(self._signals)

    def __len__(self) -> int:
        return len(self._signals)

    def connect(self, receiver: Receiver) -> None:
        """Call the receiver whenever its signal is sent in this app."""
        sender = blinker.ANY if receiver.sender is None else receiver.sender
        self[receiver.signal].connect(receiver.function, sender=sender, weak=False)
