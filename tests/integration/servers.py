"""Real servers in processes of their own, on free ports of this machine."""

from __future__ import annotations

import gzip
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wire import Reply, request, send

__all__ = ["INTERFACES", "Server", "free_port", "make_root", "start"]

HERE = Path(__file__).parent
SOURCE = HERE.parent.parent / "src"
INTERFACES = ("rsgi", "asgi", "wsgi")
OUTSIDE = "outside-the-root"


def make_root(root: Path) -> Path:
    """Make the folders that the hostile app serves, and what it must never serve."""
    static = root / "static"
    (static / "sub").mkdir(parents=True)
    (static / ".git").mkdir()
    (root / "static-secret").mkdir()
    (root / "media").mkdir()
    css = b"body { color: black }\n" * 400
    for name, content in {
        "static/app.css": css,
        "static/plain.txt": b"0123456789" * 10,
        "static/sub/inner.txt": b"inner",
        "static/.env": OUTSIDE.encode(),
        "static/.git/config": OUTSIDE.encode(),
        "static/stale.css": b"new",
        "static/leak.css": b"leak",
        "static-secret/secret.txt": OUTSIDE.encode(),
        "secret.txt": OUTSIDE.encode(),
        "media/page.html": b"<script>alert(1)</script>",
        "media/picture.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "media/.hidden": OUTSIDE.encode(),
    }.items():
        (root / name).write_bytes(content)
    (static / "app.css.gz").write_bytes(gzip.compress(css))
    old = static / "stale.css.gz"
    old.write_bytes(gzip.compress(b"old"))
    os.utime(old, (1, 1))
    outside = root / "outside.gz"
    outside.write_bytes(gzip.compress(OUTSIDE.encode()))
    (static / "leak.css.gz").symlink_to(outside)
    (static / "link.txt").symlink_to(root / "secret.txt")
    (static / "up").symlink_to(root / "static-secret")
    (root / "media" / "link.txt").symlink_to(root / "secret.txt")
    return root


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def commands(kind: str, target: str, port: int, options: list[str]) -> list[str]:
    where = ["--host", "127.0.0.1", "--port", str(port)]
    python = [sys.executable, "-m"]
    if kind.startswith("segue-"):
        interface = kind.removeprefix("segue-")
        return [*python, "segue", "--app", target, "run", "--prod", "--interface", interface, *where, *options]
    if kind.startswith("granian-"):
        interface = kind.removeprefix("granian-")
        return [*python, "granian", "--interface", interface, *where, *options, target]
    if kind == "uvicorn":
        return [*python, "uvicorn", *where, "--no-access-log", *options, target]
    if kind.startswith("hypercorn-"):
        # Before Python 3.12 hypercorn takes an app that answers both for WSGI unless told.
        mode = kind.removeprefix("hypercorn-")
        where = ["--bind", f"127.0.0.1:{port}", "--graceful-timeout", "2"]
        return [*python, "hypercorn", *where, *options, f"{mode}:{target}"]
    if kind == "gunicorn":
        return [*python, "gunicorn", "--bind", f"127.0.0.1:{port}", "--threads", "4", *options, target]
    raise ValueError(kind)


@dataclass
class Server:
    """One running server."""

    kind: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path
    pid: int = 0
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def interface(self) -> str:
        return self.kind.rpartition("-")[2]

    def send(self, data: bytes, **options: Any) -> list[Reply]:
        return send(self.port, data, **options)

    def one(self, data: bytes, **options: Any) -> Reply:
        """Send one request and return the only response."""
        replies = self.send(data, **options)
        assert len(replies) == 1, f"{len(replies)} responses to {data[:200]!r}: {replies}"
        return replies[0]

    def get(self, target: str, *headers: str | bytes, method: str = "GET", **options: Any) -> Reply:
        return self.one(request(method, target, *headers, **options), head=method == "HEAD")

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def look(self) -> dict[str, Any]:
        """Return the worker's own facts: pid, memory, files, threads."""
        facts: dict[str, Any] = self.get("/facts/loop").json
        return facts

    def mark(self) -> int:
        """Where the log ends now, for `logged`."""
        return self.log.stat().st_size

    def logged(self, mark: int = 0) -> str:
        """What the server has written since *mark*."""
        with self.log.open("rb") as file:
            file.seek(mark)
            return file.read().decode("utf-8", "replace")

    def wait_for_log(self, mark: int, text: str) -> str:
        """The log since *mark* once *text* is in it: some of it follows the response."""
        end = time.monotonic() + 10
        while text not in (log := self.logged(mark)) and time.monotonic() < end:
            time.sleep(0.01)
        return log

    def wait_until_ready(self) -> None:
        end = time.monotonic() + 60  # of a machine that does much else
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.kind} ended with {self.process.returncode}:\n{self.logged()[-3000:]}")
            try:
                replies = self.send(request("GET", "/pid"))
            except OSError:
                replies = []
            if replies and replies[0].status == 200:
                self.pid = replies[0].json["pid"]
                return
            time.sleep(0.05)
        raise RuntimeError(f"{self.kind} did not answer:\n{self.logged()[-3000:]}")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def start(
    kind: str,
    folder: Path,
    *,
    target: str = "hostile_app:app",
    options: list[str] | None = None,
    environment: dict[str, str] | None = None,
) -> Server:
    """Start a server and wait until it answers.

    Args:
        kind: `segue-<interface>`, `granian-<interface>`, `uvicorn`, `hypercorn-<mode>` or `gunicorn`.
        folder: What `make_root` made; the log goes there too.
    """
    port = free_port()
    log = folder / f"{kind}-{port}.log"
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SEGUE_")},
        "PYTHONPATH": f"{HERE}{os.pathsep}{SOURCE}",
        "HOSTILE_ROOT": str(folder),
        "TMPDIR": str(folder / "tmp"),
        "HOME": str(folder),
        "PYTHONUNBUFFERED": "1",
        **(environment or {}),
    }
    (folder / "tmp").mkdir(exist_ok=True)
    with log.open("wb") as out:
        process = subprocess.Popen(
            commands(kind, target, port, options or []), cwd=folder, env=env, stdout=out, stderr=out
        )
    server = Server(kind, port, process, log)
    try:
        server.wait_until_ready()
    except BaseException:
        server.stop()
        raise
    return server
