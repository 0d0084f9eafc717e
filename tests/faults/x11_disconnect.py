"""X11: clients that leave at a random moment leave nothing behind."""

from __future__ import annotations

import contextlib
import socket
import time

from harness import Options, Verdict, main, serving
from wire import request

FORM = "Content-Type: multipart/form-data; boundary=limit"
START = b'--limit\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n'


def run(options: Options) -> Verdict:
    """Leave while the handler sleeps, streams, or reads an upload."""
    count = 60 if options.quick else 500
    chance = options.chance()
    with serving(options) as server:
        before = server.look()
        for number in range(count):
            kind = ("sleep", "stream", "upload")[number % 3]
            colour = "da"[number % 2]
            data = {
                "sleep": request("GET", "/a/sleep?seconds=20"),
                "stream": request("GET", f"/{colour}/endless"),
                "upload": request("POST", f"/{colour}/upload", FORM, "Content-Length: 9000000", length=False)
                + START
                + b"x" * chance.randrange(2_000_000),
            }[kind]
            with server.connect() as sock:
                sock.sendall(data)
                time.sleep(chance.uniform(0, 0.05 if options.quick else 0.3))
                if chance.random() < 0.5:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01" + b"\x00" * 7)
        after = before
        with contextlib.suppress(OSError):
            for _ in range(50):
                after = server.look()
                if after["fds"] <= before["fds"] + 5 and after["tasks"] <= before["tasks"] + 5:
                    break
                time.sleep(0.1)
        log = server.logged()
        spooled = len(list((server.log.parent / "tmp").glob("segue-*")))
    slept = after["events"]["finished"]
    figure = {
        "requests": count,
        "fds_left": after["fds"] - before["fds"],
        "tasks_left": after["tasks"] - before["tasks"],
        "errors_logged": log.count(" ERROR "),
        "spooled_files": spooled,
        "slept_to_the_end": slept,
    }
    target = {"fds_left": 5, "tasks_left": 5, "errors_logged": 0, "spooled_files": 0, "slept_to_the_end": 0}
    return Verdict(figure, target, all(figure[name] <= target[name] for name in target))


if __name__ == "__main__":
    main("X11", run)
