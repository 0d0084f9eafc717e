"""What the user's own `async` methods are to a check that cannot wait.

Holds: `refuse_async` and `awaited`, the two colours of one step.
Imports: floor 0.
Never: starts a loop.
"""

from __future__ import annotations

from typing import Any

from ..errors import UsageError, place_of

__all__ = ["awaited", "refuse_async"]


def refuse_async(waiting: Any, method: Any) -> Any:
    """Say that `is_valid()` cannot wait.

    Raises:
        UsageError: Always (`forms/async-clean`).
    """
    if hasattr(waiting, "close"):
        waiting.close()
    raise UsageError(
        f"{method.__qualname__}() is async, and is_valid() cannot wait for it.",
        code="forms/async-clean",
        where=place_of(method),
        hint="await form.ais_valid(), before anything else asks for the errors; or make it a `def`.",
    )


async def awaited(waiting: Any, method: Any) -> Any:
    """Wait for what *method* returned."""
    return await waiting
