"""RSGI, ASGI and WSGI adapters.

Holds: one module per protocol, and what the two that run on a loop share.
Imports: http and handling.
Never: decides anything about a request that another adapter would decide otherwise.
"""

from .asgi import ASGIAdapter
from .rsgi import RSGIAdapter
from .wsgi import WSGIAdapter

__all__ = ["ASGIAdapter", "RSGIAdapter", "WSGIAdapter"]
