"""The runner of uvicorn: ASGI, with uvloop and httptools where they are installed."""

from __future__ import annotations

import base64
import importlib.util
import logging
import os
import pickle
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Any

from ..errors import SetupError
from .access import logging_config
from .loading import WorkerTarget
from .options import ServeOptions

__all__ = ["LoggedApp", "demand_installed", "make_app", "serve"]

_VARIABLE = "_SEGUE_WORKER"
_requests = logging.getLogger("granian.access")  # one logger for requests, whichever server writes


def serve(target: WorkerTarget, options: ServeOptions) -> None:
    """Serve until a signal ends it; requests in flight are finished.

    Raises:
        SetupError: uvicorn is not installed (`servers/not-installed`).
    """
    demand_installed("uvicorn")
    import uvicorn

    # Its workers are new processes that import the factory by name; what they load reaches
    # them by a variable of their own parent.
    os.environ[_VARIABLE] = base64.b64encode(pickle.dumps((target, options.access_log))).decode("ascii")
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn raises the signal again when it is done; ended in order is exit code 0.
        signal.signal(number, _stay)
    where: dict[str, Any] = {"host": options.host, "port": options.port}
    if options.uds is not None:
        where = {"uds": str(options.uds)}
    print(f"{options.name} is served at {options.address} (production, uvicorn).", file=sys.stderr, flush=True)
    uvicorn.run(
        f"{__name__}:make_app",
        factory=True,
        **where,
        workers=options.workers,
        interface="asgi3",
        log_config=_logging(options),
        access_log=False,
        proxy_headers=False,
        server_header=False,
        ssl_certfile=options.ssl_certificate,
        ssl_keyfile=options.ssl_keyfile,
        timeout_graceful_shutdown=options.workers_kill_timeout,
        limit_concurrency=options.backpressure,
    )


def _stay(number: int, frame: FrameType | None) -> None:
    """Take a signal that was dealt with already."""


def demand_installed(server: str) -> None:
    """Make sure that the package *server* is there.

    Raises:
        SetupError: `servers/not-installed`.
    """
    if importlib.util.find_spec(server) is None:
        raise SetupError(
            f"{server} is not installed.",
            code="servers/not-installed",
            why=f"--server {server} needs it.",
            hint=f'pip install "segue[{server}]"',
        )


def make_app() -> Any:
    """Load the app in a worker."""
    target, logs = pickle.loads(base64.b64decode(os.environ[_VARIABLE]))
    app = target()
    return LoggedApp(app) if logs else app


def _logging(options: ServeOptions) -> dict[str, Any]:
    config = logging_config(level=options.log_level, colours=options.colours)
    for name in ("uvicorn", "uvicorn.error"):
        config["loggers"][name] = {"handlers": ["plain"], "level": "INFO", "propagate": False}
    return config


class LoggedApp:
    """An ASGI application whose requests are logged, one line each."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one connection and log it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        started = time.perf_counter()

        async def noting(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            client = scope.get("client")
            facts = {
                "addr": client[0] if client else "-",
                "method": scope["method"],
                "path": scope["path"],
                "query_string": scope["query_string"].decode("latin-1"),
                "status": status,
                "dt_ms": (time.perf_counter() - started) * 1000,
            }
            _requests.info("%(method)s %(path)s %(status)d", facts)
