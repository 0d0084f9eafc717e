"""SITES-42: passkeys, shown by a device in software with real keys."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from software_authenticator import PRESENT, Authenticator, encoded

from segue import App, Request
from segue.auth import Auth, User, alogin, fresh_login_required, login
from segue.auth.pages.factors import SecondFactor
from segue.auth.pages.passkeys import Passkey
from segue.auth.totp import make_code
from segue.clock import moved
from segue.testing import Client

PASSWORD = "correct horse battery"
OPTIONS = "/accounts/login/passkey/options"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """A site with passkeys, and what a stolen session must not reach on it, in both colours."""
    app = App(
        "club",
        database=f"sqlite:///{tmp_path}/club.db",
        config={"SECRET_KEY": "f2c0d7c1b4e14c3f9a3b7d55e1a0c9de"},
        static_folder=None,
    )
    app.register(Auth(user=User, passkeys=True), prefix="/accounts")

    @app.get("/sync/danger")
    @fresh_login_required
    def danger() -> str:
        return "done"

    @app.get("/async/danger")
    @fresh_login_required
    async def adanger() -> str:
        return "done"

    @app.post("/sync/login")
    def log_bob_in(request: Request) -> str:
        return str(login(request, User.objects.get(email="bob@example.org")))

    @app.post("/async/login")
    async def alog_bob_in(request: Request) -> str:
        return str(await alogin(request, await User.objects.aget(email="bob@example.org")))

    @app.get("/who")
    def who(user: Any) -> str:
        return str(user)

    with app.test_client(), app.context():
        User.objects.create_user("bob@example.org", password=PASSWORD)
        User.objects.create_user("eve@example.org", password=PASSWORD)
        yield app
    app.db.close()


@pytest.fixture
def visitor(app: App) -> Client:
    return app.test_client()


def log_in(client: Client, email: str = "bob@example.org", **fields: str) -> Any:
    return client.post("/accounts/login", data={"username": email, "password": PASSWORD, **fields})


def register(client: Client, device: Authenticator, name: str = "phone", **changes: Any) -> Any:
    options = client.post("/accounts/passkeys/new/options").json
    return client.post("/accounts/passkeys/new", data={"name": name, "credential": device.make(options, **changes)})


def show(client: Client, device: Authenticator, step: str = "", **changes: Any) -> Any:
    options = client.post(f"{OPTIONS}?step={step}").json
    return send(client, device.show(options, **changes))


def send(client: Client, credential: str, **fields: str) -> Any:
    return client.post("/accounts/login/passkey", data={"credential": credential, **fields})


@pytest.fixture
def device(app: App) -> Authenticator:
    """Bob's phone, with a passkey of this site."""
    made, browser = Authenticator(), app.test_client()
    log_in(browser)
    register(browser, made)
    return made


# What they are for


def test_a_passkey_is_kept_with_codes_of_recovery(visitor: Client) -> None:
    log_in(visitor)
    answer = register(visitor, Authenticator())

    assert len(re.findall(r"<li>\w{4}-\w{4}", answer.text)) >= 10
    passkey = Passkey.objects.get()
    assert (passkey.name, passkey.transports, passkey.sign_count) == ("phone", ["internal"], 0)
    assert "phone" in visitor.get("/accounts/passkeys").text


def test_a_passkey_logs_in_alone(visitor: Client, device: Authenticator) -> None:
    answer = show(visitor, device)

    assert answer.status_code == 303
    assert visitor.get("/who").text == "bob@example.org"
    assert Passkey.objects.get().sign_count == 1


def test_one_that_does_not_count_logs_in_again_and_again(app: App, device: Authenticator) -> None:
    device.step = 0
    browsers = [app.test_client(), app.test_client()]

    answers = [show(each, device).headers["location"] for each in browsers]

    assert answers == ["/", "/"]
    assert [each.get("/who").text for each in browsers] == ["bob@example.org"] * 2


def test_the_password_alone_opens_no_account_that_has_a_passkey(visitor: Client, device: Authenticator) -> None:
    asked = log_in(visitor, next="/who")
    still_nobody = visitor.get("/who").text
    answer = show(visitor, device, step="second")

    assert asked.headers["location"] == "/accounts/login/code"
    assert still_nobody == "AnonymousUser"
    assert answer.headers["location"] == "/who"
    assert visitor.get("/who").text == "bob@example.org"


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_a_login_by_a_view_of_the_site_asks_for_the_passkey_too(
    visitor: Client, device: Authenticator, colour: str
) -> None:
    answer = visitor.post(f"/{colour}/login")
    still_nobody = visitor.get("/who").text
    show(visitor, device, step="second")

    assert (answer.text, still_nobody) == ("False", "AnonymousUser")
    assert visitor.get("/who").text == "bob@example.org"


def test_a_code_of_recovery_stands_in_for_a_lost_passkey(app: App, visitor: Client) -> None:
    browser = app.test_client()
    log_in(browser)
    code = re.findall(r"<li>([\w-]+)</li>", register(browser, Authenticator()).text)[0]

    log_in(visitor)
    visitor.post("/accounts/login/code", data={"code": code})

    assert visitor.get("/who").text == "bob@example.org"


def test_a_secret_that_nobody_confirmed_gives_no_codes(visitor: Client, device: Authenticator) -> None:
    log_in(visitor)
    answer = visitor.post("/accounts/login/code", data={"code": make_code(SecondFactor.objects.get().secret)})

    assert answer.status_code == 422


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_a_passkey_makes_a_login_fresh(visitor: Client, device: Authenticator, colour: str) -> None:
    show(visitor, device)
    with moved(3600):
        stale = visitor.get(f"/{colour}/danger")
        page = visitor.get(stale.headers["location"])
        answer = show(visitor, device)
        again = visitor.get(f"/{colour}/danger")

    assert stale.headers["location"].startswith("/accounts/login?next=")
    assert "Log in with a passkey" in page.text
    assert (answer.status_code, again.text) == (303, "done")


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_a_code_makes_a_login_fresh(visitor: Client, colour: str) -> None:
    log_in(visitor)
    visitor.get("/accounts/second-factor/on")
    secret = SecondFactor.objects.get().secret
    visitor.post("/accounts/second-factor/on", data={"code": make_code(secret)})

    with moved(3600):
        stale = visitor.get(f"/{colour}/danger")
        page = visitor.get(stale.headers["location"])
        wrong = visitor.post("/accounts/login/code", data={"code": "000000x"})
        still = visitor.get(f"/{colour}/danger")
        right = visitor.post("/accounts/login/code", data={"code": make_code(secret), "next": "/sync/danger"})
        again = visitor.get(f"/{colour}/danger")

    assert "Use the code of your authenticator" in page.text
    assert (wrong.status_code, still.status_code) == (422, 302)
    assert (right.headers["location"], again.text) == ("/sync/danger", "done")


def test_a_passkey_gets_another_name(visitor: Client, device: Authenticator) -> None:
    show(visitor, device)
    visitor.post("/accounts/passkeys", data={"passkey": str(Passkey.objects.get().pk), "name": "old phone"})

    assert Passkey.objects.get().name == "old phone"


def test_who_removes_the_last_one_logs_in_by_password_again(app: App, visitor: Client, device: Authenticator) -> None:
    show(visitor, device)
    visitor.post(f"/accounts/passkeys/{Passkey.objects.get().pk}/remove")
    browser = app.test_client()

    assert log_in(browser, next="/who").headers["location"] == "/who"
    assert not SecondFactor.objects.exists()


# What is refused


def test_an_answer_is_taken_once(app: App, visitor: Client, device: Authenticator) -> None:
    device.step = 0
    credential = device.show(visitor.post(OPTIONS).json)
    first = send(visitor, credential)
    visitor.post("/accounts/logout")
    second = send(visitor, credential)

    assert first.headers["location"] == "/"
    assert second.headers["location"].startswith("/accounts/login")
    assert visitor.get("/who").text == "AnonymousUser"


def test_a_challenge_is_of_one_browser(app: App, visitor: Client, device: Authenticator) -> None:
    stolen = device.show(app.test_client().post(OPTIONS).json)
    visitor.post(OPTIONS)
    send(visitor, stolen)

    assert visitor.get("/who").text == "AnonymousUser"


def test_a_challenge_ends_after_ten_minutes(visitor: Client, device: Authenticator) -> None:
    options = visitor.post(OPTIONS).json
    with moved(601):
        send(visitor, device.show(options))

    assert visitor.get("/who").text == "AnonymousUser"


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "http://evil.example"},
        {"origin": "https://localhost"},
        {"origin": "http://localhost:81"},
        {"origin": "http://a.localhost"},
        {"type": "webauthn.create"},
        {"crossOrigin": True},
        {"challenge": "AAAA"},
    ],
    ids=str,
)
def test_an_answer_that_was_given_elsewhere_is_refused(
    visitor: Client, device: Authenticator, change: dict[str, Any]
) -> None:
    show(visitor, device, **change)

    assert visitor.get("/who").text == "AnonymousUser"


def spoil_rp(device: Authenticator) -> None:
    device.rp = "evil.example"


def spoil_verification(device: Authenticator) -> None:
    device.flags = PRESENT


def spoil_presence(device: Authenticator) -> None:
    device.flags = 0x04


def spoil_key(device: Authenticator) -> None:
    device.key = Authenticator().key


def spoil_handle(device: Authenticator) -> None:
    device.handle = "c29tZWJvZHkgZWxzZQ"


def spoil_id(device: Authenticator) -> None:
    device.id = b"unknown"


@pytest.mark.parametrize("spoil", [spoil_rp, spoil_verification, spoil_presence, spoil_key, spoil_handle, spoil_id])
def test_a_device_that_does_not_prove_it_is_refused(
    visitor: Client, device: Authenticator, spoil: Callable[[Authenticator], None]
) -> None:
    spoil(device)
    answer = show(visitor, device)

    assert answer.status_code == 303
    assert visitor.get("/who").text == "AnonymousUser"


def test_a_copy_of_a_device_is_refused_when_the_other_was_ahead(app: App, device: Authenticator) -> None:
    copy = Authenticator(key=device.key, id=device.id, handle=device.handle)
    browser, other = app.test_client(), app.test_client()
    show(browser, device)
    show(other, copy)

    assert browser.get("/who").text == "bob@example.org"
    assert other.get("/who").text == "AnonymousUser"


def test_a_device_that_stopped_counting_is_refused(app: App, visitor: Client, device: Authenticator) -> None:
    show(app.test_client(), device)
    device.count, device.step = 0, 0
    show(visitor, device)

    assert visitor.get("/who").text == "AnonymousUser"


def test_another_users_passkey_is_no_second_step(app: App, visitor: Client, device: Authenticator) -> None:
    eves, browser = Authenticator(), app.test_client()
    log_in(browser, "eve@example.org")
    register(browser, eves)

    log_in(visitor)
    answer = show(visitor, eves, step="second")

    assert answer.headers["location"].startswith("/accounts/login/code")
    assert visitor.get("/who").text == "AnonymousUser"


def test_another_users_passkey_makes_no_login_fresh(app: App, visitor: Client, device: Authenticator) -> None:
    eves, browser = Authenticator(), app.test_client()
    log_in(browser, "eve@example.org")
    register(browser, eves)
    show(visitor, device)

    with moved(3600):
        show(visitor, eves)
        answer = visitor.get("/sync/danger")

    assert answer.status_code == 302


def test_nobody_removes_or_renames_the_passkey_of_another(app: App, visitor: Client, device: Authenticator) -> None:
    log_in(visitor, "eve@example.org")
    key = Passkey.objects.get().pk
    removed = visitor.post(f"/accounts/passkeys/{key}/remove")
    visitor.post("/accounts/passkeys", data={"passkey": str(key), "name": "mine"})

    assert removed.status_code == 404
    assert Passkey.objects.get().name == "phone"


def test_a_removed_passkey_is_refused(app: App, visitor: Client, device: Authenticator) -> None:
    Passkey.objects.all().delete()
    show(visitor, device)

    assert visitor.get("/who").text == "AnonymousUser"


def test_the_passkey_of_who_was_deactivated_is_refused(visitor: Client, device: Authenticator) -> None:
    User.objects.filter(email="bob@example.org").update(is_active=False)
    show(visitor, device)

    assert visitor.get("/who").text == "AnonymousUser"


def test_a_passkey_opens_no_account_that_is_younger(visitor: Client, device: Authenticator) -> None:
    key = User.objects.get(email="bob@example.org").pk
    User.objects.filter(pk=key).delete()
    with moved(60):
        User.objects.create_user("carol@example.org", password=PASSWORD, pk=key)
    show(visitor, device)

    assert visitor.get("/who").text == "AnonymousUser"


@pytest.mark.parametrize("text", ["", "x", "[]", "{}", '{"rawId": 1}', '{"id": "a", "rawId": "a"}', "[" * 30_000])
def test_what_is_no_answer_is_refused(visitor: Client, device: Authenticator, text: str) -> None:
    visitor.post(OPTIONS)

    assert send(visitor, text).status_code == 303
    assert visitor.get("/who").text == "AnonymousUser"


@pytest.mark.parametrize("data", [b"", b"\x81" * 20_000, b"\xa0", b"\xff", bytes(40)], ids=len)
def test_a_new_passkey_that_cannot_be_read_is_not_kept(visitor: Client, data: bytes) -> None:
    log_in(visitor)
    device, options = Authenticator(), visitor.post("/accounts/passkeys/new/options").json
    answer = json.loads(device.make(options))
    answer["response"]["attestationObject"] = encoded(data)
    kept = visitor.post("/accounts/passkeys/new", data={"name": "phone", "credential": json.dumps(answer)})

    assert kept.status_code == 422
    assert not Passkey.objects.exists()


def test_a_key_of_another_kind_is_not_kept(visitor: Client) -> None:
    log_in(visitor)
    answer = register(visitor, Authenticator(algorithm=-65535))

    assert answer.status_code == 422
    assert not Passkey.objects.exists()


def test_a_passkey_without_verification_is_not_kept(visitor: Client) -> None:
    log_in(visitor)
    answer = register(visitor, Authenticator(flags=PRESENT))

    assert answer.status_code == 422
    assert not Passkey.objects.exists()


@pytest.mark.parametrize("change", [{"origin": "http://evil.example"}, {"type": "webauthn.get"}, {"challenge": "AAAA"}])
def test_a_passkey_that_was_made_elsewhere_is_not_kept(visitor: Client, change: dict[str, Any]) -> None:
    log_in(visitor)
    register(visitor, Authenticator(), **change)

    assert not Passkey.objects.exists()


def test_a_passkey_is_kept_for_one_user(visitor: Client, device: Authenticator) -> None:
    log_in(visitor, "eve@example.org")
    answer = register(visitor, device)

    assert answer.status_code == 422
    assert Passkey.objects.count() == 1


def test_a_stolen_session_adds_no_passkey(visitor: Client, device: Authenticator) -> None:
    show(visitor, device)
    with moved(3600):
        page = visitor.get("/accounts/passkeys/new")
        options = visitor.post("/accounts/passkeys/new/options", headers={"accept": "application/json"})

    assert (page.status_code, options.status_code) == (302, 401)
