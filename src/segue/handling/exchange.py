"""One request on its way through the pipeline, whatever the protocol.

Holds `Exchange`: the context of a request, which is also what `Request` reads from.
The adapters subclass it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from ..context import Context, lazy
from ..http.request import Request

if TYPE_CHECKING:
    import asyncio

    from ..colours import Operation
    from ..http.headers import RequestHeaders
    from ..http.intake import Body
    from ..http.limits import Limits
    from ..http.proxies import Peer
    from ..http.response import Response
    from .bridge import Bridge, Portal
    from .endpoint import Endpoint

__all__ = ["Exchange", "Finisher"]


class Finisher(Protocol):
    """What a step leaves to be done once the response stands, before its first byte."""

    def finish(self, response: Response) -> Operation[None]:
        """Change the response, and keep what must be kept; an error becomes the answer."""
        ...


class Exchange(Context):
    """The context of one request; its adapter's subclass knows the protocol.

    Attributes:
        endpoint: What answers.
        values: What the router's converters made, in the order of the rule.
        bridge: The way to the other colour.
        portal: Set while a WSGI thread serves this request's `def` steps.
        received: What was read of the body, or `None`.
        error: The exception that ended the request, for teardown.
        after_body: What a guard leaves to be decided once the body was read.
        finishers: What is done before the first byte, last added first.
        nonce: Of the content security policy, once somebody asked for it; empty where the
            headers are on their way without one.
        outcome: What the door or the router found where no route answers.
        deadline: When the supervisor cancels it, in loop time.
        is_reading: Whether a small body is being read, so that its time is what runs.
        task: The task that runs an `async def` handler.
        watcher: Waits for the client to be gone, once the supervisor has seen this.
        stopped: Why the supervisor cancelled it: an HTTP status, or `gone`.
    """

    # PERF: defaults that live on the class cost a request nothing; most are never set.
    bridge: Bridge
    after_body: Callable[[Exchange], Operation[None]] | None = None
    cleanups: list[Callable[[BaseException | None], Any]] | None = None
    deadline: float | None = None
    endpoint: Endpoint | None = None
    finishers: list[Finisher] | None = None
    is_reading: bool = False
    error: BaseException | None = None
    nonce: str | None = None
    outcome: Any = None
    portal: Portal | None = None
    received: Body | None = None
    stopped: Any = None
    task: asyncio.Task[Any] | None = None
    values: tuple[Any, ...] = ()
    watcher: asyncio.Future[None] | None = None

    def make_request(self) -> Request:
        """Build the request that this exchange feeds."""
        return Request(self)

    @lazy
    def path_params(self) -> Mapping[str, Any]:
        """The values of the rule's parameters and its defaults, by name."""
        endpoint = self.endpoint
        return endpoint.path_params(self.values) if endpoint is not None else {}

    @property
    def csp_nonce(self) -> str:
        """The nonce of this response, made when it is first asked for.

        Raises:
            UsageError: The headers were sent already (`security/late-nonce`).
        """
        if self.nonce:
            return self.nonce
        from .nonces import begin_nonce  # for pages that have scripts of their own

        return begin_nonce(self)

    # What an adapter's subclass knows of its protocol.

    method: str
    path: str
    query_string: str
    root_path: str
    http_version: str

    if TYPE_CHECKING:

        def header(self, name: str) -> str | None: ...

        def read_body(self, limits: Limits) -> None: ...

        def aread_body(self, limits: Limits) -> Coroutine[Any, Any, None]: ...

        def header_pairs(self) -> list[tuple[str, str]]: ...

        def peer(self, headers: RequestHeaders) -> Peer: ...

        def open_stream(self) -> Any: ...

        def wait_for_disconnect(self) -> Coroutine[Any, Any, None]: ...

    def begin_reading(self) -> None:
        """Let the supervisor count the time of the body from now on."""
        self.is_reading = True

    def end_reading(self) -> None:
        """Let it count the handler's time again."""
        self.is_reading = False
        self.deadline = None

    def add_cleanup(self, cleanup: Callable[[BaseException | None], Any]) -> None:
        """Call *cleanup* with the ending exception or `None`, after the last byte, last added first."""
        if self.cleanups is None:
            self.cleanups = [cleanup]
        else:
            self.cleanups.append(cleanup)

    def add_finisher(self, finisher: Finisher, *, is_last: bool = False) -> None:
        """Let *finisher* see the response before its first byte, last added first.

        Args:
            is_last: Whether it comes after all others, as what keeps the changes of others must.
        """
        if self.finishers is None:
            self.finishers = []
        self.finishers.insert(0 if is_last else len(self.finishers), finisher)
