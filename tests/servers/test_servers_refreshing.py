from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from typing import Any

import pytest

from segue.servers.access import OwnRequests
from segue.servers.refreshing import RefreshingApp

PAGE = b"<!doctype html><body><p>caf\xc3\xa9</p></body>"


def page(*messages: tuple[bytes, bool], kind: bytes = b"text/html; charset=utf-8", **headers: bytes) -> Any:
    """An application that sends these bodies."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        length = str(sum(len(body) for body, _ in messages)).encode()
        named = [(name.replace("_", "-").encode(), value) for name, value in headers.items()]
        pairs = [(b"content-type", kind), (b"content-length", length), *named]
        await send({"type": "http.response.start", "status": 200, "headers": pairs})
        for body, more in messages:
            await send({"type": "http.response.body", "body": body, "more_body": more})

    return application


def ask(
    application: Any, path: str = "/", *, method: str = "GET", client: str = "127.0.0.1"
) -> tuple[dict[bytes, bytes], bytes]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost:8000")]
    scope = {"type": "http", "method": method, "path": path, "headers": headers, "client": (client, 1)}
    asyncio.run(application(scope, None, send))
    return dict(sent[0]["headers"]), b"".join(each["body"] for each in sent[1:])


def test_a_page_gets_the_script_and_its_right_length() -> None:
    headers, body = ask(RefreshingApp(page((PAGE, False)), ()))

    assert body.endswith(b'<script src="/.segue/refresh.js" defer></script></body>')
    assert headers[b"content-length"] == str(len(body)).encode()


@pytest.mark.parametrize(
    "application",
    [
        page((b"{}</body>", False), kind=b"application/json"),
        page((b"<p>a part</p>", False)),
        page((b"zip</body>", False), content_encoding=b"gzip"),
        page((b"<body>", True), (b"</body>", False)),
    ],
)
def test_what_is_no_whole_page_passes_unchanged(application: Any) -> None:
    assert ask(RefreshingApp(application, ())) == ask(application)


def test_a_head_request_passes_unchanged() -> None:
    application = page((b"", False))

    assert ask(RefreshingApp(application, ()), method="HEAD") == ask(application, method="HEAD")


def test_other_machines_get_neither_script_nor_stamp() -> None:
    application = RefreshingApp(page((PAGE, False)), ())

    assert ask(application, client="10.0.0.7")[1] == PAGE
    assert ask(application, "/.segue/stamp", client="10.0.0.7")[1] == PAGE


def test_the_script_is_served_and_asks_for_the_stamp() -> None:
    headers, body = ask(RefreshingApp(page((PAGE, False)), ()), "/.segue/refresh.js")

    assert headers[b"content-type"].startswith(b"text/javascript")
    assert b"/.segue/stamp" in body


def test_the_stamp_stays_until_a_file_changes(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("a")
    application = RefreshingApp(page((PAGE, False)), [tmp_path, tmp_path / "missing"])

    first, same = ask(application, "/.segue/stamp")[1], ask(application, "/.segue/stamp")[1]
    os.utime(tmp_path / "page.html", (2_000_000_000, 2_000_000_000))
    changed = ask(application, "/.segue/stamp")[1]

    assert first == same != changed


def test_two_workers_have_two_stamps() -> None:
    application = page((PAGE, False))

    assert RefreshingApp(application, ()).stamp() != RefreshingApp(application, ()).stamp()


def test_the_scripts_own_requests_are_not_logged() -> None:
    def record(path: str) -> logging.LogRecord:
        return logging.LogRecord("granian.access", logging.INFO, "", 0, "", ({"path": path},), None)

    assert not OwnRequests().filter(record("/.segue/stamp"))
    assert OwnRequests().filter(record("/segue/stamp"))
