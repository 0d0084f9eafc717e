"""SITES-46 and CORE-54: signing with the keys of an app, in cookies and tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from segue import App, Request, Response, signing
from segue.errors import UsageError
from segue.signing import KEYS, BadSignature, Keys

KEY = "one key of thirty-two bytes or more"
OTHER = "another key of thirty-two bytes or more"
Clients = Callable[..., Any]


def make_app(**config: Any) -> App:
    """An app with a key that sets a signed cookie and shows it."""
    app = App("tests_app", config={"SECRET_KEY": KEY, **config}, static_folder=None, template_folder=None)

    @app.get("/set/<name>")
    def set_cookie(request: Request, name: str) -> Response:
        response = Response("set")
        salt = request.query.get("salt", "")
        seconds = request.query.get("max_age")
        response.set_signed_cookie(name, "nina", max_age=int(seconds) if seconds else None, salt=salt)
        return response

    @app.get("/show/<name>")
    async def show_cookie(request: Request, name: str) -> dict[str, Any]:
        salt = request.query.get("salt", "")
        limit = request.query.get("max_age")
        found = request.get_signed_cookie(name, "nobody", max_age=float(limit) if limit else None, salt=salt)
        return {"value": found}

    return app


def test_a_token_of_the_app_comes_back() -> None:
    app = make_app()

    with app.context():
        token = signing.dumps({"user": 7}, salt="reset")

        assert signing.loads(token, salt="reset", max_age=60) == {"user": 7}


def test_a_token_is_not_taken_for_another_purpose() -> None:
    with make_app().context():
        token = signing.dumps(7, salt="reset")

        with pytest.raises(BadSignature):
            signing.loads(token, salt="verify")


def test_a_salt_of_a_user_never_makes_a_cookie() -> None:
    with make_app().context() as context:
        token = signing.dumps(["mallory", None], salt=("cookie", "user", ""))
        cookies = signing.SignedCookies(context.get(KEYS))

        assert cookies.read("user", token, "nobody", salt="", max_age=None) == "nobody"


def test_two_apps_do_not_take_each_others_tokens() -> None:
    with make_app().context():
        token = signing.dumps(7, salt="reset")

    with make_app(SECRET_KEY=OTHER).context(), pytest.raises(BadSignature):
        signing.loads(token, salt="reset")


def test_a_changed_key_keeps_tokens_of_the_former_one() -> None:
    with make_app(SECRET_KEY=OTHER).context():
        token = signing.dumps(7, salt="reset")

    with make_app(SECRET_KEY_FALLBACKS=[OTHER]).context():
        assert signing.loads(token, salt="reset") == 7


def test_an_app_without_a_key_names_the_feature_and_the_command() -> None:
    app = make_app(SECRET_KEY=None)

    with app.context(), pytest.raises(UsageError) as caught:
        signing.dumps(7, salt="reset")

    assert caught.value.code == "signing/no-key"
    assert "signing.dumps()" in caught.value.message
    assert "segue secret" in caught.value.hint


def test_an_app_that_signs_nothing_needs_no_key() -> None:
    app = App("tests_app", static_folder=None, template_folder=None)
    app.get("/")(lambda: "hello")

    assert app.test_client().get("/").text == "hello"


def test_outside_an_app_there_is_nothing_to_sign_with() -> None:
    with pytest.raises(UsageError, match="app/no-context"):
        signing.dumps(7, salt="reset")


def test_keys_are_not_shown() -> None:
    assert KEY not in repr(Keys(KEY, [OTHER]))
    assert OTHER not in repr(Keys(KEY, [OTHER]))


# Cookies


def test_a_signed_cookie_comes_back(client: Clients) -> None:
    browser = client(app=make_app())

    browser.get("/set/user")

    assert browser.get("/show/user").json == {"value": "nina"}


def test_a_signed_cookie_is_hidden_from_scripts(client: Clients) -> None:
    header = client(app=make_app()).get("/set/user?max_age=60").headers["set-cookie"]

    assert "; Max-Age=60;" in header
    assert "; HttpOnly" in header


def test_without_a_cookie_the_default_is_returned(client: Clients) -> None:
    assert client(app=make_app()).get("/show/user").json == {"value": "nobody"}


def test_a_changed_cookie_is_the_default(client: Clients) -> None:
    browser = client(app=make_app())
    value = browser.get("/set/user").headers["set-cookie"].partition("=")[2].partition(";")[0]
    forged = value.replace(value[3], "A" if value[3] != "A" else "B", 1)

    assert browser.get("/show/user", cookies={"user": forged}).json == {"value": "nobody"}


def test_a_cookie_of_another_name_is_the_default(client: Clients) -> None:
    browser = client(app=make_app())
    value = browser.get("/set/user").headers["set-cookie"].partition("=")[2].partition(";")[0]

    assert browser.get("/show/admin", cookies={"admin": value}).json == {"value": "nobody"}


def test_name_and_salt_of_a_cookie_are_told_apart(client: Clients) -> None:
    browser = client(app=make_app())
    value = browser.get("/set/ab?salt=c").headers["set-cookie"].partition("=")[2].partition(";")[0]

    assert browser.get("/show/a?salt=bc", cookies={"a": value}).json == {"value": "nobody"}
    assert browser.get("/show/ab?salt=c", cookies={"ab": value}).json == {"value": "nina"}


def test_a_cookie_past_the_age_it_was_set_with_is_the_default(client: Clients) -> None:
    old = signing.Signer(KEY, salt=("cookie", "user", ""), now=lambda: 1_000_000_000.0).dumps(["nina", 60])

    assert client(app=make_app()).get("/show/user", cookies={"user": old}).json == {"value": "nobody"}


def test_a_cookie_past_the_age_that_the_reader_allows_is_the_default(client: Clients) -> None:
    old = signing.Signer(KEY, salt=("cookie", "user", ""), now=lambda: 1_000_000_000.0).dumps(["nina", None])
    browser = client(app=make_app())

    assert browser.get("/show/user?max_age=60", cookies={"user": old}).json == {"value": "nobody"}
    assert browser.get("/show/user", cookies={"user": old}).json == {"value": "nina"}


def test_a_former_key_still_reads_cookies(client: Clients) -> None:
    old = signing.Signer(OTHER, salt=("cookie", "user", "")).dumps(["nina", None])
    app = make_app(SECRET_KEY_FALLBACKS=[OTHER])

    assert client(app=app).get("/show/user", cookies={"user": old}).json == {"value": "nina"}


def test_a_signed_cookie_without_a_key_says_what_to_do() -> None:
    app = make_app(SECRET_KEY=None)

    with app.context(), pytest.raises(UsageError, match="Signed cookies need a secret key"):
        Response().set_signed_cookie("user", "nina")
