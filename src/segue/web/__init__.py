"""What a site has around its handlers: constant headers, static files, the pages of errors.

Holds: security headers, origins and CORS, compression, static files, conditional requests, what a route
produces, the answers to errors, the pages for developers.
Imports: floor 0, http and handling's public parts.
Never: knows a protocol, a model or a template engine.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .bundles import Esbuild, Vite
    from .compression import Compression
    from .cors import Cors
    from .security import Security, security_headers

# A battery that nobody registers is not loaded.
_WHERE = {
    "Compression": "compression",
    "Cors": "cors",
    "Esbuild": "bundles",
    "Security": "security",
    "Vite": "bundles",
    "security_headers": "security",
}

__all__ = ["Compression", "Cors", "Esbuild", "Security", "Vite", "security_headers"]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(f".{_WHERE[name]}", __name__), name)
    raise AttributeError(f"segue.web has no {name!r}")
