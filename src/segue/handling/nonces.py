"""The nonce of a response: a random text that lets its own scripts and styles run.

Holds: how one is made, and what puts it into the content security policy of a page.
A request that never asks for one has the constant headers.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..http.response import Response

if TYPE_CHECKING:
    from ..colours import Operation
    from .exchange import Exchange
    from .results import Blocks

__all__ = ["begin_nonce"]


def begin_nonce(exchange: Exchange) -> str:
    """Return a fresh nonce for the response of *exchange*, and let its headers carry it.

    Raises:
        UsageError: The headers were sent already (`security/late-nonce`).
    """
    if exchange.nonce == "":
        raise UsageError(
            "The nonce was asked for after the headers were sent.",
            code="security/late-nonce",
            why="The content security policy is a header, and must carry the nonce; a stream's body comes after it.",
            hint="nonce = request.csp_nonce  # before the response is returned",
        )
    # PERF: hexadecimal digits are a base64-value too (CSP3 §2.3.1), and need no further module.
    fresh = os.urandom(16).hex()
    # Steps of one request may run in two threads; both get the one that came first.
    nonce: str = vars(exchange).setdefault("nonce", fresh)
    if nonce is fresh:
        exchange.add_finisher(_NonceHeaders(exchange, nonce))
    return nonce


class _NonceHeaders:
    """Puts a nonce into the policies of a page before it is sent."""

    __slots__ = ("_exchange", "_nonce")

    def __init__(self, exchange: Exchange, nonce: str) -> None:
        self._exchange = exchange
        self._nonce = nonce

    def finish(self, response: Response) -> Operation[None]:
        """Set the headers, where *response* is a page and has no policy of its own."""
        endpoint = self._exchange.endpoint
        if endpoint is not None and response.content_type.startswith("text/html") and response.status != 304:
            _set_policies(response, endpoint.blocks, self._nonce)
        return
        yield  # an operation, though it never waits


def _set_policies(response: Response, blocks: Blocks, nonce: str) -> None:
    for name, parts in blocks.policies:
        own = response.headers.get(name)
        # A response object that is returned again and again carries the policy of its last time.
        if own is None or (len(parts) > 1 and own.startswith(parts[0]) and own.endswith(parts[-1])):
            response.headers[name] = nonce.join(parts)
