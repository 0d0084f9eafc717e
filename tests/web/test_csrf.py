"""SITES-47, SECURITY G01-G06, G08, G11: requests that another site makes a visitor send."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from segue import App, Blueprint, Request, Session, csrf_exempt, csrf_protect, messages, render_template_string
from segue.clock import moved
from segue.testing import Client, assert_problem

KEY = "f2c0d7c1b4e14c3f9a3b7d55e1a0c9de"
FORM = '{% for each in messages %}{{ each }}{% endfor %}<form method="post">{% csrf %}<input name="x"></form>'


@pytest.fixture(params=["cookie", "database"])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[App]:
    """A site with forms, in both colours."""
    app = App(
        "csrf_app",
        config={"SECRET_KEY": KEY, "SESSION_STORE": request.param, "ALLOWED_HOSTS": ["localhost", "club.example"]},
        database=f"sqlite:///{tmp_path}/csrf.db",
        static_folder=None,
    )

    @app.get("/enter")
    def enter(session: Session) -> str:
        session["in"] = True
        return "x"

    @app.get("/form")
    def form(request: Request) -> str:
        return render_template_string(FORM)

    @app.get("/mine")
    def mine(session: Session) -> str:
        return render_template_string(FORM)

    @app.get("/leave")
    def leave(request: Request) -> str:
        messages.success(request, "Saved.")
        return "x"

    @app.get("/renew")
    def renew(session: Session) -> str:
        session.cycle_key()
        return "x"

    @app.route("/change", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    def change(request: Request) -> str:
        return "changed"

    @app.route("/achange", methods=["GET", "POST"])
    async def achange() -> str:
        return "changed"

    @app.post("/hook")
    @csrf_exempt
    def hook() -> str:
        return "changed"

    @app.post("/login")
    @csrf_protect
    def login(request: Request) -> str:
        return "changed"

    yield app
    app.db.close()


@pytest.fixture
def visitor(app: App) -> Iterator[Client]:
    """A visitor with a session, whose browser says nothing of where a request comes from."""
    with app.test_client(same_site=False) as client:
        client.get("/enter")
        yield client


def token_of(client: Client, path: str = "/form") -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)
    assert found is not None
    return found[1]


FOREIGN = {
    "another site": {"sec-fetch-site": "cross-site"},
    "another site with its name": {"sec-fetch-site": "cross-site", "origin": "https://evil.test"},
    "a sibling": {"sec-fetch-site": "same-site", "origin": "https://other.localhost"},
    "an older browser": {"origin": "https://evil.test"},
    "another port": {"origin": "http://localhost:8001"},
    "a sandbox": {"origin": "null"},
    "no origin at all": {"origin": ""},
    "a name that begins alike": {"origin": "http://localhost.evil.test"},
    "a name that ends alike": {"origin": "http://evillocalhost"},
    "a user": {"origin": "http://localhost@evil.test"},
    "nothing said": {},
    "a new word": {"sec-fetch-site": "somewhere"},
}


@pytest.mark.parametrize("path", ["/change", "/achange"])
@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
def test_what_another_site_makes_a_visitor_send_is_refused(visitor: Client, path: str, headers: dict[str, str]) -> None:
    answer = visitor.post(path, data={"x": "1"}, headers=headers)

    assert answer.status_code == 403
    assert "changed" not in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_every_method_that_changes_something_is_guarded(visitor: Client, method: str) -> None:
    assert visitor.request(method, "/change", headers=FOREIGN["another site"]).status_code == 403


@pytest.mark.parametrize("headers", [FOREIGN["another site"], {}])
def test_reading_is_not(visitor: Client, headers: dict[str, str]) -> None:
    assert visitor.get("/change", headers=headers).text == "changed"


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"origin": "http://localhost"},
        {"origin": "https://localhost"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/change", "/achange"])
def test_what_the_site_itself_sends_passes(visitor: Client, path: str, headers: dict[str, str]) -> None:
    assert visitor.post(path, data={"x": "1"}, headers=headers).text == "changed"


def test_the_refusal_says_why_and_what_to_do_to_the_developer(app: App) -> None:
    with app.test_client(same_site=False) as client:
        answer = client.post("/change", headers={"sec-fetch-site": "cross-site", "accept": "application/json"})

    assert_problem(answer, code="security/cross-site", status=403)


def test_a_trusted_origin_may(tmp_path: Path) -> None:
    app = App("trusting", config={"TRUSTED_ORIGINS": ["https://*.club.example"]})

    @app.post("/change")
    def change() -> str:
        return "changed"

    client = app.test_client(same_site=False)

    def send(origin: str) -> int:
        return client.post("/change", headers={"sec-fetch-site": "cross-site", "origin": origin}).status_code

    assert send("https://www.club.example") == 200
    assert [send(each) for each in ("https://evilclub.example", "http://www.club.example")] == [403, 403]


def test_the_canonical_origin_may_where_the_scheme_is_hidden_by_a_proxy() -> None:
    app = App("canonical", config={"SITE_URL": "https://www.club.example:8443", "ALLOWED_HOSTS": ["10.0.0.1"]})

    @app.post("/change")
    def change() -> str:
        return "changed"

    client = app.test_client(base_url="http://10.0.0.1", same_site=False)

    assert client.post("/change", headers={"origin": "https://www.club.example:8443"}).text == "changed"
    assert client.post("/change", headers={"origin": "https://www.club.example"}).status_code == 403


def test_a_program_with_credentials_of_its_own_needs_nothing(app: App) -> None:
    client = app.test_client(same_site=False)
    headers = {"authorization": "Bearer x", "sec-fetch-site": "cross-site", "origin": "https://app.example"}

    assert client.post("/change", json={}, headers=headers).text == "changed"
    assert client.post("/change", json={}).text == "changed"


def test_cookies_beside_the_credentials_bring_the_check_back(visitor: Client) -> None:
    headers = {"authorization": "Bearer x", "sec-fetch-site": "cross-site"}

    assert visitor.post("/change", json={}, headers=headers).status_code == 403


@pytest.mark.parametrize("scheme", ["Basic", "BASIC", "Digest", "Negotiate", "NTLM"])
@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}])
def test_credentials_that_browsers_send_by_themselves_prove_nothing(
    app: App, headers: dict[str, str], scheme: str
) -> None:
    client = app.test_client(same_site=False)

    answer = client.post("/change", data={}, headers={**headers, "authorization": f"{scheme} Ym9iOng="})

    assert answer.status_code == 403


def test_a_handler_may_be_open_to_all(visitor: Client) -> None:
    assert visitor.post("/hook", headers=FOREIGN["another site"]).text == "changed"


def test_a_blueprint_may_be_open_to_all() -> None:
    app = App("parts")
    hooks = Blueprint("hooks", __name__)

    @hooks.post("/open")
    def opened() -> str:
        return "changed"

    @hooks.post("/closed")
    @csrf_protect
    def closed() -> str:
        return "changed"

    app.register(csrf_exempt(hooks))
    client = app.test_client(same_site=False)

    assert client.post("/open", headers=FOREIGN["another site"]).text == "changed"
    assert client.post("/closed", headers=FOREIGN["another site"]).status_code == 403


def test_it_can_be_turned_off() -> None:
    app = App("careless", config={"CSRF_PROTECTION": False})

    @app.post("/change")
    def change() -> str:
        return "changed"

    assert app.test_client().post("/change", headers={"sec-fetch-site": "cross-site"}).text == "changed"


@pytest.mark.parametrize("path", ["/change", "/achange"])
@pytest.mark.parametrize("way", ["field", "header", "multipart"])
def test_the_token_of_the_form_passes_for_browsers_that_say_nothing(visitor: Client, path: str, way: str) -> None:
    token = token_of(visitor)
    ways: dict[str, Callable[[], Any]] = {
        "field": lambda: visitor.post(path, data={"csrf_token": token}),
        "header": lambda: visitor.post(path, json={}, headers={"x-csrf-token": token}),
        "multipart": lambda: visitor.post(path, data={"csrf_token": token}, files={"f": b"x"}),
    }

    assert ways[way]().text == "changed"


def test_two_renderings_have_different_tokens_and_both_are_good(visitor: Client) -> None:
    first, second = token_of(visitor), token_of(visitor)

    assert first != second
    assert [visitor.post("/change", data={"csrf_token": each}).text for each in (first, second)] == ["changed"] * 2


def test_the_token_of_another_session_is_refused(app: App, visitor: Client) -> None:
    with app.test_client(same_site=False) as attacker:
        attacker.get("/enter")
        token = token_of(attacker)

    assert visitor.post("/change", data={"csrf_token": token}).status_code == 403


def test_the_token_changes_with_the_id_of_the_session(visitor: Client) -> None:
    token = token_of(visitor)

    visitor.get("/renew")

    assert visitor.post("/change", data={"csrf_token": token}).status_code == 403
    assert visitor.post("/change", data={"csrf_token": token_of(visitor)}).text == "changed"


def test_it_stays_while_the_session_changes(visitor: Client) -> None:
    token = token_of(visitor)

    with moved(1):
        visitor.get("/enter")

    assert visitor.post("/change", data={"csrf_token": token}).text == "changed"


def test_a_form_can_be_sent_from_the_page_that_shows_the_last_message(app: App) -> None:
    with app.test_client(same_site=False) as client:
        client.get("/leave")
        token = token_of(client)

        assert client.post("/login", data={"csrf_token": token}).text == "changed"


def test_a_form_can_be_sent_by_a_browser_whose_session_is_over(app: App) -> None:
    with app.test_client(same_site=False) as client:
        client.get("/enter")
        with moved(400 * 86400):
            assert client.post("/login", data={"csrf_token": token_of(client, "/mine")}).text == "changed"


@pytest.mark.parametrize("token", ["", "s", "a", "x", "s" + "A" * 88, "a.b.c", "ü" * 50, "s" + "=" * 4000])
def test_a_forged_token_is_refused_and_no_error(visitor: Client, token: str) -> None:
    assert visitor.post("/change", data={"csrf_token": token}).status_code == 403


def test_a_form_without_a_session_makes_none(app: App) -> None:
    client = app.test_client(same_site=False)

    token_of(client)

    assert dict(client.cookies) == {}


def test_a_login_needs_a_token_even_before_there_is_a_session(app: App) -> None:
    with app.test_client(same_site=False) as client:
        without = client.post("/login", data={})
        good = client.post("/login", data={"csrf_token": token_of(client)})

    assert without.status_code == 403
    assert good.text == "changed"


def test_the_token_of_a_visitor_without_a_session_is_for_that_visitor(app: App) -> None:
    with app.test_client(same_site=False) as client:
        token = token_of(client)

        elsewhere = client.post("/login", data={"csrf_token": token}, client="10.1.2.3")
        otherwise = client.post("/login", data={"csrf_token": token}, headers={"user-agent": "other"})
        with moved(13 * 3600):
            late = client.post("/login", data={"csrf_token": token})

    assert [each.status_code for each in (elsewhere, otherwise, late)] == [403, 403, 403]


def test_a_bad_trusted_origin_is_told_at_the_start() -> None:
    app = App("wrong", config={"TRUSTED_ORIGINS": ["club.example"]})

    @app.post("/change")
    def change() -> str:
        return "changed"

    with pytest.raises(Exception, match="TRUSTED_ORIGINS"):
        app.compile()


def test_only_what_changes_something_has_a_guard(app: App) -> None:
    endpoints = app.compile().endpoints

    assert [each.kind for each in endpoints["form"][0].steps] == []
    assert [each.kind for each in endpoints["hook"][0].steps] == []
    assert [each.kind for each in endpoints["login"][0].steps] == ["guard"]
