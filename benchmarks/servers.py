"""Servers under measurement: started on a core of their own, asked for their CPU time and memory."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO

from .load import LoadError, build_request, fetch

__all__ = ["Server", "free_port", "granian_command", "pin_to", "uvicorn_command"]

ROOT = Path(__file__).resolve().parent.parent
_TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def pin_to(core: int) -> None:
    """Keep this process on one of the machine's cores, or on the first where it has no such core."""
    # Not asked of sched_getaffinity: a child inherits the one core that its parent keeps to.
    os.sched_setaffinity(0, {core if core < (os.cpu_count() or 1) else 0})


def granian_command(interface: str, target: str, *, port: int, workers: int = 1, threads: int = 4) -> list[str]:
    """Return the command of a production Granian.

    Args:
        threads: That run `def` applications; only WSGI has them.
    """
    command = [sys.executable, "-m", "granian", "--interface", interface, "--host", "127.0.0.1"]
    command += ["--port", str(port), "--workers", str(workers), "--loop", "uvloop", "--http", "1"]
    command += ["--log-level", "warning", "--no-access-log", "--no-ws"]
    if interface == "wsgi":
        command += ["--blocking-threads", str(threads)]
    else:
        # `auto` takes the single-threaded runtime for RSGI alone; it is the faster for ASGI too.
        command += ["--runtime-mode", "st"]
    return [*command, target]


def uvicorn_command(target: str, *, port: int) -> list[str]:
    """Return the command of a production uvicorn with its fast parts."""
    command = [sys.executable, "-m", "uvicorn", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--loop", "uvloop", "--http", "httptools", "--ws", "none", "--no-access-log"]
    # It takes some ASGI 3 callables for ASGI 2 if it is left to guess.
    command += ["--interface", "asgi3", "--no-proxy-headers"]
    return [*command, "--log-level", "warning", target]


class Server:
    """One running server, with its worker processes. A context manager.

    Args:
        command: Must listen on *port* of the loopback address.
        core: The core that it and its children are kept on; `None` leaves all.
        environment: Variables in addition to this process's.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        port: int,
        core: int | None = 0,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.port = port
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed by stop()
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **(environment or {})},
            stdout=self._log,
            stderr=subprocess.STDOUT,
            preexec_fn=None if core is None else lambda: pin_to(core),
            start_new_session=True,
        )

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def wait_until_ready(self, path: str = "/plain", *, timeout_seconds: float = 30.0) -> None:
        """Return once the server answers a request.

        Raises:
            LoadError: It ended, or the time is over; the message ends with what it printed.
        """
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                fetch(build_request("GET", path, port=self.port), port=self.port, timeout_seconds=5)
            except (OSError, LoadError):
                time.sleep(0.05)
            else:
                return
        raise LoadError(f"The server did not start: {' '.join(self._process.args)}\n{self.output()}")  # type: ignore[arg-type]  # a list of str, as it was given

    def output(self) -> str:
        """What the server printed so far: its last 4,000 characters."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")[-4000:]

    @property
    def processes(self) -> list[int]:
        """The server's process and its descendants."""
        children: dict[int, list[int]] = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit() and (fields := _stat(int(entry))) is not None:
                children.setdefault(int(fields[1]), []).append(int(entry))
        found: list[int] = []
        ahead = [self._process.pid]
        while ahead:
            process = ahead.pop()
            found.append(process)
            ahead += children.get(process, [])
        return found

    def cpu_seconds(self) -> float:
        """User and system time that the processes used since they started."""
        return sum(_cpu_seconds(process) for process in self.processes)

    def resident_bytes(self) -> int:
        """Resident memory of the processes; shared pages count in each."""
        total = 0
        for process in self.processes:
            try:
                total += int(Path(f"/proc/{process}/statm").read_text().split()[1]) * _PAGE_BYTES
            except (FileNotFoundError, ProcessLookupError):
                continue
        return total

    def stop(self) -> None:
        """End the server and wait for it; by force after five seconds."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                # Its own group, made by start_new_session: workers included, nobody else.
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        self._log.close()


def _stat(process: int) -> list[str] | None:
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name in parentheses may hold blanks.
    return text.rpartition(")")[2].split()


def _cpu_seconds(process: int) -> float:
    # The clock of another process (clock_getcpuclockid) is the utime + stime of its stat
    # file in nanoseconds; the file rounds each to ticks of 10 ms, 2 % of a round.
    try:
        return time.clock_gettime(~process << 3 | 2)
    except OSError:
        fields = _stat(process)
        return (int(fields[11]) + int(fields[12])) * _TICK_SECONDS if fields is not None else 0.0
