"""What a request, a command or a task has written so far.

Holds: `Session`, `this_session`, `note_write`.
Imports: the context.
Never: keeps a statement or a row; it counts.

Outside any context the whole process is one session: a script reads its own writes, whichever of
its threads made them.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from ..context import Key, find_current

__all__ = ["Session", "note_write", "this_session"]


class Session:
    """What was written by those who share a context.

    Attributes:
        writes: Grows with each write, and with each end of a transaction's block.
        marks: Of each database with replicas: what they must have before they are asked.
    """

    __slots__ = ("marks", "writes")

    def __init__(self) -> None:
        self.writes: int = 0
        self.marks: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


_SESSION: Key[Session] = Key("database session")
_outside = Session()


def this_session() -> Session:
    """Return the session of the running context."""
    context = find_current()
    if context is None:
        return _outside
    kept = context.kept
    found = kept.get(_SESSION)
    if found is None:
        found = kept.setdefault(_SESSION, Session())
    return found  # type: ignore[no-any-return]  # kept by a typed key


def note_write() -> Session:
    """Note that something was, or may have been, written; return the session."""
    session = this_session()
    session.writes += 1
    return session
