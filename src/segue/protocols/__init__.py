"""RSGI, ASGI and WSGI adapters.

Holds: one module per protocol, and what the two that run on a loop share.
Imports: http and handling.
Never: decides anything about a request that another adapter would decide otherwise.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .asgi import ASGIAdapter
    from .rsgi import RSGIAdapter
    from .wsgi import WSGIAdapter

__all__ = ["ASGIAdapter", "RSGIAdapter", "WSGIAdapter"]


def __getattr__(name: str) -> Any:
    # A process speaks one protocol: the adapters of the others are not loaded.
    if name == "ASGIAdapter":
        from .asgi import ASGIAdapter

        return ASGIAdapter
    if name == "RSGIAdapter":
        from .rsgi import RSGIAdapter

        return RSGIAdapter
    if name == "WSGIAdapter":
        from .wsgi import WSGIAdapter

        return WSGIAdapter
    raise AttributeError(f"segue.protocols has no {name!r}")
