"""Raw bytes over a socket, and what comes back, read without a client's leniency."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from dataclasses import dataclass
from typing import Any

__all__ = ["Reply", "chunked", "converse", "request", "send"]

_TIMEOUT_SECONDS = 10.0


@dataclass
class Reply:
    """One response as it stood on the wire.

    Attributes:
        whole: Whether it ended as its own framing says, not by a broken connection.
    """

    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""
    whole: bool = True

    def __getitem__(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


def request(
    method: str = "GET",
    target: str | bytes = "/",
    *headers: str | bytes,
    body: bytes = b"",
    host: str | None = "localhost",
    close: bool = True,
    length: bool | None = None,
) -> bytes:
    """Return the bytes of a request; *headers* are whole lines. `length=False` sends no Content-Length."""
    encoded = target if isinstance(target, bytes) else target.encode("latin-1")
    lines = [method.encode("latin-1") + b" " + encoded + b" HTTP/1.1"]
    if host is not None:
        lines.append(b"Host: " + host.encode("latin-1"))
    lines += [line if isinstance(line, bytes) else line.encode("latin-1") for line in headers]
    if length or (length is None and body):
        lines.append(b"Content-Length: %d" % len(body))
    if close:
        lines.append(b"Connection: close")
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def chunked(*chunks: bytes) -> bytes:
    """Return *chunks* as a chunked body, with its end."""
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


def send(port: int, data: bytes, *, head: bool = False, grace_seconds: float | None = None) -> list[Reply]:
    """Send *data* in one go; return every response until the server closes.

    Args:
        head: Whether the responses have no bodies.
        grace_seconds: Do not wait for the close: return when nothing came for so long
            after the last whole response.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_SECONDS) as sock:
        return converse(sock, data, head=head, grace_seconds=grace_seconds)


def converse(
    sock: socket.socket,
    data: bytes,
    *,
    head: bool = False,
    grace_seconds: float | None = None,
    count: int | None = None,
) -> list[Reply]:
    """As `send`, on an open connection; returns at once when *count* whole responses are here."""
    received = bytearray()
    end = time.monotonic() + _TIMEOUT_SECONDS
    # Refused before all was sent: the answer is in the buffer.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError, TimeoutError):
        sock.sendall(data)
    closed = False
    while time.monotonic() < end:
        replies = parse(bytes(received), head=head, closed=False)
        complete = bool(replies) and replies[-1].whole
        if complete and len(replies) == count:
            return replies
        sock.settimeout(grace_seconds if complete and grace_seconds is not None else _TIMEOUT_SECONDS)
        try:
            piece = sock.recv(262_144)
        except (TimeoutError, ConnectionResetError) as error:
            closed = isinstance(error, ConnectionResetError)
            break
        if not piece:
            closed = True
            break
        received += piece
    return parse(bytes(received), head=head, closed=closed)


def parse(data: bytes, *, head: bool = False, closed: bool = True) -> list[Reply]:
    """Return the responses in *data*; the last may be a part of one (`whole` is False)."""
    replies: list[Reply] = []
    while data:
        front, mark, rest = data.partition(b"\r\n\r\n")
        if not mark:
            replies.append(Reply(0, [], data, whole=False))
            break
        lines = front.split(b"\r\n")
        status = int(lines[0].split(b" ", 2)[1])
        headers = [
            (name.decode("latin-1").lower(), value.strip().decode("latin-1"))
            for name, _, value in (line.partition(b":") for line in lines[1:])
        ]
        reply = Reply(status, headers)
        replies.append(reply)
        if status in (100, 103):
            data = rest
            continue
        if head or status in (204, 304):
            data = rest
            continue
        if (reply["transfer-encoding"] or "").lower() == "chunked":
            reply.body, data, reply.whole = _dechunk(rest)
        elif reply["content-length"] is not None:
            size = int(reply["content-length"] or 0)
            reply.body, data = rest[:size], rest[size:]
            reply.whole = len(reply.body) == size
        else:
            reply.body, data, reply.whole = rest, b"", closed
        if not reply.whole:
            break
    return [reply for reply in replies if reply.status not in (100, 103)]


def _dechunk(data: bytes) -> tuple[bytes, bytes, bool]:
    body = bytearray()
    while True:
        line, mark, rest = data.partition(b"\r\n")
        if not mark:
            return bytes(body), b"", False
        try:
            size = int(line.partition(b";")[0], 16)
        except ValueError:
            return bytes(body), b"", False
        if len(rest) < size + 2:
            return bytes(body + rest[:size]), b"", False
        body += rest[:size]
        data = rest[size + 2 :]
        if size == 0:
            return bytes(body), data, True
