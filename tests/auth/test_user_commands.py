"""The commands about users, and which class is a site's."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any

import pytest
from club_with_users import EMAIL, PASSWORD

from segue import App, Request
from segue.auth import AbstractUser, Auth, AuthenticationBackend, User, alogin, get_user_model, login
from segue.auth.accounts import user_model_for
from segue.errors import SetupError
from segue.testing import Client


def run(app: App, *words: str, password: str = PASSWORD, **options: Any) -> Any:
    return app.test_cli_runner().invoke(list(words), env={"SEGUE_SUPERUSER_PASSWORD": password}, **options)


@pytest.fixture
def site(make_site: Callable[..., App]) -> App:
    app = make_site()
    app.db.create_all()
    return app


def test_a_superuser_is_made_without_a_question(site: App) -> None:
    result = run(site, "createsuperuser", "--email", EMAIL, "--no-input")

    with site.context():
        user = User.objects.get()
        assert (user.email, user.is_staff, user.is_superuser) == (EMAIL, True, True), result.output
        assert user.check_password(PASSWORD)


def test_a_second_superuser_of_that_name_is_refused(site: App) -> None:
    run(site, "createsuperuser", "--email", EMAIL, "--no-input")

    result = run(site, "createsuperuser", "--email", EMAIL.upper(), "--no-input")

    assert result.exit_code != 0
    assert "There is a user with this e-mail address already." in result.output + str(result.exception)


def test_without_a_name_and_without_questions_no_one_is_made(site: App) -> None:
    result = run(site, "createsuperuser", "--no-input")

    assert result.exit_code != 0
    assert "auth/bad-command" in result.output + str(result.exception)


def test_a_password_is_changed(site: App) -> None:
    with site.context():
        User.objects.create_user(EMAIL, password="before")

    run(site, "changepassword", EMAIL.upper(), "--no-input")

    with site.context():
        assert User.objects.get().check_password(PASSWORD)


@pytest.mark.parametrize(("name", "password"), [("nobody@example.org", PASSWORD), (EMAIL, "")])
def test_a_password_is_not_changed_where_something_is_missing(site: App, name: str, password: str) -> None:
    with site.context():
        User.objects.create_user(EMAIL)

    result = run(site, "changepassword", name, "--no-input", password=password)

    assert result.exit_code != 0
    assert "auth/bad-command" in result.output + str(result.exception)


# Whose class


class Person:
    """A user that is no row, with nothing but what the rest of Segue needs."""

    pk = 7
    is_authenticated = True
    is_active = True

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return perm == "see"

    def __str__(self) -> str:
        return "a person"


class PersonBackend(AuthenticationBackend):
    """Knows the one person."""

    def authenticate(self, request: Any, *, token: str) -> Any:
        return Person() if token == "right" else None

    def get_user(self, key: str) -> Any:
        return Person() if key == "7" else None

    aget_user = None


def test_a_user_need_not_be_a_model_nor_be_in_a_database(colour: str) -> None:
    app = App("persons", config={"SECRET_KEY": "f2c0d7c1b4e14c3f9a3b7d55e1a0c9de", "SESSION_STORE": "cookie",
              "AUTHENTICATION_BACKENDS": [PersonBackend]}, static_folder=None, template_folder=None)  # fmt: skip
    app.register(Auth(user=Person))

    @app.get("/sync/in")
    def enter(request: Request) -> str:
        login(request, Person())
        return "in"

    @app.get("/async/in")
    async def aenter(request: Request) -> str:
        await alogin(request, Person())
        return "in"

    @app.get("/sync/who")
    def who(user: Person) -> str:
        return str(user)

    @app.get("/async/who")
    async def awho(user: Person) -> str:
        return str(user)

    with Client(app) as client:
        before = client.get(f"/{colour}/who").status_code
        client.get(f"/{colour}/in")

        assert (before, client.get(f"/{colour}/who").text) == (302, "a person")


def test_an_app_without_a_user_model_has_the_built_in_one() -> None:
    assert user_model_for("an_app_without_models") is User


def test_the_running_app_says_which_model_it_has(site: App) -> None:
    with site.context():
        assert get_user_model() is User


def test_without_an_app_it_is_the_one_that_the_package_defines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "package_with_member.models", types.ModuleType("package_with_member.models"))
    Member: Any = type("Member", (AbstractUser,), {"__module__": "package_with_member.models"})
    namespace: dict[str, Any] = {"__name__": "package_with_member.views", "get_user_model": get_user_model}

    exec("found = get_user_model()", namespace)

    assert namespace["found"] is Member
    assert user_model_for("package_with_member.app") is Member


def test_another_model_than_was_said_before_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "package_with_two", types.ModuleType("package_with_two"))
    Member: Any = type("Member", (AbstractUser,), {"__module__": "package_with_two"})
    namespace: dict[str, Any] = {"__name__": "package_with_two", "get_user_model": get_user_model}
    exec("found = get_user_model()", namespace)
    app = App("package_with_two", database="sqlite:///:memory:", static_folder=None, template_folder=None)
    app.register(Auth(user=User))

    with pytest.raises(SetupError, match="auth/two-user-models") as caught:
        app.compile()
    assert Member.__name__ in caught.value.message


def test_without_a_database_the_start_stops() -> None:
    app = App("no_database", static_folder=None, template_folder=None)
    app.register(Auth(user=User))

    with pytest.raises(SetupError, match="auth/no-database"):
        app.compile()


@pytest.mark.parametrize("user", [AbstractUser, object, "Member"])
def test_what_is_no_class_of_users_is_refused(user: Any) -> None:
    with pytest.raises(SetupError, match="auth/bad-user-model"):
        App("wrong", database="sqlite:///:memory:").register(Auth(user=user))


def test_a_user_model_whose_module_was_forgotten_is_not_the_sites(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gone_site", types.ModuleType("gone_site"))
    gone = type("Gone", (AbstractUser,), {"__module__": "gone_site"})
    before = user_model_for("gone_site.app")

    monkeypatch.delitem(sys.modules, "gone_site")
    without = user_model_for("gone_site.app")
    monkeypatch.setitem(sys.modules, "gone_site", types.ModuleType("gone_site"))

    assert (before, without, user_model_for("gone_site.app")) == (gone, User, User)
