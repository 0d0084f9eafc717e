"""SITES-24: a site whose users are neither rows nor the built-in ones, only what `UserProtocol` asks for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from segue import App, Request, render_template_string
from segue.auth import (
    Auth,
    UserProtocol,
    aauthenticate,
    alogin,
    alogout,
    authenticate,
    login,
    login_required,
    logout,
    user_passes_test,
)
from segue.testing import Client

WORDS = {"bob": "kayak lantern", "ann": "staple of another kind"}


class Employee:
    """Somebody of the company's directory; what it has is computed, and nothing can be added to it."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def pk(self) -> str:
        return self.name

    @property
    def is_authenticated(self) -> bool:
        return True

    @property
    def is_active(self) -> bool:
        return self.name in WORDS

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return self.name == "ann"


class Directory:
    """Knows the employees; derives from nothing of Segue's."""

    def authenticate(self, request: Any, *, name: str, word: str) -> Employee | None:
        return Employee(name) if WORDS.get(name) == word else None

    def get_user(self, key: str) -> Employee | None:
        return Employee(key) if key in WORDS else None


@pytest.fixture
def company() -> App:
    """A site of such users in both colours, without a database."""
    app = App(
        "company",
        config={
            "SECRET_KEY": "f2c0d7c1b4e14c3f9a3b7d55e1a0c9de",
            "SESSION_STORE": "cookie",
            "AUTHENTICATION_BACKENDS": [Directory],
        },
        static_folder=None,
    )
    app.register(Auth(user=Employee), prefix="/accounts")

    @app.post("/sync/in")
    def enter(request: Request) -> Any:
        user = authenticate(request, name=request.form["name"], word=request.form["word"])
        if user is None:
            return "wrong", 400
        login(request, user)
        return "in"

    @app.post("/async/in")
    async def aenter(request: Request) -> Any:
        user = await aauthenticate(request, name=request.form["name"], word=request.form["word"])
        if user is None:
            return "wrong", 400
        await alogin(request, user)
        return "in"

    @app.get("/sync/out")
    def leave(request: Request) -> str:
        logout(request)
        return "out"

    @app.get("/async/out")
    async def aleave(request: Request) -> str:
        await alogout(request)
        return "out"

    @app.get("/sync/desk")
    @login_required
    def desk(request: Request) -> str:
        return str(request.user.name)

    @app.get("/async/desk")
    @login_required
    async def adesk(request: Request) -> str:
        return str((await request.auser()).name)

    @app.get("/sync/mine")
    def mine(user: Employee) -> str:
        return user.name

    @app.get("/async/mine")
    async def amine(user: Employee) -> str:
        return user.name

    @app.get("/sync/shown")
    def shown() -> Any:
        return render_template_string("{{ user.name if user.is_authenticated else 'nobody' }}")

    @app.get("/async/shown")
    async def ashown(user: Any) -> Any:
        return render_template_string("{{ user.name if user.is_authenticated else 'nobody' }}")

    @app.get("/sync/safe")
    @user_passes_test(lambda user: user.has_perm("open_the_safe"))
    def safe() -> str:
        return "gold"

    @app.get("/async/safe")
    @user_passes_test(lambda user: user.has_perm("open_the_safe"))
    async def asafe() -> str:
        return "gold"

    return app


@pytest.fixture
def client(company: App) -> Iterator[Client]:
    with Client(company, raise_errors=False) as found:
        yield found


def enter(client: Client, colour: str, name: str = "bob", word: str = "") -> str:
    return client.post(f"/{colour}/in", data={"name": name, "word": word or WORDS[name]}).text


def test_such_a_class_is_what_the_protocol_asks_for() -> None:
    assert isinstance(Employee("bob"), UserProtocol)


def test_they_log_in_are_known_and_log_out(client: Client, colour: str) -> None:
    wrong = enter(client, colour, word="guessed")
    before = client.get(f"/{colour}/shown").text
    right = enter(client, colour)
    known = [client.get(f"/{colour}/{page}").text for page in ("desk", "mine", "shown")]
    client.get(f"/{colour}/out")

    assert (wrong, before, right) == ("wrong", "nobody", "in")
    assert known == ["bob"] * 3
    assert client.get(f"/{colour}/shown").text == "nobody"


@pytest.mark.parametrize("page", ["desk", "mine", "safe"])
def test_nobody_passes_a_gate_of_theirs(client: Client, colour: str, page: str) -> None:
    answer = client.get(f"/{colour}/{page}")

    assert (answer.status_code, answer.headers["location"]) == (302, f"/accounts/login?next=/{colour}/{page}")


@pytest.mark.parametrize(("name", "status"), [("bob", 403), ("ann", 200)])
def test_they_say_themselves_what_they_may(client: Client, colour: str, name: str, status: int) -> None:
    enter(client, colour, name)

    assert client.get(f"/{colour}/safe").status_code == status


def test_one_who_has_left_is_nobody_at_the_next_request(
    client: Client, colour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(client, colour)

    monkeypatch.delitem(WORDS, "bob")

    assert client.get(f"/{colour}/desk").status_code == 302


@pytest.mark.slow
def test_their_site_never_defines_the_built_in_user(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_users_of_another_kind import Employee
from segue import App
from segue.auth import Auth

app = App("own", config={{"SECRET_KEY": "f2c0d7c1b4e14c3f9a3b7d55e1a0c9de", "SESSION_STORE": "cookie"}})
app.register(Auth(user=Employee))
app.get("/")(lambda request: str(request.user))
assert app.test_client().get("/").text == "AnonymousUser"
print(*sys.modules)
""")

    done = subprocess.run([sys.executable, "own.py"], cwd=tmp_path, check=True, capture_output=True, text=True)

    assert {"segue.auth.user", "segue.auth.pages"}.isdisjoint(done.stdout.split())
