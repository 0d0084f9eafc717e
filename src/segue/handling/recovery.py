"""From an exception to a response, and from a response to its clean-up.

Both are generators that yield calls; `run` drives one in a thread, `arun` on a loop.
So each rule is written once, and a handler of either colour serves both.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Generator, Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import Answer, HTTPError, InternalServerError, SegueError, ValidationError, http_error_for
from ..http.response import Response
from .exchange import Exchange
from .results import Reply, as_response

if TYPE_CHECKING:
    from ..typing import Sender

__all__ = ["ErrorTable", "Injected", "Recovery", "arun", "cleanup", "run", "unhandled"]

_logger = logging.getLogger("segue.request")

# Where a test client wants the errors that no handler took; None everywhere else.
unhandled: ContextVar[list[BaseException] | None] = ContextVar("segue_unhandled", default=None)

_READS = frozenset({"GET", "HEAD"})

Steps = Generator["tuple[Injected, tuple[Any, ...]]", Any, Any]


class Injected:
    """A function of the user with how to call it: `(exchange, *given)`."""

    __slots__ = ("blocking", "call", "function", "is_async", "name")

    def __init__(
        self, function: Callable[..., Any], call: Callable[..., Any], *, is_async: bool, blocking: bool = True
    ) -> None:
        self.function: Callable[..., Any] = function
        self.call: Callable[..., Any] = call
        self.is_async: bool = is_async
        self.blocking: bool = blocking
        self.name: str = getattr(function, "__name__", repr(function))


def run(steps: Steps, exchange: Exchange) -> Any:
    """Drive *steps* in this thread; async ones run on the bridge's loop."""
    try:
        step = next(steps)
        while True:
            injected, arguments = step
            try:
                result = injected.call(exchange, *arguments)
                if injected.is_async:
                    result = exchange.bridge.wait(result)
            except Exception as error:
                step = steps.throw(error)
            else:
                step = steps.send(result)
    except StopIteration as stop:
        return stop.value


async def arun(steps: Steps, exchange: Exchange) -> Any:
    """Drive *steps* on the loop; `def` ones run in a thread."""
    try:
        step = next(steps)
        while True:
            injected, arguments = step
            try:
                if injected.is_async:
                    result = await injected.call(exchange, *arguments)
                elif injected.blocking:
                    result = await exchange.bridge.hop(exchange.portal, injected.call, exchange, *arguments)
                else:
                    result = injected.call(exchange, *arguments)
            except Exception as error:
                step = steps.throw(error)
            else:
                step = steps.send(result)
    except StopIteration as stop:
        return stop.value


class ErrorTable:
    """Error handlers by scope, status and class, looked up as Flask does.

    A handler for the status beats one for the class, a blueprint's beats the app's,
    and the most specific class wins.
    """

    def __init__(self, spec: Mapping[str | None, Mapping[int | None, Mapping[type[BaseException], Injected]]]) -> None:
        self.spec = spec

    def find(self, error: BaseException, scopes: Sequence[str]) -> Injected | None:
        """Return the handler of *error* in *scopes* (innermost first) or the app."""
        if not self.spec:
            return None
        status = error.status if isinstance(error, HTTPError) else None
        for code in (status, None) if status is not None else (None,):
            for scope in (*scopes, None):
                handlers = self.spec.get(scope, {}).get(code)
                if handlers:
                    for kind in type(error).__mro__:
                        if kind in handlers:
                            return handlers[kind]
        return None


class Pages(Protocol):
    """Makes the response of an error that no handler took."""

    def __call__(self, exchange: Exchange, error: BaseException) -> Response: ...


class Recovery:
    """Turns the exceptions of one scope (a blueprint's routes, or the app's) into replies.

    Args:
        table: The error handlers.
        scopes: The blueprint and those around it, innermost first.
        make: Makes the reply of what a handler returned.
        page: Makes the response where no handler does.
        started, failed: The signals `request_started` and `got_request_exception`.
        fallbacks: What is asked for an answer before a reader is told that something is not found;
            each with the gate before what it finds, if there is one.
    """

    def __init__(
        self,
        *,
        table: ErrorTable,
        scopes: Sequence[str],
        make: Callable[[Any], Reply],
        page: Pages,
        started: Sender,
        failed: Sender,
        after: Sequence[Injected] = (),
        fallbacks: Sequence[tuple[Injected, Injected | None]] = (),
    ) -> None:
        self._table = table
        self.scopes: tuple[str, ...] = tuple(scopes)
        self._make = make
        self._page = page
        self._after = tuple(after)
        self._fallbacks = tuple(fallbacks)
        self.started = started
        self._failed = failed

    def recover(self, exchange: Exchange, error: Exception) -> Reply:
        """Return the reply of *error*, or raise it on where no handler takes it."""
        return run(self._steps(exchange, error), exchange)  # type: ignore[no-any-return]

    async def arecover(self, exchange: Exchange, error: Exception) -> Reply:
        """Return the reply of *error*, or raise it on where no handler takes it."""
        return await arun(self._steps(exchange, error), exchange)  # type: ignore[no-any-return]

    def fail(self, exchange: Exchange, error: Exception) -> Reply:
        """Return the reply of *error*: in the end, that of status 500. Never raises."""
        return run(self._last_steps(exchange, error), exchange)  # type: ignore[no-any-return]

    async def afail(self, exchange: Exchange, error: Exception) -> Reply:
        """Return the reply of *error*: in the end, that of status 500. Never raises."""
        return await arun(self._last_steps(exchange, error), exchange)  # type: ignore[no-any-return]

    def _steps(self, exchange: Exchange, error: Exception) -> Steps:
        if isinstance(error, Answer):
            return self._make(error.response)
        handler = self._table.find(error, self.scopes)
        if handler is None:
            shown = _as_http(error, exchange)
            if shown is None:
                raise error
            if shown is not error:
                handler = self._table.find(shown, self.scopes)
            error = shown
        if self._fallbacks and isinstance(error, HTTPError) and error.status == 404 and exchange.method in _READS:
            try:
                found = yield from self._ask_fallbacks(error)
            except Answer as answer:
                return self._make(answer.response)
            except HTTPError as refusal:
                error, handler = refusal, self._table.find(refusal, self.scopes)
            else:
                if found is not None:
                    return self._make(found)
        if handler is None:
            return self._page(exchange, error)
        result = yield handler, (error,)
        reply = self._make(result)
        if isinstance(error, HTTPError) and not isinstance(reply, Response) and reply[0] == 200:
            # Flask needs `return page, 404`; a bare page keeps the status it is for.
            return (error.status, *reply[1:])
        return reply

    def _ask_fallbacks(self, error: Exception) -> Steps:
        for fallback, gate in self._fallbacks:
            found = yield fallback, (error,)
            if found is not None:
                if gate is not None:
                    yield gate, ()
                return found
        return None

    def _last_steps(self, exchange: Exchange, error: Exception) -> Steps:
        try:
            return (yield from self._steps(exchange, error))
        except Exception as raised:
            bug = raised
        exchange.error = bug
        wanted = unhandled.get()
        if wanted is not None:
            wanted.append(bug)
        else:
            _report(exchange, bug)
        if self._failed.receivers:
            self._failed.send(exchange.app.app, request=exchange.request, exception=bug)
        reply: Reply | None = None
        shown = InternalServerError()
        shown.original_exception = bug
        handler = self._table.find(shown, self.scopes)
        if handler is not None:
            try:
                reply = self._make((yield handler, (shown,)))
                if not isinstance(reply, Response) and reply[0] == 200:
                    reply = (500, *reply[1:])
            except Exception as again:
                _report(exchange, again)
        if reply is None:
            reply = _safely(self._page, exchange, bug)
        for hook in self._after:
            response = as_response(reply)
            try:
                result = yield hook, (response,)
            except Exception as again:
                _report(exchange, again)
                reply = response
            else:
                reply = result if isinstance(result, Response) else response
        return reply


def _as_http(error: Exception, exchange: Exchange) -> Exception | None:
    """Return what the client is told of *error*, or `None` where it is a bug of ours."""
    if isinstance(error, HTTPError | ValidationError):
        return error
    if isinstance(error, SegueError) and error.status in (404, 409) and not _passed_handler(error, exchange):
        # A hook looked for what is not there, and nobody asked for it by that address; or a
        # constraint failed at the commit, when the handler had said already that all is well.
        return None
    if isinstance(error, SegueError) and error.status < 500:
        # A lower layer suggests the status: a missing object is a 404.
        cls = http_error_for(error.status)
        if cls is not None:
            shown = cls(code=error.code)
            shown.original_exception = error
            _logger.warning("%s: %s", error.code, error.message)
            return shown
    if isinstance(error, SegueError) and error.status == 503:
        return http_error_for(503)(code=error.code)  # type: ignore[misc]  # 503 has a class
    return None


def _passed_handler(error: Exception, exchange: Exchange) -> bool:
    """Tell whether an error came through the handler of its request, not through a hook."""
    handler = exchange.endpoint.handler if exchange.endpoint is not None else None
    if handler is None:
        return False
    code = getattr(inspect.unwrap(handler.function), "__code__", None)
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code is code:
            return True
        traceback = traceback.tb_next
    # What is no plain function (a class-based view, a callable object) leaves no such mark.
    return code is None


def _report(exchange: Exchange, error: BaseException) -> None:
    try:
        _logger.error(
            "%s %s raised %s",
            exchange.request.method,
            exchange.request.path,
            type(error).__name__,
            exc_info=error,
        )
    except Exception:  # a failing log must not cost the client its answer
        _logger.error("a request raised %s", type(error).__name__)


def _safely(page: Pages, exchange: Exchange, error: BaseException) -> Response:
    try:
        return page(exchange, error)
    except Exception as again:
        _logger.error("the error page failed", exc_info=again)
        return Response("Internal Server Error", 500, content_type="text/plain; charset=utf-8")


# After the last byte


def cleanup(exchange: Exchange, teardown: Sequence[Injected]) -> Steps:
    """Run the clean-ups, last added first, then the teardown hooks; each whatever the others do."""
    error = exchange.error
    for each in reversed(exchange.cleanups or ()):
        yield from _one(exchange, _injected(each), error)
    for hook in reversed(teardown):
        yield from _one(exchange, hook, error)


def _one(exchange: Exchange, injected: Injected, error: BaseException | None) -> Steps:
    try:
        yield injected, (error,)
    except Exception as raised:
        _logger.error("the clean-up %s raised", injected.name, exc_info=raised)


def _injected(function: Callable[[BaseException | None], Any]) -> Injected:
    is_async = getattr(function, "is_async", False) or inspect.iscoroutinefunction(function)

    def call(_exchange: Exchange, error: BaseException | None) -> Any:
        return function(error)

    return Injected(function, call, is_async=is_async)
