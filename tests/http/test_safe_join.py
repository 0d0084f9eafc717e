"""Files below a directory, and nothing else."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.http.files import guess_type, safe_join


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("site")
    root = base / "static"
    (root / "css").mkdir(parents=True)
    (root / "css" / "app.css").write_text("body {}")
    (root / ".git").mkdir()
    (root / ".git" / "config").write_text("secret")
    (root / ".env").write_text("secret")
    (root / "app.py~").write_text("secret")
    (base / "static-secret").mkdir()
    (base / "static-secret" / "key").write_text("secret")
    (base / "secret.txt").write_text("secret")
    (root / "link.txt").symlink_to(base / "secret.txt")
    (root / "up").symlink_to(base)
    (root / "inside.css").symlink_to(root / "css" / "app.css")
    (root / "loop").symlink_to(root / "loop")
    (root / "app.css.gz").symlink_to(base / "secret.txt")
    return root


def test_a_file_below_is_found(root: Path) -> None:
    assert safe_join(root, "css/app.css") == (root / "css" / "app.css").resolve()


def test_a_file_that_does_not_exist_has_a_path(root: Path) -> None:
    assert safe_join(root, "css/none.css") == root.resolve() / "css" / "none.css"


def test_a_link_that_stays_inside_is_followed(root: Path) -> None:
    assert safe_join(root, "inside.css") == (root / "css" / "app.css").resolve()


HOSTILE = [
    ("E01", "../secret.txt"), ("E01", "css/../../secret.txt"), ("E01", ".."), ("E01", "."), ("E01", ""), ("E01", "/"),
    ("E01", "/etc/passwd"), ("E01", "//etc/passwd"), ("E01", "..\\secret.txt"), ("E01", "css\\..\\..\\secret.txt"),
    ("E01", "....//secret.txt"), ("E01", "css/./app.css"), ("E01", "css//app.css"), ("E01", "css/"),
    ("E01", unquote("%2e%2e/secret.txt")), ("E01", unquote("..%2fsecret.txt")), ("E01", unquote("%2e%2e%5csecret.txt")),
    ("E01", "css/app.css\0.txt"), ("E01", "\0"), ("E01", "css/app.css\n"), ("E01", "file:///etc/passwd"),
    ("E01", "link.txt"), ("E01", "up/secret.txt"), ("E01", "up/static-secret/key"), ("E01", "loop"), ("E01", "loop/x"),
    ("E01", "a" * 5000), ("E01", "a" * 256), ("E01", "/".join("a" * 65)), ("E01", "\ud800"),
    ("E02", "../static-secret/key"), ("E02", "up/static-secret/key"),
    ("E03", "con"), ("E03", "CON"), ("E03", "NUL.txt"), ("E03", "aux .css"), ("E03", "css/COM1"), ("E03", "COM¹"),
    ("E03", "CONIN$"), ("E03", "lpt9.tar.gz"), ("E03", "app.css::$DATA"), ("E03", "c:app.css"), ("E03", "C:/x"),
    ("E03", "\\\\server\\share"), ("E03", "app.css."), ("E03", "app.css "), ("E03", "css./app.css"), ("E03", "a|b"),
    ("E04", "../../etc/passwd"), ("E04", "../../nope"),
    ("E05", ".env"), ("E05", ".git/config"), ("E05", "css/.hidden"), ("E05", "app.py~"),
    ("E17", "app.css.gz"),
]  # fmt: skip


@pytest.mark.parametrize(
    "untrusted", [pytest.param(path, id=f"{row}-{number}") for number, (row, path) in enumerate(HOSTILE)]
)
def test_what_leads_elsewhere_is_not_found(root: Path, untrusted: str) -> None:
    assert safe_join(root, untrusted) is None


def test_e05_dotfiles_are_found_where_they_are_wanted(root: Path) -> None:
    assert safe_join(root, ".env", dotfiles=True) == root.resolve() / ".env"
    assert safe_join(root, "..", dotfiles=True) is None


def test_e04_a_refused_path_asks_the_file_system_nothing() -> None:
    class Untouchable(type(Path())):  # type: ignore[misc]
        def resolve(self, strict: bool = False) -> Path:
            raise AssertionError("the file system was asked")

    assert safe_join(Untouchable("/srv"), "../etc/passwd") is None


def test_a_root_behind_a_link_works(root: Path, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(root)

    assert safe_join(tmp_path / "current", "css/app.css") == (root / "css" / "app.css").resolve()


@settings(deadline=None)
@given(st.text(st.sampled_from("./\\:~ abcs\0"), max_size=20))
def test_e01_whatever_is_found_is_below(root: Path, untrusted: str) -> None:
    found = safe_join(root, untrusted)

    assert found is None or root.resolve() in found.parents


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("app.css", "text/css; charset=utf-8"),
        ("app.js", "text/javascript; charset=utf-8"),
        ("app.mjs", "text/javascript; charset=utf-8"),
        ("data.json", "application/json"),
        ("pic.PNG", "image/png"),
        ("pic.webp", "image/webp"),
        ("font.woff2", "font/woff2"),
        ("x.php.jpg", "image/jpeg"),
        ("dump.sql.gz", "application/gzip"),
        ("css/app.css", "text/css; charset=utf-8"),
        ("css", "application/octet-stream"),
        ("README", "application/octet-stream"),
        ("x.unknown-type", "application/octet-stream"),
        ("data:text/html,x.png", "image/png"),
        ("http://evil/x.html", "text/html; charset=utf-8"),
    ],
)
def test_the_last_extension_says_the_type(name: str, kind: str) -> None:
    assert guess_type(name) == kind
