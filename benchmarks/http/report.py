"""The report: the tables, and whether Segue meets what is required of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.verdicts import Verdict

from .contestants import CEILING, GROUPS, Group
from .measure import Figures, Measured

__all__ = ["as_json", "judge", "table"]

_RAW = ("plain", "json", "path", "query")
# The hand-written page costs Jinja2's own time and the ceiling's; 1.1 times that is allowed.
_PAGE = {"page": 1 / 1.1}
# Least shares of the ceiling, by group, label and row.
_LEAST: dict[tuple[str, str], dict[str, float]] = {
    ("rsgi", "segue"): {**dict.fromkeys(_RAW, 0.90), "body": 0.85, **_PAGE},
    ("rsgi", "segue (def)"): dict.fromkeys((*_RAW, "body"), 0.70),
    ("asgi", "segue"): _PAGE,
    ("uvicorn", "segue"): {**dict.fromkeys((*_RAW, "body"), 0.85), **_PAGE},
    ("wsgi", "segue"): {**dict.fromkeys(_RAW, 0.85), "body": 0.70, **_PAGE},
}


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
        peers = {entry.label for entry in GROUPS[name].contestants if entry.is_peer} & group.keys()
        for label in ("segue", "segue (def)"):
            least = _LEAST.get((name, label), {})
            for row, figures in group.get(label, {}).items():
                if row in least and row in ceiling:
                    what = f"{name} {label} {row}, share of the ceiling"
                    yield Verdict(what, figures.share_of(ceiling[row]), least[row])
        for row, figures in group.get("segue", {}).items():
            rivals = {peer: group[peer][row] for peer in peers if row in group[peer]}
            if rivals:
                best = min(rivals, key=lambda peer: rivals[peer].typical_cpu_us)
                yield Verdict(f"{name} segue {row}, ahead of {best}", figures.share_of(rivals[best]), 1.0)


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
