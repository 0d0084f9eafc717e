"""SITES-10, CORE-60, CORE-61, CORE-63: static files, live and collected."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from segue import App, render_template_string


@pytest.fixture
def site(tmp_path: Path) -> Path:
    static = tmp_path / "static"
    (static / "css").mkdir(parents=True)
    (static / "css" / "app.css").write_text("body { color: teal }" * 20)
    (static / "data.txt").write_text("0123456789")
    (static / ".hidden").write_text("secret")
    (tmp_path / "secret.txt").write_text("secret")
    os.symlink(tmp_path / "secret.txt", static / "link.txt")
    return tmp_path


def make(site: Path, *, debug: bool) -> App:
    app = App("static_site", config={"DEBUG": debug}, template_folder=None, static_folder=str(site / "static"))
    app.get("/name")(lambda: render_template_string("{{ static('css/app.css') }}"))
    return app


@pytest.mark.parametrize("debug", [True, False], ids=["live", "collected"])
def test_a_link_holds_the_hash_and_may_be_kept_for_ever(site: Path, client: Callable[..., Any], debug: bool) -> None:
    browser = client(app=make(site, debug=debug))

    link = browser.get("/name").text
    answer = browser.get(link)

    assert link.startswith("/static/css/app.")
    assert link.endswith(".css")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
    assert answer.content_type == "text/css; charset=utf-8"


@pytest.mark.parametrize("debug", [True, False], ids=["live", "collected"])
def test_another_hash_is_not_found(site: Path, client: Callable[..., Any], debug: bool) -> None:
    assert client(app=make(site, debug=debug)).get("/static/css/app.000000000000.css").status_code == 404


def test_a_changed_file_has_another_link_while_live(site: Path, client: Callable[..., Any]) -> None:
    browser = client(app=make(site, debug=True))
    before = browser.get("/name").text
    (site / "static" / "css" / "app.css").write_text("body { color: coral }")

    assert browser.get("/name").text != before


def test_what_the_client_has_is_not_sent_again(site: Path, client: Callable[..., Any]) -> None:
    browser = client(app=make(site, debug=False))
    first = browser.get("/static/data.txt")

    again = browser.get("/static/data.txt", headers={"if-none-match": first.headers["etag"]})

    assert (first.status_code, again.status_code, again.body) == (200, 304, b"")


@pytest.mark.parametrize(
    ("asked", "status", "body"),
    [
        ("bytes=-5", 206, b"56789"),
        ("bytes=2-4", 206, b"234"),
        ("bytes=8-", 206, b"89"),
        ("bytes=10-", 416, b""),
        ("items=1-2", 200, b"0123456789"),
        ("bytes=a-b", 200, b"0123456789"),
    ],
)
def test_parts_of_a_file(site: Path, client: Callable[..., Any], asked: str, status: int, body: bytes) -> None:
    answer = client(app=make(site, debug=False)).get("/static/data.txt", headers={"range": asked})

    assert (answer.status_code, answer.body) == (status, body)


def test_several_parts_come_as_one_multipart(site: Path, client: Callable[..., Any]) -> None:
    answer = client(app=make(site, debug=False)).get("/static/data.txt", headers={"range": "bytes=0-1,5-6"})

    assert answer.status_code == 206
    assert answer.content_type.startswith("multipart/byteranges; boundary=")
    assert b"content-range: bytes 5-6/10" in answer.body.lower()
    assert len(answer.body) == int(answer.headers["content-length"])


def test_head_has_the_headers_and_no_body(site: Path, client: Callable[..., Any]) -> None:
    answer = client(app=make(site, debug=False)).head("/static/data.txt")

    assert (answer.status_code, answer.body, answer.headers["content-length"]) == (200, b"", "10")


def test_a_compressed_variant_is_sent_as_it_is(site: Path, client: Callable[..., Any]) -> None:
    packed = gzip.compress((site / "static" / "css" / "app.css").read_bytes())
    (site / "static" / "css" / "app.css.gz").write_bytes(packed)
    browser = client(app=make(site, debug=False))

    answer = browser.get("/static/css/app.css", headers={"accept-encoding": "gzip"})

    assert (answer.headers["content-encoding"], answer.body) == ("gzip", packed)
    assert "accept-encoding" in answer.headers["vary"].lower()


def test_a_stale_variant_is_passed_over(site: Path, client: Callable[..., Any]) -> None:
    variant = site / "static" / "css" / "app.css.gz"
    variant.write_bytes(b"old")
    os.utime(variant, (1, 1))

    answer = client(app=make(site, debug=False)).get("/static/css/app.css", headers={"accept-encoding": "gzip"})

    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("debug", [True, False], ids=["live", "collected"])
@pytest.mark.parametrize(
    "path",
    ["../secret.txt", "%2e%2e/secret.txt", "..%2fsecret.txt", "link.txt", ".hidden", "css/", "css", "%00", "nope.txt"],
)
def test_nothing_else_can_be_fetched(site: Path, client: Callable[..., Any], debug: bool, path: str) -> None:
    answer = client(app=make(site, debug=debug)).get(f"/static/{path}", headers={"accept": "application/json"})

    assert answer.status_code in (400, 404)
    assert b"secret" not in answer.body.replace(b"secret.txt", b"")
