"""An app and its database: what handlers get, return and leave behind."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from segue import App, Blueprint, db
from segue.errors import SetupError, UsageError
from segue.testing import Client

Clients = Callable[..., Client]


class Musician(db.Model):
    name = db.CharField(max_length=100)
    slug = db.SlugField(unique=True)


class Record(db.Model):
    title = db.CharField(max_length=200)
    leader = db.ForeignKey(Musician, on_delete=db.CASCADE, related_name="records")
    year = db.IntegerField(min_value=1900)

    class Meta:
        ordering = ["-year"]


class Account(db.Model):
    name = db.CharField(max_length=20)
    password = db.CharField(max_length=20, secret=True)


MODELS = (Musician, Record, Account)


@pytest.fixture
def app(tmp_path: Path) -> App:
    """An app with a database in a file of its own, which models of this file fill."""
    return App(
        "tests_data_app",
        database=f"sqlite:///{tmp_path}/club.db",
        models=MODELS,
        static_folder=None,
        template_folder=None,
    )


@pytest.fixture
def stored(app: App) -> App:
    """The same with two records."""
    app.db.create_all()
    duke = Musician(name="Duke", slug="duke")
    duke.save(using=app.db)
    Record.objects.using(app.db).bulk_create(
        [Record(title="Newport", leader=duke, year=1956), Record(title="Indigos", leader=duke, year=1958)]
    )
    return app


def test_an_app_makes_missing_tables_when_it_starts_in_tests(app: App, client: Clients) -> None:
    @app.get("/")
    def index() -> dict[str, int]:
        return {"records": Record.objects.count()}

    answer = client().get("/")

    assert answer.json == {"records": 0}


def test_tables_are_left_alone_where_migrations_rule(tmp_path: Path) -> None:
    (tmp_path / "migrations").mkdir()
    app = App("tests_data_app", database="sqlite:///club.db", models=MODELS)
    app.root_path = tmp_path

    @app.get("/")
    def index() -> dict[str, int]:
        return {"records": Record.objects.count()}

    with pytest.raises(db.ProgrammingError, match="segue migrate"):
        Client(app).get("/")


def test_a_handler_returns_a_model_as_its_own_columns(stored: App, client: Clients) -> None:
    @stored.get("/<int:pk>")
    def one(pk: int) -> Record:
        return Record.objects.get(pk=pk)

    answer = client(app=stored).get("/1")

    assert answer.json == {"id": 1, "title": "Newport", "leader_id": 1, "year": 1956}


@pytest.mark.parametrize("path", ["/sync", "/async"])
def test_a_handler_returns_a_queryset_as_a_list(stored: App, client: Clients, path: str) -> None:
    @stored.get("/sync")
    def of_threads() -> Any:
        return Record.objects.filter(year__gt=1956)

    @stored.get("/async")
    async def of_loops() -> Any:
        return Record.objects.filter(year__gt=1956)

    answer = client(app=stored).get(path)

    assert answer.json == [{"id": 2, "title": "Indigos", "leader_id": 1, "year": 1958}]


def test_a_queryset_keeps_the_status_it_is_returned_with(stored: App, client: Clients) -> None:
    @stored.get("/")
    async def index() -> Any:
        return Record.objects.values("title"), 203, {"X-Kind": "titles"}

    answer = client(app=stored).get("/")

    assert (answer.status_code, answer.headers["X-Kind"]) == (203, "titles")
    assert answer.json == [{"title": "Indigos"}, {"title": "Newport"}]


def test_a_queryset_of_more_than_a_thousand_rows_is_refused(stored: App) -> None:
    @stored.get("/")
    def index() -> Any:
        return Record.objects.all()

    Record.objects.using(stored.db).bulk_create(
        [Record(title=f"Take {take}", leader_id=1, year=1960) for take in range(1000)]
    )

    with pytest.raises(UsageError, match="data/too-many-rows"):
        Client(stored).get("/")


def test_a_model_with_a_secret_is_not_shown_whole(stored: App) -> None:
    @stored.get("/")
    def index() -> Any:
        return Account(name="me", password="secret")

    with pytest.raises(UsageError, match="data/private-model") as caught:
        Client(stored).get("/")
    assert "password" in str(caught.value)


@pytest.mark.parametrize("path", ["/sync/9", "/async/9"])
def test_a_missing_object_in_a_handler_is_404(stored: App, client: Clients, path: str) -> None:
    @stored.get("/sync/<int:pk>")
    def of_threads(pk: int) -> Record:
        return Record.objects.get(pk=pk)

    @stored.get("/async/<int:pk>")
    async def of_loops(pk: int) -> Record:
        return await Record.objects.aget(pk=pk)

    assert client(app=stored).get(path).status_code == 404


def test_a_missing_object_in_a_hook_is_an_error(stored: App, client: Clients) -> None:
    @stored.before_request
    def look() -> None:
        Record.objects.get(pk=9)

    @stored.get("/")
    def index() -> str:
        return "here"

    assert client(app=stored).get("/").status_code == 500


@pytest.mark.parametrize("path", ["/sync", "/async"])
def test_an_atomic_route_takes_everything_back_when_it_fails(stored: App, client: Clients, path: str) -> None:
    @stored.post("/sync", atomic=True)
    def of_threads() -> str:
        Record.objects.all().delete()
        raise RuntimeError("after the delete")

    @stored.post("/async", atomic=True)
    async def of_loops() -> str:
        await Record.objects.all().adelete()
        raise RuntimeError("after the delete")

    answer = client(app=stored).post(path)

    assert answer.status_code == 500
    assert Record.objects.using(stored.db).count() == 2


def test_routes_of_a_blueprint_are_atomic_where_it_says_so(stored: App, client: Clients) -> None:
    shop = Blueprint("shop", __name__, prefix="/shop", atomic=True)

    @shop.get("/in")
    def within() -> dict[str, bool]:
        return {"atomic": stored.db.in_atomic}

    @shop.get("/out", atomic=False)
    def without() -> dict[str, bool]:
        return {"atomic": stored.db.in_atomic}

    stored.register(shop)
    answers = client(app=stored)

    assert (answers.get("/shop/in").json, answers.get("/shop/out").json) == ({"atomic": True}, {"atomic": False})


def test_all_routes_are_atomic_where_the_configuration_says_so(stored: App, client: Clients) -> None:
    stored.config["ATOMIC_REQUESTS"] = True

    @stored.get("/in")
    def within() -> dict[str, bool]:
        return {"atomic": stored.db.in_atomic}

    @stored.get("/out", atomic=False)
    def without() -> dict[str, bool]:
        return {"atomic": stored.db.in_atomic}

    answers = client(app=stored)

    assert answers.get("/in").json == {"atomic": True}
    assert answers.get("/out").json == {"atomic": False}


def test_two_apps_with_the_same_models_keep_their_rows_apart(tmp_path: Path) -> None:
    apps = [App(f"tests_{name}", database=f"sqlite:///{tmp_path}/{name}.db", models=MODELS) for name in ("a", "b")]
    for app in apps:

        @app.post("/")
        def add() -> dict[str, int]:
            Musician.objects.create(name="Duke", slug="duke")
            return {"musicians": Musician.objects.count()}

    answers = [Client(app).post("/").json for app in apps]

    assert answers == [{"musicians": 1}, {"musicians": 1}]


def test_a_model_of_one_app_finds_its_database_outside_requests(tmp_path: Path) -> None:
    class Poster(db.Model):
        title = db.CharField(max_length=20)

    app = App("tests_poster_app", database=f"sqlite:///{tmp_path}/club.db", models=(Poster,))
    app.db.create_all()
    app.compile()

    Poster.objects.create(title="Tonight")

    assert Poster.objects.using(app.db).count() == 1


def test_a_model_of_two_apps_has_no_database_of_its_own_outside(stored: App, tmp_path: Path) -> None:
    other = App("tests_other_app", database=f"sqlite:///{tmp_path}/other.db", models=MODELS)
    stored.compile()
    other.compile()

    with pytest.raises(UsageError, match="data/no-database"):
        Record.objects.count()
    with stored.context():
        assert Record.objects.count() == 2


def test_an_app_without_a_database_says_how_to_give_it_one() -> None:
    app = App("tests_bare_app")

    with pytest.raises(UsageError, match="data/no-database") as caught:
        _ = app.db
    assert 'database="sqlite:///club.db"' in caught.value.hint


def test_several_databases_need_one_called_default() -> None:
    app = App("tests_many_app", database={"archive": "sqlite://:memory:"})

    with pytest.raises(SetupError, match="data/database-option"):
        app.compile()


def test_other_databases_are_reached_by_name(tmp_path: Path) -> None:
    app = App(
        "tests_many_app",
        database={"default": f"sqlite:///{tmp_path}/a.db", "archive": f"sqlite:///{tmp_path}/b.db"},
        models=(Musician,),
    )

    with app.context():
        app.db.create_all()
        app.db["archive"].create_all(Musician)
        Musician.objects.using("archive").create(name="Duke", slug="duke")

        assert Musician.objects.count() == 0
        assert Musician.objects.using("archive").count() == 1


def test_an_app_does_not_start_with_a_model_that_cannot_work() -> None:
    class Misspelt(db.Model):
        year = db.IntegerField()

        class Meta:
            ordering = ["-yaer"]

    app = App("tests_data_app", database="sqlite://:memory:", models=[Misspelt])

    with pytest.raises(SetupError, match="yaer") as caught:
        app.compile()

    assert caught.value.code == "data/models"
    assert "year" in caught.value.hint
    assert caught.value.where.endswith("Misspelt")


def test_an_app_may_forbid_to_load_by_touching(stored: App, tmp_path: Path, client: Clients) -> None:
    strict = App(
        "tests_strict_app",
        database=f"sqlite:///{tmp_path}/club.db",
        models=MODELS,
        config={"FETCH_MODE": "raise"},
        static_folder=None,
        template_folder=None,
    )

    @strict.get("/plain")
    def plain() -> str:
        return Record.objects.all()[0].leader.name

    @strict.get("/joined")
    def joined() -> str:
        return Record.objects.select_related("leader")[0].leader.name

    with client(app=strict) as visitor:
        answers = visitor.get("/plain").status, visitor.get("/joined").text

    assert answers == (500, "Duke")


def test_signals_of_models_are_an_apps_own(stored: App, tmp_path: Path) -> None:
    heard: list[str] = []

    @stored.on(db.post_save, Musician)
    def saved(sender: Any, instance: Musician, created: bool, **_: Any) -> None:
        heard.append(f"{instance.name} {created}")

    other = App("tests_other_app", database=f"sqlite:///{tmp_path}/other.db", models=MODELS)
    other.db.create_all()
    with other.context():
        Musician.objects.create(name="Elsewhere", slug="elsewhere")
    with stored.context():
        Musician.objects.create(name="Count", slug="count")

    assert heard == ["Count True"]


def test_an_app_that_is_dropped_lets_its_databases_go(tmp_path: Path) -> None:
    app = App("tests_gone_app", database=f"sqlite:///{tmp_path}/club.db", models=MODELS)
    app.compile()
    databases = weakref.ref(app.own_databases())

    del app
    gc.collect()

    assert databases() is None


def listing(app: App, path: str, colour: str, queries: int) -> None:
    """Add a page that reads the leader of each record."""
    if colour == "def":

        @app.get(path, queries=queries)
        def of_threads() -> list[str]:
            return [record.leader.name for record in Record.objects.all()]
    else:

        @app.get(path, queries=queries)
        async def of_loops() -> list[str]:
            return [(await record.afetch("leader")).name for record in await Record.objects.all()]


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_a_route_that_asks_too_often_says_what_to_write(stored: App, colour: str) -> None:
    listing(stored, "/", colour, queries=1)

    with pytest.raises(db.QueryBudgetError, match="data/query-budget") as caught:
        Client(stored).get("/")

    assert "Record.leader" in str(caught.value)
    assert f"{Path(__file__).name}:" in str(caught.value)
    assert 'Record.objects.select_related("leader")' in caught.value.hint


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_a_route_within_its_budget_answers(stored: App, client: Clients, colour: str) -> None:
    listing(stored, "/", colour, queries=2)

    assert client(app=stored).get("/").json == ["Duke", "Duke"]


def test_the_suggested_line_keeps_the_budget(stored: App, client: Clients) -> None:
    @stored.get("/", queries=1)
    def index() -> list[str]:
        return [record.leader.name for record in Record.objects.select_related("leader")]

    assert client(app=stored).get("/").status_code == 200


def test_a_queryset_that_is_answered_counts(stored: App) -> None:
    @stored.get("/", queries=0)
    async def index() -> Any:
        return Record.objects.all()

    with pytest.raises(db.QueryBudgetError):
        Client(stored).get("/")


def test_in_production_too_many_queries_are_a_warning(stored: App, caplog: pytest.LogCaptureFixture) -> None:
    stored.config["ALLOWED_HOSTS"] = ["localhost"]
    listing(stored, "/", "def", queries=1)
    stored.compile()

    answer = Client(stored, protocol="wsgi").get("/")

    assert answer.json == ["Duke", "Duke"]
    assert "data/query-budget" in caplog.text


@pytest.mark.parametrize("path", ["/sync", "/async"])
def test_models_and_querysets_may_stand_anywhere_in_an_answer(stored: App, client: Clients, path: str) -> None:
    @stored.get("/sync")
    def of_threads() -> Any:
        return {"first": Record.objects.get(pk=1), "titles": Record.objects.values_list("title", flat=True)}

    @stored.get("/async")
    async def of_loops() -> Any:
        titles = await Record.objects.values_list("title", flat=True)
        return {"first": (await Record.objects.filter(pk=1))[0], "titles": titles}

    answer = client(app=stored).get(path)

    assert answer.json["first"]["title"] == "Newport"
    assert answer.json["titles"] == ["Indigos", "Newport"]


def test_a_list_of_models_is_an_answer(stored: App, client: Clients) -> None:
    @stored.get("/")
    async def index() -> Any:
        return await Record.objects.filter(pk=1)

    assert client(app=stored).get("/").json == [{"id": 1, "title": "Newport", "leader_id": 1, "year": 1956}]


def test_outside_a_context_atomic_is_of_the_only_app(tmp_path: Path) -> None:
    script = f"""
from segue import App, Blueprint, db

app = App("only", database="sqlite:///{tmp_path}/club.db")


class Poster(db.Model):
    title = db.CharField(max_length=20)


app.db.create_all(Poster)
app.compile()
with db.atomic():
    Poster.objects.using(app.db).create(title="Tonight")
print(Poster.objects.using(app.db).count())
"""

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path)

    assert done.stdout.strip() == "1", done.stderr


class ToArchive:
    """Sends every musician to the archive."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return "archive" if model is Musician else None

    db_for_write = db_for_read


@pytest.mark.parametrize("router", [ToArchive, ToArchive(), f"{__name__}:ToArchive"], ids=["class", "object", "target"])
def test_routers_of_the_configuration_choose_the_database(tmp_path: Path, router: Any) -> None:
    app = App(
        "tests_routed_app",
        database={"default": f"sqlite:///{tmp_path}/a.db", "archive": f"sqlite:///{tmp_path}/b.db"},
        models=(Musician, Account),
        config={"DATABASE_ROUTERS": [router]},
    )
    app.db["archive"].create_all(Musician)
    app.db.create_all(Account)

    with app.context():
        Musician.objects.create(name="Duke", slug="duke")
        Account.objects.create(name="me")

        assert Musician.objects.using("archive").count() == 1
        assert Account.objects.using("default").count() == 1
