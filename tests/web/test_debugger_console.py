"""CORE-88 and SECURITY P01: the console runs Python in the chosen frame, and only for whom it is meant."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from typing import Any

import pytest

from segue import App
from segue.testing import Client, TestResponse, assert_problem
from segue.web.console import Console, Debugger, install_outermost

HTML = {"accept": "text/html"}


class Hand:
    """What a person does: causes an error, reads the page and the log, types."""

    def __init__(self, app: App, log: pytest.LogCaptureFixture, **options: Any) -> None:
        self.client = Client(app, raise_errors=False, same_site=False, **options)
        self.log = log
        self.prefix = self.secret = self.error = self._pin = ""

    def see(self, path: str) -> TestResponse:
        page = self.client.get(path, headers=HTML)
        found = re.search(r'data-console="([^"]+)" data-error="(\d+)" data-secret="([^"]+)"', page.text)
        if found:
            self.prefix, self.error, self.secret = found.groups()
        return page

    def post(self, what: str, value: Any, **changes: Any) -> TestResponse:
        headers = {"x-segue-debugger": self.secret, "sec-fetch-site": "same-origin", "origin": "http://localhost"}
        headers = {name: each for name, each in (headers | changes.pop("headers", {})).items() if each is not None}
        return self.client.post(self.prefix + what, json=value, headers=headers, **changes)

    @property
    def pin(self) -> str:
        told = [record.getMessage() for record in self.log.records if record.name == "segue.debugger"]
        self._pin = self._pin or told[-1].rpartition("PIN: ")[2]
        return self._pin

    def unlock(self, **changes: Any) -> TestResponse:
        return self.post("unlock", {"pin": self.pin}, **changes)

    def run(self, code: str, function: str, **changes: Any) -> TestResponse:
        page = self.client.get(f"{self.prefix}errors/{self.error}").text
        names = re.findall(r"<summary><code>[^<]*</code> <b>([^<]*)</b>", page)
        frame = max(index for index, name in enumerate(names) if name.endswith(function))
        return self.post("run", {"error": self.error, "frame": frame, "code": code}, **changes)

    def value(self, code: str, function: str) -> str:
        answer = self.run(code, function)
        assert answer.status_code == 200, answer.text
        assert answer.json["failure"] == ""
        return str(answer.json["value"])


def make_app(*, debug: bool = True, debugger: bool = True, console: Console | None = None) -> App:
    """An app that fails in both colours, with the console around it."""
    app = App("debugged", config={"DEBUG": debug, "DEBUGGER": debugger}, static_folder=None, template_folder=None)
    app.register(Debugger(console))

    def inner(amount: int) -> float:
        rates = {"EUR": 1.0}
        return amount * rates["GBP"]

    @app.get("/sync/<int:amount>", endpoint="sync")
    def plain(amount: int) -> Any:
        title = "outer"
        return {title: inner(amount)}

    @app.get("/async/<int:amount>", endpoint="async")
    async def coroutine(amount: int) -> Any:
        gate = asyncio.Event()
        gate.set()
        return {"x": inner(amount)}

    return app


@pytest.fixture
def hand(caplog: pytest.LogCaptureFixture) -> Callable[..., Hand]:
    """Make a hand at an app; by default one with the console on."""
    caplog.set_level(logging.WARNING, "segue.debugger")

    def make(app: App | None = None, **options: Any) -> Hand:
        return Hand(app or make_app(), caplog, **options)

    return make


@pytest.fixture
def unlocked(hand: Callable[..., Hand], protocol: Any) -> Hand:
    """A hand that has seen the error of the `def` handler and typed the PIN."""
    ready = hand(protocol=protocol)
    ready.see("/sync/7")
    assert ready.unlock().status_code == 200
    return ready


def test_an_expression_is_evaluated_in_the_chosen_frame(unlocked: Hand) -> None:
    assert unlocked.value("rates, amount", "inner") == "({'EUR': 1.0}, 7)"
    assert unlocked.value("title", "plain") == "'outer'"


def test_an_async_handlers_frame_can_be_asked_and_awaited(hand: Callable[..., Hand], protocol: Any) -> None:
    typing = hand(protocol=protocol)
    typing.see("/async/7")
    typing.unlock()

    assert typing.value("amount * 2", "coroutine") == "14"
    assert typing.value("await gate.wait()", "coroutine") == "True"
    assert typing.value("x = await gate.wait()\nx, amount", "coroutine") == "(True, 7)"


def test_names_that_are_assigned_last_in_their_frame_alone(unlocked: Hand) -> None:
    unlocked.run("doubled = amount * 2", "inner")

    assert unlocked.value("[doubled + each for each in range(2)]", "inner") == "[14, 15]"
    assert "NameError" in unlocked.run("doubled", "plain").json["failure"]


def test_what_is_printed_comes_back(unlocked: Hand) -> None:
    answer = unlocked.run("for name in rates: print(name, amount)", "inner").json

    assert answer == {"output": "EUR 7\n", "value": "", "failure": ""}


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("rates['GBP']", "KeyError: 'GBP'"),
        ("1 +", "SyntaxError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("type('Bad', (), {'__repr__': lambda self: 1 / 0})()", "ZeroDivisionError"),
    ],
)
def test_code_that_fails_shows_its_traceback_and_ends_nothing(unlocked: Hand, code: str, said: str) -> None:
    answer = unlocked.run(code, "inner")

    assert answer.status_code == 200
    assert said in answer.json["failure"]
    assert "evaluating.py" not in answer.json["failure"]
    assert unlocked.value("amount", "inner") == "7"


def test_the_failed_request_is_current_in_the_console(unlocked: Hand) -> None:
    assert unlocked.value("from segue.context import current\ncurrent().request.path", "inner") == "'/sync/7'"


def test_an_error_in_a_hook_of_the_app_does_not_shut_the_console(hand: Callable[..., Hand], protocol: Any) -> None:
    app = make_app()

    @app.before_request
    def broken() -> None:
        lost = {"a": 1}
        lost["b"]  # type: ignore[misc]

    typing = hand(app, protocol=protocol)
    typing.see("/sync/1")
    typing.unlock()

    assert typing.value("lost", "broken") == "{'a': 1}"


def test_a_console_that_is_put_around_an_app_stands_before_its_middleware(
    hand: Callable[..., Hand], protocol: Any
) -> None:
    app = App("late", config={"DEBUG": True, "DEBUGGER": True}, static_folder=None, template_folder=None)

    @app.middleware
    def broken(request: Any) -> Any:
        lost = {"a": 1}
        lost["b"]  # type: ignore[misc]
        yield

    @app.after_request
    def replace(response: Any) -> Any:
        return type(response)(response.body, response.status, {"content-type": response.content_type})

    app.get("/")(lambda: "")
    install_outermost(app)
    install_outermost(app)
    typing = hand(app, protocol=protocol)
    typing.see("/")
    typing.unlock()

    assert typing.value("lost", "broken") == "{'a': 1}"
    assert "debugger" in typing.client.get("/").json


# What is kept, and how it is found


def test_only_the_last_ten_errors_are_kept(hand: Callable[..., Hand]) -> None:
    typing = hand()
    typing.see("/sync/0")
    first = typing.error
    for number in range(1, 11):
        typing.see(f"/sync/{number}")
    typing.unlock()

    gone = typing.post("run", {"error": first, "frame": 0, "code": "1"})

    assert_problem(gone, code="debugger/forgotten", status=410)
    assert typing.value("amount", "inner") == "10"


def test_a_json_error_links_to_its_page(hand: Callable[..., Hand], protocol: Any) -> None:
    typing = hand(protocol=protocol)

    problem = typing.client.get("/sync/7")
    page = typing.client.get(problem.json["debugger"])

    assert (problem.status_code, problem.headers["x-debugger"]) == (500, problem.json["debugger"])
    assert problem.json["detail"] == "KeyError: 'GBP'"
    assert "data-console" in page.text
    assert (page.status_code, page.headers["content-type"]) == (500, "text/html; charset=utf-8")


def test_the_pin_is_told_once(hand: Callable[..., Hand]) -> None:
    typing = hand()
    typing.see("/sync/1")
    typing.see("/sync/2")

    told = [record for record in typing.log.records if record.name == "segue.debugger"]

    assert len(told) == 1
    assert re.fullmatch(r"\d{3}-\d{3}-\d{3}", typing.pin)


def test_the_script_of_the_page_runs_by_its_nonce_alone(hand: Callable[..., Hand]) -> None:
    page = hand().see("/sync/1")

    policy = page.headers["content-security-policy"]
    nonce = re.search(r"script-src 'nonce-([^']+)'", policy)
    assert nonce is not None
    assert "unsafe" not in policy
    assert re.findall(r"<script[^>]*>", page.text) == [f'<script nonce="{nonce[1]}">']
    assert re.search(r"\son\w+=", page.text) is None


def test_each_console_has_a_prefix_and_a_secret_of_its_own(hand: Callable[..., Hand]) -> None:
    one, two = hand(make_app()), hand(make_app())
    one.see("/sync/1")
    two.see("/sync/1")

    assert one.prefix != two.prefix
    assert one.secret != two.secret
    assert len(one.prefix) > 24


# Refusals


@pytest.mark.parametrize(("debug", "debugger"), [(True, False), (False, True), (False, False)])
def test_without_debug_and_debugger_there_is_no_console(
    hand: Callable[..., Hand], debug: bool, debugger: bool, protocol: Any
) -> None:
    console = Console()
    typing = hand(make_app(debug=debug, debugger=debugger, console=console), protocol=protocol)

    page = typing.see("/sync/7")
    prefix = console._keys.prefix

    assert "data-console" not in page.text
    assert "<script" not in page.text
    assert typing.client.get(f"{prefix}errors/1").status_code == 404
    assert typing.client.post(f"{prefix}unlock", json={"pin": console.pin}).status_code == 404
    assert [each for each in typing.log.records if each.name != "segue.loop"] == []


REMOTE: dict[str, Any] = {
    "another machine": {"client": "192.0.2.7"},
    "another machine by IPv6": {"client": "2001:db8::7"},
    "a rebound name": {"headers": {"host": "evil.test", "origin": "http://evil.test"}},
    "a name that only begins well": {"headers": {"host": "localhost.evil.test"}},
    "a proxy": {"headers": {"x-forwarded-for": "127.0.0.1"}},
    "a tunnel": {"headers": {"x-forwarded-host": "abc.tunnel.test"}},
}


@pytest.mark.parametrize("changes", REMOTE.values(), ids=REMOTE)
def test_to_another_machine_name_or_proxy_there_is_nothing(unlocked: Hand, changes: dict[str, Any]) -> None:
    own = {"code": "1", "error": unlocked.error, "frame": 0}
    get = {
        "headers": {"accept": "text/html", **changes.get("headers", {})},
        "client": changes.get("client", "127.0.0.1"),
    }

    run = unlocked.post("run", own, **changes)
    unlock = unlocked.post("unlock", {"pin": unlocked.pin}, **changes)
    page = unlocked.client.get(f"{unlocked.prefix}errors/{unlocked.error}", **get)
    error = unlocked.client.get("/sync/7", **get)

    assert {run.status_code, unlock.status_code, page.status_code} <= {400, 404}
    assert "data-console" not in page.text + error.text
    assert "x-debugger" not in error.headers
    assert "KeyError" not in error.text


OTHER_SITES: dict[str, dict[str, str | None]] = {
    "another site": {"sec-fetch-site": "cross-site", "origin": "http://evil.test"},
    "a sibling": {"sec-fetch-site": "same-site", "origin": "http://other.localhost"},
    "a typed address": {"sec-fetch-site": "none"},
    "another port": {"sec-fetch-site": None, "origin": "http://localhost:9000"},
    "a sandbox": {"sec-fetch-site": None, "origin": "null"},
    "nothing said": {"sec-fetch-site": None, "origin": None},
    "a lie that contradicts itself": {"sec-fetch-site": "same-origin", "origin": "http://evil.test"},
}


@pytest.mark.parametrize("headers", OTHER_SITES.values(), ids=OTHER_SITES)
def test_another_sites_page_cannot_run_code(unlocked: Hand, headers: dict[str, str | None]) -> None:
    answer = unlocked.post("run", {"error": unlocked.error, "frame": 0, "code": "1"}, headers=headers)

    assert_problem(answer, code="debugger/other-site", status=403)


def test_another_sites_page_cannot_open_an_error(unlocked: Hand) -> None:
    answer = unlocked.client.get(
        f"{unlocked.prefix}errors/{unlocked.error}", headers={"sec-fetch-site": "cross-site", **HTML}
    )

    assert_problem(answer, code="debugger/other-site", status=403)


@pytest.mark.parametrize("secret", [None, "", "guess", "ü"])
def test_without_the_secret_of_the_process_nothing_runs(unlocked: Hand, secret: str | None) -> None:
    answer = unlocked.post(
        "run", {"error": unlocked.error, "frame": 0, "code": "1"}, headers={"x-segue-debugger": secret}
    )

    assert_problem(answer, code="debugger/wrong-secret", status=403)


def test_without_the_pin_nothing_runs(hand: Callable[..., Hand], protocol: Any) -> None:
    typing = hand(protocol=protocol)
    typing.see("/sync/7")

    assert_problem(typing.run("amount", "inner"), code="debugger/no-pin", status=401)
    typing.client.cookies["segue_debugger"] = "guess"
    assert_problem(typing.run("amount", "inner"), code="debugger/no-pin", status=401)


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(hand: Callable[..., Hand]) -> None:
    typing = hand()
    typing.see("/sync/7")

    cookie = typing.unlock().headers["set-cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert f"Path={typing.prefix}" in cookie
    assert typing.pin.replace("-", "") not in cookie


def test_wrong_pins_are_slowed_down_and_then_locked_out(hand: Callable[..., Hand]) -> None:
    now = [0.0]
    typing = hand(make_app(console=Console(clock=lambda: now[0])))
    typing.see("/sync/7")

    first = [typing.post("unlock", {"pin": "000"}).json["code"] for _ in range(6)]
    slowed, waiting = (answer := typing.unlock().json)["code"], answer["detail"]
    now[0] = 61.0
    second = [typing.post("unlock", {"pin": "000"}).json["code"] for _ in range(5)]
    now[0] = 1_000_000.0

    assert first == ["debugger/wrong-pin"] * 5 + ["debugger/locked"]
    assert slowed == "debugger/locked"
    assert "Wait a minute" in waiting
    assert second == ["debugger/wrong-pin"] * 5
    assert_problem(typing.unlock(), code="debugger/locked", status=429)


@pytest.mark.parametrize(
    "value",
    [
        {"error": "x", "frame": 0, "code": "1"},
        {"error": "99", "frame": 0, "code": "1"},
        {"error": "1", "frame": -1, "code": "1"},
        {"error": "1", "frame": 10_000, "code": "1"},
        {"error": "1", "frame": True, "code": "1"},
        {"error": "1", "frame": 0, "code": 1},
        ["error"],
        {},
    ],
)
def test_a_malformed_call_is_refused(unlocked: Hand, value: Any) -> None:
    answer = unlocked.post("run", value)

    assert answer.status_code in (400, 410)
    assert_problem(answer)


def test_a_form_of_another_page_is_no_call(unlocked: Hand) -> None:
    answer = unlocked.client.post(
        f"{unlocked.prefix}run",
        data={"code": "1"},
        headers={"x-segue-debugger": unlocked.secret, "sec-fetch-site": "same-origin"},
    )

    assert_problem(answer, code="http/not-json", status=415)


def test_a_body_that_is_too_large_is_refused(unlocked: Hand) -> None:
    assert unlocked.post("run", {"code": "1" * 200_000}).status_code == 413


@pytest.mark.parametrize(("method", "what"), [("GET", "run"), ("GET", ""), ("POST", "nonsense"), ("DELETE", "run")])
def test_nothing_else_is_below_the_prefix(unlocked: Hand, method: str, what: str) -> None:
    assert unlocked.client.request(method, unlocked.prefix + what).status_code == 404
