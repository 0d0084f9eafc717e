"""What the fault scenarios share: a server, clients that overlap, one line of JSON at the end."""

from __future__ import annotations

import argparse
import json
import platform
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "integration"))

from servers import Server, make_root, start
from wire import Reply

__all__ = ["Options", "Server", "Verdict", "main", "many", "serving"]


@dataclass(frozen=True)
class Options:
    """How long a scenario runs.

    Attributes:
        quick: Whether it must end within 20 seconds.
        interface: Of the server under attack.
    """

    quick: bool
    seed: int
    interface: str

    def chance(self) -> random.Random:
        """A source of the same numbers in every run with this seed."""
        return random.Random(self.seed)


@dataclass(frozen=True)
class Verdict:
    """What was measured, and what was asked for."""

    figure: dict[str, Any]
    target: dict[str, Any]
    passed: bool


def main(scenario: str, run: Callable[[Options], Verdict]) -> None:
    """Run one scenario as a program; its exit code is 0 if the target was met."""
    parser = argparse.ArgumentParser(description=run.__doc__)
    parser.add_argument("--quick", action="store_true", help="at most 20 seconds")
    parser.add_argument("--full", action="store_true", help="at most 5 minutes; the default")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--interface", choices=["rsgi", "asgi", "wsgi"], default="asgi")
    given = parser.parse_args()
    options = Options(given.quick and not given.full, given.seed, given.interface)
    verdict = run(options)
    shown = asdict(verdict)
    report = {
        "scenario": scenario,
        "figure": shown["figure"],
        "target": shown["target"],
        "pass": verdict.passed,
        "seed": options.seed,
        "interface": options.interface,
        "versions": {"python": platform.python_version(), "segue": version("segue"), "granian": version("granian")},
    }
    print(json.dumps(report))
    sys.exit(0 if verdict.passed else 1)


@contextmanager
def serving(options: Options, *flags: str, **environment: str) -> Iterator[Server]:
    """Serve the hostile app as `segue run --prod` does."""
    with tempfile.TemporaryDirectory(prefix="segue-faults-") as folder:
        root = make_root(Path(folder))
        server = start(f"segue-{options.interface}", root, options=list(flags), environment=environment)
        try:
            yield server
        finally:
            server.stop()


def many(count: int, call: Callable[[int], Reply | None]) -> list[Reply | None]:
    """Call *call* with 0 to *count* - 1, all at once; `None` stands for a connection that broke."""

    def attempt(number: int) -> Reply | None:
        try:
            return call(number)
        except (OSError, AssertionError, IndexError, ValueError):
            return None

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(attempt, range(count)))
