"""The pages of accounts under attack: what is refused, and what nobody may gain by it."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from club_with_users import EMAIL, KEY, PASSWORD

from segue import App, mail
from segue.auth import Auth, User, login_required
from segue.auth.hashing import making
from segue.auth.hashing.pool import pool
from segue.auth.hashing.strength import STRENGTH, Strength
from segue.auth.pages.factors import SecondFactor
from segue.auth.totp import make_code
from segue.cache import caches
from segue.clock import moved
from segue.testing import Client
from segue.web.sessions.database import SessionRow

ANOTHER = "staple of another kind"
FIELDS = ("username", "email", "password", "new_password", "old_password", "code", "next", "remember", "csrf_token")
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=xx"


def filled(value: str, suffix: str = "") -> bytes:
    """Every field of every page, with one value."""
    return "&".join(f"{name}{suffix}={value}" for name in FIELDS).encode()


def parts(content: bytes, extra: str = "") -> bytes:
    """The same as parts of a multipart body."""
    heads = (f'--xx\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'.encode() for name in FIELDS)
    return b"".join(head + content + b"\r\n" for head in heads) + b"--xx--\r\n"


HOSTILE = {
    "nothing": (b"", ""),
    "no field": (b"", FORM),
    "fields without a value": (filled(""), FORM),
    "spaces": (filled("%20%20"), FORM),
    "JSON": (b'{"username": ["a"], "password": {"a": 1}, "email": 9e999, "code": null}', "application/json"),
    "a JSON array": (b"[1]", "application/json"),
    "broken JSON": (b'{"username', "application/json"),
    "deep JSON": (b"[" * 100_000, "application/json"),
    "text": (b"username=a", "text/plain"),
    "XML": (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "application/xml"),
    "no media type": (filled("a"), ";;;"),
    "an encoding that hides letters": (filled("+AGE-"), f"{FORM}; charset=utf-7"),
    "an unknown encoding": (filled("a"), f"{FORM}; charset=bogus"),
    "an oversized field": (b"username=" + b"a" * 3_000_000, FORM),
    "oversized fields": (filled("a" * 400_000), FORM),
    "too many fields": (b"&".join(b"a%d=1" % index for index in range(2000)), FORM),
    "one field many times": (b"&".join([b"username=a&password=b&email=c&code=1"] * 200), FORM),
    "names with brackets": (filled("a", "[]"), FORM),
    "NUL": (filled("bob%00@example.org"), FORM),
    "a lone surrogate": (filled("%ED%A0%80@example.org"), FORM),
    "no UTF-8": (filled("%ff%fe@example.org"), FORM),
    "bytes as they are": (b"username=\xff\xfe&email=\xff&password=\xff&code=\xff", FORM),
    "encoded twice": (filled("%2500%252e%253cscript%253e"), FORM),
    "half an escape": (filled("%zz%"), FORM),
    "line breaks": (filled("bob@example.org%0d%0abcc:x@evil.example"), FORM),
    "a line separator": (filled("bob@example.org%E2%80%A8x"), FORM),
    "a huge number": (filled("9" * 5000), FORM),
    "other digits": (filled("%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96"), FORM),
    "many marks": (filled("a" + "%CC%81%CC%A3" * 20_000), FORM),
    "what grows when it is normalised": (filled("%EF%B7%BA" * 250), FORM),
    "letters of four bytes": (filled("%F0%9F%98%80" * 4000), FORM),
    "SQL": (filled("'%20OR%201=1--"), FORM),
    "a template": (filled("{{7*7}}{%25raw%25}"), FORM),
    "no boundary": (parts(b"a"), "multipart/form-data"),
    "half a part": (parts(b"a")[:-9], MULTIPART),
    "a part without a name": (b"--xx\r\nContent-Disposition: form-data\r\n\r\na\r\n--xx--\r\n", MULTIPART),
    "files": (parts(b"a", '; filename="a.txt"'), MULTIPART),
    "empty files": (parts(b"", '; filename=""'), MULTIPART),
    "parts of bytes": (parts(b"\xff\x00\xfe"), MULTIPART),
}


def make_app(path: Path, **config: Any) -> App:
    """A site with the pages of accounts."""
    app = App("club", database=f"sqlite:///{path}", config={"SECRET_KEY": KEY, **config}, static_folder=None)
    app.register(Auth(), prefix="/accounts")

    @app.get("/profile/")
    @login_required
    def profile(user: Any) -> str:
        return f"hello {user.email}"

    return app


@contextmanager
def running(app: App) -> Generator[App]:
    """Let Bob have an account there."""
    with app.test_client(), app.context():
        User.objects.create_user(EMAIL, password=PASSWORD)
        yield app
    app.db.close()


@pytest.fixture
def club(tmp_path: Path) -> Iterator[App]:
    """A site where Bob has an account."""
    with running(make_app(tmp_path / "club.db")) as app:
        yield app


@pytest.fixture(scope="module")
def fortress(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """A site for requests that change nothing, which is what they are there to show."""
    rates = {"LOGIN_RATE": "100000/5m", "LOGIN_NETWORK_RATE": "100000/5m"}
    with running(make_app(tmp_path_factory.mktemp("fortress") / "club.db", **rates)) as app:
        yield app


@pytest.fixture(scope="module")
def insider(fortress: App) -> Client:
    """Bob, logged in there."""
    client = browser(fortress)
    log_in(client)
    return client


def browser(app: App, **options: Any) -> Client:
    return Client(app, raise_errors=False, **options)


def log_in(client: Client, password: str = PASSWORD, **fields: Any) -> Any:
    return client.post("/accounts/login", data={"username": EMAIL, "password": password, **fields})


def turn_on(client: Client) -> str:
    """Turn on the second factor, and return its secret."""
    found = re.search(r"<code>(.*?)</code>", client.get("/accounts/second-factor/on").text)
    assert found is not None
    client.post("/accounts/second-factor/on", data={"code": make_code(found[1])})
    return found[1]


def link_in(message: Any) -> str:
    found = re.search(r"https?://\S+", message.body)
    assert found is not None
    return found[0]


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Call *work* from so many threads, which begin together."""
    barrier = Barrier(count)

    def begin(index: int) -> Any:
        barrier.wait()
        return work(index)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(begin, range(count)))


def stored(app: App) -> tuple[Any, ...]:
    """What a site keeps of people."""
    with app.context():
        users = list(User.objects.order_by("pk").values_list("email", "password", "is_active", "is_staff"))
        factors = SecondFactor.objects.filter(confirmed_at__isnull=False).count()
        return users, factors, SessionRow.objects.count(), len(mail.outbox)


# Requests that no browser sends


@pytest.mark.parametrize(
    "path", ["login", "signup", "password/reset", "login/code", "password/reset/token", "verify/t"]
)
@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_body_of_a_stranger_is_refused_and_leaves_nothing(fortress: App, path: str, what: str) -> None:
    body, content_type = HOSTILE[what]
    before = stored(fortress)

    answer = browser(fortress).post(f"/accounts/{path}", data=body, content_type=content_type)

    # 303: who gave no password before is led to the login, whatever the code.
    assert 400 <= answer.status_code < 500 or answer.headers["location"] == "/accounts/login"
    assert "Traceback" not in answer.text
    assert stored(fortress) == before


@pytest.mark.parametrize("path", ["password/change", "second-factor/on"])
@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_body_of_who_is_logged_in_is_refused_and_changes_nothing(
    fortress: App, insider: Client, path: str, what: str
) -> None:
    body, content_type = HOSTILE[what]
    before = stored(fortress)

    answer = insider.post(f"/accounts/{path}", data=body, content_type=content_type)

    assert 400 <= answer.status_code < 500
    assert stored(fortress) == before
    assert insider.get("/profile/").status_code == 200


@pytest.mark.parametrize("what", ["NUL", "a lone surrogate", "broken JSON", "an oversized field", "half a part"])
def test_a_hostile_body_is_refused_by_each_protocol(fortress: App, protocol: Any, what: str) -> None:
    body, content_type = HOSTILE[what]

    answer = browser(fortress, protocol=protocol).post("/accounts/login", data=body, content_type=content_type)

    assert answer.status_code in (400, 413)


@pytest.mark.parametrize(
    "cookie", ["", "x" * 43, "x" * 4000, "%00", "\"'><script>", "\xff\xfe", ".." * 20, "e30.e30.x"]
)
@pytest.mark.parametrize("name", ["__Host-session", "__Host-remember"])
def test_a_forged_cookie_makes_nobody_known(fortress: App, protocol: Any, name: str, cookie: str) -> None:
    before = stored(fortress)

    answer = browser(fortress, protocol=protocol).get("/profile/", headers={"cookie": f"{name}={cookie}"})

    assert answer.status_code in (302, 400)
    assert not cookie or cookie not in str(answer.headers.get("set-cookie"))
    assert stored(fortress) == before


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["login", "logout", "signup", "sessions", "second-factor/off"])
def test_no_other_method_does_anything(fortress: App, insider: Client, path: str, method: str) -> None:
    answer = insider.request(method, f"/accounts/{path}")

    assert answer.status_code in (200, 204, 405)
    assert insider.get("/profile/").status_code == 200


@pytest.mark.parametrize(
    "target", ["/" + "\N{LATIN SMALL LETTER E WITH ACUTE}" * 2000, "/" + "\N{GRINNING FACE}" * 2000]
)
def test_a_way_back_that_no_header_holds_is_not_taken(fortress: App, target: str) -> None:
    assert log_in(browser(fortress), next=target).headers["location"] == "/"


def test_a_long_way_back_waits_for_the_second_factor_in_a_cookie(tmp_path: Path) -> None:
    target = "/" + "\N{LATIN SMALL LETTER E WITH ACUTE}" * 1000

    with running(make_app(tmp_path / "club.db", SESSION_STORE="cookie")) as app:
        client = browser(app)
        log_in(client)
        secret = turn_on(client)
        client.post("/accounts/logout")
        with moved(60):
            asked = log_in(client, next=target)
            answer = client.post("/accounts/login/code", data={"code": make_code(secret)})

    assert asked.status_code == 303
    assert answer.headers["location"].startswith("/%C3%A9")


# Addresses


@pytest.mark.parametrize(
    "address",
    [
        "bob\N{FULLWIDTH COMMERCIAL AT}evil.example@example.org",
        "bob\N{FULLWIDTH LESS-THAN SIGN}eve@evil.example\N{FULLWIDTH GREATER-THAN SIGN}",
        "\N{RIGHT-TO-LEFT OVERRIDE}new@example.org",
        "new@example.org\N{LINE SEPARATOR}x",
        "new@exam\N{SOFT HYPHEN}ple.org",
        "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 20 + "@example.org",
    ],
)
def test_an_address_that_no_mail_reaches_makes_no_account(club: App, address: str) -> None:
    answer = browser(club).post("/accounts/signup", data={"email": address, "password": PASSWORD})

    assert answer.status_code == 422
    assert (User.objects.count(), mail.outbox) == (1, [])


def test_the_proof_of_an_address_goes_to_the_one_that_is_kept(club: App) -> None:
    typed = "\N{LATIN SMALL LIGATURE FI}rst@example.org"

    browser(club).post("/accounts/signup", data={"email": typed, "password": PASSWORD})

    assert [each.to for each in mail.outbox] == [["first@example.org"]]
    assert User.objects.filter(email="first@example.org").exists()


def test_no_mail_has_a_link_to_a_host_that_the_client_named(tmp_path: Path, caplog: Any) -> None:
    app = make_app(tmp_path / "club.db", ALLOWED_HOSTS=["*"], MAIL="memory")
    with running(app):
        app.testing = False

        answer = browser(app, base_url="http://evil.example").post("/accounts/password/reset", data={"email": EMAIL})
        sent = list(mail.outbox)

    assert (answer.status_code, sent) == (303, [])
    assert "app/no-site-url" in caplog.text


def test_links_in_mails_are_of_the_site_whatever_the_request_calls_it(tmp_path: Path) -> None:
    config = {"SITE_URL": "https://club.example", "ALLOWED_HOSTS": ["*"]}
    with running(make_app(tmp_path / "club.db", **config)) as app:
        browser(app, base_url="https://evil.example").post("/accounts/password/reset", data={"email": EMAIL})
        (message,) = mail.outbox

    assert link_in(message).startswith("https://club.example/accounts/password/reset/")
    assert "evil" not in str(message.body)


def test_a_mailbox_is_not_flooded_from_many_networks(club: App) -> None:
    statuses = [
        browser(club).post("/accounts/password/reset", data={"email": each}, client=f"192.0.2.{index}").status_code
        for index, each in enumerate([EMAIL, EMAIL.upper()] * 3)
    ]

    assert statuses == [303] * 5 + [429]
    assert len(mail.outbox) == 5


# What a copied password, cookie or link is good for


def test_other_devices_that_are_logged_out_are_known_no_more(club: App) -> None:
    other, client = browser(club), browser(club)
    log_in(other, remember="on")
    log_in(client, remember="on")

    client.post("/accounts/sessions")

    assert other.get("/profile/").status_code == 302
    del client.cookies["__Host-session"]
    assert client.get("/profile/").status_code == 200


def test_a_browser_that_was_let_in_without_a_code_is_not_known_after_there_is_one(club: App) -> None:
    other, client = browser(club), browser(club)
    log_in(other, remember="on")
    del other.cookies["__Host-session"]
    log_in(client)

    turn_on(client)

    assert other.get("/profile/").status_code == 302


def test_a_password_that_was_replaced_meanwhile_leads_to_no_second_step(club: App) -> None:
    thief, bob = browser(club), User.objects.get()
    owner = browser(club)
    log_in(owner)
    secret = turn_on(owner)
    log_in(thief)
    bob.set_password(ANOTHER)
    bob.save()

    with moved(60):
        answer = thief.post("/accounts/login/code", data={"code": make_code(secret)})

    assert answer.status_code == 422
    assert thief.get("/profile/").status_code == 302


def test_tries_at_the_second_factor_are_counted_where_logins_are(tmp_path: Path) -> None:
    shared = f"file://{tmp_path}/shared"
    config = {"CACHES": {"shared": shared}, "LOGIN_RATE_CACHE": "shared"}
    with running(make_app(tmp_path / "club.db", **config)) as app:
        client = browser(app)
        log_in(client)
        turn_on(client)
        client.post("/accounts/logout")
        log_in(client)
        tries = [client.post("/accounts/login/code", data={"code": f"{each:06}"}).status_code for each in range(5)]
        caches["default"].clear()
        sixth = client.post("/accounts/login/code", data={"code": "000000"})

    assert tries == [422] * 5
    assert sixth.status_code == 429
    assert int(sixth.headers["retry-after"]) <= 300


def test_a_link_stays_good_while_the_site_has_no_time_to_hash(club: App, monkeypatch: pytest.MonkeyPatch) -> None:
    client = browser(club)
    client.post("/accounts/password/reset", data={"email": EMAIL})
    link = link_in(mail.outbox[0])
    with monkeypatch.context() as busy:
        busy.setattr(pool, "queue", -pool.threads)
        refused = client.post(link, data={"new_password": ANOTHER})

    again = client.post(link, data={"new_password": ANOTHER})

    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "5"
    assert again.status_code == 303
    assert log_in(client, ANOTHER).status_code == 303


# At the same moment


@pytest.mark.slow
def test_of_a_hundred_sign_ups_at_once_one_makes_the_account(tmp_path: Path) -> None:
    variants = [
        "new@example.org",
        "NEW@example.org",
        "New@Example.ORG",
        "\N{FULLWIDTH LATIN SMALL LETTER N}ew@example.org",
    ]
    with running(make_app(tmp_path / "club.db", AUTH_VERIFY_EMAIL=False)) as app:

        def sign_up(index: int) -> int:
            data = {"email": variants[index % 4], "password": PASSWORD}
            return browser(app).post("/accounts/signup", data=data, client=f"192.0.{index}.1").status_code

        statuses = [each for _ in range(4) for each in at_once(25, sign_up)]
        emails = list(User.objects.exclude(email=EMAIL).values_list("email", flat=True))

    assert len(emails) == 1
    assert statuses.count(303) == 1
    assert set(statuses) <= {303, 422, 503}


@pytest.mark.slow
def test_of_two_uses_of_one_link_at_once_one_is_late(club: App) -> None:
    browser(club).post("/accounts/password/reset", data={"email": EMAIL})
    link = link_in(mail.outbox[0])
    passwords = [f"{ANOTHER} {index}" for index in range(4)]

    statuses = at_once(4, lambda index: browser(club).post(link, data={"new_password": passwords[index]}).status_code)

    assert sorted(statuses) == [303, 410, 410, 410]
    assert User.objects.get().check_password(passwords[statuses.index(303)])


@pytest.mark.slow
def test_of_several_uses_of_one_code_at_once_one_is_let_in(club: App) -> None:
    owner = browser(club)
    log_in(owner)
    secret = turn_on(owner)
    clients = [browser(club) for _ in range(4)]
    with moved(60):
        for each in clients:
            log_in(each)
        code = make_code(secret)

        statuses = at_once(
            4, lambda index: clients[index].post("/accounts/login/code", data={"code": code}).status_code
        )

    assert sorted(statuses) == [303, 422, 422, 422]


@pytest.mark.slow
def test_of_several_uses_of_one_code_of_recovery_at_once_one_is_let_in(club: App) -> None:
    owner = browser(club)
    log_in(owner)
    turn_on(owner)
    (code, *_) = re.findall(r"<li>(\w+(?:-\w+)+)</li>", owner.post("/accounts/second-factor/codes").text)
    clients = [browser(club) for _ in range(4)]
    for each in clients:
        log_in(each)

    statuses = at_once(4, lambda index: clients[index].post("/accounts/login/code", data={"code": code}).status_code)

    assert sorted(statuses) == [303, 422, 422, 422]


@pytest.mark.slow
def test_logins_and_logouts_of_one_browser_at_once_break_nothing(club: App) -> None:
    client = browser(club)
    log_in(client)
    cookie = {"__Host-session": client.cookies["__Host-session"]}
    paths = ["/accounts/logout", "/accounts/login", "/accounts/sessions", "/profile/"]

    def act(index: int) -> int:
        data = {"username": EMAIL, "password": PASSWORD}
        method = "GET" if index % 4 == 3 else "POST"
        return browser(club).request(method, paths[index % 4], data=data, cookies=cookie).status_code

    statuses = at_once(8, act)

    assert set(statuses) <= {200, 302, 303}
    assert browser(club).get("/profile/", cookies=cookie).status_code == 302


# What nobody may read


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was hashed or compared: each of these takes the same time, whatever it is given (`test_hashing`)."""
    seen: list[Any] = []
    for name in ("_encode", "_verify"):
        real = getattr(making, name)

        def count(*arguments: Any, real: Any = real) -> Any:
            if not seen or seen[-1] is not None:  # what one does within the other is part of it
                seen.append(None)
                try:
                    return real(*arguments)
                finally:
                    seen[-1] = arguments[-1]
            return real(*arguments)

        monkeypatch.setattr(making, name, count)
    return seen


@pytest.mark.parametrize("whose", ["bob", "nobody", "inactive", "unusable"])
def test_h01_a_login_hashes_once_whoever_it_is(tmp_path: Path, hashed: list[Any], whose: str) -> None:
    app = make_app(tmp_path / "club.db")
    with running(app):
        User.objects.create_user("inactive@example.org", password=PASSWORD, is_active=False)
        User.objects.create_user("unusable@example.org")
        client = browser(app)
        hashed.clear()

        answer = client.post("/accounts/login", data={"username": f"{whose}@example.org", "password": ANOTHER})

    assert (answer.status_code, len(hashed)) == (422, 1)


@pytest.mark.parametrize("email", [EMAIL, "new@example.org"])
def test_h03_a_sign_up_hashes_once_whether_there_is_an_account_or_not(
    tmp_path: Path, hashed: list[Any], email: str
) -> None:
    app = make_app(tmp_path / "club.db")
    with running(app):
        client = browser(app)
        hashed.clear()

        client.post("/accounts/signup", data={"email": email, "password": ANOTHER})

    assert len(hashed) == 1


@pytest.mark.parametrize("path", ["login", "signup"])
def test_no_debug_page_shows_a_password_where_hashing_fails(tmp_path: Path, caplog: Any, path: str) -> None:
    password = "zebra " + "crossing at dusk"  # else the page shows it, with this line
    app = make_app(tmp_path / "club.db", DEBUG=True)
    app.provide(STRENGTH, Strength(memory_kib=2**31, passes=1))  # no machine has two TiB
    data = {"username": "new@example.org", "email": "new@example.org", "password": password}

    with app.test_client():
        client = browser(app, headers={"accept": "text/html"})
        page = client.post(f"/accounts/{path}", data=data, client="127.0.0.1")
    app.db.close()

    assert (page.status_code, "argon2" in page.text) == (500, True)
    assert password not in page.text + caplog.text
