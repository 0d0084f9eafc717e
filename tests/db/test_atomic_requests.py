"""DATA-40: requests that are one transaction, on databases that check some rules at the commit alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from segue import App, Blueprint, db, stream
from segue.db.database import Database

COLOURS = ("/d", "/a")


@pytest.fixture(params=["sqlite", "postgresql"])
def vendor(request: pytest.FixtureRequest) -> str:
    """MariaDB checks constraints at once, so there no commit fails."""
    return str(request.param)


@pytest.fixture
def app(database: Database, database_url: str) -> Iterator[App]:
    """An app with two tables; the rule between them is checked at the commit."""
    database.execute("CREATE TABLE a (id INTEGER PRIMARY KEY)")
    database.execute("CREATE TABLE b (a_id INTEGER REFERENCES a (id) DEFERRABLE INITIALLY DEFERRED)")
    made = App("tests_atomic_requests", database=database_url, static_folder=None, template_folder=None)
    yield made
    made.own_databases().close()


def held(app: App) -> int:
    """Return how many connections of the app are in use."""
    pools = app.db.statistics()
    return sum(each["in_use"] for each in [pools["threads"], *pools["loops"]])


def serve(app: App, sql: str, answer: Any) -> None:
    """Add an atomic route of each colour that executes *sql*."""

    @app.post("/d", atomic=True)
    def of_threads() -> Any:
        db.execute(sql)
        return answer()

    @app.post("/a", atomic=True)
    async def of_loops() -> Any:
        await db.aexecute(sql)
        return answer()


@pytest.mark.parametrize("path", COLOURS)
def test_a_commit_that_fails_is_500_and_nothing_is_saved(
    app: App, client: Any, database: Database, server: Any, path: str
) -> None:
    serve(app, "INSERT INTO b (a_id) VALUES (5)", lambda: ("saved", 201))

    answer = client(app=app).post(path)

    assert (answer.status_code, "saved" in answer.text) == (500, False)
    assert database.execute("SELECT * FROM b").all() == []
    assert held(app) == 0
    assert server is None or server.idle_in_transaction() == 0


@pytest.mark.parametrize("path", COLOURS)
def test_a_commit_that_fails_sends_no_byte_of_a_streamed_answer(app: App, client: Any, path: str) -> None:
    begun: list[str] = []
    serve(app, "INSERT INTO b (a_id) VALUES (5)", lambda: stream(begun.append("begun") or "x" for _ in range(3)))

    answer = client(app=app).post(path)

    assert (answer.status_code, begun) == (500, [])


@pytest.mark.parametrize("path", COLOURS)
def test_the_connection_is_back_before_the_body_is_sent(app: App, client: Any, database: Database, path: str) -> None:
    seen: list[Any] = []

    def body() -> Iterator[str]:
        seen.extend([held(app), database.execute("SELECT id FROM a").scalars()])
        yield "sent"

    serve(app, "INSERT INTO a (id) VALUES (1)", lambda: stream(body()))

    assert client(app=app).post(path).text == "sent"
    assert seen == [0, [1]]


@pytest.mark.parametrize("path", COLOURS)
def test_the_connection_is_back_before_the_hooks_after_the_handler(app: App, client: Any, path: str) -> None:
    seen: list[int] = []

    @app.after_request
    def after(response: Any) -> None:
        seen.append(held(app))

    serve(app, "INSERT INTO a (id) VALUES (1)", lambda: "saved")

    assert client(app=app).post(path).text == "saved"
    assert seen == [0]


@pytest.mark.parametrize(("path", "status"), [("/handler", 409), ("/hook", 500)])
def test_a_constraint_is_a_conflict_where_a_handler_lets_it_through(
    app: App, client: Any, path: str, status: int
) -> None:
    def twice() -> None:
        db.execute("INSERT INTO a (id) VALUES (1)")
        db.execute("INSERT INTO a (id) VALUES (1)")

    hooked = Blueprint("hooked", __name__)
    hooked.before_request(twice)
    hooked.post("/hook")(lambda: "saved")
    app.post("/handler")(lambda: twice() or "saved")
    app.register(hooked)

    assert client(app=app).post(path).status_code == status


def told(app: App, blueprint: Blueprint) -> None:
    """Add routes that tell whether they run in a transaction: one as the blueprint says, one that says no."""

    @blueprint.get("/d")
    def of_threads() -> dict[str, bool]:
        return {"atomic": app.db.in_atomic}

    @blueprint.get("/a")
    async def of_loops() -> dict[str, bool]:
        return {"atomic": app.db.in_atomic}

    @blueprint.get("/out", atomic=False)
    def without() -> dict[str, bool]:
        return {"atomic": app.db.in_atomic}


def test_all_routes_of_a_blueprint_are_atomic_where_it_says_so(app: App, client: Any) -> None:
    shop, news = Blueprint("shop", __name__, atomic=True), Blueprint("news", __name__)
    told(app, shop)
    told(app, news)
    app.register(shop, prefix="/shop")
    app.register(news, prefix="/news")

    answers = [client(app=app).get(f"/{part}{path}").json["atomic"] for part in ("shop", "news") for path in COLOURS]

    assert answers == [True, True, False, False]
    assert client(app=app).get("/shop/out").json == {"atomic": False}


def test_a_blueprint_inside_another_says_more_than_the_outer_one(app: App, client: Any) -> None:
    outer, same = Blueprint("outer", __name__, atomic=True), Blueprint("same", __name__)
    other = Blueprint("other", __name__, atomic=False)
    told(app, same)
    told(app, other)
    outer.register(same, prefix="/same")
    outer.register(other, prefix="/other")
    app.register(outer)

    assert client(app=app).get("/same/d").json == {"atomic": True}
    assert client(app=app).get("/other/d").json == {"atomic": False}


def test_a_blueprint_says_more_than_the_configuration(app: App, client: Any) -> None:
    app.config["ATOMIC_REQUESTS"] = True
    reports, other = Blueprint("reports", __name__, atomic=False), Blueprint("other", __name__)
    told(app, reports)
    told(app, other)
    app.register(reports, prefix="/reports")
    app.register(other, prefix="/other")

    assert client(app=app).get("/reports/d").json == {"atomic": False}
    assert client(app=app).get("/other/d").json == {"atomic": True}


@pytest.mark.parametrize("path", COLOURS)
def test_a_failing_handler_of_a_blueprint_saves_nothing(app: App, client: Any, database: Database, path: str) -> None:
    shop = Blueprint("shop", __name__, atomic=True)

    @shop.post("/d")
    def of_threads() -> str:
        db.execute("INSERT INTO a (id) VALUES (1)")
        raise RuntimeError("after the insert")

    @shop.post("/a")
    async def of_loops() -> str:
        await db.aexecute("INSERT INTO a (id) VALUES (1)")
        raise RuntimeError("after the insert")

    app.register(shop)

    assert client(app=app).post(path).status_code == 500
    assert database.execute("SELECT * FROM a").all() == []
