"""CORE-74 and SECURITY P01 to P03, P06: what an error shows, to whom, and what it never shows."""

from __future__ import annotations

import dataclasses
import gc
import os
import re
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from segue import App, render_template
from segue.errors import SetupError
from segue.testing import Client, TestResponse, assert_not_contains

HTML = {"accept": "text/html"}
SECRET = "correct-horse-battery-staple-7391"


def look(app: App, path: str, **options: Any) -> TestResponse:
    """Cause an error as a browser."""
    protocol = options.pop("protocol", "asgi")
    headers = {**HTML, **options.pop("headers", {})}
    return Client(app, raise_errors=False, protocol=protocol).request(
        options.pop("method", "GET"), path, headers=headers, **options
    )


def text_of(answer: TestResponse) -> str:
    """The page without its tags."""
    plain = re.sub(r"<style.*?</style>|<[^>]+>", "", answer.text, flags=re.DOTALL)
    return plain.replace("&#39;", "'").replace("&#34;", '"').replace("&lt;", "<").replace("&gt;", ">")


def make(tmp_path: Path) -> App:
    """Return an app in debug, beside a folder of templates."""
    return App(
        "debugged",
        config={"DEBUG": True, "SECRET_KEY": SECRET, "DATABASE": "postgresql://me:pg-password-1@db/club"},
        static_folder=None,
        template_folder=str(tmp_path),
    )


@pytest.fixture
def debugged(tmp_path: Path) -> App:
    """An app in debug."""
    return make(tmp_path)


@pytest.fixture
def collected() -> Iterator[None]:
    """What a huge test leaves goes with it: among pytest's many objects a full collection is rare."""
    yield
    gc.collect()


def fail_with(app: App, make: Callable[[], Any]) -> None:
    """Give the app a handler that has `value` as a local and then fails."""

    @app.route("/", methods=["GET", "POST"])
    def failing(request: Any) -> Any:
        value = make()
        raise LookupError(f"failed with a {type(value).__name__}")


def test_the_page_shows_source_locals_and_the_message(debugged: App, protocol: str) -> None:
    fail_with(debugged, lambda: {"instrument": "piano"})

    page = text_of(answer := look(debugged, "/", protocol=protocol))

    assert answer.status_code == 500
    assert "LookupError" in page
    assert "failed with a dict" in page
    assert 'raise LookupError(f"failed with a' in page
    assert "{'instrument': 'piano'}" in page
    assert "test_debug_page.py" in page


def test_the_expression_that_failed_is_underlined(debugged: App) -> None:
    @debugged.get("/")
    def index() -> Any:
        rates = {"EUR": 1}
        return rates["EUR"] + rates["GBP"]

    assert "<u>rates[&#34;GBP&#34;]</u>" in look(debugged, "/").text


def test_a_chain_shows_every_exception_and_its_notes(debugged: App) -> None:
    @debugged.get("/")
    def index() -> Any:
        try:
            try:
                {}["first"]
            except KeyError as error:
                error.add_note("Seen at start-up.")
                raise ValueError("second") from error
        except ValueError:
            raise RuntimeError("third")

    page = text_of(look(debugged, "/"))

    assert page.index("RuntimeError") < page.index("Raised while this was handled: ValueError")
    assert page.index("ValueError") < page.index("Raised from: KeyError")
    assert "Seen at start-up." in page


def test_a_group_shows_what_it_holds(debugged: App) -> None:
    @debugged.get("/")
    def index() -> Any:
        raise ExceptionGroup("both", [ValueError("one-of-two"), TypeError("two-of-two")])

    page = text_of(look(debugged, "/"))

    assert "One of the group: ValueError" in page
    assert "two-of-two" in page


def test_an_exception_that_caused_itself_is_shown_once(debugged: App) -> None:
    @debugged.get("/")
    def index() -> Any:
        error = ValueError("circle")
        other = KeyError("other")
        error.__cause__, other.__cause__ = other, error
        raise error

    page = look(debugged, "/").text

    assert page.count("<h2>Raised from:") == 1


def test_the_hint_of_an_error_is_shown(debugged: App) -> None:
    @debugged.get("/")
    def index() -> Any:
        raise SetupError("The piano is closed.", code="club/closed", hint="Open the lid.", why="It is late.")

    page = text_of(look(debugged, "/"))

    assert "Open the lid." in page
    assert "It is late." in page
    assert "segue explain club/closed" in page


def test_a_missing_page_names_the_routes_that_come_near(debugged: App) -> None:
    debugged.get("/musicians/<int:pk>", endpoint="one")(lambda pk: "")

    page = text_of(answer := look(debugged, "/musicians/ella"))

    assert answer.status_code == 404
    assert "'/musicians/<int:pk>'" in page
    assert "does not take 'ella'" in page


# Templates


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_an_error_in_a_template_shows_its_name_and_line(debugged: App, tmp_path: Path, colour: str) -> None:
    (tmp_path / "page.html").write_text("<h1>{{ title }}</h1>\n<ul>\n{% for each in records %}\n{% endfor %}</ul>")

    def plain() -> Any:
        return render_template("page.html", title="Kind of Blue")

    async def coroutine() -> Any:
        return render_template("page.html", title="Kind of Blue")

    debugged.get("/")(plain if colour == "def" else coroutine)
    answer = look(debugged, "/")

    assert "page.html:3" in text_of(answer)
    assert re.search(r"<mark><i>\s*3</i>  {% for each in records %}</mark>", answer.text)
    assert "'Kind of Blue'" in text_of(answer)


def test_the_syntax_of_a_template_is_shown_where_it_is_wrong(debugged: App, tmp_path: Path) -> None:
    (tmp_path / "bad.html").write_text("<h1>\n{% endfor %}\n</h1>")
    debugged.get("/")(lambda: render_template("bad.html"))

    answer = look(debugged, "/")

    assert "bad.html:2" in text_of(answer)
    assert re.search(r"<mark><i>\s*2</i>  {% endfor %}</mark>", answer.text)


# Secrets


@dataclasses.dataclass
class User:
    name: str
    password: str


class SecretText:
    """As libraries have them: the type says what it holds."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"SecretText({self.text})"


HIDDEN: dict[str, Callable[[], Any]] = {
    "a key": lambda: {"name": "ella", "password": "hide-me-1"},
    "a key of bytes": lambda: {b"api_key": b"hide-me-1"},
    "a nested key": lambda: [{"user": {"token": "hide-me-1"}}],
    "a field of a dataclass": lambda: User("ella", "hide-me-1"),
    "a type": lambda: SecretText("hide-me-1"),
    "a header pair": lambda: [(b"cookie", b"session=hide-me-1"), (b"authorization", b"hide-me-1")],
    "a bearer": lambda: "Authorization: Bearer hide-me-1",
    "an address": lambda: "redis://user:hide-me-1@cache/0",
    "a query": lambda: "https://api.test/?access_token=hide-me-1",
    "an environ": lambda: {"wsgi.input": None, "wsgi.version": (1, 0), "HTTP_X": "hide-me-1"},
    "a scope": lambda: {"type": "http", "asgi": {}, "headers": [], "x": "hide-me-1"},
}


@pytest.mark.parametrize("make", HIDDEN.values(), ids=HIDDEN)
def test_secrets_in_values_are_masked(debugged: App, make: Callable[[], Any]) -> None:
    fail_with(debugged, make)

    page = look(debugged, "/").text

    values = re.findall(r"<td><pre>(.*?)</pre></td>", page, flags=re.DOTALL)
    assert [value for value in values if "hide-me-1" in value] == []


def written(app: App, folder: Path, source: str) -> None:
    """Give the app a handler from a file of its own, so that its source is not that of the test."""
    file = folder / "views.py"
    file.write_text(f"def index():\n{textwrap.indent(textwrap.dedent(source), '    ')}")
    names: dict[str, Any] = {"os": os}
    exec(compile(file.read_text(), str(file), "exec"), names)
    app.get("/")(names["index"])


def test_a_local_with_a_secret_name_is_masked(debugged: App, tmp_path: Path) -> None:
    source = """
        api_key, credentials, public = "-".join(["hide", "me"]), ("-".join(["hide", "me"]), 1), "shown"
        raise LookupError(public, len(api_key), len(credentials))
    """
    written(debugged, tmp_path, source)

    page = look(debugged, "/")

    assert_not_contains(page, "hide-me", status=500)
    assert "'shown'" in text_of(page)


def test_a_literal_of_a_secret_name_is_masked_in_the_source(debugged: App, tmp_path: Path) -> None:
    written(debugged, tmp_path, 'password = "hide-me-4"\nraise LookupError(len(password))')

    page = look(debugged, "/")

    assert_not_contains(page, "hide-me-4", status=500)
    assert "password = ***" in text_of(page)


def test_secrets_of_the_configuration_show_nowhere(debugged: App) -> None:
    @debugged.get("/")
    def index() -> Any:
        innocent = SECRET
        raise LookupError(f"{innocent} and pg-password-1")

    page = look(debugged, f"/?q={SECRET}")

    assert_not_contains(page, SECRET, status=500)
    assert_not_contains(page, "pg-password-1", status=500)


def test_secrets_of_the_request_are_masked(debugged: App, protocol: str) -> None:
    fail_with(debugged, lambda: None)

    page = look(
        debugged,
        "/?token=hide-me-1&page=2",
        method="POST",
        data={"password": "hide-me-1", "name": "ella"},
        headers={"authorization": "Bearer hide-me-1", "cookie": "session=hide-me-1", "x-api-key": "hide-me-1"},
        protocol=protocol,
    )

    assert_not_contains(page, "hide-me-1", status=500)
    assert "'ella'" in text_of(page)
    assert "query.page" in text_of(page)


def test_the_environment_of_the_process_is_never_on_the_page(
    debugged: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLUB_NUMBER", "hide-me-5")
    source = """
        environ, copied = os.environ, {"wsgi.version": (1, 0), **os.environ}
        raise LookupError(len(environ) - len(copied))
    """
    written(debugged, tmp_path, source)

    page = look(debugged, "/", protocol="wsgi")

    assert_not_contains(page, "hide-me-5", status=500)
    assert "<environment of" in text_of(page)
    assert "<WSGI environ of" in text_of(page)


# Hostile values


class Raising:
    def __repr__(self) -> str:
        raise SystemExit("from a repr")


class Huge:
    def __repr__(self) -> str:
        return "x" * 100_000_000


class Recursive:
    def __repr__(self) -> str:
        return repr(self)


class Unprintable(Exception):
    def __str__(self) -> str:
        raise ValueError("from a str")


HOSTILE: dict[str, Callable[[], Any]] = {
    "a repr that raises": Raising,
    "a repr of 100 MB": Huge,
    "a repr that never ends": Recursive,
    "a list of ten million": lambda: [0] * 10_000_000,
    "a text of 100 MB": lambda: "x" * 100_000_000,
    "a number of many digits": lambda: 10**100_000,
    "a deep nest": lambda: __import__("functools").reduce(lambda inner, _: [inner], range(5000), []),
}


@pytest.mark.slow
@pytest.mark.usefixtures("collected")
@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_value_costs_neither_the_page_nor_a_megabyte(tmp_path: Path, hostile: Callable[[], Any]) -> None:
    debugged = make(tmp_path)
    fail_with(debugged, hostile)

    page = look(debugged, "/")

    assert page.status_code == 500
    assert "failed with a" in page.text
    assert len(page.body) < 500_000


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_an_exception_whose_text_raises_is_still_answered(debugged: App, protocol: str, colour: str) -> None:
    def plain() -> Any:
        raise Unprintable

    async def coroutine() -> Any:
        raise Unprintable

    debugged.get("/")(plain if colour == "def" else coroutine)
    page = look(debugged, "/", protocol=protocol)

    assert page.status_code == 500
    assert "str() raised ValueError" in text_of(page)


@pytest.mark.slow
@pytest.mark.usefixtures("collected")
def test_an_exception_with_a_text_of_100_mb_is_cut(tmp_path: Path) -> None:
    debugged = make(tmp_path)

    @debugged.get("/")
    def index() -> Any:
        raise LookupError("x" * 100_000_000)

    assert len(look(debugged, "/").body) < 500_000


def test_a_page_of_many_deep_frames_stays_small(debugged: App) -> None:
    def down(depth: int) -> Any:
        filling = [f"{depth}-{number}" * 20 for number in range(30)]
        return down(depth - 1) if depth else filling[99]

    debugged.get("/")(lambda: down(500))
    page = look(debugged, "/")

    assert page.status_code == 500
    assert len(page.body) < 1_000_000


def test_markup_in_values_is_text(debugged: App) -> None:
    fail_with(debugged, lambda: "<script>alert(1)</script>")

    page = look(debugged, "/?q=<img src=x onerror=alert(2)>", headers={"x-a": "<b>bold</b>"})

    assert "<script>alert" not in page.text
    assert "<img" not in page.text
    assert "<b>bold" not in page.text


def test_a_request_that_cannot_be_parsed_is_shown_as_far_as_it_can(debugged: App) -> None:
    fail_with(debugged, lambda: None)

    page = look(debugged, "/", headers={"cookie": "a=1;" * 500})

    assert page.status_code == 500
    assert "LookupError" in page.text


# For whom


REFUSED: dict[str, dict[str, Any]] = {
    "another machine": {"client": "192.0.2.7"},
    "another machine by IPv6": {"client": "2001:db8::7"},
    "no address": {"client": ""},
    "a proxy": {"headers": {"x-forwarded-for": "127.0.0.1"}},
    "a tunnel": {"headers": {"x-forwarded-host": "club.tunnel.test"}},
    "a standard proxy": {"headers": {"forwarded": "for=127.0.0.1"}},
}


@pytest.mark.parametrize("options", REFUSED.values(), ids=REFUSED)
def test_nobody_else_sees_the_page(debugged: App, protocol: str, options: dict[str, Any]) -> None:
    fail_with(debugged, lambda: "internal-value")

    answer = look(debugged, "/", protocol=protocol, **options)

    assert answer.status_code == 500
    for told in ("LookupError", "internal-value", "test_debug_page", "failed with"):
        assert told not in answer.text


def test_a_name_that_was_rebound_to_this_machine_sees_nothing(debugged: App, protocol: str) -> None:
    debugged.config["ALLOWED_HOSTS"] = ["club.test"]
    fail_with(debugged, lambda: "internal-value")

    answer = look(debugged, "/", headers={"host": "club.test"}, protocol=protocol)

    assert answer.status_code == 500
    assert "LookupError" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "club.localhost"])
def test_every_name_of_this_machine_sees_the_page(debugged: App, host: str) -> None:
    fail_with(debugged, lambda: None)

    assert "LookupError" in look(debugged, "/", headers={"host": host}).text


def test_the_page_may_load_and_run_nothing(debugged: App) -> None:
    fail_with(debugged, lambda: None)

    page = look(debugged, "/")
    policy = page.headers["content-security-policy"]

    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "<script" not in page.text
    assert page.headers["cache-control"] == "no-store"


def test_in_production_nothing_of_the_error_is_told(tmp_path: Path, protocol: str) -> None:
    app = App("produced", config={"ALLOWED_HOSTS": ["localhost"]}, static_folder=None, template_folder=None)
    fail_with(app, lambda: "internal-value")

    page = look(app, "/", protocol=protocol)
    problem = Client(app, raise_errors=False, protocol=protocol).get("/", headers={"accept": "application/json"})

    for answer in (page, problem):
        assert answer.status_code == 500
        for told in ("LookupError", "internal-value", "test_debug_page", "failed with", "Traceback"):
            assert told not in answer.text


def test_a_program_gets_the_hint_in_debug(debugged: App, protocol: str) -> None:
    @debugged.get("/")
    def index() -> Any:
        raise SetupError("The piano is closed.", code="club/closed", hint="Open the lid.")

    problem = Client(debugged, raise_errors=False, protocol=protocol).get("/", headers={"accept": "application/json"})

    assert problem.json["hint"] == "Open the lid."


@pytest.mark.slow
def test_the_worst_page_is_made_within_a_second_or_so(debugged: App) -> None:
    fail_with(debugged, Huge)
    look(debugged, "/")

    spent = time.process_time()
    look(debugged, "/")
    spent = time.process_time() - spent

    assert spent < 5  # processor time, far above what it takes: it is about minutes
