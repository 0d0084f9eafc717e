"""A proxy between an app and its database, which cuts what is told in the moment of a commit."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from urllib.parse import urlsplit

__all__ = ["CommitCutter"]


class CommitCutter:
    """Cuts connections at their commits, some before the server hears of them and some before its reply.

    Args:
        address: Of the database.
        marks: What stands in the bytes of a commit.
        share: Of the commits that are cut.

    Attributes:
        cuts: How many were cut, `unheard` by the server or `unanswered` to the client.
    """

    def __init__(self, address: str, marks: tuple[bytes, ...], share: float, chance: random.Random) -> None:
        parts = urlsplit(address)
        self._server = parts.hostname or "127.0.0.1", parts.port or 0
        self._marks = marks
        self._share = share
        self._chance = chance
        self._lock = threading.Lock()
        self._door = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._sockets: list[socket.socket] = [self._door]
        self.cuts: Counter[str] = Counter()
        self.address = address.replace(f":{parts.port}/", f":{self._door.getsockname()[1]}/")

    def __enter__(self) -> CommitCutter:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for each in self._sockets:
            _shut(each)
            each.close()

    def _start(self, function: Callable[..., None], *arguments: object) -> None:
        threading.Thread(target=function, args=arguments, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._door.accept()
                self._sockets.append(client)
                self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        # From here on what the server says reaches nobody.
        is_deaf = threading.Event()
        with client, socket.create_connection(self._server) as server:
            answering = threading.Thread(target=self._answer, args=(server, client, is_deaf), daemon=True)
            answering.start()
            with contextlib.suppress(OSError):
                while (data := client.recv(65536)) and (fate := self._fate(data)) != "unheard":
                    if fate == "unanswered":
                        is_deaf.set()
                    server.sendall(data)
            # Closing alone would not end what the other thread waits for.
            _shut(server)
            answering.join()

    def _answer(self, server: socket.socket, client: socket.socket, is_deaf: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while (data := server.recv(65536)) and not is_deaf.is_set():
                client.sendall(data)
        _shut(client)

    def _fate(self, data: bytes) -> str:
        if not any(mark in data for mark in self._marks):
            return ""
        with self._lock:
            if self._chance.random() >= self._share:
                return ""
            fate = self._chance.choice(("unheard", "unanswered"))
            self.cuts[fate] += 1
            return fate


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
