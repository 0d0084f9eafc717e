"""What a server is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .facts import Interface

__all__ = ["ServeOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """How to serve.

    Attributes:
        name: Of the app, for messages.
        uds: A unix socket instead of *host* and *port*.
        threads: For `def` handlers, per worker.
        backpressure: Most connections that a worker takes at once; `None` for 512.
        workers_kill_timeout: Seconds after which a worker that does not stop is killed.
        watched: What is watched for changes, in development.
    """

    name: str = "app"
    host: str = "127.0.0.1"
    port: int = 8000
    uds: Path | None = None
    workers: int = 1
    threads: int = 8
    interface: Interface = "asgi"
    http: Literal["auto", "1", "2"] = "auto"
    ssl_certificate: Path | None = None
    ssl_keyfile: Path | None = None
    backpressure: int | None = None
    workers_kill_timeout: int = 15
    log_level: str = "INFO"
    access_log: bool = True
    colours: bool | None = None
    is_development: bool = False
    reload: bool = False
    watched: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        if self.uds is not None:
            return f"unix:{self.uds}"
        scheme = "https" if self.ssl_certificate else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}"
