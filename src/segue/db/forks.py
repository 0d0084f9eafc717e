"""What a forked child has got with its copy of the parent.

Holds: `leave_to_parent`.
Imports: the standard library.
Never: closes anything.
"""

from __future__ import annotations

__all__ = ["leave_to_parent"]

_kept: list[object] = []


def leave_to_parent(*things: object) -> None:
    """Keep connections, or what holds them, while this child lives: their end may say goodbye for the parent."""
    _kept.extend(things)
