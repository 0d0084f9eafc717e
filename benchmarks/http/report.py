"""The report: the tables, and whether Segue meets what is required of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .contestants import CEILING, GROUPS, Group
from .measure import Figures, Measured

__all__ = ["Verdict", "as_json", "judge", "table"]

# Least shares of the ceiling, by group, label and row.
_RAW = ("plain", "json", "path", "query")
_LEAST: dict[tuple[str, str], dict[str, float]] = {
    ("rsgi", "segue"): {**dict.fromkeys(_RAW, 0.90), "body": 0.85},
    ("rsgi", "segue (def)"): dict.fromkeys((*_RAW, "body"), 0.70),
    ("uvicorn", "segue"): dict.fromkeys((*_RAW, "body"), 0.85),
    ("wsgi", "segue"): {**dict.fromkeys(_RAW, 0.85), "body": 0.70},
}
# The hand-written page is Jinja2's own time and the ceiling's; 1.1 times that is allowed.
_LEAST_PAGE = 1 / 1.1


@dataclass(frozen=True, slots=True)
class Verdict:
    """One requirement, and whether it was met."""

    what: str
    required: float
    measured: float

    @property
    def is_met(self) -> bool:
        """Whether the measured value is the required one or better."""
        return self.measured >= self.required

    def __str__(self) -> str:
        return (
            f"{'met   ' if self.is_met else 'MISSED'} {self.what}: {self.measured:.2f} (at least {self.required:.2f})"
        )


def table(group: Group, measured: Measured, rows: list[str]) -> str:
    """Return one table: CPU time of a request, the share of the ceiling, requests in a second."""
    width = max((len(label) for label in measured), default=0)
    lines = [f"{group.title}", " " * width + "".join(f"{row:>24}" for row in rows)]
    for label, figures in sorted(measured.items(), key=lambda entry: _order(entry[1])):
        cells = "".join(f"{_cell(figures.get(row), measured.get(CEILING, {}).get(row)):>24}" for row in rows)
        lines.append(f"{label:<{width}}{cells}")
    return "\n".join(lines)


def _order(figures: dict[str, Figures]) -> float:
    return sum(entry.typical_cpu_us for entry in figures.values()) / len(figures)


def _cell(figures: Figures | None, ceiling: Figures | None) -> str:
    if figures is None:
        return "-"
    share = "" if ceiling is None else f"{figures.share_of(ceiling):>5.0%}"
    return f"{figures.typical_cpu_us:.1f} us{share} {figures.typical_per_second / 1000:5.1f}k/s"


def judge(measured: dict[str, Measured]) -> Iterator[Verdict]:
    """Yield a verdict for each requirement of which both sides were measured."""
    for name, group in measured.items():
        ceiling = group.get(CEILING, {})
        peers = {contestant.label for contestant in GROUPS[name].contestants if contestant.is_peer}
        for label, rows in group.items():
            if not label.startswith("segue"):
                continue
            least = _LEAST.get((name, label), {})
            for row, figures in rows.items():
                required = _LEAST_PAGE if row == "page" else least.get(row)
                if (required is not None and row in ceiling and label == "segue") or (row in least and row in ceiling):
                    yield Verdict(
                        f"{name} {label} {row}, share of the ceiling", required or 0, figures.share_of(ceiling[row])
                    )
                if label == "segue":
                    yield from _ahead(
                        name,
                        row,
                        figures,
                        {peer: group[peer][row] for peer in peers & group.keys() if row in group[peer]},
                    )


def _ahead(name: str, row: str, figures: Figures, peers: dict[str, Figures]) -> Iterator[Verdict]:
    if not peers:
        return
    best = min(peers, key=lambda peer: peers[peer].typical_cpu_us)
    yield Verdict(f"{name} {row}, ahead of the best peer ({best})", 1.0, figures.share_of(peers[best]))


def as_json(measured: dict[str, Measured]) -> dict[str, Any]:
    """Return everything that was measured, for the results file."""
    return {
        name: {
            label: {
                row: {
                    "cpu_us": [round(value, 3) for value in figures.cpu_us],
                    "per_second": [round(value, 1) for value in figures.per_second],
                    "share": round(figures.share_of(group[CEILING][row]), 4) if row in group.get(CEILING, {}) else None,
                }
                for row, figures in rows.items()
            }
            for label, rows in group.items()
        }
        for name, group in measured.items()
    }
