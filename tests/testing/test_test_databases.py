"""CORE-92, 93: databases of a project's tests, and assertions about queries."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from segue import App, db
from segue.testing import AsyncClient, Client, assert_queries, capture_on_commit
from segue.testing.database import emptied, own_databases, rolled_back

pytest_plugins = ["pytester"]


class Guest(db.Model):
    name = db.CharField(max_length=20, unique=True)


@pytest.fixture
def app(tmp_path: Path) -> App:
    """An app whose handlers add a guest."""
    app = App("tests_guests", database=f"sqlite:///{tmp_path}/real.db", models=(Guest,))

    @app.post("/sync")
    def of_threads() -> dict[str, int]:
        Guest.objects.create(name="Nina")
        return {"guests": Guest.objects.count()}

    @app.post("/async")
    async def of_loops() -> dict[str, int]:
        await Guest.objects.acreate(name="Nina")
        return {"guests": await Guest.objects.acount()}

    return app


@pytest.fixture
def stored(app: App) -> App:
    """The same with its table made."""
    app.db.create_all()
    return app


@pytest.mark.parametrize("path", ["/sync", "/async"])
@pytest.mark.parametrize("protocol", ["wsgi", "asgi", "rsgi"])
def test_what_requests_write_is_taken_back(app: App, protocol: Any, path: str) -> None:
    with own_databases(app):
        answers = []
        for _ in range(2):
            with app.context(), rolled_back(app):
                answers.append(Client(app, protocol=protocol).post(path).json)

    assert answers == [{"guests": 1}, {"guests": 1}]


@pytest.mark.parametrize("path", ["/sync", "/async"])
async def test_what_requests_of_a_loop_write_is_taken_back(stored: App, path: str) -> None:
    client = AsyncClient(stored)

    async with db.atomic(using=stored.db):
        answer = await client.post(path)
        stored.db.set_rollback(True)

    assert answer.json == {"guests": 1}


def test_the_databases_of_the_configuration_are_not_touched(app: App, tmp_path: Path) -> None:
    with own_databases(app), app.context():
        Guest.objects.create(name="Nina")

    assert not (tmp_path / "real.db").exists()


def test_a_test_that_commits_leaves_empty_tables(app: App) -> None:
    with own_databases(app), app.context():
        with emptied(app):
            Guest.objects.create(name="Nina")
        assert Guest.objects.count() == 0


@pytest.mark.parametrize("server", ["postgresql://postgres@127.0.0.1:5432", "mysql://root@127.0.0.1:3306"])
def test_a_server_gets_a_database_of_the_tests_own(server: str, worker_name: str) -> None:
    app = App("tests_guests", database=f"{server}/club_{worker_name}", models=(Guest,))

    with own_databases(app), app.context():
        Guest.objects.create(name="Nina")
        assert (app.db.name, Guest.objects.count()) == (f"test_club_{worker_name}", 1)


@pytest.fixture
def worker_name() -> str:
    """A name that no other test of the machine has."""
    import os
    import secrets

    return f"{os.getpid()}_{secrets.token_hex(3)}"


def test_databases_can_be_kept_and_taken_again(app: App) -> None:
    with own_databases(app, worker="kept", reuse=True), app.context():
        Guest.objects.all().delete()
        Guest.objects.create(name="Nina")
    with own_databases(app, worker="kept", reuse=True), app.context():
        assert Guest.objects.count() == 1


def test_the_number_of_queries_is_checked(stored: App) -> None:
    with stored.context(), assert_queries(2) as queries:
        Guest.objects.create(name="Nina")
        Guest.objects.count()

    assert queries[0].startswith("INSERT INTO guest")


def test_too_many_queries_are_listed_with_their_lines(stored: App) -> None:
    with pytest.raises(AssertionError) as caught, stored.context(), assert_queries(0):
        Guest.objects.count()

    assert "made 1 queries, not 0" in str(caught.value)
    assert "SELECT count(*)" in str(caught.value)
    assert f"{Path(__file__).name}:" in str(caught.value)


def test_queries_of_requests_count(stored: App) -> None:
    with assert_queries(2):
        Client(stored).post("/async")


def test_functions_for_the_commit_can_be_collected_and_called(stored: App) -> None:
    called: list[str] = []

    with stored.context(), rolled_back(stored):
        with capture_on_commit() as kept:
            db.on_commit(lambda: called.append("kept"))
        with capture_on_commit(execute=True):
            db.on_commit(lambda: called.append("executed"))

    assert (len(kept), called) == (1, ["executed"])


APP = """
from segue import App, db

app = App(__name__, database="sqlite:///real.db", static_folder=None, template_folder=None)


class Guest(db.Model):
    name = db.CharField(max_length=20, unique=True)


@app.post("/")
def add():
    Guest.objects.create(name="Nina")
    return {"guests": Guest.objects.count()}
"""

TESTS = """
import pytest
from app import Guest


def test_one(client):
    assert client.post("/").json == {"guests": 1}


def test_two(client):
    assert client.post("/").json == {"guests": 1}


async def test_three(async_client):
    await Guest.objects.acreate(name="Nina")


@pytest.mark.commits
def test_four(client):
    assert client.post("/").json == {"guests": 1}


def test_five(client):
    assert Guest.objects.count() == 0
"""


@pytest.mark.slow
def test_tests_of_a_project_do_not_see_each_others_rows(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(app=APP, test_guests=TESTS)

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "test_guests.py"],
        cwd=pytester.path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "5 passed" in done.stdout, done.stdout + done.stderr
    assert not (pytester.path / "real.db").exists()
