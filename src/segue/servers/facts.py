"""What a server must know of an app before it starts: the facts, and which interface fits.

Holds: `Facts`, `facts_of`, `choose_interface`; `in_child`, which asks another process.
Imports: handling (endpoints), config.
Never: lets the process that starts the workers import the app: its workers would
inherit the code as it was, and serve it after a change.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, cast

from ..handling.endpoint import Endpoint
from .reporting import error_text

if TYPE_CHECKING:
    from ..app import App
    from ..handling.application import CompiledApp

__all__ = ["Facts", "Interface", "Outcome", "choose_interface", "facts_of", "in_child"]

Interface = Literal["asgi", "rsgi", "wsgi"]
T = TypeVar("T")
_IS_SOCKET = "is a WebSocket"
_MOST_SOCKETS = 16_384  # each stays open and counts, so the limit for requests would be reached by idle ones


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an app before it is served.

    Attributes:
        interface: The interface that fits it, and *why*.
        debug_source: Who set DEBUG.
        watched: Folders of the parts, and files that hold configuration.
        backpressure: Most connections of a worker.
    """

    name: str
    interface: Interface
    why: str
    host: str
    port: int
    workers: int
    threads: int
    log_level: str
    debug: bool
    debug_source: str
    watched: tuple[str, ...] = ()
    backpressure: int = 1024


def facts_of(app: App, *, serving: bool = False) -> Facts:
    """Return the facts of *app*, which is compiled for that.

    Args:
        serving: Whether to demand what production needs.

    Raises:
        SetupError: The app could not work.
    """
    compiled = app.compile(serving=serving)
    config = app.config
    interface, why = choose_interface(compiled)
    return Facts(
        name=str(app.name),
        interface=interface,
        why=why,
        host=config["HOST"],
        port=config["PORT"],
        workers=config["WORKERS"],
        threads=config["THREADS"],
        log_level=str(config["LOG_LEVEL"]).upper(),
        debug=app.debug,
        debug_source=config.explain("DEBUG").source,
        watched=(*(str(part.scaffold.root_path) for part in compiled.parts), *_configuration_files(app)),
        backpressure=_MOST_SOCKETS if why.endswith(_IS_SOCKET) else 1024,
    )


def _configuration_files(app: App) -> set[str]:
    sources: set[str] = set()
    for key in app.config.options:
        explanation = app.config.explain(key)
        sources |= {explanation.source, *(each.source for each in explanation.overridden)}
    files = {each.rpartition(":")[0] if each.rpartition(":")[2].isdigit() else each for each in sources}
    return {each for each in files if each.endswith((".json", ".toml", ".yaml", ".yml", ".py"))}


def choose_interface(compiled: CompiledApp) -> tuple[Interface, str]:
    """Return the cheapest interface that can do all that the app needs, and why it is that one."""
    endpoints = list(_endpoints(compiled))
    sockets = [each for each in endpoints if each.rule is not None and each.rule.websocket]
    if sockets:
        return "asgi", f"{sockets[0].name} {_IS_SOCKET}"
    streams = [each for each in endpoints if _is_stream(each)]
    if streams:
        return "asgi", f"{streams[0].name} streams, and only ASGI shows a client that a stream failed"
    waiting = [each for each in endpoints if each.is_async]
    if waiting:
        return "rsgi", f"{waiting[0].name} is async or has an async step"
    uploads = [each for each in endpoints if each.streams_body]
    if uploads:
        return "rsgi", f"{uploads[0].name} reads its body as a stream"
    if compiled.trust.trusts_any:
        return "rsgi", "TRUSTED_PROXIES is set, and WSGI confuses X_Name with X-Name"
    return "wsgi", "every step of every endpoint is def, and nothing streams"


def _endpoints(compiled: CompiledApp) -> Iterator[Endpoint]:
    for variants in compiled.endpoints.values():
        yield from variants
    yield compiled.fallback
    yield compiled.gate


def _is_stream(endpoint: Endpoint) -> bool:
    handler = endpoint.handler
    return handler is not None and (handler.is_generator or handler.is_async_generator)


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What a function in another process returned, or the text and the code of what it raised."""

    value: T | None
    problem: str = ""
    code: str = ""


def in_child(function: Callable[..., T], *arguments: Any) -> Outcome[T]:
    """Call *function* in a process of its own and wait for it.

    Args:
        function: Importable by name, as are the arguments and the result.
    """
    receiver, sender = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.Process(target=_answer, args=(sender, function, arguments), name="segue-facts")
    child.start()
    sender.close()
    try:
        received: Outcome[Any] = receiver.recv()
    except EOFError:
        received = Outcome(None, f"The app ended the process while it was imported (exit code {_code_of(child)}).\n")
    finally:
        child.join()
    return cast("Outcome[T]", received)


def _code_of(child: multiprocessing.Process) -> int | None:
    child.join()
    return child.exitcode


def _answer(sender: Any, function: Callable[..., Any], arguments: Sequence[Any]) -> None:
    try:
        outcome: Outcome[Any] = Outcome(function(*arguments))
    except Exception as error:
        outcome = Outcome(None, error_text(error), getattr(error, "code", ""))
    sender.send(outcome)
    sender.close()
