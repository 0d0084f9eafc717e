"""What the tests of models do with databases."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from segue import db

T = TypeVar("T")


def on_loop(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run *coroutine* on a loop of its own; the loop's connections are closed with it."""

    async def main() -> T:
        database = db.current_database()
        try:
            return await coroutine
        finally:
            if database.vendor != "sqlite":  # in memory, closing is forgetting
                await database.aclose()

    return asyncio.run(main())
