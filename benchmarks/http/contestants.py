"""Who is measured over which interface, and how each is started."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from benchmarks.servers import granian_command, uvicorn_command

__all__ = ["CEILING", "GROUPS", "Contestant", "Group"]

CEILING = "hand-written"


@dataclass(frozen=True, slots=True)
class Contestant:
    """One application over one interface.

    Args:
        name: As `--only` has it; `segue` for both of its colours.
        label: As the table has it.
        target: `module:name` inside `benchmarks.http.apps`; empty for a server of its own.
        is_peer: Whether Segue is compared with it.
    """

    name: str
    label: str
    target: str
    is_peer: bool = True


@dataclass(frozen=True, slots=True)
class Group:
    """One interface of one server: a ceiling, and those measured against it."""

    name: str
    title: str
    contestants: tuple[Contestant, ...]

    def command(self, contestant: Contestant, port: int) -> list[str]:
        """Return the command that serves *contestant* on *port*."""
        if not contestant.target:
            return [sys.executable, "-m", f"benchmarks.http.apps.{contestant.name}", str(port)]
        target = f"benchmarks.http.apps.{contestant.target}"
        if self.name == "uvicorn":
            return uvicorn_command(target, port=port)
        return granian_command(self.name, target, port=port)


def _ceiling(interface: str) -> Contestant:
    return Contestant("bare", CEILING, f"bare:{interface}", is_peer=False)


def _segue(target: str, label: str = "segue") -> Contestant:
    return Contestant("segue", label, f"segue:{target}", is_peer=False)


def _peer(name: str, interface: str) -> Contestant:
    return Contestant(name, name, f"{name}:{interface}")


_ASGI = (
    _ceiling("asgi"),
    _segue("asgi"),
    *(
        _peer(name, "asgi")
        for name in ("starlette", "fastapi", "litestar", "falcon", "blacksheep", "emmett55", "sanic", "django")
    ),
)

GROUPS = {
    group.name: group
    for group in (
        Group(
            "rsgi",
            "RSGI, Granian, async def",
            (_ceiling("rsgi"), _segue("rsgi"), _segue("rsgi_def", "segue (def)"), _peer("emmett55", "rsgi")),
        ),
        Group("asgi", "ASGI, Granian, async def", _ASGI),
        Group(
            "uvicorn",
            "ASGI, uvicorn with uvloop and httptools, async def",
            # Its own server is no ASGI server; it stands where its parts, uvloop and
            # httptools, make the comparison nearest.
            (*_ASGI, Contestant("sanic", "sanic (own server)", "", is_peer=False)),
        ),
        Group(
            "wsgi",
            "WSGI, Granian, def",
            (_ceiling("wsgi"), _segue("wsgi"), *(_peer(name, "wsgi") for name in ("flask", "django", "falcon"))),
        ),
    )
}
