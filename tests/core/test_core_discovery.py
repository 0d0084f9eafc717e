"""CORE-8, CORE-9: which modules an app imports by itself, and whose models are its own."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from segue import App, Blueprint, SetupError

MODEL = "from segue import db\nclass {}(db.Model):\n    name = db.CharField(max_length=9)\n"
Site = Callable[..., App]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Write modules of a package, and return the app that its `__init__` makes."""
    name = f"site_{secrets.token_hex(4)}"
    monkeypatch.syspath_prepend(tmp_path)

    def write(options: str, modules: dict[str, str], *, file: str = "__init__") -> App:
        given = {file: f"from segue import App\napp = App(__name__, database='sqlite://:memory:'{options})\n"}
        for path, text in (given | modules).items():
            target = tmp_path / name / f"{path}.py"
            target.parent.mkdir(parents=True, exist_ok=True)
            (target.parent / "__init__.py").touch()
            target.write_text(text)
        made: App = import_module(name if file == "__init__" else f"{name}.{file}").app
        return made

    yield write
    for module in [each for each in sys.modules if each.partition(".")[0] == name]:
        del sys.modules[module]


def names(app: App) -> set[str]:
    return {model.__name__ for model in app.owned_models()}


MODULES = {"models": MODEL.format("Musician"), "tables": MODEL.format("Record"), "shop/wares": MODEL.format("Ticket")}


@pytest.mark.parametrize(
    ("options", "found"), [("", {"Musician"}), (", autodiscover=True", {"Musician", "Record", "Ticket"})]
)
def test_models_of_other_modules_are_found_only_where_it_is_said(site: Site, options: str, found: set[str]) -> None:
    assert names(site(options, MODULES)) == found


def test_tables_are_made_for_the_models_that_are_found(site: Site) -> None:
    made = site(", autodiscover=True", MODULES).db.create_all()

    assert len(made) == 3


def test_an_app_in_a_module_finds_those_of_its_package(site: Site) -> None:
    app = site(", autodiscover=True", MODULES, file="application")

    assert names(app) == {"Musician", "Record", "Ticket"}


def test_an_app_beside_its_models_finds_those_of_its_package(site: Site) -> None:
    own = "from segue import App, db\napp = App(__name__, database='sqlite://:memory:', autodiscover=True)\n"

    app = site("", {"main": own + MODEL.format("Evening"), "tables": MODEL.format("Record")}, file="main")

    assert names(app) == {"Evening", "Record"}


def test_a_route_of_a_module_that_is_found_is_served(site: Site) -> None:
    routes = "from . import app\n@app.get('/')\ndef index():\n    return 'found'\n"

    app = site(", autodiscover=True", {"pages": routes})

    assert app.test_client().get("/").text == "found"


@pytest.mark.parametrize(
    "module", ["__main__", "tests/test_site", "test_site", "conftest", "migrations/__init__", "shop/tests/rows"]
)
def test_what_runs_by_itself_and_tests_are_left_alone(site: Site, module: str) -> None:
    app = site(", autodiscover=True", {module: "raise RuntimeError('imported')"})

    assert names(app) == set()


def test_a_script_that_no_import_can_name_is_left_alone(site: Site) -> None:
    app = site(", autodiscover=True", {"fix-data": "raise RuntimeError('imported')", "tables": MODEL.format("Record")})

    assert names(app) == {"Record"}


@pytest.mark.parametrize(("file", "module"), [("run", "club.run"), ("__main__", "club")])
def test_a_module_that_runs_finds_those_of_its_package_and_runs_once(tmp_path: Path, file: str, module: str) -> None:
    package = tmp_path / "club"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "tables.py").write_text(MODEL.format("Record"))
    (package / f"{file}.py").write_text(
        "print('runs')\nfrom segue import App, db\n"
        "class Evening(db.Model):\n    name = db.CharField(max_length=9)\n"
        "app = App(__name__, database='sqlite://:memory:', autodiscover=True)\napp.compile()\n"
        "print(sorted(each.__name__ for each in app.owned_models()))\n"
    )

    done = subprocess.run([sys.executable, "-m", module], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("runs\n['Evening', 'Record']\n", "")


def test_the_error_of_a_module_is_told_as_it_is_each_time(site: Site) -> None:
    app = site(", autodiscover=True", {"tables": "from nowhere import anything"})

    with pytest.raises(ModuleNotFoundError, match="nowhere"):
        app.compile()
    with pytest.raises(ModuleNotFoundError, match="nowhere"):
        app.owned_models()


def test_a_single_file_has_nothing_to_discover() -> None:
    app: Any = App("tests_single_app", autodiscover=True)

    with pytest.raises(SetupError, match="app/no-package"):
        app.compile()


@pytest.mark.parametrize(("file", "named"), [("blog/models", None), ("blog/tables", "blog.tables"), ("rows", "rows")])
def test_models_of_a_blueprint_are_owned_where_it_is_registered(site: Site, file: str, named: str | None) -> None:
    package = site("", {"blog/pages": "", file: MODEL.format("Post")}).import_name
    blog = Blueprint("blog", f"{package}.blog", models=named and f"{package}.{named}")
    having, lacking = (App(f"tests_{each}", database="sqlite://:memory:") for each in ("having", "lacking"))

    having.register(blog, prefix="/blog")

    assert (names(having), names(lacking)) == ({"Post"}, set())
    assert len(having.db.create_all()) == 1


def test_models_of_a_blueprint_come_once_where_it_is_registered_twice(site: Site) -> None:
    package = site("", {"blog/models": MODEL.format("Post")}).import_name
    blog = Blueprint("blog", f"{package}.blog")
    app = App("tests_twice", database="sqlite://:memory:")

    app.register(blog, prefix="/blog")
    app.register(blog, prefix="/de", name="blog_de")

    assert [model.__name__ for model in app.owned_models()] == ["Post"]


def test_a_module_of_models_that_is_not_there_is_refused(site: Site) -> None:
    package = site("", {"blog/pages": ""}).import_name
    app = App("tests_missing", database="sqlite://:memory:")
    app.register(Blueprint("blog", f"{package}.blog", models=f"{package}.tables"))

    with pytest.raises(SetupError, match="data/no-models-module") as caught:
        app.owned_models()
    assert f"{package}.tables" in str(caught.value)
