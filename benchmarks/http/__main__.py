"""`python -m benchmarks.http`: measure, print the tables and the verdicts, write the results file."""

from __future__ import annotations

import argparse
import sys

from benchmarks.environment import ROOT, ensure_environment, save
from benchmarks.servers import pin_to
from benchmarks.verdicts import conclude

from .contestants import GROUPS, Contestant
from .measure import Measured, Plan, measure_group
from .report import as_json, judge, table
from .rows import ROWS

FULL = Plan(rounds=5, seconds=0.9)
QUICK = Plan(rounds=3, seconds=0.15)


def main() -> int:
    """Run the comparison; 1 where `--check` was given and a requirement is missed."""
    options = _options()
    ensure_environment("benchmarks.http")
    # The load keeps to the other core, so that it never takes time of the server's.
    pin_to(1)
    plan = QUICK if options.quick else FULL
    plan = Plan(options.rounds or plan.rounds, options.seconds or plan.seconds)
    notes: list[str] = []
    measured: dict[str, Measured] = {}
    rows = [ROWS[name] for name in options.rows]

    def say(text: str) -> None:
        notes.append(text)
        print(text, flush=True)

    for name in options.interfaces:
        group = GROUPS[name]
        chosen = [entry for entry in group.contestants if _is_chosen(entry, options.only)]
        measured[name] = measure_group(group, chosen, rows, plan, say)
        print(table(group, measured[name], options.rows), end="\n\n", flush=True)
    verdicts = list(judge(measured))
    path = save(
        "http",
        {
            "plan": {"rounds": plan.rounds, "seconds": plan.seconds, "connections": plan.connections},
            "groups": as_json(measured),
            "verdicts": [verdict.as_json() for verdict in verdicts],
            "notes": notes,
        },
    )
    status = conclude(verdicts, check=options.check)
    print(f"Written to {path.relative_to(ROOT)}")
    return status


def _is_chosen(contestant: Contestant, only: list[str]) -> bool:
    # A share needs its ceiling, so that one is measured whoever is asked for.
    return not only or contestant.name == "bare" or contestant.name in only


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.http", description="Segue beside its peers.")
    parser.add_argument("--quick", action="store_true", help="a rough picture in less than 3 minutes")
    names = sorted({entry.name for group in GROUPS.values() for entry in group.contestants})
    parser.add_argument("--only", type=_list_of(names), default=[], help=f"of {', '.join(names)}")
    parser.add_argument("--rows", type=_list_of(list(ROWS)), default=list(ROWS), help=f"of {', '.join(ROWS)}")
    parser.add_argument(
        "--interfaces", type=_list_of(list(GROUPS)), default=list(GROUPS), help=f"of {', '.join(GROUPS)}"
    )
    parser.add_argument("--rounds", type=int, help="turns of each contestant")
    parser.add_argument("--seconds", type=float, help="length of one turn")
    parser.add_argument("--check", action="store_true", help="end with status 1 where a requirement is missed")
    return parser.parse_args()


class _list_of:
    def __init__(self, known: list[str]) -> None:
        self.known = known

    def __call__(self, text: str) -> list[str]:
        names = [name.strip() for name in text.split(",") if name.strip()]
        for name in names:
            if name not in self.known:
                raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(self.known)}")
        return names


sys.exit(main())
