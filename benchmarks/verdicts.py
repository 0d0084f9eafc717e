"""Requirements and whether they were met, as every program here prints them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

__all__ = ["Verdict", "conclude"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One requirement, and what was measured.

    Args:
        limit: The least value allowed, or the greatest with `is_ceiling`.
    """

    what: str
    measured: float
    limit: float
    is_ceiling: bool = False

    @property
    def is_met(self) -> bool:
        """Whether the measured value is the limit or better."""
        return self.measured <= self.limit if self.is_ceiling else self.measured >= self.limit

    def __str__(self) -> str:
        bound = "at most" if self.is_ceiling else "at least"
        return f"{'met   ' if self.is_met else 'MISSED'} {self.what}: {self.measured:.2f} ({bound} {self.limit:.2f})"

    def as_json(self) -> dict[str, Any]:
        """Return it for the results file."""
        return {"what": self.what, "measured": round(self.measured, 4), "limit": self.limit, "met": self.is_met}


def conclude(verdicts: Iterable[Verdict], *, check: bool) -> int:
    """Print the verdicts; return the status to end with: 1 where one is missed and *check* is wanted."""
    judged = list(verdicts)
    if judged:
        print(*judged, sep="\n")
    return 1 if check and not all(verdict.is_met for verdict in judged) else 0
