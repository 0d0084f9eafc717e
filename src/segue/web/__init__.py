"""What a site has around its handlers: constant headers, static files, the pages of errors.

Holds: security headers, compression, static files, conditional requests, what a route
produces, the answers to errors, the pages for developers.
Imports: floor 0, http and handling's public parts.
Never: knows a protocol, a model or a template engine.
"""

from typing import TYPE_CHECKING, Any

from .headers import constant_headers

if TYPE_CHECKING:
    from .compression import Compression

__all__ = ["Compression", "constant_headers"]


def __getattr__(name: str) -> Any:
    # A battery that nobody registers is not loaded.
    if name == "Compression":
        from .compression import Compression

        return Compression
    raise AttributeError(f"segue.web has no {name!r}")
