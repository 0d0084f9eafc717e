"""How much work a password costs: Argon2id (RFC 9106) and its parameters."""

from __future__ import annotations

from dataclasses import dataclass

from ...context import Key, find_current
from ...errors import SetupError, UsageError

__all__ = ["FLOOR", "PRODUCTION", "STRENGTH", "TESTING", "Strength", "current_strength"]


@dataclass(frozen=True, slots=True)
class Strength:
    """The parameters of Argon2id.

    Attributes:
        memory_kib: Memory of one hash; 46 MiB take 190 ms, 19 MiB in two passes 80 ms.
        passes: How often the memory is gone through.
        lanes: Threads of one hash.
    """

    memory_kib: int
    passes: int
    lanes: int = 1

    @property
    def work(self) -> int:
        """What it costs, in KiB gone through."""
        return self.memory_kib * self.passes

    def demand_enough(self) -> None:
        """Refuse what protects too little.

        Raises:
            SetupError: Less than 19 MiB, two passes (`auth/weak-hashing`).
        """
        if self.memory_kib < FLOOR.memory_kib or self.work < FLOOR.work:
            raise SetupError(
                f"Hashing with {self.memory_kib} KiB and {self.passes} passes protects too little.",
                code="auth/weak-hashing",
                why=f"The least is {FLOOR.memory_kib} KiB with {FLOOR.passes} passes, or more memory with one.",
                hint="from segue.auth.hashing import FLOOR, PRODUCTION",
            )


PRODUCTION = Strength(memory_kib=46 * 1024, passes=1)
FLOOR = Strength(memory_kib=19 * 1024, passes=2)
# For tests: the same algorithm, and no wait.
TESTING = Strength(memory_kib=64, passes=1)

STRENGTH: Key[Strength] = Key("strength of password hashing")


def current_strength() -> Strength:
    """Return what the running app provides, else `TESTING` in tests and `PRODUCTION` elsewhere."""
    context = find_current()
    if context is None:
        return PRODUCTION
    try:
        return context.get(STRENGTH)
    except UsageError:
        # The app's own mark, which no variable of the environment sets.
        is_testing: bool = context.app.app.testing
        return TESTING if is_testing else PRODUCTION
