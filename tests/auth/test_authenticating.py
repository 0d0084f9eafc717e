"""Back ends in order, and how often somebody may try."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from hashlib import pbkdf2_hmac
from typing import Any

import pytest
from club_with_users import EMAIL, PASSWORD, Visitor, add_async, add_sync

from segue import App, Request
from segue.auth import ModelBackend, RemoteUserBackend, User, aauthenticate, authenticate
from segue.auth.hashing import make_password, making
from segue.errors import Forbidden, SetupError
from segue.testing import Client


class TokenBackend(ModelBackend):
    """Knows one token, in `def` code alone."""

    aauthenticate = None

    def authenticate(self, request: Any, *, token: str) -> Any:
        return User.objects.first() if token == "right" else None


class AsyncTokenBackend(ModelBackend):
    """The same in `async def` code alone."""

    authenticate = None

    async def aauthenticate(self, request: Any, *, token: str) -> Any:
        return await User.objects.afirst() if token == "right" else None


class ClosedBackend:
    """Ends the search."""

    def authenticate(self, request: Any, **credentials: Any) -> Any:
        raise Forbidden("closed")


def token_site(make_site: Callable[..., App], *backends: Any) -> App:
    """A site that takes tokens, in both colours."""
    app = make_site(AUTHENTICATION_BACKENDS=list(backends))

    @app.get("/sync/<token>")
    def by_token(request: Request, token: str) -> str:
        return str(authenticate(request, token=token))

    @app.get("/async/<token>")
    async def aby_token(request: Request, token: str) -> str:
        return str(await aauthenticate(request, token=token))

    return app


@pytest.mark.parametrize("protocol", ["asgi", "wsgi"])
@pytest.mark.parametrize("backend", [TokenBackend, AsyncTokenBackend(), f"{__name__}:AsyncTokenBackend"])
def test_a_back_end_of_one_colour_serves_both(
    make_site: Callable[..., App], colour: str, backend: Any, protocol: str
) -> None:
    app = token_site(make_site, "segue.auth:ModelBackend", backend)
    with Client(app, protocol=protocol) as client:
        with app.context():
            User.objects.create_user(EMAIL)

        assert [client.get(f"/{colour}/{token}").text for token in ("right", "wrong")] == [EMAIL, "None"]


def test_a_back_end_may_end_the_search(make_site: Callable[..., App], colour: str) -> None:
    app = token_site(make_site, ClosedBackend, TokenBackend)
    with Client(app) as client:
        with app.context():
            User.objects.create_user(EMAIL)

        assert client.get(f"/{colour}/right").text == "None"


def test_what_is_no_back_end_stops_the_start(make_site: Callable[..., App]) -> None:
    with pytest.raises(SetupError, match="auth/bad-backend"):
        make_site(AUTHENTICATION_BACKENDS=[object()]).compile()


def test_a_session_of_a_back_end_that_is_gone_is_nobodys(site: App, visitor: Visitor) -> None:
    visitor.log_in()
    cookies = dict(visitor.cookies)

    with site.override_config(AUTHENTICATION_BACKENDS=[TokenBackend]), Client(site) as client:
        assert client.get(f"/{visitor.colour}/who", cookies=cookies).text == "AnonymousUser"


def test_a_server_before_this_one_may_say_who_it_is(make_site: Callable[..., App]) -> None:
    app = make_site(AUTHENTICATION_BACKENDS=[RemoteUserBackend])
    with Client(app), app.context():
        first, second = authenticate(None, remote_user=EMAIL), authenticate(None, remote_user=EMAIL.upper())

        assert first == second == User.objects.get()
        User.objects.update(is_active=False)
        assert authenticate(None, remote_user=EMAIL) is None


@pytest.mark.parametrize("name", ["bob\0@example.org", "\ud800@example.org", "e\u0301" * 20_000, 7, None])
def test_what_is_no_name_is_nobody(make_site: Callable[..., App], name: Any) -> None:
    with Client(make_site()) as client, client.app.context():
        assert authenticate(None, email=name, password=PASSWORD) is None


def test_a_stored_password_of_another_framework_logs_in_and_is_hashed_anew(site: App, visitor: Visitor) -> None:
    with site.context():
        digest = b64encode(pbkdf2_hmac("sha256", "lètmein".encode(), b"salt", 1000)).decode()
        User.objects.update(password=f"pbkdf2_sha256$1000$salt${digest}")
        before = visitor.log_in(password="lètmein")
        kept = User.objects.get().password

    assert before.text == "in"
    assert kept.startswith("$argon2id$")


def test_an_unknown_name_is_compared_as_a_wrong_password_is(
    make_site: Callable[..., App], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, compared = making._verify, list[Any]()
    monkeypatch.setattr(making, "_verify", lambda *arguments: compared.append(arguments) or real(*arguments))
    with Client(make_site()) as client, client.app.context():
        User.objects.create_user(EMAIL, password=PASSWORD)
        User.objects.create_user("gone@example.org", password=PASSWORD, is_active=False)
        User.objects.create_user("none@example.org")
        names = [EMAIL, "gone@example.org", "none@example.org", "nobody@example.org"]

        found = [authenticate(None, email=name, password="wrong") for name in names]

    assert (found, len(compared)) == ([None] * 4, 4)
    assert len({strength for *_, strength in compared}) == 1


# How often


def test_the_eleventh_attempt_within_five_minutes_is_refused(visitor: Visitor) -> None:
    tries = [visitor.log_in(password="wrong") for _ in range(11)]

    assert [each.status_code for each in tries] == [400] * 10 + [429]
    assert 0 < int(tries[-1].headers["retry-after"]) <= 300


@pytest.mark.parametrize(
    "name", ["BOB@example.org", " bob@example.org ", "b\u00f3b@example.org", "\uff42ob@example.org"]
)
def test_writing_the_name_otherwise_gives_no_new_attempts(visitor: Visitor, name: str) -> None:
    [visitor.log_in(password="wrong") for _ in range(10)]

    assert visitor.log_in(name, "wrong").status_code == 429


def test_a_header_of_the_client_gives_no_new_attempts(visitor: Visitor) -> None:
    [visitor.log_in(password="wrong") for _ in range(10)]

    data = {"email": EMAIL, "password": PASSWORD}
    assert visitor.send("/login", data=data, headers={"x-forwarded-for": "192.0.2.9"}).status_code == 429


def test_from_another_network_the_right_password_still_works(visit: Callable[..., Visitor]) -> None:
    attacker, owner = visit(), visit()
    [attacker.log_in(password="wrong") for _ in range(11)]

    data = {"email": EMAIL, "password": PASSWORD}
    assert owner.send("/login", data=data, client="192.0.2.9").text == "in"


def test_a_login_that_succeeds_forgets_the_attempts_before(visitor: Visitor) -> None:
    [visitor.log_in(password="wrong") for _ in range(9)]
    visitor.log_in()

    assert [visitor.log_in(password="wrong").status_code for _ in range(10)] == [400] * 10


def test_a_network_has_fifty_attempts_for_all_names(visitor: Visitor) -> None:
    tries = [visitor.log_in(f"user{number}@example.org").status_code for number in range(51)]

    assert tries == [400] * 50 + [429]


def test_the_limits_are_configured(make_site: Callable[..., App], colour: str) -> None:
    app = make_site(LOGIN_RATE="2/m")
    add_sync(app)
    add_async(app)
    with Visitor(app, raise_errors=False) as visitor:
        visitor.colour = colour

        assert [visitor.log_in().status_code for _ in range(3)] == [400, 400, 429]


def test_hashing_of_tests_is_cheap(make_site: Callable[..., App]) -> None:
    with make_site().context():
        assert make_password("x").startswith("$argon2id$v=19$m=64,")
