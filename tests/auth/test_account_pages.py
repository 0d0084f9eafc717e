"""SITES-34, 39, 42: the pages of accounts, walked through as a visitor does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from segue import App, mail
from segue.auth import AbstractUser, Auth, get_user_model, login_required
from segue.auth.pages.factors import SecondFactor
from segue.auth.pages.tokens import MailedToken
from segue.auth.totp import make_code
from segue.clock import moved
from segue.errors import SetupError
from segue.testing import Client

KEY = "f2c0d7c1b4e14c3f9a3b7d55e1a0c9de"
PASSWORD = "correct horse battery"
ANOTHER = "staple of another kind"


def make_app(path: Path, **config: Any) -> App:
    """A site of ten lines."""
    app = App("club", database=f"sqlite:///{path}/club.db", config={"SECRET_KEY": KEY, **config}, static_folder=None)
    app.register(Auth(), prefix="/accounts")

    @app.get("/profile/")
    @login_required
    def profile(user: Any) -> str:
        return f"hello {user.email}"

    return app


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    app = make_app(tmp_path)
    with app.test_client(), app.context():
        yield app
    app.db.close()


@pytest.fixture
def visitor(app: App) -> Client:
    return app.test_client()


@pytest.fixture
def bob(app: App) -> Any:
    from segue.auth import User

    return User.objects.create_user("bob@example.org", password=PASSWORD)


def log_in(client: Client, password: str = PASSWORD, **fields: str) -> Any:
    return client.post("/accounts/login", data={"username": "bob@example.org", "password": password, **fields})


def link_in(message: Any) -> str:
    found = re.search(r"http://\S+", message.body)
    assert found is not None
    return found[0]


def test_who_signs_up_confirms_the_address_logs_in_and_is_back_where_they_wanted(visitor: Client) -> None:
    asked = visitor.get("/profile/")
    signed_up = visitor.post("/accounts/signup", data={"email": "bob@example.org", "password": PASSWORD})
    too_early = log_in(visitor)
    (message,) = mail.outbox
    looked_at = visitor.get(link_in(message))
    confirmed = visitor.post(link_in(message), follow_redirects=True)
    logged_in = log_in(visitor, next="/profile/")

    assert asked.headers["location"] == "/accounts/login?next=/profile/"
    assert signed_up.headers["location"] == "/accounts/signup/sent"
    assert "not right" in too_early.text
    assert "One click" in looked_at.text
    assert "You can log in now." in confirmed.text
    assert logged_in.headers["location"] == "/profile/"
    assert visitor.get("/profile/").text == "hello bob@example.org"


def test_a_forgotten_password_is_replaced_by_mail(visitor: Client, bob: Any) -> None:
    visitor.post("/accounts/password/reset", data={"email": "BOB@Example.org"})
    (message,) = mail.outbox
    page = visitor.get(link_in(message))
    changed = visitor.post(link_in(message), data={"new_password": ANOTHER}, follow_redirects=True)

    assert message.to == ["bob@example.org"]
    assert (page.headers["referrer-policy"], page.headers["cache-control"]) == ("no-referrer", "no-store")
    assert "Your password is changed." in changed.text
    assert log_in(visitor).status_code == 422
    assert log_in(visitor, ANOTHER).status_code == 303


def test_a_login_that_was_asked_for_by_itself_leads_where_the_site_says(tmp_path: Path) -> None:
    app = make_app(tmp_path, LOGIN_REDIRECT_URL="/profile/")
    with app.test_client() as visitor:
        with app.context():
            from segue.auth import User

            User.objects.create_user("bob@example.org", password=PASSWORD)
        hidden = re.findall(r'name="next" value="([^"]*)"', visitor.get("/accounts/login").text)
        fields = {"next": hidden[0]} if hidden else {}

        assert log_in(visitor, **fields).headers["location"] == "/profile/"
    app.db.close()


def test_one_template_is_replaced_alone(tmp_path: Path) -> None:
    folder = tmp_path / "templates" / "accounts"
    folder.mkdir(parents=True)
    (folder / "login.html").write_text('{% extends "accounts/base.html" %}{% block title %}Stage door{% endblock %}')
    app = App(
        "club",
        database=f"sqlite:///{tmp_path}/club.db",
        config={"SECRET_KEY": KEY},
        template_folder=str(tmp_path / "templates"),
        static_folder=None,
    )
    app.register(Auth(), prefix="/accounts")

    with app.test_client() as visitor:
        assert "<h1>Stage door</h1>" in visitor.get("/accounts/login").text
        assert "<h1>Create an account</h1>" in visitor.get("/accounts/signup").text
    app.db.close()


def test_a_link_that_became_too_old_is_sent_once_more(visitor: Client, app: App) -> None:
    visitor.post("/accounts/signup", data={"email": "bob@example.org", "password": PASSWORD})
    with moved(timedelta(days=2)):
        page = visitor.get(link_in(mail.outbox[-1]))
        visitor.post("/accounts/password/reset", data={"email": "ann@example.org"})  # which clears what is too old
        visitor.post("/accounts/verify", data={"email": "BOB@example.org"})
        visitor.post(link_in(mail.outbox[-1]))

        assert "/accounts/verify" in page.text
        assert log_in(visitor).status_code == 303
    assert MailedToken.objects.count() == 0


def test_a_user_name_that_is_taken_is_told_by_mail(tmp_path: Path) -> None:
    class Named(AbstractUser):
        USERNAME_FIELD = "username"

        class Meta:
            app_label = "named"

    app = App("club", database=f"sqlite:///{tmp_path}/named.db", config={"SECRET_KEY": KEY}, static_folder=None)
    app.register(Auth(user=Named), prefix="/accounts")
    with app.test_client() as visitor, app.context():
        for address in ("bob@example.org", "robert@example.org", "bob@example.org"):
            visitor.post("/accounts/signup", data={"email": address, "username": "bob", "password": PASSWORD})

        subjects = [each.subject for each in mail.outbox]

    assert subjects == ["Confirm your address", "Choose another name", "You have an account already"]
    app.db.close()


def test_an_account_that_was_closed_gets_no_link(visitor: Client, bob: Any) -> None:
    bob.is_active = False
    bob.save()

    answer = visitor.post("/accounts/verify", data={"email": "bob@example.org"})

    assert answer.headers["location"] == "/accounts/signup/sent"
    assert mail.outbox == []


@pytest.mark.parametrize("path", ["login", "signup"])
def test_a_password_of_too_many_bytes_is_an_error_of_its_field(visitor: Client, path: str) -> None:
    data = {"username": "bob@example.org", "email": "bob@example.org", "password": "é" * 2049}

    answer = visitor.post(f"/accounts/{path}", data=data)

    assert (answer.status_code, "too long" in answer.text) == (422, True)


# Strangers learn nothing


def test_an_address_that_has_an_account_gets_another_mail_and_the_same_answer(visitor: Client, bob: Any) -> None:
    answers = [
        visitor.post("/accounts/signup", data={"email": each, "password": PASSWORD})
        for each in ("bob@example.org", "new@example.org")
    ]

    assert [(each.status_code, each.headers["location"], each.text) for each in answers] == [
        (303, "/accounts/signup/sent", "")
    ] * 2
    assert [each.subject for each in mail.outbox] == ["You have an account already", "Confirm your address"]


def test_a_reset_for_nobody_answers_the_same_and_mails_nothing(visitor: Client, bob: Any) -> None:
    known = visitor.post("/accounts/password/reset", data={"email": "bob@example.org"})
    unknown = visitor.post("/accounts/password/reset", data={"email": "nobody@example.org"})

    assert (known.status_code, known.headers["location"]) == (unknown.status_code, unknown.headers["location"])
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(
    "address",
    ["b\N{LATIN SMALL LETTER DOTLESS I}b@example.org", "bob@example.org,evil@example.org", "bob@example.org\nbcc:x"],
)
def test_a_reset_goes_to_no_address_but_the_one_that_is_kept(app: App, visitor: Client, address: str) -> None:
    from segue.auth import User

    User.objects.create_user("bib@example.org", password=PASSWORD)

    visitor.post("/accounts/password/reset", data={"email": address})

    assert [each.to for each in mail.outbox] == []


def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(visitor: Client, bob: Any) -> None:
    wrong = log_in(visitor, "wrong password")
    nobody = visitor.post("/accounts/login", data={"username": "nobody@example.org", "password": PASSWORD})

    def without_what_was_typed(text: str) -> str:
        return re.sub(r'value="[^"]*"', "", text)

    assert wrong.status_code == nobody.status_code == 422
    assert without_what_was_typed(wrong.text) == without_what_was_typed(nobody.text)


def test_a_disabled_account_with_the_right_password_gets_that_answer_too(visitor: Client, bob: Any) -> None:
    bob.is_active = False
    bob.save()

    assert "The name or the password is not right." in log_in(visitor).text


def test_a_password_is_never_written_into_a_page(visitor: Client, bob: Any) -> None:
    assert "wrong password" not in log_in(visitor, "wrong password").text


# Links are used once, and not for ever


@pytest.mark.parametrize("what", ["used", "late", "changed", "logged in", "cut", "another's"])
def test_a_link_is_good_once_for_its_account_as_it_was(visitor: Client, bob: Any, what: str) -> None:
    visitor.post("/accounts/password/reset", data={"email": "bob@example.org"})
    link = link_in(mail.outbox[0])
    happens: dict[str, Callable[[], Any]] = {
        "used": lambda: visitor.post(link, data={"new_password": ANOTHER}),
        "late": lambda: None,
        "changed": lambda: (bob.set_password(ANOTHER), bob.save()),
        "logged in": lambda: log_in(visitor),
        "cut": lambda: None,
        "another's": lambda: MailedToken.objects.update(owner="999"),
    }
    happens[what]()

    with moved(3601 if what == "late" else 0):
        answer = visitor.post(link[:-1] if what == "cut" else link, data={"new_password": "yet another phrase"})

    assert answer.status_code == 410


def test_only_the_digest_of_a_link_is_stored(visitor: Client, bob: Any) -> None:
    visitor.post("/accounts/password/reset", data={"email": "bob@example.org"})
    token = link_in(mail.outbox[0]).rpartition("/")[2]

    assert token not in repr(MailedToken.objects.values().get())


# In and out


def test_the_session_has_another_id_after_the_login(visitor: Client, bob: Any) -> None:
    log_in(visitor)
    before = visitor.cookies["__Host-session"]

    log_in(visitor)

    assert visitor.cookies["__Host-session"] != before


def test_a_link_logs_nobody_out(visitor: Client, bob: Any) -> None:
    log_in(visitor)

    asked = visitor.get("/accounts/logout")

    assert "Log out?" in asked.text
    assert visitor.get("/profile/").status_code == 200
    assert visitor.post("/accounts/logout").headers["location"] == "/"
    assert visitor.get("/profile/").status_code == 302


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "\t//evil.example",
        "http:evil.example",
        "/%09/evil.example\n",
        "x" * 3000,
    ],
)
def test_a_login_leads_to_no_other_site(visitor: Client, bob: Any, target: str) -> None:
    assert log_in(visitor, next=target).headers["location"] == "/"


def test_the_login_says_why_one_is_there_and_makes_no_session_for_it(visitor: Client, bob: Any) -> None:
    sent = visitor.get("/profile/", follow_redirects=True)
    by_oneself = visitor.get("/accounts/login")

    assert "Log in to see that page." in sent.text
    assert dict(visitor.cookies) == {}
    assert "to see that page" not in by_oneself.text


def test_the_login_says_why_one_is_asked_again(visitor: Client, bob: Any) -> None:
    log_in(visitor)

    with moved(601):
        page = visitor.get("/accounts/second-factor/on", follow_redirects=True)

    assert "Log in once more for this." in page.text


def test_what_was_sent_before_the_login_is_not_sent_again_after_it(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    taken: list[str] = []

    @app.post("/seats/")
    @login_required
    def take(request: Any) -> str:
        taken.append(request.form["seat"])
        return "taken"

    @app.get("/seats/")
    def seats() -> str:
        return "Which seat?"

    with app.test_client() as visitor:
        with app.context():
            get_user_model().objects.create_user("bob@example.org", password=PASSWORD)
        sent = visitor.post("/seats/", data={"seat": "7"}, headers={"referer": "http://localhost/seats/"})
        back = log_in(visitor, next="/seats/")
        page = visitor.get(back.headers["location"])
    app.db.close()

    assert (sent.status_code, sent.headers["location"]) == (303, "/accounts/login?next=/seats/")
    assert (back.status_code, page.text, taken) == (303, "Which seat?", [])


@pytest.mark.parametrize("key", ["LOGIN_URL", "LOGIN_REDIRECT_URL", "LOGOUT_REDIRECT_URL"])
def test_a_target_that_is_no_endpoint_stops_the_start(tmp_path: Path, key: str) -> None:
    app = make_app(tmp_path, **{key: "profil"})

    with pytest.raises(SetupError, match=f"{key} is 'profil'.*[\\s\\S]*Did you mean profile"):
        app.compile()


@pytest.mark.parametrize(("target", "location"), [("profile", "/profile/"), ("/welcome", "/welcome")])
def test_a_login_by_itself_leads_where_the_configuration_says(tmp_path: Path, target: str, location: str) -> None:
    app = make_app(tmp_path, LOGIN_REDIRECT_URL=target)

    with app.test_client() as visitor:
        with app.context():
            get_user_model().objects.create_user("bob@example.org", password=PASSWORD)
        assert log_in(visitor).headers["location"] == location
    app.db.close()


def test_the_eleventh_try_is_refused_for_a_while(visitor: Client, bob: Any) -> None:
    tries = [log_in(visitor, "wrong password").status_code for _ in range(11)]
    right = log_in(visitor)

    assert tries == [422] * 10 + [429]
    assert right.status_code == 429
    assert int(right.headers["retry-after"]) <= 300
    with moved(301):
        assert log_in(visitor).status_code == 303


def test_a_changed_password_ends_the_other_sessions(app: App, visitor: Client, bob: Any) -> None:
    other = app.test_client()
    log_in(other)
    log_in(visitor)

    wrong = visitor.post("/accounts/password/change", data={"old_password": "wrong", "new_password": ANOTHER})
    right = visitor.post("/accounts/password/change", data={"old_password": PASSWORD, "new_password": ANOTHER})

    assert "This is not your password." in wrong.text
    assert right.headers["location"] == "/accounts/"
    assert visitor.get("/profile/").status_code == 200
    assert other.get("/profile/").status_code == 302


def test_other_devices_are_listed_and_logged_out(app: App, visitor: Client, bob: Any) -> None:
    other = app.test_client()
    log_in(other)
    log_in(visitor)

    listed = visitor.get("/accounts/sessions").text
    visitor.post("/accounts/sessions")

    assert (listed.count("This device"), listed.count("Another device")) == (1, 1)
    assert visitor.get("/profile/").status_code == 200
    assert other.get("/profile/").status_code == 302


@pytest.mark.parametrize("password", ["short", "12345678901", "password123", "bob@example.org"])
def test_a_password_that_is_easily_guessed_is_refused(visitor: Client, password: str) -> None:
    answer = visitor.post("/accounts/signup", data={"email": "bob@example.org", "password": password})

    assert answer.status_code == 422
    assert mail.outbox == []


def test_the_pages_are_kept_by_nobody(visitor: Client, bob: Any) -> None:
    log_in(visitor)

    for path in ("login", "signup", "password/reset", "password/change", "", "sessions", "logout"):
        assert visitor.get(f"/accounts/{path}").headers["cache-control"] == "no-store", path


def test_a_login_of_another_site_is_refused(app: App, bob: Any) -> None:
    client = app.test_client(same_site=False)

    forged = client.post("/accounts/login", data={"username": "bob@example.org", "password": PASSWORD})

    assert forged.status_code == 403


# The second factor


def turn_on(client: Client) -> tuple[str, list[str]]:
    page = client.get("/accounts/second-factor/on").text
    found = re.search(r"<code>(.*?)</code>", page)
    assert found is not None
    shown = client.post("/accounts/second-factor/on", data={"code": make_code(found[1])}).text
    return found[1], re.findall(r"<li>(\w+(?:-\w+)+)</li>", shown)


def test_a_second_factor_is_asked_for_at_the_next_login(app: App, visitor: Client, bob: Any) -> None:
    log_in(visitor)
    secret, codes = turn_on(visitor)
    visitor.post("/accounts/logout")

    with moved(60):
        first_step = log_in(visitor, next="/profile/")
        between = visitor.get("/profile/").status_code
        wrong = visitor.post("/accounts/login/code", data={"code": "000000"})
        right = visitor.post("/accounts/login/code", data={"code": make_code(secret)})

    assert len(codes) == 10
    assert first_step.headers["location"] == "/accounts/login/code"
    assert between == 302
    assert wrong.status_code == 422
    assert right.headers["location"] == "/profile/"


def test_a_code_is_good_once(app: App, visitor: Client, bob: Any) -> None:
    log_in(visitor)
    secret, _ = turn_on(visitor)
    other = app.test_client()

    with moved(60):
        code = make_code(secret)
        answers = []
        for client in (visitor, other):
            client.post("/accounts/logout")
            log_in(client)
            answers.append(client.post("/accounts/login/code", data={"code": code}).status_code)

    assert answers == [303, 422]


def test_a_code_of_recovery_is_good_once(visitor: Client, bob: Any) -> None:
    log_in(visitor)
    _, codes = turn_on(visitor)

    answers = []
    for _ in range(2):
        visitor.post("/accounts/logout")
        log_in(visitor)
        answers.append(visitor.post("/accounts/login/code", data={"code": codes[0].upper()}).status_code)

    assert answers == [303, 422]


def test_codes_are_not_guessed(visitor: Client, bob: Any) -> None:
    log_in(visitor)
    turn_on(visitor)
    visitor.post("/accounts/logout")
    log_in(visitor)

    tries = [visitor.post("/accounts/login/code", data={"code": f"{each:06}"}).status_code for each in range(6)]

    assert tries == [422] * 5 + [429]


def test_a_code_without_a_password_before_leads_to_the_login(visitor: Client, bob: Any) -> None:
    assert visitor.get("/accounts/login/code").headers["location"] == "/accounts/login"
    assert visitor.post("/accounts/login/code", data={"code": "1"}).headers["location"] == "/accounts/login"


def test_the_secret_is_not_shown_again(visitor: Client, bob: Any) -> None:
    log_in(visitor)
    secret, _ = turn_on(visitor)

    again = visitor.get("/accounts/second-factor/on")

    assert again.headers["location"] == "/accounts/"
    assert secret.replace(" ", "") not in repr(SecondFactor.objects.get())


def test_a_dangerous_change_asks_for_the_password_again_after_a_while(visitor: Client, bob: Any) -> None:
    log_in(visitor)

    with moved(601):
        answer = visitor.get("/accounts/second-factor/on")

    assert answer.headers["location"].startswith("/accounts/login?next=")


def test_without_confirmation_an_account_is_open_at_once(tmp_path: Path) -> None:
    app = make_app(tmp_path, AUTH_VERIFY_EMAIL=False)

    with app.test_client() as visitor:
        answer = visitor.post("/accounts/signup", data={"email": "bob@example.org", "password": PASSWORD})
        profile = visitor.get("/profile/").text
        again = visitor.post("/accounts/signup", data={"email": "BOB@example.org", "password": PASSWORD})
    app.db.close()

    assert answer.headers["location"] == "/"
    assert profile == "hello bob@example.org"
    assert again.status_code == 422


def test_strangers_make_no_accounts_where_that_is_off(tmp_path: Path) -> None:
    app = App("club", database=f"sqlite:///{tmp_path}/club.db", config={"SECRET_KEY": KEY}, static_folder=None)
    app.register(Auth(signup=False), prefix="/accounts")

    with app.test_client() as visitor:
        assert visitor.get("/accounts/signup").status_code == 404
        assert "Create an account" not in visitor.get("/accounts/login").text
    app.db.close()
