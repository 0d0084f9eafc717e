"""What a site has around its handlers: constant headers, static files, the debug page.

Holds: security headers, static files, the pages for developers.
Imports: floor 0, http and handling's public parts.
Never: knows a protocol, a model or a template engine.
"""

from .headers import constant_headers

__all__ = ["constant_headers"]
