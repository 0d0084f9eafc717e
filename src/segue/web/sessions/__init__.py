"""Sessions: what a site remembers of one visitor between requests.

Holds: `Session`, a mapping; the stores (a signed cookie, the database, Redis, a cache); when a
session is loaded, saved, renewed and ended.
Imports: floor 0, http, signing, cache and the pipeline's exchange; `database.py` alone imports db.
Never: knows a user, loads what nobody touches, or writes what did not change.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ...context import Key

if TYPE_CHECKING:
    from .session import Session
    from .settings import Sessions
    from .stores import Backend, Outcome, Store, Stored

__all__ = ["SESSIONS", "Backend", "Outcome", "Session", "Sessions", "Store", "Stored"]

SESSIONS: Key["Sessions"] = Key("sessions")

_WHERE = {
    "Backend": "stores",
    "Outcome": "stores",
    "Session": "session",
    "Sessions": "settings",
    "Store": "stores",
    "Stored": "stores",
}


def __getattr__(name: str) -> Any:
    # An app whose requests touch no session never loads what keeps one.
    if name in _WHERE:
        return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    raise AttributeError(f"segue.web.sessions has no {name!r}")
