"""SITES-42: what a site has that asks for passkeys, and what one has that does not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from software_authenticator import Authenticator

from segue import App
from segue.auth import Auth, User
from segue.errors import SetupError

KEY = "f2c0d7c1b4e14c3f9a3b7d55e1a0c9de"
PASSWORD = "correct horse battery"
SITE = """
import uuid
from segue import App, db
from segue.auth import AbstractUser, Auth

app = App(__name__, database="sqlite:///club.db", config={{"SECRET_KEY": "f2c0d7c1b4e14c3f9a3b7d55e1a0c9de"}})


class Member(AbstractUser):
    id = db.UUIDField(primary_key=True, default=uuid.uuid4)


app.register(Auth(user=Member{more}), prefix="/accounts")
"""


def run_in(folder: Path, *command: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SEGUE_")}
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def stateless(tmp_path: Path) -> Iterator[App]:
    """A site that keeps sessions in cookies, where a visitor may send an old one."""
    app = App(
        "club",
        database=f"sqlite:///{tmp_path}/club.db",
        config={"SECRET_KEY": KEY, "SESSION_STORE": "cookie"},
        static_folder=None,
    )
    app.register(Auth(user=User, passkeys=True), prefix="/accounts")
    app.get("/who", endpoint="who")(lambda request: str(request.user))
    with app.test_client(), app.context():
        User.objects.create_user("bob@example.org", password=PASSWORD)
        yield app
    app.db.close()


def test_an_old_cookie_brings_no_answer_back(stateless: App) -> None:
    device, visitor = Authenticator(step=0), stateless.test_client()
    visitor.post("/accounts/login", data={"username": "bob@example.org", "password": PASSWORD})
    options = visitor.post("/accounts/passkeys/new/options").json
    visitor.post("/accounts/passkeys/new", data={"name": "phone", "credential": device.make(options)})
    visitor.post("/accounts/logout")
    credential = device.show(visitor.post("/accounts/login/passkey/options").json)
    kept = dict(visitor.cookies)

    visitor.post("/accounts/login/passkey", data={"credential": credential})
    first = visitor.get("/who").text
    thief: Any = stateless.test_client()
    thief.cookies.update(kept)
    thief.post("/accounts/login/passkey", data={"credential": credential})

    assert first == "bob@example.org"
    assert thief.get("/who").text == "AnonymousUser"


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fido2", None)
    app = App("club", database="sqlite:///:memory:")

    with pytest.raises(SetupError) as caught:
        app.register(Auth(user=User, passkeys=True), prefix="/accounts")

    assert (caught.value.code, caught.value.hint) == ("auth/no-fido2", 'pip install "segue[webauthn]"')


def test_without_pages_there_are_no_passkeys() -> None:
    app = App("club", database="sqlite:///:memory:")

    with pytest.raises(SetupError) as caught:
        app.register(Auth(user=User, pages=False, passkeys=True), prefix="/accounts")

    assert caught.value.code == "auth/passkeys-without-pages"


@pytest.mark.slow
@pytest.mark.server
def test_a_site_that_does_not_ask_for_passkeys_loads_nothing(tmp_path: Path) -> None:
    (tmp_path / "club.py").write_text(SITE.format(more=""), encoding="utf-8")
    code = (
        "import sys, club; compiled = club.app.compile(); "
        "print([each for each in sys.modules if 'fido2' in each or 'passkey' in each], "
        "[each for each in club.app.view_functions if 'passkey' in each])"
    )

    assert run_in(tmp_path, "-c", code).strip() == "[] []"


@pytest.mark.slow
@pytest.mark.server
def test_a_site_with_users_of_its_own_migrates_to_passkeys(tmp_path: Path) -> None:
    site = tmp_path / "club.py"
    site.write_text(SITE.format(more=""), encoding="utf-8")
    run_in(tmp_path, "-m", "segue", "--app", "club", "makemigrations")
    site.write_text(SITE.format(more=", passkeys=True"), encoding="utf-8")
    run_in(tmp_path, "-m", "segue", "--app", "club", "makemigrations")
    run_in(tmp_path, "-m", "segue", "--app", "club", "migrate")
    code = (
        "import club\n"
        "from segue.auth.pages.passkeys import Passkey, passkeys_of\n"
        "with club.app.context():\n"
        "    bob = club.Member.objects.create_user('bob@example.org', password='correct horse battery')\n"
        "    own = {'owner': str(bob.pk), 'handle': 'h', 'credential_id': b'i', 'public_key': b'k'}\n"
        "    Passkey.objects.create(digest='d', name='n', **own)\n"
        "    print(passkeys_of(bob.pk))\n"
    )

    assert run_in(tmp_path, "-c", code).strip() == "[<Passkey: n>]"
    run_in(tmp_path, "-m", "segue", "--app", "club", "makemigrations", "--check")
