"""The runner of Granian: development with reload, production with workers."""

from __future__ import annotations

import errno
import logging
import os
import socket
import sys
from pathlib import Path
from typing import Any

from ..errors import SetupError
from .access import logging_config
from .loading import WorkerTarget
from .options import ServeOptions

__all__ = ["demand_address", "serve"]


def serve(target: WorkerTarget, options: ServeOptions) -> None:
    """Serve until a signal ends it; requests in flight are finished.

    SIGTERM and SIGINT end it, SIGHUP replaces the workers one by one.

    Raises:
        SetupError: The address cannot be used (`servers/cannot-listen`).
        SystemExit: The workers could not be kept running.
    """
    arguments = _arguments(options)
    if options.reload:
        arguments |= _reload_arguments(options)
    server = _server_class(keeps_socket=options.reload)("segue", **arguments)
    if options.reload:
        changed = arguments["reload_filter"].changed
        server.on_reload(lambda: _say_restart(changed))
    else:
        server.on_reload(lambda: _say("The workers are replaced one by one."))
    server.on_startup(lambda: _say(_banner(options)))
    logging.getLogger("_granian").addFilter(lambda record: _is_news(record, server))
    server.serve(target_loader=target, wrap_loader=False)


def _is_news(record: logging.LogRecord, server: Any) -> bool:
    text = str(record.msg)
    if "Configuration allows spawning" in text:
        return False  # THREADS is meant so
    if "Unexpected exit" in text:
        # A signal to the whole process group (Ctrl+C, systemd) ends the workers before this
        # process has seen it; the thread that reports a worker's end can wait for that.
        server.main_loop_interrupt.wait(0.3)
        return not server.interrupt_signal
    return True


def _server_class(*, keeps_socket: bool) -> Any:
    """Return Granian's server, mended in two places.

    Args:
        keeps_socket: Whether this process holds the listening socket, not the workers,
            so that a request during a restart waits instead of being refused.
    """
    from granian._granian import ListenerSpec
    from granian.server import Server

    base: Any = Server

    class SegueServer(base):  # type: ignore[misc]  # one of two classes, by the build of Granian
        def _init_shared_socket(self) -> None:
            if self.bind_uds or not keeps_socket:
                super()._init_shared_socket()  # pyright: ignore  # the base is untyped
                return
            self._ssp = None
            self._shd = ListenerSpec(self.bind_addr, self.bind_port, self.backlog).build()
            self._sfd = self._shd.get_fd()
            self._sso = socket.socket(fileno=self._sfd)
            self._sso.set_inheritable(True)

        def shutdown(self, exit_code: int = 0) -> None:
            try:
                super().shutdown(exit_code)  # pyright: ignore  # the base is untyped
            except SystemExit:
                # Workers that the same signal ended are no failure.
                if not self.interrupt_signal:
                    raise

    return SegueServer


def _arguments(options: ServeOptions) -> dict[str, Any]:
    from granian.constants import HTTPModes, Interfaces, RuntimeModes
    from granian.http import HTTP2Settings
    from granian.log import LogLevels

    return {
        "address": options.host,
        "port": options.port,
        "uds": options.uds,
        "interface": Interfaces(options.interface),
        "workers": options.workers,
        "runtime_mode": RuntimeModes.st,
        # Granian's own threads run WSGI only; the other interfaces use Segue's pool.
        "blocking_threads": options.threads if options.interface == "wsgi" else 1,
        "http": HTTPModes(options.http),
        "websockets": options.interface == "asgi",
        "backpressure": options.backpressure,
        # The default of 16 MiB lets one client hold that much per stream.
        "http2_settings": HTTP2Settings(max_headers_size=65_536),
        "log_level": LogLevels.warning if options.is_development else LogLevels.info,
        "log_dictconfig": logging_config(level=options.log_level, colours=options.colours),
        "log_access": options.access_log,
        "ssl_cert": options.ssl_certificate,
        "ssl_key": options.ssl_keyfile,
        "respawn_failed_workers": not options.is_development,
        "workers_kill_timeout": options.workers_kill_timeout,
    }


def _reload_arguments(options: ServeOptions) -> dict[str, Any]:
    from .watching import filter_for, watched_paths

    folder = Path.cwd()
    files = [each for each in options.watched if not os.path.isdir(each)]
    return {
        "reload": True,
        "reload_ignore_worker_failure": True,
        "reload_paths": watched_paths(folder, [each for each in options.watched if os.path.isdir(each)]),
        "reload_filter": filter_for(files),
    }


def _banner(options: ServeOptions) -> str:
    kind = "development" if options.is_development else f"production, {options.workers} worker(s)"
    end = "Ctrl+C stops it." if sys.stderr.isatty() else ""
    return f"{options.name} is served at {options.address} ({kind}). {end}".rstrip()


def _say_restart(changed: dict[str, None]) -> None:
    folder = os.getcwd() + os.sep
    names = [path.removeprefix(folder) for path in changed]
    changed.clear()
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    _say(f"Restarting: {shown or 'asked to'}.")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def demand_address(host: str, port: int, uds: Path | None, *, shared: bool = False) -> None:
    """Make sure that the address can be listened on.

    A dead server's unix socket is removed.

    Args:
        shared: Whether another server may listen there too, so that one replaces the other.

    Raises:
        SetupError: `servers/cannot-listen`.
    """
    if uds is not None:
        _free_unix_socket(uds)
        return
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            raise _cannot_listen(f"{host}:{port}", error) from None


def _free_unix_socket(path: Path) -> None:
    if not path.exists():
        return
    if not path.is_socket():
        raise _cannot_listen(f"unix:{path}", OSError(errno.EEXIST, "A file that is no socket is there"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()  # left behind by a server that was killed
            return
        except OSError as error:
            raise _cannot_listen(f"unix:{path}", error) from None
    raise _cannot_listen(f"unix:{path}", OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE)))


def _cannot_listen(address: str, error: Exception) -> SetupError:
    number = error.errno if isinstance(error, OSError) else None
    hints = {
        errno.EADDRINUSE: "End the other server, or take another port: segue run --port 8001",
        errno.EEXIST: "Take another path, or remove the file.",
        errno.EACCES: "Ports below 1024 need a right; take one above: segue run --port 8000",
    }
    return SetupError(
        f"The server cannot listen on {address}.",
        code="servers/cannot-listen",
        why=(error.strerror if isinstance(error, OSError) else None) or str(error),
        hint=hints.get(number or 0, "--host is an address of this machine: 127.0.0.1, or 0.0.0.0 for all of them."),
    )
