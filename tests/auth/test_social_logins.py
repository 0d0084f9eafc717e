"""SITES-44: log in by an account elsewhere, against a provider that a real server serves."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from identity_provider import CLIENT, SECRET, Elsewhere, make_provider
from joserfc import jwk, jwt

from segue import App
from segue.auth import Auth, User, login_required
from segue.auth.pages.factors import SecondFactor
from segue.auth.social import Apple, Discord, GitHub, GitLab, Google, Microsoft, OAuth2Provider, Provider, SocialAccount
from segue.auth.social.providers import Endpoints, Identity
from segue.auth.totp import make_secret
from segue.clock import moved, today
from segue.errors import SetupError
from segue.testing import Client
from segue.testing.live import live_server

Make = Callable[..., App]

KEY = "f2c0d7c1b4e14c3f9a3b7d55e1a0c9de"
PASSWORD = "correct horse battery"
BOB = {"sub": "b0b", "email": "bob@example.org", "email_verified": True, "name": "Bob"}


@pytest.fixture(scope="module")
def served() -> Iterator[Elsewhere]:
    elsewhere = Elsewhere()
    with live_server(make_provider(elsewhere)) as server:
        elsewhere.url = server.url
        yield elsewhere


@pytest.fixture
def elsewhere(served: Elsewhere) -> Elsewhere:
    """The provider, where Bob is logged in, and which says what is right."""
    fresh = Elsewhere(url=served.url, person=dict(BOB), key=served.key)
    served.__dict__.update(fresh.__dict__)
    return served


@pytest.fixture
def make_site(tmp_path: Path, elsewhere: Elsewhere) -> Iterator[Callable[..., App]]:
    opened = ExitStack()

    def make(*, provider: Any = None, signup: bool = True, **options: Any) -> App:
        app = App("club", database=f"sqlite:///{tmp_path}/club.db", config={"SECRET_KEY": KEY}, static_folder=None)
        company = Provider(name="company", issuer=elsewhere.url, client_id=CLIENT, client_secret=SECRET, **options)
        app.register(Auth(providers=[provider or company], signup=signup), prefix="/accounts")

        @app.get("/profile/")
        @login_required
        def profile(user: User) -> str:
            return f"hello {user.email}"

        opened.callback(app.db.close)
        opened.enter_context(app.test_client())
        opened.enter_context(app.context())
        return app

    with opened:
        yield make


@pytest.fixture
def site(make_site: Callable[..., App]) -> App:
    return make_site()


def go(client: Client, path: str = "/accounts/login/with/company") -> str:
    """Begin, log in at the provider, and return the address that it sends back to."""
    there = client.get(path)
    assert there.status_code == 303, there.text
    back = httpx2.get(there.headers["location"]).headers["location"]
    return back.removeprefix("http://localhost")


def log_in(client: Client, path: str = "/accounts/login/with/company") -> Any:
    return client.get(go(client, path))


def who(client: Client) -> str:
    return client.get("/profile/").text


# Who is let in


def test_a_stranger_whose_address_is_verified_gets_an_account_and_is_back(site: App, elsewhere: Elsewhere) -> None:
    client = site.test_client()

    answer = log_in(client, "/accounts/login/with/company?next=/profile/")

    assert answer.headers["location"] == "/profile/"
    assert who(client) == "hello bob@example.org"
    assert not User.objects.get().has_usable_password()
    (asked,) = elsewhere.logins
    assert (asked["code_challenge_method"], asked["response_type"]) == ("S256", "code")
    assert asked["redirect_uri"] == "http://localhost/accounts/login/with/company/back"
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3


def test_who_came_before_is_known_by_the_key_and_not_by_the_address(site: App, elsewhere: Elsewhere) -> None:
    log_in(site.test_client())
    elsewhere.person |= {"email": "robert@example.org", "email_verified": False}
    client = site.test_client()

    log_in(client)

    assert who(client) == "hello bob@example.org"
    assert SocialAccount.objects.count() == 1


def test_an_address_that_the_token_lacks_is_asked_for(site: App, elsewhere: Elsewhere) -> None:
    elsewhere.told_by_token = False
    client = site.test_client()

    log_in(client)

    assert who(client) == "hello bob@example.org"


def test_a_second_factor_is_asked_for(site: App, elsewhere: Elsewhere) -> None:
    log_in(site.test_client())
    SecondFactor.objects.create(owner=str(User.objects.get().pk), secret=make_secret(), confirmed_at=today())
    client = site.test_client()

    assert log_in(client).headers["location"] == "/accounts/login/code"
    assert client.get("/profile/").status_code == 302


# Who is not


def test_an_unverified_address_takes_no_account_over_and_makes_none(
    make_site: Callable[..., App], elsewhere: Elsewhere
) -> None:
    site = make_site(links_by_email=True)
    User.objects.create_user("bob@example.org", password=PASSWORD)
    elsewhere.person["email_verified"] = False
    with_account = log_in(site.test_client())
    elsewhere.person |= {"sub": "other", "email": "stranger@example.org"}
    without = log_in(site.test_client())

    assert [each.status_code for each in (with_account, without)] == [403, 403]
    assert with_account.text == without.text
    assert (User.objects.count(), SocialAccount.objects.count()) == (1, 0)


def test_a_verified_address_of_an_account_connects_by_a_login_alone(site: App, elsewhere: Elsewhere) -> None:
    User.objects.create_user("bob@example.org", password=PASSWORD)
    client = site.test_client()

    refused = log_in(client)

    assert (refused.status_code, "Log in to it" in refused.text) == (403, True)
    assert SocialAccount.objects.count() == 0


def test_a_provider_that_is_trusted_with_addresses_connects_at_once(
    make_site: Callable[..., App], elsewhere: Elsewhere
) -> None:
    site = make_site(links_by_email=True)
    bob = User.objects.create_user("BOB@example.org", password=PASSWORD)
    client = site.test_client()

    log_in(client)

    assert who(client) == f"hello {bob.email}"
    assert (User.objects.count(), SocialAccount.objects.get().owner) == (1, str(bob.pk))


def test_an_account_that_nobody_confirmed_is_not_handed_over(
    make_site: Callable[..., App], elsewhere: Elsewhere
) -> None:
    # Somebody else may have made it, with a password of theirs, and wait for this.
    site = make_site(links_by_email=True)
    User.objects.create_user("bob@example.org", password=PASSWORD, is_active=False)

    assert log_in(site.test_client()).status_code == 403


def test_where_nobody_may_sign_up_a_stranger_gets_no_account(
    make_site: Callable[..., App], elsewhere: Elsewhere
) -> None:
    site = make_site(signup=False)

    assert log_in(site.test_client()).status_code == 403
    assert User.objects.count() == 0


def test_who_was_closed_out_stays_out(site: App, elsewhere: Elsewhere) -> None:
    log_in(site.test_client())
    User.objects.update(is_active=False)

    assert log_in(site.test_client()).status_code == 403


def test_who_has_the_key_of_somebody_who_was_deleted_is_not_them(site: App, elsewhere: Elsewhere) -> None:
    # SQLite gives the key of the last row to the next one, once it is deleted.
    log_in(site.test_client())
    User.objects.all().delete()
    elsewhere.person["email"] = "robert@example.org"
    ann = User.objects.create_user("ann@example.org", password=PASSWORD)
    client = site.test_client()

    log_in(client)

    assert SocialAccount.objects.get().owner != str(ann.pk)
    assert who(client) == "hello robert@example.org"


# What comes back


def test_an_answer_is_taken_once(site: App, elsewhere: Elsewhere) -> None:
    client = site.test_client()
    back = go(client)
    client.get(back)
    client.post("/accounts/logout")

    assert client.get(back).status_code == 400
    assert client.get("/profile/").status_code == 302


def test_an_answer_of_another_browser_is_none(site: App, elsewhere: Elsewhere) -> None:
    back = go(site.test_client())
    victim = site.test_client()

    assert victim.get(back).status_code == 400
    assert victim.get("/profile/").status_code == 302


def test_an_answer_that_comes_too_late_is_none(site: App, elsewhere: Elsewhere) -> None:
    client = site.test_client()
    back = go(client)

    with moved(timedelta(seconds=601)):
        assert client.get(back).status_code == 400


def test_two_tabs_may_wait_at_once(site: App, elsewhere: Elsewhere) -> None:
    client = site.test_client()
    first, second = go(client), go(client)

    assert [client.get(each).status_code for each in (first, second)] == [303, 303]


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "somebody else"},
        {"aud": [CLIENT, "another"]},
        {"aud": None},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"exp": 1},
        {"exp": None},
        {"iat": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
    ],
    ids=str,
)
def test_a_token_whose_claims_do_not_hold_lets_nobody_in(site: App, elsewhere: Elsewhere, claims: Any) -> None:
    elsewhere.claims = claims
    client = site.test_client()

    assert log_in(client).status_code == 502
    assert User.objects.count() == 0


@pytest.mark.parametrize("case", ["none", "shared secret", "unknown key"])
def test_a_token_that_the_provider_did_not_sign_lets_nobody_in(site: App, elsewhere: Elsewhere, case: str) -> None:
    published = [elsewhere.key]
    if case == "none":
        elsewhere.header = {"alg": "none"}
    elif case == "shared secret":
        elsewhere.header = {"alg": "HS256"}
        elsewhere.key = jwk.OctKey.import_key("the public key as a secret, long enough", {"kid": "one"})
    else:
        elsewhere.key = jwk.ECKey.generate_key("P-256", {"kid": "one"})
    elsewhere.published = published
    try:
        assert log_in(site.test_client()).status_code == 502
        assert User.objects.count() == 0
    finally:
        elsewhere.key = published[0]


def test_where_the_provider_names_itself_another_name_is_refused(site: App, elsewhere: Elsewhere) -> None:
    client = site.test_client()
    back = go(client)
    elsewhere.names_issuer = False
    unnamed = go(client)

    assert client.get(back.replace("iss=", "iss=https%3A%2F%2Fevil.example%2F")).status_code == 400
    assert client.get(unnamed).status_code == 400


@pytest.mark.parametrize("query", ["", "state=", "code=x", "state=x&code=y", "error=access_denied"])
def test_what_nobody_asked_for_is_answered_with_a_page(site: App, query: str) -> None:
    answer = site.test_client().get(f"/accounts/login/with/company/back?{query}")

    assert (answer.status_code, "Back to the login" in answer.text) == (400, True)


def test_who_says_no_at_the_provider_is_told_so(site: App, elsewhere: Elsewhere) -> None:
    client = site.test_client()
    state = elsewhere.logins[-1]["state"] if go(client) else ""

    answer = client.get(f"/accounts/login/with/company/back?error=access_denied&state={state}")

    assert (answer.status_code, "did not work" in answer.text) == (400, True)


def test_a_form_of_the_provider_is_taken_by_get(site: App, elsewhere: Elsewhere) -> None:
    # As Apple sends people back: from another site, so that no session comes along.
    client = site.test_client()
    back = go(client)
    path, _, query = back.partition("?")
    stranger = Client(site, same_site=False)
    data = dict(httpx2.QueryParams(query))

    redirected = stranger.post(
        path, data=data, headers={"origin": "https://appleid.apple.com", "sec-fetch-site": "cross-site"}
    )
    client.get(redirected.headers["location"])

    assert redirected.status_code == 303
    assert who(client) == "hello bob@example.org"


def test_a_target_of_another_site_is_not_taken(site: App, elsewhere: Elsewhere) -> None:
    answer = log_in(site.test_client(), "/accounts/login/with/company?next=//evil.example")

    assert answer.headers["location"] == "/"


def test_a_provider_that_is_gone_costs_a_page_and_no_error(make_site: Callable[..., App]) -> None:
    gone = Provider(name="gone", issuer="http://127.0.0.1:9", client_id="x", client_secret="y")
    site = make_site(provider=gone)

    answer = site.test_client().get("/accounts/login/with/gone")

    assert (answer.status_code, "did not work" in answer.text) == (502, True)
    assert site.test_client().get("/accounts/login/with/nobody").status_code == 404


# What is connected


def test_an_account_is_connected_from_the_page_of_the_account(site: App, elsewhere: Elsewhere) -> None:
    bob = User.objects.create_user("robert@example.org", password=PASSWORD)
    elsewhere.person["email_verified"] = False  # who is logged in may connect what they like
    client = site.test_client()
    client.post("/accounts/login", data={"username": "robert@example.org", "password": PASSWORD})

    client.get(go(client, "/accounts/connections/company"))
    page = client.get("/accounts/connections")
    other = site.test_client()
    log_in(other)

    assert "bob@example.org" in page.text
    assert who(other) == f"hello {bob.email}"


def test_what_belongs_to_somebody_is_not_connected_to_another(site: App, elsewhere: Elsewhere) -> None:
    log_in(site.test_client())
    User.objects.create_user("ann@example.org", password=PASSWORD)
    ann = site.test_client()
    ann.post("/accounts/login", data={"username": "ann@example.org", "password": PASSWORD})

    assert ann.get(go(ann, "/accounts/connections/company")).status_code == 403
    assert SocialAccount.objects.count() == 1


def test_who_changed_meanwhile_connects_nothing(site: App, elsewhere: Elsewhere) -> None:
    for name in ("ann", "eve"):
        User.objects.create_user(f"{name}@example.org", password=PASSWORD)
    client = site.test_client()
    client.post("/accounts/login", data={"username": "ann@example.org", "password": PASSWORD})
    back = go(client, "/accounts/connections/company")
    client.post("/accounts/login", data={"username": "eve@example.org", "password": PASSWORD})

    assert client.get(back).status_code in (403, 400)
    assert SocialAccount.objects.count() == 0


def test_the_last_way_in_is_not_taken_away(site: App, elsewhere: Elsewhere) -> None:
    client = site.test_client()
    log_in(client)
    key = str(SocialAccount.objects.get().pk)

    refused = client.post("/accounts/connections", data={"connection": key}, follow_redirects=True)
    bob = User.objects.get()
    bob.set_password(PASSWORD)
    bob.save()
    client.post("/accounts/login", data={"username": "bob@example.org", "password": PASSWORD})
    taken = client.post("/accounts/connections", data={"connection": key}, follow_redirects=True)

    assert "only way in" in refused.text
    assert "no more" in taken.text
    assert SocialAccount.objects.count() == 0


def test_nobody_takes_away_what_is_anothers(site: App, elsewhere: Elsewhere) -> None:
    log_in(site.test_client())
    User.objects.create_user("ann@example.org", password=PASSWORD)
    ann = site.test_client()
    ann.post("/accounts/login", data={"username": "ann@example.org", "password": PASSWORD})

    for key in (str(SocialAccount.objects.get().pk), "", "x", "\x00"):
        ann.post("/accounts/connections", data={"connection": key})

    assert SocialAccount.objects.count() == 1


# Providers


def test_a_provider_without_openid_tells_by_its_own_interface(
    make_site: Callable[..., App], elsewhere: Elsewhere
) -> None:
    def identify(read: Callable[[str], Any]) -> Identity:
        told = read(f"{elsewhere.url}/me")
        return Identity(told["sub"], told["email"], is_verified=told["email_verified"], name=told["name"])

    endpoints = Endpoints(authorization=f"{elsewhere.url}/authorize", token=f"{elsewhere.url}/token")
    provider = OAuth2Provider(
        name="plain", endpoints=endpoints, client_id=CLIENT, client_secret=SECRET, identify=identify
    )
    client = make_site(provider=provider).test_client()

    log_in(client, "/accounts/login/with/plain")

    assert who(client) == "hello bob@example.org"


@pytest.mark.parametrize("kind", [Apple, Discord, GitHub, GitLab, Google, Microsoft])
def test_each_preset_has_a_button_and_keys_of_the_configuration(tmp_path: Path, kind: Any) -> None:
    provider = kind()
    keys = {f"{provider.setting}_CLIENT_ID": "club", f"{provider.setting}_CLIENT_SECRET": "kept back"}
    app = App("club", database=f"sqlite:///{tmp_path}/club.db", config={"SECRET_KEY": KEY, **keys}, static_folder=None)
    app.register(Auth(providers=[provider]), prefix="/accounts")

    with app.test_client() as client:
        page = client.get("/accounts/login?next=/profile/").text

    assert f"Log in with {provider.title}" in page
    assert f"/accounts/login/with/{provider.name}?next=" in page
    assert "kept back" not in repr(provider) + page
    app.db.close()


def test_the_secret_of_apple_is_signed_for_the_id_that_this_site_has() -> None:
    key = jwk.ECKey.generate_key("P-256")
    apple = Apple(team_id="team", key_id="one", private_key=key.as_pem(private=True).decode())

    claims = jwt.decode(apple.secret_of("org.example.club", ""), key).claims

    assert (claims["sub"], claims["iss"], claims["aud"]) == ("org.example.club", "team", "https://appleid.apple.com")


def test_an_address_of_a_directory_is_not_its_word_for_all() -> None:
    assert not Microsoft().verifies_email
    assert Microsoft(tenant="contoso.com").issuer == "https://login.microsoftonline.com/contoso.com/v2.0"


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: Provider(name="Company", issuer="https://id.example.com"), "auth/bad-provider"),
        (lambda: Provider(name="company", issuer="http://id.example.com"), "auth/bad-provider"),
    ],
)
def test_a_provider_that_cannot_be_is_refused_where_it_is_written(make: Callable[[], Any], code: str) -> None:
    with pytest.raises(SetupError) as caught:
        make()

    assert caught.value.code == code


def test_a_provider_without_a_client_stops_the_start(tmp_path: Path) -> None:
    app = App("club", database=f"sqlite:///{tmp_path}/club.db", config={"SECRET_KEY": KEY})
    app.register(Auth(providers=[Google()]), prefix="/accounts")

    with pytest.raises(SetupError) as caught:
        app.compile()

    assert caught.value.code == "auth/no-client"
    app.db.close()


def test_a_site_without_providers_loads_nothing_of_it() -> None:
    code = (
        "import sys; from segue import App; from segue.auth import Auth\n"
        "app = App('x', database='sqlite:///:memory:'); app.register(Auth(), prefix='/accounts'); app.compile()\n"
        "assert not [name for name in sys.modules if name.startswith(('joserfc', 'httpx2', 'segue.auth.social'))]\n"
        "assert not [each for each in app.url_map if 'social' in each.endpoint or 'connect' in each.endpoint]"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_the_extra_it_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['joserfc'] = None; import importlib.util as u; real = u.find_spec\n"
        "import segue.auth.install as i; i.find_spec = lambda name: None if name == 'joserfc' else real(name)\n"
        "from segue import App; from segue.auth import Auth; from segue.auth.social import Google\n"
        "app = App('x', database='sqlite:///:memory:')\n"
        "try: app.register(Auth(providers=[Google()]), prefix='/accounts')\n"
        "except Exception as error: print(error)"
    )

    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout

    assert 'pip install "segue[oauth]"' in told
