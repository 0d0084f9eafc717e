"""SITES-11, E01, E04, E05: what `segue static build` writes, and how production serves it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from segue import App, Blueprint
from segue.cli import call_command
from segue.errors import SegueError, SetupError
from segue.web.building import build, gather
from segue.web.references import references_in

Write = Callable[[dict[str, str]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write files below a folder of static files, and return that folder."""

    def files(texts: dict[str, str]) -> Path:
        folder = tmp_path / "static"
        for name, text in texts.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return folder

    return files


def built(folder: Path, **options: Any) -> dict[str, str]:
    """Build *folder* and return the text of each built file by its plain name."""
    made = build(gather([("", folder)]), folder.parent / "out", **options)
    return {file.name: file.path.read_text(encoding="utf-8") for file in made.files}


def names(folder: Path) -> dict[str, str]:
    made = build(gather([("", folder)]), folder.parent / "out")
    return {file.name: file.hashed_name for file in made.files}


SITE = {
    "css/site.css": "@import 'base.css';\nbody { background: url(\"../img/a%20b.png?v=1#x\") }",
    "css/base.css": "a { background: url(/static/img/ü.png), url(//cdn.example/x.png), url(data:,x) }",
    "img/a b.png": "png",
    "img/ü.png": "png too",
    "js/main.js": 'import { b } from "./b.js"; import "vue"; import("./b.js")\n//# sourceMappingURL=main.js.map',
    "js/b.js": 'import "./main.js"; export const b = "./main.js"',
    "js/main.js.map": "{}",
}


def test_references_in_style_sheets_and_scripts_name_the_hashed_files(write: Write) -> None:
    folder = write(SITE)

    hashed, texts = names(folder), built(folder)

    picture = hashed["img/a b.png"].replace(" ", "%20")
    assert texts["css/site.css"] == (
        f"@import '{hashed['css/base.css'].removeprefix('css/')}';\nbody {{ background: url(\"../{picture}?v=1#x\") }}"
    )
    assert f"url(/static/img/%C3%BC.{hashed['img/ü.png'].split('.')[1]}.png)" in texts["css/base.css"]
    assert "url(//cdn.example/x.png), url(data:,x)" in texts["css/base.css"]
    b, main = hashed["js/b.js"].removeprefix("js/"), hashed["js/main.js"].removeprefix("js/")
    assert texts["js/main.js"] == (
        f'import {{ b }} from "./{b}"; import "vue"; import("./{b}")\n'
        f"//# sourceMappingURL={hashed['js/main.js.map'].removeprefix('js/')}"
    )
    assert texts["js/b.js"] == f'import "./{main}"; export const b = "./main.js"'


def test_a_file_whose_reference_changed_has_another_name(write: Write) -> None:
    before = names(write(SITE))

    after = names(write({"img/ü.png": "another picture"}))

    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"img/ü.png", "css/base.css", "css/site.css"}


@pytest.mark.parametrize(
    ("name", "text", "line", "target"),
    [
        ("a.css", "/* url(no.png) */\n\nb { background: url(gone.png) }", 3, "gone.png"),
        ("a.css", "@import 'gone.css';", 1, "gone.css"),
        ("a.css", "a{}\n/*# sourceMappingURL=gone.map */", 2, "gone.map"),
        ("a.js", "// import './no.js'\nimport x from './gone.js'", 2, "./gone.js"),
        ("a.js", "export * from './gone.js'", 1, "./gone.js"),
        ("a.mjs", "const a = `\n`, b = await import('./gone.js')", 2, "./gone.js"),
        ("a.js", "new URL('./gone.png', import.meta.url)", 1, "./gone.png"),
        ("a.js", "//# sourceMappingURL=gone.map", 1, "gone.map"),
    ],
)
def test_a_missing_reference_is_an_error_with_file_and_line(
    write: Write, name: str, text: str, line: int, target: str
) -> None:
    folder = write({name: text})

    with pytest.raises(SetupError) as caught:
        built(folder)

    assert caught.value.code == "web/missing-reference"
    assert f"{folder / name}:{line}, " in caught.value.where
    assert repr(target) in caught.value.message
    assert not (folder.parent / "out" / "manifest.json").exists()


def test_a_missing_reference_names_the_nearest_file(write: Write) -> None:
    with pytest.raises(SetupError) as caught:
        built(write({"a.css": "a { background: url(logo.png) }", "logos.png": ""}))

    assert "logos.png" in caught.value.hint


def test_missing_references_are_let_be_where_that_is_said(write: Write) -> None:
    texts = built(write({"vendor/a.css": "a { background: url(gone.png) }"}), allow_missing=["vendor/*"])

    assert texts["vendor/a.css"] == "a { background: url(gone.png) }"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.css", 'a { content: "url(b.png)" } /* @import "b.css" */'),
        ("a.css", "a { background: url( #here ) }"),
        ("a.js", "const s = \"import './b.js'\", t = `import './b.js'`, r = /import '.\\/b.js'/"),
        ("a.js", "// import './b.js'\n/* export * from './b.js' */"),
        ("a.js", "loader.import('./b.js'); import vue from 'vue'; import 'https://cdn.example/b.js'"),
        ("a.js", "export default function () { return './b.js' }"),
        ("a.txt", "@import 'b.css'"),
    ],
)
def test_what_only_looks_like_a_reference_is_none(name: str, text: str) -> None:
    assert references_in(name, text) == []


def test_text_is_compressed_and_pictures_are_not(write: Write) -> None:
    folder = write({"a.css": "a { color: red }\n" * 100, "a.png": "0" * 1000, "tiny.css": "a{}"})

    files = {file.name: file for file in build(gather([("", folder)]), folder.parent / "out").files}

    css = files["a.css"]
    assert css.encodings == ("br", "zstd", "gzip")
    assert gzip.decompress(css.path.with_name(css.path.name + ".gz").read_bytes()) == css.path.read_bytes()
    assert (files["a.png"].encodings, files["tiny.css"].encodings) == ((), ())


def test_a_second_build_writes_what_changed_and_removes_what_is_old(write: Write) -> None:
    folder = write({"a.css": "a{}" * 100, "b.css": "b{}"})
    first = build(gather([("", folder)]), folder.parent / "out")
    (folder.parent / "out" / "own.txt").write_text("not of a build")

    second = build(gather([("", write({"a.css": "c{}" * 100}))]), folder.parent / "out")

    assert (first.written, second.written, second.removed) == (2, 1, 1)
    assert not first.files[0].path.exists()
    assert not first.files[0].path.with_name(first.files[0].path.name + ".gz").exists()
    assert (folder.parent / "out" / "own.txt").exists()


# Serving


def make(root: Path, **config: Any) -> App:
    config = {"STATIC_ROOT": str(root / "out"), **config}
    return App("built_site", config=config, static_folder=str(root / "static"), template_folder=None)


def test_production_serves_by_the_manifest(write: Write, client: Callable[..., Any]) -> None:
    folder = write({"a.css": "a { background: url(b.png) }\n" * 20, "b.png": "png"})
    call_command("static", "build", app=make(folder.parent))
    hashed = names(folder)["a.css"]
    browser = client(app=make(folder.parent))

    answer = browser.get(f"/static/{hashed}", headers={"accept-encoding": "gzip"})
    plain = browser.get("/static/a.css")

    assert (answer.headers["content-encoding"], answer.headers["cache-control"]) == (
        "gzip",
        "public, max-age=31536000, immutable",
    )
    assert b"url(b." in gzip.decompress(answer.body)
    assert (plain.headers["cache-control"], plain.text[:22]) == ("public, no-cache", "a { background: url(b.")


def test_a_link_of_a_template_has_the_hash_of_the_manifest(write: Write, client: Callable[..., Any]) -> None:
    from segue import render_template_string

    folder = write({"a.css": "a { background: url(b.png) }", "b.png": "png"})
    hashed = names(folder)["a.css"]
    app = make(folder.parent)
    app.get("/")(lambda: render_template_string("{{ static('a.css') }}"))

    assert client(app=app).get("/").text == f"/static/{hashed}"


def test_development_serves_the_sources(write: Write, client: Callable[..., Any]) -> None:
    folder = write({"a.css": "old"})
    names(folder)
    write({"a.css": "new"})

    assert client(app=make(folder.parent, DEBUG=True)).get("/static/a.css").text == "new"
    assert client(app=make(folder.parent)).get("/static/a.css").text == "old"


@pytest.mark.parametrize(
    "path",
    [
        "manifest.json",
        "own.txt",
        ".env",
        "../secret.txt",
        "..%2fsecret.txt",
        "%2e%2e/secret.txt",
        "..%5csecret.txt",
        "/etc/passwd",
        "a.css%00.png",
        "con",
        "a.css::$DATA",
        "a.css.gz",
    ],
)
def test_only_what_the_manifest_names_is_served(write: Write, client: Callable[..., Any], path: str) -> None:
    folder = write({"a.css": "a{}" * 100})
    names(folder)
    (folder.parent / "out" / "own.txt").write_text("secret")
    (folder.parent / "out" / ".env").write_text("secret")
    (folder.parent / "secret.txt").write_text("secret")

    answer = client(app=make(folder.parent)).get(f"/static/{path}")

    assert answer.status_code in (400, 404)
    assert "secret" not in answer.text


def test_a_blueprint_keeps_its_addresses(write: Write, client: Callable[..., Any]) -> None:
    folder = write({"a.css": "the app's"})
    blog = Blueprint("blog", __name__, static_folder=str(write({"../blog/a.css": "the blog's"}).parent / "blog"))
    app = make(folder.parent)
    app.register(blog)
    call_command("static", "build", app=app)
    again = make(folder.parent)
    again.register(blog)
    browser = client(app=again)

    assert (browser.get("/static/blog/a.css").text, browser.get("/static/a.css").text) == ("the blog's", "the app's")


@pytest.mark.parametrize("text", ['{"files": 1}', "no json", '{"files": {"a.css": {"digest": "000000000000"}}}'])
def test_a_broken_manifest_stops_the_start(write: Write, text: str) -> None:
    folder = write({})
    (folder.parent / "out").mkdir(parents=True)
    (folder.parent / "out" / "manifest.json").write_text(text)

    with pytest.raises(SetupError) as caught:
        make(folder.parent).compile()

    assert caught.value.code == "web/broken-manifest"
    assert caught.value.hint == "segue static build"


# Commands


def test_build_prints_what_it_wrote_as_json(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write({"a.css": "a{}"})

    call_command("static", "build", "--json", app=make(folder.parent))

    shown = json.loads(capsys.readouterr().out)
    assert shown == {"folder": str(folder.parent / "out"), "files": names(folder)}


def test_build_refuses_a_folder_of_sources(write: Write) -> None:
    folder = write({"a.css": "a{}"})

    with pytest.raises(SetupError) as caught:
        call_command("static", "build", "--to", str(folder / "out"), app=make(folder.parent))

    assert caught.value.code == "web/bad-static-root"


def test_find_prints_every_path_the_served_one_first(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write({"a.css": "", "../blog/a.css": ""})
    app = make(folder.parent)
    app.register(Blueprint("blog", __name__, static_folder=str(folder.parent / "blog")))

    call_command("static", "find", "a.css", app=app)
    call_command("static", "find", "blog/a.css", app=app)

    first, second = folder / "a.css", folder.parent / "blog" / "a.css"
    assert capsys.readouterr().out.split() == [str(first), str(second), str(second)]


def test_find_names_the_nearest_of_what_there_is(write: Write) -> None:
    with pytest.raises(SegueError, match=r"site\.css") as caught:
        call_command("static", "find", "sites.css", app=make(write({"site.css": ""}).parent))

    assert caught.value.code == "web/no-static-file"
    assert "site.css" in caught.value.hint
