"""What the scenarios about sessions share: the app on a server, a Redis of their own, and visitors with cookies."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from harness import Options, Server
from servers import HERE as INTEGRATION
from servers import SOURCE, free_port, start
from wire import Reply, request

__all__ = ["OwnRedis", "Visit", "Visitor", "serving_visits"]

HERE = Path(__file__).parent
SECRET = "f2c0d7c1b4e14c3f9a3b7d55e1a0c9de"


@contextmanager
def serving_visits(options: Options, *flags: str, **environment: str) -> Iterator[Server]:
    """Serve the app as `segue run --prod` does; a configuration of its own brings its own secret key."""
    secret = {} if "SEGUE_CONFIG" in environment else {"SECRET_KEY": SECRET}
    with tempfile.TemporaryDirectory(prefix="segue-faults-") as folder:
        paths = os.pathsep.join(str(each) for each in (HERE, INTEGRATION, SOURCE))
        server = start(
            f"segue-{options.interface}",
            Path(folder),
            target="visited_app:app",
            options=list(flags),
            environment={"PYTHONPATH": paths, **secret, **environment},
        )
        try:
            yield server
        finally:
            server.stop()


class OwnRedis:
    """A Redis that is stopped, frozen and started again, and forgets nothing by that.

    Raises:
        FileNotFoundError: There is no redis-server on this machine.
    """

    def __init__(self, folder: str) -> None:
        if shutil.which("redis-server") is None:
            raise FileNotFoundError("redis-server")
        self._folder = folder
        self._port = free_port()
        self.address = f"redis://127.0.0.1:{self._port}/0"
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = ["redis-server", "--port", str(self._port), "--bind", "127.0.0.1", "--dir", self._folder]
        command += ["--save", "", "--appendonly", "yes", "--appendfsync", "always"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while not self._answers():
            if time.monotonic() > end:
                raise RuntimeError("redis-server does not answer")
            time.sleep(0.01)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self._port), 1) as sock:
                sock.sendall(b"PING\r\n")
                return sock.recv(100).startswith(b"+PONG")
        except OSError:
            return False

    def send(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()


@dataclass(frozen=True)
class Visit:
    """One request and what came of it; status 0 is a connection that broke."""

    kind: str
    status: int
    begun: float
    seconds: float
    bare: bool = False
    went_back: bool = False

    @property
    def ended(self) -> float:
        return self.begun + self.seconds


@dataclass
class Visitor:
    """Keeps the cookie of a session, and notices when the session lost a visit or its user."""

    server: Server
    name: str = ""
    cookie: str = ""
    visits: int = 0
    done: list[Visit] = field(default_factory=list)

    def ask(self, path: str) -> Reply | None:
        """Ask with the cookie, and keep what is set."""
        headers = [f"Cookie: {self.cookie}"] if self.cookie else []
        try:
            reply = self.server.one(request("GET", path, *headers))
        except (OSError, AssertionError, IndexError, ValueError):
            return None
        for line in reply.all("set-cookie"):
            self.cookie = line.partition(";")[0]
        return reply if reply.whole else None

    def go(self, path: str) -> Visit:
        """Ask, and remember how it went."""
        begun = time.monotonic()
        reply = self.ask(path)
        seconds = time.monotonic() - begun
        status = reply.status if reply is not None else 0
        went_back = False
        if reply is not None and status == 200 and path.endswith("/visit"):
            visits = reply.json["visits"]
            # More than one is added where an answer was lost on its way.
            went_back, self.visits = visits <= self.visits, visits
        if reply is not None and status == 200 and path.endswith("/who"):
            went_back = reply.json["name"] != self.name
        bare = status == 503 and reply is not None and reply["retry-after"] is None
        visit = Visit(path.rpartition("/")[2], status, begun, seconds, bare, went_back)
        self.done.append(visit)
        return visit

    def keep_going(self, paths: list[str], pause: float, stop: threading.Event) -> None:
        """Ask for one path after the other, so far apart, until told to stop."""
        due, number = time.monotonic(), 0
        while not stop.wait(max(0.0, due - time.monotonic())):
            # After a time without answers there is no rush to make up for it.
            due = max(due + pause, time.monotonic())
            self.go(paths[number % len(paths)])
            number += 1
