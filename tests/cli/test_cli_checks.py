"""SITES-51: levels, tags, silencing, formats of `segue check`, and circles of imports."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest
from click.testing import Result

Project = Callable[..., Path]
Command = Callable[..., Result]

SHOP = """\
from segue import App, Finding
app = App(__name__, config={config})
@app.check(tags=["money"])
def prices():
    yield Finding("shop.W001", "warning", "No currency.", where="app.py:4")
@app.check
def stock(app):
    yield Finding("shop.I001", "info", "Little is left.")
"""


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], 0),
        (["--fail-level", "error"], 0),
        (["--fail-level", "warning"], 1),
        (["--fail-level", "info"], 1),
        (["--fail-level", "warning", "--tag", "urls"], 0),
    ],
)
def test_the_exit_code_follows_the_level(project: Project, command: Command, words: list[str], code: int) -> None:
    project(app=SHOP.format(config={}))

    assert command("check", *words).exit_code == code


@pytest.mark.parametrize(
    ("tags", "ids"),
    [
        (["shop"], ["shop.W001", "shop.I001"]),
        (["money"], ["shop.W001"]),
        (["money", "shop"], ["shop.W001", "shop.I001"]),
        (["urls"], []),
    ],
)
def test_findings_are_chosen_by_area_or_tag(
    project: Project, command: Command, tags: list[str], ids: list[str]
) -> None:
    project(app=SHOP.format(config={}))

    done = command("check", "--json", *(word for tag in tags for word in ("--tag", tag)))

    assert [each["id"] for each in json.loads(done.stdout)] == ids


def test_what_is_silenced_is_not_told_and_fails_nothing(project: Project, command: Command) -> None:
    project(app=SHOP.format(config={"SILENCED_CHECKS": ["shop.W001"]}))

    done = command("check", "--fail-level", "warning", "--json")

    assert done.exit_code == 0
    assert [each["id"] for each in json.loads(done.stdout)] == ["shop.I001"]


# SARIF 2.1.0: the parts that are used, closed to any other member


class Text(msgspec.Struct, forbid_unknown_fields=True):
    text: str


class Artifact(msgspec.Struct, forbid_unknown_fields=True):
    uri: str


class Region(msgspec.Struct, forbid_unknown_fields=True):
    startLine: int


class Physical(msgspec.Struct, forbid_unknown_fields=True):
    artifactLocation: Artifact
    region: Region | None = None


class Logical(msgspec.Struct, forbid_unknown_fields=True):
    fullyQualifiedName: str


class Location(msgspec.Struct, forbid_unknown_fields=True):
    physicalLocation: Physical | None = None
    logicalLocations: list[Logical] = []


class Sarif(msgspec.Struct, forbid_unknown_fields=True):
    ruleId: str
    ruleIndex: int
    level: Literal["none", "note", "warning", "error"]
    message: Text
    locations: list[Location] = []
    properties: dict[str, list[str]] = {}


class Rule(msgspec.Struct, forbid_unknown_fields=True):
    id: str


class Driver(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    version: str
    rules: list[Rule]


class Tool(msgspec.Struct, forbid_unknown_fields=True):
    driver: Driver


class Run(msgspec.Struct, forbid_unknown_fields=True):
    tool: Tool
    results: list[Sarif]


class Log(msgspec.Struct, forbid_unknown_fields=True):
    version: Literal["2.1.0"]
    runs: list[Run]
    schema: str = msgspec.field(name="$schema")


def test_sarif_is_what_its_standard_says(project: Project, command: Command) -> None:
    project(app=SHOP.format(config={}))

    log = msgspec.json.decode(command("check", "--format", "sarif").stdout, type=Log)

    (run,) = log.runs
    first, second = run.results
    assert [run.tool.driver.rules[each.ruleIndex].id for each in run.results] == ["shop.W001", "shop.I001"]
    assert (first.level, second.level) == ("warning", "note")
    assert first.locations == [Location(Physical(Artifact("app.py"), Region(4)))]
    assert (first.message.text, second.locations) == ("No currency.", [])


def test_sarif_of_a_place_that_is_no_file_names_it(project: Project, command: Command) -> None:
    project(app=SHOP.format(config={}).replace("app.py:4", "the configuration key CSP"))

    log = msgspec.json.decode(command("check", "--format", "sarif").stdout, type=Log)

    assert log.runs[0].results[0].locations == [Location(None, [Logical("the configuration key CSP")])]


def test_sarif_of_a_sound_app_has_no_results(project: Project, command: Command) -> None:
    project(app="from segue import App\napp = App(__name__)\n")

    log = msgspec.json.decode(command("check", "--format", "sarif").stdout, type=Log)

    assert log.runs[0].results == []


# Circles


def imports(command: Command) -> list[Any]:
    """What is found about imports."""
    found = json.loads(command("check", "--json").stdout)
    return [(each["id"], each["message"], each["where"]) for each in found if each["id"].startswith("imports.")]


def test_modules_that_import_each_other_are_drawn(project: Project, command: Command) -> None:
    project(
        app="from segue import App\nimport a\napp = App(__name__)\n",
        a="import b\n\nX = 1\n",
        b="import a\n",
    )

    assert imports(command) == [("imports.W001", "Modules import each other: a → b → a.", "a.py:1")]


def test_a_circle_that_keeps_the_app_from_loading_is_drawn(project: Project, command: Command) -> None:
    project(
        app="from segue import App\nfrom a import X\napp = App(__name__)\n",
        a="from b import Y\nX = 1\n",
        b="from a import X\nY = 1\n",
    )

    assert imports(command) == [("imports.E001", "Modules import each other: a → b → a.", "a.py:1")]
    assert command("check").exit_code == 1


def test_a_package_that_grew_has_no_circle(project: Project, command: Command) -> None:
    project(
        {
            "club/__init__.py": "from club.app import app\nfrom club import views\n",
            "club/app.py": "from segue import App\napp = App(__name__)\n",
            "club/views.py": "from club.app import app\n@app.get('/')\ndef index(): return ''\n",
        }
    )

    assert imports(command) == []


@pytest.mark.parametrize(
    "late",
    ["def f():\n    import a\n", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a\n"],
)
def test_late_imports_and_those_for_types_make_no_circle(project: Project, command: Command, late: str) -> None:
    project(app="from segue import App\nimport a\napp = App(__name__)\n", a="import b\n", b=late)

    assert imports(command) == []
