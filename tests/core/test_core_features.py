"""CORE-11: blueprints of installed packages, listed and registered by name."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from segue import App
from segue.cli.group import segue
from segue.errors import SetupError
from segue.installed import installed_features

Install = Callable[..., None]

SHOP = (
    "from segue import Blueprint\n"
    "shop = Blueprint('shop', __name__)\n"
    "shop.get('/shop')(lambda: 'open')\n"
    "class Till:\n"
    "    def install(self, setup, prefix='/till'):\n"
    "        setup.get(prefix)(lambda: 'ring')\n"
    "till = Till()\n"
    "def make_shop():\n"
    "    return Blueprint('made', __name__)\n"
    "def greedy(argument):\n"
    "    return argument\n"
    "nothing = 5\n"
)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a distribution with a module `segue_shop` into a folder of its own on the path."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    (folder / "segue_shop.py").write_text(SHOP)

    def add(distribution: str = "segue-shop", **features: str) -> None:
        info = folder / f"{distribution.replace('-', '_')}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
        lines = [f"{name} = {target}" for name, target in features.items()]
        (info / "entry_points.txt").write_text("\n".join(["[segue.blueprints]", *lines, ""]))
        importlib.invalidate_caches()

    yield add
    sys.modules.pop("segue_shop", None)


@pytest.fixture
def features(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Result]]:
    """Run `segue features` in a project with this `app.py`."""
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def run(source: str, *words: str) -> Result:
        (project / "app.py").write_text(source)
        return CliRunner().invoke(segue, ["features", *words])

    yield run
    sys.modules.pop("app", None)


def test_features_of_installed_packages_are_listed_without_loading_them(install: Install) -> None:
    install(shop="segue_shop:shop")

    found = [(each.name, each.package, each.version, each.target) for each in installed_features()]

    assert found == [("shop", "segue-shop", "1.2", "segue_shop:shop")]
    assert "segue_shop" not in sys.modules


def test_a_blueprint_is_registered_by_its_name(app: App, install: Install) -> None:
    install(shop="segue_shop:shop")

    app.register("shop", prefix="/buy")

    assert app.test_client().get("/buy/shop").text == "open"


@pytest.mark.parametrize("target", ["segue_shop:till", "segue_shop:Till"])
def test_a_battery_is_registered_by_its_name(app: App, install: Install, target: str) -> None:
    install(till=target)

    app.register("till", prefix="/t")

    assert app.test_client().get("/t").text == "ring"


def test_a_function_makes_the_blueprint(app: App, install: Install) -> None:
    install(shop="segue_shop:make_shop")

    assert app.register("shop").name == "made"


def test_an_unknown_name_suggests_the_nearest(app: App, install: Install) -> None:
    install(shop="segue_shop:shop")

    with pytest.raises(SetupError) as caught:
        app.register("shpo")

    assert (caught.value.code, caught.value.hint) == ("app/unknown-feature", "Did you mean shop?")


def test_two_packages_with_one_name_are_an_error(app: App, install: Install) -> None:
    install(shop="segue_shop:shop")
    install("other-shop", shop="segue_shop:till")

    with pytest.raises(SetupError, match="app/ambiguous-feature"):
        app.register("shop")


@pytest.mark.parametrize("target", ["no_such_module:shop", "segue_shop:missing", "segue_shop:greedy"])
def test_a_feature_that_cannot_be_loaded_says_why(app: App, install: Install, target: str) -> None:
    install(shop=target)

    with pytest.raises(SetupError) as caught:
        app.register("shop")

    assert caught.value.code == "app/broken-feature"
    assert "segue-shop" in caught.value.message
    assert caught.value.__cause__ is not None


def test_what_cannot_be_registered_is_refused(app: App, install: Install) -> None:
    install(shop="segue_shop:nothing")

    with pytest.raises(SetupError, match="app/not-registrable"):
        app.register("shop")


# segue features

PLAIN = "from segue import App\napp = App(__name__)\n"


def test_a_feature_that_is_not_registered_is_listed(install: Install, features: Callable[..., Result]) -> None:
    install(shop="segue_shop:shop")

    result = features(PLAIN)

    assert [line.split() for line in result.stdout.splitlines()] == [
        ["Name", "Package", "Version", "Registered"],
        ["shop", "segue-shop", "1.2", "no"],
    ]
    assert 'app.register("shop")' in result.stderr


@pytest.mark.parametrize(
    "line",
    [
        "app.register('shop')",
        "import segue_shop; app.register(segue_shop.shop)",
        "import segue_shop; outer = Blueprint('outer', __name__); outer.register(segue_shop.shop); app.register(outer)",
    ],
)
def test_a_feature_that_is_registered_is_listed_as_such(
    install: Install, features: Callable[..., Result], line: str
) -> None:
    install(shop="segue_shop:shop", till="segue_shop:Till")

    found = json.loads(features(f"from segue import Blueprint\n{PLAIN}{line}\n", "--json").stdout)

    assert {each["name"]: each["registered"] for each in found} == {"shop": True, "till": False}


def test_a_battery_that_is_registered_is_listed_as_such(install: Install, features: Callable[..., Result]) -> None:
    install(shop="segue_shop:shop", till="segue_shop:Till")

    found = json.loads(features(f"{PLAIN}app.register('till')\n", "--json").stdout)

    assert {each["name"]: each["registered"] for each in found} == {"shop": False, "till": True}


def test_an_app_that_cannot_be_loaded_does_not_hide_the_list(install: Install, features: Callable[..., Result]) -> None:
    install(shop="segue_shop:shop")

    result = features("raise ValueError('broken')\n")

    assert result.stdout.splitlines()[1].split() == ["shop", "segue-shop", "1.2", "?"]
    assert "broken" in result.stderr


def test_without_features_the_command_says_so(features: Callable[..., Result]) -> None:
    assert "No installed package" in features(PLAIN).stderr
