"""CORE-53: a large upload costs disk, not memory: real servers, the body made piece by piece."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import segue

APP = """
import resource
from typing import Annotated
from segue import App, File, UploadFile

app = App(__name__, static_folder=None, template_folder=None, config={"ALLOWED_HOSTS": ["localhost"]})
LIMIT = 600_000_000


def facts(size):
    return {"size": size, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


@app.post("/def", max_body=LIMIT)
def plain(f: Annotated[UploadFile, File()]):
    return facts(f.size)


@app.post("/async", max_body=LIMIT)
async def coroutine(f: Annotated[UploadFile, File()]):
    return facts(f.size)


@app.get("/ready")
def ready():
    return facts(0)
"""
MEGABYTE = 1_000_000
HEAD = b'--limit\r\nContent-Disposition: form-data; name="f"; filename="big.bin"\r\n\r\n'
TAIL = b"\r\n--limit--\r\n"


def body_of(megabytes: int) -> Iterator[bytes]:
    piece = b"segue" * (MEGABYTE // 5)
    yield HEAD
    for _ in range(megabytes):
        yield piece
    yield TAIL


def upload(port: int, path: str, megabytes: int) -> dict[str, Any]:
    headers = {
        "Host": "localhost",
        "Content-Type": "multipart/form-data; boundary=limit",
        "Content-Length": str(len(HEAD) + megabytes * MEGABYTE + len(TAIL)),
    }
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=300)) as connection:
        connection.request("POST", path, body_of(megabytes), headers)
        with connection.getresponse() as reply:
            text = reply.read()
    assert reply.status == 200, text
    answer: dict[str, Any] = json.loads(text)
    return answer


def is_ready(port: int) -> bool:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        try:
            connection.request("GET", "/ready", headers={"Host": "localhost"})
            with connection.getresponse() as reply:
                return reply.status == 200
        except OSError:
            return False


@pytest.fixture(params=["rsgi", "asgi", "wsgi"])
def port(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[int]:
    """A production server of each interface, with one worker."""
    (tmp_path / "core_uploads.py").write_text(APP)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    env = {name: value for name, value in os.environ.items() if not name.startswith("SEGUE_")}
    env["PYTHONPATH"] = f"{tmp_path}{os.pathsep}{Path(segue.__file__).parent.parent}"
    command = [sys.executable, "-m", "segue", "--app", "core_uploads:app", "run", "--prod"]
    command += ["--interface", request.param, "--host", "127.0.0.1", "--port", str(port)]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=tmp_path, env=env, stdout=log, stderr=log)
    try:
        end = time.monotonic() + 60
        while not is_ready(port):
            assert process.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < end, (tmp_path / "log").read_text()
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/def", "/async"])
def test_an_upload_of_500_mb_grows_the_worker_by_less_than_30(port: int, path: str) -> None:
    before = upload(port, path, 10)["peak"]

    after = upload(port, path, 500)

    assert after["size"] == 500 * MEGABYTE
    assert after["peak"] - before < 30 * MEGABYTE
