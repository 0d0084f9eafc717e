"""Measuring: every contestant of an interface is started, checked, and then driven in turns.

The turns go A B C, A B C, ... and a share is the median of the shares of single rounds:
what disturbs the machine for a while disturbs a contestant and its ceiling alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median

from benchmarks.load import Load, LoadError
from benchmarks.servers import Server, free_port

from .contestants import Contestant, Group
from .rows import Row

__all__ = ["Figures", "Plan", "measure_group"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How long each measurement is."""

    rounds: int
    seconds: float
    connections: int = 64


@dataclass(slots=True)
class Figures:
    """What one contestant did on one row: an entry a round."""

    cpu_us: list[float] = field(default_factory=list[float])
    per_second: list[float] = field(default_factory=list[float])

    @property
    def typical_cpu_us(self) -> float:
        """The median CPU time of a request, in microseconds."""
        return median(self.cpu_us)

    @property
    def typical_per_second(self) -> float:
        """The median of requests in a second."""
        return median(self.per_second)

    def share_of(self, ceiling: Figures) -> float:
        """How much of the ceiling is reached: 1 costs no more CPU time than it."""
        return median(theirs / ours for ours, theirs in zip(self.cpu_us, ceiling.cpu_us, strict=True))


Measured = dict[str, dict[str, Figures]]
Say = Callable[[str], None]


def measure_group(
    group: Group, contestants: Iterable[Contestant], rows: Iterable[Row], plan: Plan, say: Say
) -> Measured:
    """Measure contestants of a group; return figures by label and row.

    Args:
        say: Is told what happens, and who is left out of what because it answered wrongly.
    """
    measured: Measured = {}
    with ExitStack() as stack:
        servers = _start(group, contestants, stack, say)
        for row in rows:
            ready = [label for label, server in servers.items() if _answers(label, server, row, say)]
            for label, figures in _measure_row(row, {label: servers[label] for label in ready}, plan).items():
                measured.setdefault(label, {})[row.name] = figures
    return measured


def _start(group: Group, contestants: Iterable[Contestant], stack: ExitStack, say: Say) -> dict[str, Server]:
    started: dict[str, Server] = {}
    for contestant in contestants:
        port = free_port()
        started[contestant.label] = stack.enter_context(Server(group.command(contestant, port), port=port))
    servers: dict[str, Server] = {}
    for label, server in started.items():
        try:
            server.wait_until_ready()
        except LoadError as error:
            say(f"{group.name}: {label} is left out. {error}")
        else:
            servers[label] = server
    return servers


def _answers(label: str, server: Server, row: Row, say: Say) -> bool:
    try:
        row.check(server.port)
    except (LoadError, OSError) as error:
        say(f"{label} is left out of a row. {error}")
        return False
    return True


def _measure_row(row: Row, servers: dict[str, Server], plan: Plan) -> dict[str, Figures]:
    figures = {label: Figures() for label in servers}
    loads = {
        label: Load(server.port, row.requests(server.port), connections=plan.connections)
        for label, server in servers.items()
    }
    try:
        for load in loads.values():
            load.run(seconds=plan.seconds / 2)
        for _ in range(plan.rounds):
            for label, server in servers.items():
                before = server.cpu_seconds()
                tally = loads[label].run(seconds=plan.seconds)
                used = server.cpu_seconds() - before
                figures[label].cpu_us.append(used / tally.requests * 1e6)
                figures[label].per_second.append(tally.per_second)
    finally:
        for load in loads.values():
            load.close()
    return figures
