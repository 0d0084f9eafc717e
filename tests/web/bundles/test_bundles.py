"""SITES-12: pages load what Vite and esbuild built, by the manifests that these wrote."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from segue import App, render_template_string
from segue.errors import SegueError, SetupError
from segue.web import Esbuild, Vite

RECORDED = Path(__file__).parent
MAIN = "assets/main-PZ0D2Cjg.js"


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """What Vite wrote: the manifest as it was recorded, and some of the files."""
    folder = tmp_path / "dist"
    (folder / ".vite").mkdir(parents=True)
    (folder / "assets").mkdir()
    shutil.copy(RECORDED / "vite.json", folder / ".vite" / "manifest.json")
    (folder / MAIN).write_text("start()")
    (folder / "robots.txt").write_text("from public/")
    return folder


def make(battery: Any, source: str = "{{ vite_asset('src/main.js') }}", **config: Any) -> App:
    app = App("bundled", config=config, static_folder=None, template_folder=None)
    app.register(battery)
    app.get("/")(lambda: render_template_string(source))
    return app


def vite(dist: Path, **options: Any) -> Vite:
    return Vite(str(dist), **options)


def test_an_entry_brings_its_styles_its_script_and_what_that_loads(dist: Path, client: Callable[..., Any]) -> None:
    page = client(app=make(vite(dist))).get("/").text

    assert page.splitlines() == [
        '<link rel="stylesheet" href="/dist/assets/main-B7Tmva_g.css">',
        '<link rel="stylesheet" href="/dist/assets/shared-Bz57l0-g.css">',
        '<script type="module" src="/dist/assets/main-PZ0D2Cjg.js"></script>',
        '<link rel="modulepreload" href="/dist/assets/shared-BLFEuBt3.js">',
    ]


def test_two_entries_bring_what_they_share_once(dist: Path, client: Callable[..., Any]) -> None:
    page = client(app=make(vite(dist), "{{ vite_asset('src/main.js', 'src/admin.js') }}")).get("/").text

    assert page.count("shared-BLFEuBt3.js") == 1
    assert page.count("shared-Bz57l0-g.css") == 1


def test_a_style_sheet_may_be_an_entry(dist: Path, client: Callable[..., Any]) -> None:
    page = client(app=make(vite(dist), "{{ vite_asset('src/print.css') }}")).get("/").text

    assert page == '<link rel="stylesheet" href="/dist/assets/print-C-RWXGhX.css">'


def test_a_picture_has_an_address(dist: Path, client: Callable[..., Any]) -> None:
    app = make(vite(dist), "{{ vite_url('src/logo.png') }}")

    assert client(app=app).get("/").text == "/dist/assets/logo-Cx2pcdyU.png"


@pytest.mark.parametrize("source", ["{{ vite_asset('src/mian.js') }}", "{{ vite_url('src/mian.js') }}"])
def test_a_missing_entry_is_an_error_with_the_candidates(dist: Path, source: str) -> None:
    with pytest.raises(SegueError) as caught:
        make(vite(dist), source).test_client().get("/")

    assert caught.value.code == "web/unknown-entry"
    assert "src/admin.js, src/main.js, src/print.css" in (caught.value.why or "")
    assert "src/main.js" in caught.value.hint


def test_a_hashed_file_may_be_kept_for_ever_another_is_asked_for(dist: Path, client: Callable[..., Any]) -> None:
    browser = client(app=make(vite(dist)))

    hashed, plain = browser.get(f"/dist/{MAIN}"), browser.get("/dist/robots.txt")

    assert (hashed.text, hashed.headers["cache-control"]) == ("start()", "public, max-age=31536000, immutable")
    assert (plain.text, plain.headers["cache-control"]) == ("from public/", "public, no-cache")


@pytest.mark.parametrize(
    "path", [".vite/manifest.json", "../secret.txt", "..%2fsecret.txt", "assets/..%2f..%2fsecret.txt", "gone.js"]
)
def test_nothing_else_is_served(dist: Path, client: Callable[..., Any], path: str) -> None:
    (dist.parent / "secret.txt").write_text("secret")

    answer = client(app=make(vite(dist))).get(f"/dist/{path}")

    assert answer.status_code in (400, 404)
    assert "secret" not in answer.text


def test_files_on_another_host_have_the_nonce_of_the_page(dist: Path, client: Callable[..., Any]) -> None:
    answer = client(app=make(vite(dist, base="https://cdn.example.com/club"))).get("/")

    nonce = re.findall(r'src="https://cdn\.example\.com/club/assets/main-PZ0D2Cjg\.js" nonce="(.+?)"', answer.text)
    assert f"'nonce-{nonce[0]}'" in answer.headers["content-security-policy"]


def test_a_bundle_that_was_not_built_stops_the_start(tmp_path: Path) -> None:
    app = make(vite(tmp_path / "dist"))

    with pytest.raises(SetupError, match="manifest") as caught, app.test_client():
        pass

    assert caught.value.code == "web/no-bundle"


def test_in_development_a_new_build_shows_at_once(dist: Path, client: Callable[..., Any]) -> None:
    browser = client(app=make(vite(dist), DEBUG=True))
    before = browser.get("/").text
    (dist / ".vite" / "manifest.json").write_text(json.dumps({"src/main.js": {"file": "assets/main-Cnew1234.js"}}))

    assert "main-PZ0D2Cjg.js" in before
    assert browser.get("/").text == '<script type="module" src="/dist/assets/main-Cnew1234.js"></script>'


# Vite's own server

SERVER = {"DEBUG": True, "VITE_DEV_SERVER": "http://localhost:5173"}


def test_with_the_development_server_tags_lead_there(tmp_path: Path, client: Callable[..., Any]) -> None:
    source = "{{ vite_asset('src/main.js', 'src/print.css') }}\n{{ vite_url('src/logo.png') }}"

    answer = client(app=make(vite(tmp_path / "dist"), source, **SERVER)).get("/")

    assert re.sub(r' nonce=".+?"', "", answer.text).splitlines() == [
        '<script type="module" src="http://localhost:5173/dist/@vite/client"></script>',
        '<script type="module" src="http://localhost:5173/dist/src/main.js"></script>',
        '<link rel="stylesheet" href="http://localhost:5173/dist/src/print.css">',
        "http://localhost:5173/dist/src/logo.png",
    ]


def test_with_the_development_server_the_policy_allows_it(tmp_path: Path, client: Callable[..., Any]) -> None:
    config = {**SERVER, "CSP": {"img-src": "'self' https://img.example.com"}}

    policy = client(app=make(vite(tmp_path / "dist"), **config)).get("/").headers["content-security-policy"]

    assert "connect-src 'self' http://localhost:5173 ws://localhost:5173" in policy
    assert "style-src 'self' http://localhost:5173 'unsafe-inline'" in policy
    assert "img-src 'self' https://img.example.com http://localhost:5173" in policy


def test_react_refreshes_under_the_nonce_of_the_page(tmp_path: Path, client: Callable[..., Any]) -> None:
    answer = client(app=make(vite(tmp_path / "dist"), "{{ vite_react_refresh() }}", **SERVER)).get("/")

    nonce = re.search(r'<script type="module" nonce="(.+?)">', answer.text)
    assert nonce is not None
    assert f"'nonce-{nonce[1]}'" in answer.headers["content-security-policy"]
    assert 'from "http://localhost:5173/dist/@react-refresh"' in answer.text


def test_in_production_the_development_server_is_not_used(dist: Path, client: Callable[..., Any]) -> None:
    app = make(vite(dist), "{{ vite_react_refresh() }}{{ vite_asset('src/main.js') }}", **SERVER | {"DEBUG": False})

    answer = client(app=app).get("/")

    assert "5173" not in answer.text + answer.headers["content-security-policy"]


def test_a_development_server_without_an_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError) as caught:
        make(vite(tmp_path), **SERVER | {"VITE_DEV_SERVER": "localhost:5173"})

    assert caught.value.code == "web/bad-dev-server"


# esbuild


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An app's folder in which esbuild ran, with its metafile as it was recorded."""
    (tmp_path / "edist").mkdir()
    shutil.copy(RECORDED / "esbuild.json", tmp_path / "edist" / "meta.json")
    (tmp_path / "edist" / "main-TRTQVRE7.js").write_text("start()")
    return tmp_path


def esbuilt(project: Path, source: str) -> App:
    app = App("bundled", static_folder=None, template_folder=None)
    app.root_path = project
    app.register(Esbuild("edist", metafile="edist/meta.json"))
    app.get("/")(lambda: render_template_string(source))
    return app


def test_an_entry_of_esbuild_brings_its_styles_and_imports(project: Path, client: Callable[..., Any]) -> None:
    page = client(app=esbuilt(project, "{{ esbuild_asset('src/main.js') }}")).get("/").text

    assert page.splitlines() == [
        '<link rel="stylesheet" href="/dist/main-PRELQ7GQ.css">',
        '<script type="module" src="/dist/main-TRTQVRE7.js"></script>',
        '<link rel="modulepreload" href="/dist/chunk-Z6YLMWTK.js">',
    ]


def test_a_picture_of_esbuild_has_an_address(project: Path, client: Callable[..., Any]) -> None:
    assert client(app=esbuilt(project, "{{ esbuild_url('src/logo.png') }}")).get("/").text == "/dist/logo-6YJMNLBO.png"


def test_files_of_esbuild_are_served_and_the_metafile_is_not(project: Path, client: Callable[..., Any]) -> None:
    browser = client(app=esbuilt(project, ""))

    served = browser.get("/dist/main-TRTQVRE7.js")

    assert (served.text, served.headers["cache-control"][-9:]) == ("start()", "immutable")
    assert browser.get("/dist/meta.json").status_code == 404


def test_a_metafile_that_is_none_stops_the_start(project: Path) -> None:
    (project / "edist" / "meta.json").write_text('{"outputs": []}')

    with pytest.raises(SetupError, match="cannot be read") as caught, esbuilt(project, "").test_client():
        pass

    assert caught.value.code == "web/no-bundle"
