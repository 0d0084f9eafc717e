from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from segue.cli.discovery import Project as Loader
from segue.errors import SetupError

Project = Callable[..., Path]

APP = "from segue import App\napp = App(__name__)\n"


def test_the_only_app_of_app_py_is_found(project: Project) -> None:
    project(app="from segue import App\nsite = App(__name__)\n")

    app = Loader().load()

    assert app.import_name == "app"


def test_main_py_is_looked_at_after_app_py(project: Project) -> None:
    project(main=APP)

    assert Loader().load().import_name == "main"


def test_wsgi_py_is_looked_at_last(project: Project) -> None:
    project(wsgi=APP)

    assert Loader().load().import_name == "wsgi"


def test_a_package_with_an_app_py_is_found(project: Project) -> None:
    project({"club/app.py": APP, "club/__init__.py": ""})

    assert Loader().load().import_name == "club.app"


def test_naming_a_package_finds_its_app_py(project: Project) -> None:
    project({"club/app.py": APP, "club/__init__.py": ""}, app="raise RuntimeError")

    assert Loader("club").load().import_name == "club.app"


def test_a_variable_names_the_app(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project(site_one=APP, app="raise RuntimeError")
    monkeypatch.setenv("SEGUE_APP", "site_one:app")

    assert Loader().load().import_name == "site_one"


def test_pyproject_names_the_app(project: Project) -> None:
    folder = project(site_two=APP, app="raise RuntimeError")
    (folder / "pyproject.toml").write_text('[tool.segue]\napp = "site_two:app"\n')

    assert Loader().load().import_name == "site_two"


def test_the_variable_beats_pyproject(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = project(site_three=APP)
    (folder / "pyproject.toml").write_text('[tool.segue]\napp = "nothing"\n')
    monkeypatch.setenv("SEGUE_APP", "site_three")

    assert Loader().load().import_name == "site_three"


@pytest.mark.parametrize("name", ["create_app", "make_app", "get_app"])
def test_a_factory_of_a_known_name_is_called(project: Project, name: str) -> None:
    project(app=f"from segue import App\ndef {name}(): return App('made')\n")

    assert Loader().load().import_name == "made"


def test_an_async_factory_is_awaited(project: Project) -> None:
    project(app="from segue import App\nasync def create_app(): return App('awaited')\n")

    assert Loader().load().import_name == "awaited"


def test_a_factory_gets_its_literals(project: Project) -> None:
    project(shop="from segue import App\ndef build(config): return App(config)\n")

    assert Loader("shop:build(config='dev')").load().import_name == "dev"


def test_an_expression_in_a_factory_call_is_never_evaluated(project: Project) -> None:
    folder = project(shop="from segue import App\ndef build(file): return App('x')\n")

    with pytest.raises(SetupError, match="config/not-a-literal"):
        Loader("shop:build(open('made', 'w'))").load()

    assert not (folder / "made").exists()


def test_a_factory_that_needs_arguments_says_how_to_give_them(project: Project) -> None:
    project(app="def create_app(config): ...\n")

    with pytest.raises(SetupError) as caught:
        Loader().load()

    assert caught.value.code == "cli/factory-arguments"
    assert "app:create_app(config=…)" in caught.value.hint


def test_a_factory_that_fails_keeps_its_cause(project: Project) -> None:
    project(app="def create_app(): raise KeyError('gone')\n")

    with pytest.raises(SetupError, match="KeyError: 'gone'") as caught:
        Loader().load()

    assert caught.value.code == "cli/factory-failed"
    assert isinstance(caught.value.__cause__, KeyError)


def test_two_apps_are_both_listed(project: Project) -> None:
    project(app="from segue import App\none = App('one')\ntwo = App('two')\n")

    with pytest.raises(SetupError) as caught:
        Loader().load()

    assert caught.value.code == "cli/several-apps"
    assert "app.py:2" in caught.value.message
    assert "app.py:3" in caught.value.message


def test_one_app_under_two_names_is_one_app(project: Project) -> None:
    project(app="from segue import App\napp = App('same')\napplication = app\n")

    assert Loader().load().import_name == "same"


def test_two_packages_with_apps_are_both_listed(project: Project) -> None:
    project({f"{name}/{file}": APP for name in ("one", "two") for file in ("app.py", "__init__.py")})

    with pytest.raises(SetupError, match="one, two") as caught:
        Loader().load()

    assert caught.value.code == "cli/several-apps"


def test_no_app_names_the_places_tried(project: Project) -> None:
    project()

    with pytest.raises(SetupError) as caught:
        Loader().load()

    assert caught.value.code == "cli/no-app"
    assert all(each in caught.value.why for each in ("SEGUE_APP", "[tool.segue]", "app.py", "wsgi.py"))


def test_a_module_without_an_app_says_so(project: Project) -> None:
    project(app="x = 1\n")

    with pytest.raises(SetupError, match="app has no app") as caught:
        Loader().load()

    assert caught.value.code == "cli/no-app"


def test_something_else_than_an_app_is_refused(project: Project) -> None:
    project(app="x = 1\n")

    with pytest.raises(SetupError, match="it is 1") as caught:
        Loader("app:x").load()

    assert caught.value.code == "cli/not-an-app"


def test_a_broken_pyproject_is_named(project: Project) -> None:
    (project() / "pyproject.toml").write_text("[tool")

    with pytest.raises(SetupError) as caught:
        Loader().load()

    assert caught.value.code == "cli/bad-pyproject"


def test_config_on_the_command_line_beats_that_of_the_app(project: Project) -> None:
    project(app="from segue import App\napp = App(__name__, config={'PORT': 1})\n", late="PORT = 2\n")

    assert Loader(configs=("late",)).load().config["PORT"] == 2


def test_development_turns_debug_on_where_nothing_says_otherwise(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEGUE_DEBUG", "to be restored")
    monkeypatch.delenv("SEGUE_DEBUG")
    project(app="from segue import App\napp = App(__name__)\nSEEN = app.debug\n")

    app = Loader(is_development=True).load()

    assert app.debug
    assert __import__("app").SEEN


def test_development_leaves_debug_off_where_the_app_says_so(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGUE_DEBUG", "to be restored")
    monkeypatch.delenv("SEGUE_DEBUG")
    project(app="from segue import App\napp = App(__name__, config={'DEBUG': False})\n")

    assert not Loader(is_development=True).load().debug


def test_debug_on_the_command_line_beats_the_variable(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGUE_DEBUG", "1")
    project(app=APP)

    assert not Loader(debug=False, is_development=True).load().debug


DOTENV = {".env": "SEGUE_DATABASE=sqlite:///mine.sqlite\n"}
READING = "from segue import App\napp = App(__name__)\nSEEN = app.config['DATABASE']\n"


def test_a_command_reads_dotenv_and_leaves_debug_off(project: Project) -> None:
    project(DOTENV, app=READING)

    app = Loader().load()

    assert (app.config["DATABASE"], app.debug) == ("sqlite:///mine.sqlite", False)
    assert __import__("app").SEEN == "sqlite:///mine.sqlite"


def test_a_server_for_production_does_not_read_dotenv(project: Project) -> None:
    project(DOTENV, app=READING)

    assert Loader(is_production=True).load().config["DATABASE"] != "sqlite:///mine.sqlite"


@pytest.mark.parametrize(("name", "value"), [("SEGUE_DEBUG", "0"), ("SEGUE_DOTENV", "0")])
def test_a_variable_keeps_commands_from_dotenv(
    project: Project, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    project(DOTENV, app=READING)

    assert Loader().load().config["DATABASE"] != "sqlite:///mine.sqlite"


def test_an_app_that_says_debug_is_off_is_no_development(project: Project) -> None:
    project(DOTENV, app="from segue import App\napp = App(__name__, config={'DEBUG': False})\n")

    assert Loader().load().config["DATABASE"] != "sqlite:///mine.sqlite"


def test_no_debug_on_the_command_line_takes_dotenv_away(project: Project) -> None:
    project(DOTENV, app=READING)

    assert Loader(debug=False).load().config["DATABASE"] != "sqlite:///mine.sqlite"
