"""The grammar of targets, in every loader."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from segue.config import Config, Target, TargetError, load_target
from segue.targets import line_of, search_folders, split_targets

_numbers = itertools.count()

Site = Callable[..., str]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Write a package under a name of its own; return the name."""
    monkeypatch.syspath_prepend(str(tmp_path))
    made: list[str] = []

    def write(**files: str) -> str:
        name = f"target_site_{next(_numbers)}"
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
        for file, text in files.items():
            (tmp_path / name / f"{file}.py").write_text(text)
        made.append(name)
        return name

    yield write
    for name in [each for each in sys.modules if each.partition(".")[0] in made]:
        del sys.modules[name]


@pytest.fixture
def path_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))


SETTINGS = """
class Dev:
    COLOUR = "red"
    class Inner:
        COLOUR = "red"

COLOUR = "red"

def make(colour="blue", *, debug=False):
    return {"COLOUR": colour, "DEBUG": debug}

dev = Dev()
"""


@pytest.mark.parametrize(
    "form",
    [
        "{site}.dev",
        "{site}.dev:Dev",
        "{site}.dev:Dev.Inner",
        "{site}.dev.Dev",
        "{site}.dev:dev",
        '{site}.dev:make("red")',
        "{site}/dev.py",
        "./{site}/dev.py:Dev",
    ],
)
@pytest.mark.parametrize("loader", ["config", "variable", "pushed", "from_object", "from_envvar"])
def test_every_form_gives_the_same_in_every_loader(site: Site, tmp_path: Path, form: str, loader: str) -> None:
    text = form.format(site=site(dev=SETTINGS))
    environ = {"SEGUE_CONFIG": text if loader == "variable" else "", "OTHER": text}
    config = Config(tmp_path, target=text if loader == "config" else None, environ=environ)
    load = {"pushed": config.push_target, "from_object": config.from_object}.get(loader)

    if load is not None:
        load(text)
    if loader == "from_envvar":
        config.from_envvar("OTHER")

    assert config["COLOUR"] == "red"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.toml", 'COLOUR = "red"\ncolour = "no"\n'),
        ("a.json", '{"COLOUR": "red", "colour": "no"}'),
        ("a.py", 'COLOUR = "red"\ncolour = "no"\n'),
    ],
)
def test_a_file_gives_its_uppercase_keys(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)

    config = Config(tmp_path, target=name, environ={})

    assert dict(config) == {"COLOUR": "red"}


def test_a_yaml_file_gives_its_uppercase_keys(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    (tmp_path / "a.yaml").write_text("COLOUR: red\n")

    assert Config(tmp_path, target="a.yaml", environ={})["COLOUR"] == "red"


def test_yaml_without_its_library_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    (tmp_path / "a.yaml").write_text("COLOUR: red\n")

    with pytest.raises(TargetError, match=r"segue\[yaml\]"):
        load_target("a.yaml", root=tmp_path)


def test_a_table_of_a_file_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('[staging]\nCOLOUR = "red"\n')

    assert load_target("a.toml:staging", root=tmp_path) == {"COLOUR": "red"}


def test_a_factory_is_called_with_literals(site: Site) -> None:
    name = site(dev=SETTINGS)

    made = load_target(f'{name}.dev:make(colour="green", debug=True)')

    assert made == {"COLOUR": "green", "DEBUG": True}


def test_a_factory_given_an_expression_evaluates_nothing(site: Site, tmp_path: Path) -> None:
    name = site(dev=f"open({str(tmp_path / 'touched')!r}, 'w').close()\n")

    with pytest.raises(TargetError) as caught:
        load_target(f'{name}.dev:get_app(open("x"))')

    assert caught.value.code == "config/not-a-literal"
    assert "open('x')" in str(caught.value)
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize("text", ["a:f(**{'a': 1})", "a:f(*[1])", "a:f(x for x in y)", "a:f(__import__('os'))"])
def test_a_factory_takes_nothing_but_literals(text: str) -> None:
    with pytest.raises(TargetError) as caught:
        Target.parse(text)

    assert caught.value.code == "config/not-a-literal"


@pytest.mark.parametrize(
    "text", ["", "a b", "a:", ":b", "a:b[0]", "a:f()()", "a:lambda: 1", "a..b", "a:f(", "1a", "a:b:c"]
)
def test_a_text_of_no_form_lists_the_forms(text: str) -> None:
    with pytest.raises(TargetError) as caught:
        Target.parse(text)

    assert caught.value.code == "config/bad-target"
    assert "package.module:attribute" in caught.value.hint


def test_an_async_factory_is_awaited(site: Site) -> None:
    name = site(app="async def make(x):\n    return {'X': x}\n")

    assert load_target(f"{name}.app:make(3)") == {"X": 3}


def test_an_async_factory_is_awaited_while_a_loop_runs(site: Site) -> None:
    name = site(app="async def make(x):\n    return {'X': x}\n")

    async def load() -> Any:
        return load_target(f"{name}.app:make(3)")

    assert asyncio.run(load()) == {"X": 3}


def test_an_async_factory_that_fails_says_so(site: Site) -> None:
    name = site(app="async def make():\n    raise ValueError('no luck')\n")

    with pytest.raises(TargetError, match="no luck"):
        load_target(f"{name}.app:make()")


def test_a_missing_module_is_named(site: Site) -> None:
    with pytest.raises(TargetError) as caught:
        load_target("there_is_none.dev")

    assert caught.value.code == "config/no-such-module"
    assert "`there_is_none`" in caught.value.message


def test_a_missing_attribute_is_named_with_the_nearest(site: Site) -> None:
    name = site(dev=SETTINGS)

    with pytest.raises(TargetError) as caught:
        load_target(f"{name}.dev:Deev")

    assert caught.value.code == "config/no-such-attribute"
    assert "'Deev'" in caught.value.message
    assert "Dev" in caught.value.hint


def test_a_missing_submodule_is_named_with_the_nearest(site: Site) -> None:
    name = site(staging="", dev="")

    with pytest.raises(TargetError) as caught:
        load_target(f"{name}.stagin")

    assert "Did you mean staging?" in caught.value.hint


def test_an_error_inside_the_module_names_its_line(site: Site) -> None:
    name = site(dev="A = 1\nB = 1 / 0\n")

    with pytest.raises(TargetError) as caught:
        load_target(f"{name}.dev")

    assert caught.value.code == "config/target-failed"
    assert caught.value.where.endswith("dev.py:2")
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_an_import_missing_inside_the_module_is_not_taken_for_the_module(site: Site) -> None:
    name = site(dev="import there_is_none\n")

    with pytest.raises(TargetError) as caught:
        load_target(f"{name}.dev")

    assert caught.value.code == "config/target-failed"
    assert "there_is_none" in caught.value.message


def test_a_syntax_error_names_its_line(tmp_path: Path, path_kept: None) -> None:
    (tmp_path / "broken_settings.py").write_text("A = 1\nB = = 2\n")

    with pytest.raises(TargetError) as caught:
        load_target("broken_settings.py", root=tmp_path)

    assert caught.value.where.endswith("broken_settings.py:2")


def test_a_missing_file_lists_the_places(tmp_path: Path) -> None:
    with pytest.raises(TargetError) as caught:
        load_target("dev.toml", root=tmp_path)

    assert caught.value.code == "config/no-such-file"
    assert str(tmp_path / "instance" / "dev.toml") in caught.value.why


@pytest.mark.parametrize(("name", "text"), [("a.toml", "A = = 1"), ("a.json", "{"), ("b.json", "[1]")])
def test_a_file_that_is_not_well_formed_is_named(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)

    with pytest.raises(TargetError) as caught:
        load_target(name, root=tmp_path)

    assert caught.value.code == "config/bad-file"
    assert name in caught.value.where


def test_a_function_that_is_not_called_is_no_configuration(site: Site, tmp_path: Path) -> None:
    name = site(dev=SETTINGS)

    with pytest.raises(TargetError) as caught:
        Config(tmp_path, target=f"{name}.dev:make", environ={}).get("COLOUR")

    assert caught.value.code == "config/bad-target"
    assert "To call it" in caught.value.hint


def test_calling_what_is_no_function_is_an_error(site: Site) -> None:
    name = site(dev=SETTINGS)

    with pytest.raises(TargetError) as caught:
        load_target(f"{name}.dev:COLOUR()")

    assert caught.value.code == "config/no-such-attribute"


def test_a_python_file_is_imported_as_the_module_that_others_import(tmp_path: Path, path_kept: None) -> None:
    name = f"target_file_{next(_numbers)}"
    (tmp_path / f"{name}.py").write_text("app = object()\n")

    first = load_target(f"{name}.py:app", root=tmp_path)
    second = load_target(f"{name}:app", root=tmp_path)

    assert first is second
    assert sys.modules.pop(name).app is first


def test_a_file_of_a_package_is_imported_with_its_package(site: Site, tmp_path: Path) -> None:
    name = site(app="from .other import value\n", other="value = 5\n")

    module = load_target(f"{name}/app.py", root=tmp_path)

    assert module.__name__ == f"{name}.app"
    assert module.value == 5


def test_a_file_whose_name_a_library_has_is_refused_as_a_module(tmp_path: Path, path_kept: None) -> None:
    (tmp_path / "json.py").write_text("A = 1\n")

    with pytest.raises(TargetError, match=r"Rename json\.py"):
        load_target("json.py", root=tmp_path)


def test_a_settings_file_hides_no_library_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("import json\nA = json.loads('1')\n")

    assert Config(tmp_path, target="json.py", environ={})["A"] == 1


def test_two_configurations_do_not_share_a_settings_file(tmp_path: Path) -> None:
    (tmp_path / "dev.py").write_text("HOSTS = []\n")
    one, two = (Config(tmp_path, target="dev.py", environ={}) for _ in range(2))

    one["HOSTS"].append("a")

    assert two["HOSTS"] == []


def test_commas_split_targets_outside_parentheses_only() -> None:
    assert split_targets('a, b:f(1, ["x,y"]), ./c.toml,') == ["a", 'b:f(1, ["x,y"])', "./c.toml"]


def test_files_are_found_above_the_package(site: Site, tmp_path: Path) -> None:
    name = site()
    (tmp_path / "dev.toml").write_text('COLOUR = "red"\n')

    assert Config(tmp_path / name, target="dev.toml", environ={})["COLOUR"] == "red"


def test_files_are_found_above_src(tmp_path: Path) -> None:
    package = tmp_path / "src" / "club"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")

    assert search_folders(package) == (package, package / "instance", tmp_path, tmp_path / "instance")


def test_the_line_of_a_nested_class_is_found(site: Site) -> None:
    name = site(dev=SETTINGS)
    inner = load_target(f"{name}.dev:Dev.Inner")

    assert line_of(inner, "COLOUR").endswith("dev.py:5")


def test_the_line_of_an_inherited_key_is_that_of_the_base(site: Site) -> None:
    name = site(dev="class Base:\n    A = 1\n\nclass Dev(Base):\n    B = 2\n")

    assert line_of(load_target(f"{name}.dev:Dev"), "A").endswith("dev.py:2")
