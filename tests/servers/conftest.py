"""Real servers in processes of their own, on free ports of this machine."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

DEADLINE_SECONDS = 20


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Poll until *condition* holds."""
    end = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < end, f"waited too long for {what}"
        time.sleep(0.02)


class Served:
    """A running `segue`, its output, and requests to it."""

    def __init__(self, words: list[str], folder: Path, environment: dict[str, str], port: int) -> None:
        self.port = port
        self._text: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, *words], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, start_new_session=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._text.append(line)

    @property
    def output(self) -> str:
        """What was printed so far."""
        return "".join(self._text)

    def get(self, path: str = "/", *, timeout: float = 10) -> tuple[int, str]:
        """Return status and body of a request."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def find(self, path: str = "/") -> tuple[int, str]:
        """Return status and body, or `(0, "")` where nothing answers."""
        try:
            return self.get(path)
        except OSError:
            return 0, ""

    def wait_for_answer(self, body: str, path: str = "/") -> None:
        """Wait until *path* answers with *body* in it."""

        def answers() -> bool:
            assert self.process.poll() is None, self.output
            return body in self.find(path)[1]

        wait_for(answers, f"{body!r} of {path}; it printed:\n{self.output}")

    def wait_until(self, condition: Callable[[], object]) -> None:
        """Wait until *condition* holds."""
        wait_for(condition, f"the condition; it printed:\n{self.output}")

    def wait_for_output(self, text: str) -> None:
        """Wait until *text* was printed."""
        wait_for(lambda: text in self.output, f"the output {text!r} in:\n{self.output}")

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal to the main process and return its exit code."""
        self.process.send_signal(number)
        code = self.process.wait(DEADLINE_SECONDS)
        self._reader.join(5)
        return code

    def kill(self) -> None:
        """End the whole group, whatever is left of it."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(DEADLINE_SECONDS)
        self._reader.join(5)
        if self.process.stdout is not None:
            self.process.stdout.close()


Serve = Callable[..., Served]


@pytest.fixture
def free_port() -> int:
    """A port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture
def serve(tmp_path: Path, free_port: int) -> Iterator[Serve]:
    """Start `segue run` in a folder with an app.py of that text."""
    started: list[Served] = []

    def start(app: str, *words: str, before: tuple[str, ...] = ("-m", "segue", "run"), **variables: str) -> Served:
        (tmp_path / "app.py").write_text(app)
        environment = {key: value for key, value in os.environ.items() if not re.match("SEGUE_|PORT|NO_COLOR", key)}
        port = () if "--uds" in words else ("--port", str(free_port))
        served = Served([*before, *port, *words], tmp_path, {**environment, **variables}, free_port)
        started.append(served)
        return served

    yield start
    for served in started:
        served.kill()
