"""What a site has around its handlers: constant headers, static files, the debug page.

Holds: security headers, compression, static files, the pages for developers.
Imports: floor 0, http and handling's public parts.
Never: knows a protocol, a model or a template engine.
"""

from .compression import Compression
from .headers import constant_headers

__all__ = ["Compression", "constant_headers"]
