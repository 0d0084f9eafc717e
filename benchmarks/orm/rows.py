"""What is measured: each row's question, its answer, and the most it may cost."""

from __future__ import annotations

from dataclasses import dataclass

from .data import BULK

__all__ = ["ROWS", "Row"]


@dataclass(frozen=True, slots=True)
class Row:
    """One question.

    Attributes:
        name: The method of every contestant.
        answer: What it must return; `None` where it returns nothing that counts.
        repeats: How often it is asked in one round.
        most: The most it may cost on SQLite, in times the raw driver.
    """

    name: str
    answer: object
    repeats: int
    most: float | None = None


ROWS = (
    Row("get", "Record 41", 200, 4),
    Row("filtered", 20, 60, 4),
    Row("thousand", 1000, 4, 3),
    Row("values", 1000, 8, 1.6),
    Row("joined", 20, 40, 5),
    Row("prefetch_few", 20 * 200, 2, 3.5),
    Row("prefetch_many", 100 * 10, 3),
    Row("insert", None, 60, 2),
    Row("bulk", BULK, 2, 2.5),
    Row("update", 1, 60, 4),
    Row("count", 1000, 60, 3.5),
    Row("grouped", 120, 20),
)
