"""CORE-9: the blog of Flask's tutorial behaves the same before and after its port, which changes little."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from difflib import SequenceMatcher
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent / "flaskr"
BEFORE, AFTER = HERE / "in_flask", HERE / "in_segue"
FILES = sorted(str(path.relative_to(BEFORE)) for path in BEFORE.rglob("*.*") if path.suffix != ".pyc")
MOST_CHANGED = 34

pytestmark = pytest.mark.slow  # each password is hashed to be slow

Blog = Callable[[], Any]


def lines_of(path: Path) -> list[str]:
    """Return the lines of a file, without the imports of a program and without empty lines."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    if path.suffix == ".py":
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                lines[node.lineno - 1 : node.end_lineno] = [""] * (node.end_lineno - node.lineno + 1)
    return [line for line in lines if line.strip()]


def changed_lines(file: str) -> list[str]:
    """Return what the port changed in *file*: a line that was replaced counts once."""
    before, after = lines_of(BEFORE / file), lines_of(AFTER / file)
    found: list[str] = []
    for kind, a, b, c, d in SequenceMatcher(a=before, b=after, autojunk=False).get_opcodes():
        if kind != "equal":
            found += after[c:d] if d - c >= b - a else before[a:b]
    return found


@pytest.fixture(params=[("in_flask", "DATABASE"), ("in_segue", "SQLITE_FILE")], ids=["flask", "segue"])
def blog(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Blog]:
    """Each version with empty tables: a function that makes a visitor."""
    version, key = request.param
    app = import_module(f"flaskr.{version}").create_app({"TESTING": True, key: str(tmp_path / "flaskr.db")})
    app.test_cli_runner().invoke(args=["init-db"])
    return app.test_client


@pytest.fixture
def nina(blog: Blog) -> Any:
    """A visitor who has registered and logged in."""
    return logged_in(blog(), "nina")


@pytest.fixture
def post(nina: Any) -> str:
    """The path of a post that Nina wrote."""
    nina.post("/create", data={"title": "At the Village Gate", "body": "Live."})
    return "/1"


def logged_in(visitor: Any, name: str) -> Any:
    """Register and log in."""
    visitor.post("/auth/register", data={"username": name, "password": "feeling good"})
    visitor.post("/auth/login", data={"username": name, "password": "feeling good"})
    return visitor


def test_the_port_changes_few_lines() -> None:
    changed = [line for file in FILES for line in changed_lines(file)]

    assert len(changed) <= MOST_CHANGED, "\n".join(changed)


def test_the_port_has_the_same_files() -> None:
    assert sorted(str(path.relative_to(AFTER)) for path in AFTER.rglob("*.*") if path.suffix != ".pyc") == FILES


def test_a_plain_page_is_answered(blog: Blog) -> None:
    assert blog().get("/hello").text == "Hello, World!"


def test_who_registers_may_log_in(blog: Blog) -> None:
    visitor = blog()

    registered = visitor.post("/auth/register", data={"username": "nina", "password": "feeling good"})
    entered = visitor.post("/auth/login", data={"username": "nina", "password": "feeling good"})

    assert (registered.status_code, registered.location) == (302, "/auth/login")
    assert (entered.status_code, entered.location) == (302, "/")
    assert "<span>nina</span>" in visitor.get("/").text


@pytest.mark.parametrize(
    ("path", "name", "password", "message"),
    [
        ("/auth/register", "", "x", "Username is required."),
        ("/auth/register", "ella", "", "Password is required."),
        ("/auth/register", "nina", "x", "User nina is already registered."),
        ("/auth/login", "ella", "x", "Incorrect username."),
        ("/auth/login", "nina", "x", "Incorrect password."),
    ],
)
def test_a_wrong_input_shows_its_message(
    blog: Blog, nina: Any, path: str, name: str, password: str, message: str
) -> None:
    answer = blog().post(path, data={"username": name, "password": password})

    assert f'<div class="flash">{message}</div>' in answer.text


@pytest.mark.parametrize("path", ["/auth/register", "/auth/login"])
def test_a_form_comes_without_a_message(blog: Blog, path: str) -> None:
    answer = blog().get(path)

    assert '<form method="post">' in answer.text
    assert "flash" not in answer.text


def test_who_logs_out_is_nobody(nina: Any) -> None:
    left = nina.get("/auth/logout")

    assert left.location == "/"
    assert "nina" not in nina.get("/").text


def test_a_forged_visitor_is_nobody(blog: Blog, nina: Any) -> None:
    page = blog().get("/", headers={"Cookie": "session=1; user_id=1"})

    assert "nina" not in page.text


def test_a_post_is_listed_with_its_author(blog: Blog, post: str) -> None:
    page = blog().get("/").text

    assert "<h1>At the Village Gate</h1>" in page
    assert "by nina on 2" in page
    assert "Edit" not in page


def test_an_author_finds_the_link_to_edit(nina: Any, post: str) -> None:
    assert 'href="/1/update">Edit' in nina.get("/").text


def test_an_author_changes_a_post(nina: Any, post: str) -> None:
    form = nina.get(f"{post}/update")
    answer = nina.post(f"{post}/update", data={"title": "At Town Hall", "body": "Live."})

    assert 'value="At the Village Gate"' in form.text
    assert answer.location == "/"
    assert "<h1>At Town Hall</h1>" in nina.get("/").text


def test_an_author_deletes_a_post(nina: Any, post: str) -> None:
    answer = nina.post(f"{post}/delete")

    assert answer.location == "/"
    assert "Village" not in nina.get("/").text


@pytest.mark.parametrize("path", ["/create", "/1/update"])
def test_a_post_needs_a_title(nina: Any, post: str, path: str) -> None:
    page = nina.post(path, data={"title": "", "body": "What remains."}).text

    assert '<div class="flash">Title is required.</div>' in page
    assert "What remains.</textarea>" in page


@pytest.mark.parametrize("path", ["/create", "/1/update", "/1/delete"])
def test_who_is_not_logged_in_is_sent_to_the_login(blog: Blog, post: str, path: str) -> None:
    answer = blog().post(path, data={"title": "Mine", "body": ""})

    assert answer.location == "/auth/login"
    assert "<h1>At the Village Gate</h1>" in blog().get("/").text


@pytest.mark.parametrize("path", ["/1/update", "/1/delete"])
def test_another_author_may_not(blog: Blog, post: str, path: str) -> None:
    other = logged_in(blog(), "ella")

    answer = other.post(path, data={"title": "Mine", "body": ""})

    assert answer.status_code == 403
    assert "<h1>At the Village Gate</h1>" in other.get("/").text


@pytest.mark.parametrize("path", ["/2/update", "/2/delete"])
def test_a_post_that_is_not_there_is_404(nina: Any, post: str, path: str) -> None:
    assert nina.post(path, data={"title": "Mine", "body": ""}).status_code == 404


def test_text_of_visitors_is_escaped(nina: Any) -> None:
    nina.post("/create", data={"title": "<script>", "body": ""})

    assert "<h1>&lt;script&gt;</h1>" in nina.get("/").text
