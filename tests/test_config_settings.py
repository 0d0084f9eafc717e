"""Typed settings: annotated subclasses of `Config`, and the conversion they rest on."""

from __future__ import annotations

import enum
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pytest

from segue.config import Config
from segue.conversion import conform, describe, from_text, guess, kind_of
from segue.errors import SetupError, UsageError


class Colour(enum.Enum):
    RED = "r"
    BLUE = "b"


class ClubSettings(Config):
    DEBUG: bool = False
    PAGE_SIZE: int = 20
    MODE: Literal["fast", "safe"] = "safe"
    HOSTS: list[str] = []
    KEEP: timedelta = timedelta(days=1)
    FOLDER: Path | None = None
    kinds: ClassVar[int] = 3


class NeedsName(Config):
    SITE_NAME: str
    API_TOKEN: str | None = None


class FastClub(ClubSettings):
    MODE = "fast"


def test_attributes_read_the_keys_with_their_types(tmp_path: Path) -> None:
    environ = {"SEGUE_DEBUG": "yes", "SEGUE_PAGE_SIZE": "5", "SEGUE_KEEP": "1h30m", "SEGUE_FOLDER": "/srv"}

    settings = ClubSettings.of(Config(tmp_path, environ=environ))

    assert (settings.DEBUG, settings.PAGE_SIZE) == (True, 5)
    kept = (settings.KEEP, settings.FOLDER)
    assert kept == (timedelta(minutes=90), Path("/srv"))


def test_defaults_stand_where_nothing_is_set(tmp_path: Path) -> None:
    settings = ClubSettings.of(Config(tmp_path, environ={}))

    assert (settings.MODE, settings.HOSTS, settings.FOLDER) == ("safe", [], None)


def test_a_settings_class_is_a_target(tmp_path: Path) -> None:
    config = Config(tmp_path, target=FastClub, environ={"SEGUE_PAGE_SIZE": "7"})

    assert (config["MODE"], config["PAGE_SIZE"]) == ("fast", 7)
    assert FastClub.of(config).MODE == "fast"
    assert config.explain("PAGE_SIZE").overridden[0].source.endswith("test_config_settings.py:25")


def test_a_settings_class_in_a_file_with_future_annotations_is_a_target(tmp_path: Path) -> None:
    text = "from __future__ import annotations\nfrom segue.config import Config\n"
    (tmp_path / "dev.py").write_text(text + "class Dev(Config):\n    SIZE: int = 3\n    NEEDED: str\n")
    config = Config(tmp_path, target="dev.py:Dev", environ={"SEGUE_SIZE": "4"})

    with pytest.raises(SetupError, match="NEEDED is not set"):
        config.freeze()

    assert config["SIZE"] == 4


def test_the_class_itself_has_its_defaults(tmp_path: Path) -> None:
    assert (ClubSettings.PAGE_SIZE, FastClub.MODE) == (20, "fast")
    assert not hasattr(NeedsName, "SITE_NAME")


def test_a_settings_class_is_a_configuration_of_its_own(tmp_path: Path) -> None:
    settings = ClubSettings(tmp_path, environ={"SEGUE_PAGE_SIZE": "3"})

    assert settings.PAGE_SIZE == settings["PAGE_SIZE"] == 3


def test_the_view_is_live(tmp_path: Path) -> None:
    config = Config(tmp_path, environ={})
    settings = ClubSettings.of(config)

    config["PAGE_SIZE"] = 9
    settings.DEBUG = True

    assert (settings.PAGE_SIZE, config["DEBUG"]) == (9, True)


def test_a_view_of_a_closed_configuration_cannot_change_it(tmp_path: Path) -> None:
    config = Config(tmp_path, environ={})
    config.declare("PAGE_SIZE", 11)
    config.freeze()

    settings = ClubSettings.of(config)

    assert (settings.PAGE_SIZE, settings.MODE) == (11, "safe")
    with pytest.raises(UsageError):
        settings.PAGE_SIZE = 1


def test_what_the_core_declared_about_a_key_is_kept(tmp_path: Path) -> None:
    config = Config(tmp_path, environ={"SIZE": "6"})
    config.declare("PAGE_SIZE", 1, env="SIZE", doc="Rows.")

    settings = ClubSettings.of(config)

    assert settings.PAGE_SIZE == 6
    assert config.options["PAGE_SIZE"].doc == "Rows."


def test_a_missing_value_names_the_variable(tmp_path: Path) -> None:
    with pytest.raises(SetupError) as caught:
        NeedsName.of(Config(tmp_path, environ={}))

    assert caught.value.code == "config/missing-value"
    assert "SEGUE_SITE_NAME" in caught.value.hint


@pytest.mark.parametrize("name", ["PAGE_SIZE", "MODE", "DEBUG", "KEEP"])
def test_a_wrong_type_names_the_variable(tmp_path: Path, name: str) -> None:
    with pytest.raises(SetupError) as caught:
        ClubSettings.of(Config(tmp_path, environ={f"SEGUE_{name}": "x"}))

    assert caught.value.code == "config/wrong-type"
    assert f"SEGUE_{name}" in str(caught.value)


def test_an_annotation_that_cannot_be_found_is_an_error(tmp_path: Path) -> None:
    class Broken(Config):
        SIZE: NoSuchType = 1  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(SetupError) as caught:
        Broken.of(Config(tmp_path, environ={}))

    assert caught.value.code == "config/bad-annotation"


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("Yes", bool, True),
        (" 1_000 ", int, 1000),
        ("-2", int, -2),
        ("1e3", float, 1000.0),
        (" kept ", str, " kept "),
        ("a, b,", list, ["a", "b"]),
        ("1,2", list[int], [1, 2]),
        ('["a,b"]', list[str], ["a,b"]),
        ("", list[str], []),
        ("1,2", tuple[int, ...], (1, 2)),
        ("1,a", tuple[int, str], (1, "a")),
        ("a,a", set[str], {"a"}),
        ('{"a": 1}', dict[str, int], {"a": 1}),
        ("none", int | None, None),
        ("", str | None, None),
        ("none", str | None, "none"),
        ("5", int | str, 5),
        ("x", int | str, "x"),
        ("2", Literal[1, 2], 2),
        ("RED", Colour, Colour.RED),
        ("b", Colour, Colour.BLUE),
        ("90", timedelta, timedelta(seconds=90)),
        ("1d 2h", timedelta, timedelta(days=1, hours=2)),
        ("500ms", timedelta, timedelta(milliseconds=500)),
        ("/srv/x", Path, Path("/srv/x")),
        ("1.10", Decimal, Decimal("1.10")),
        ("on", Annotated[bool, "doc"], True),
        ("{}", None, {}),
        ("text", Any, "text"),
    ],
)
def test_a_text_becomes_its_type(text: str, kind: Any, value: Any) -> None:
    found = from_text(text, kind)

    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("maybe", bool),
        ("", bool),
        ("2", bool),
        ("1.0", int),
        ("", int),
        ("٣", int),
        ("nan", float),
        ("inf", float),
        ("x", float),
        ("a", list[int]),
        ("[1", list),
        ("a,b", tuple[int, str, str]),
        ("text", dict),
        ("[1]", dict),
        ("x", int | None),
        ("red", Literal["blue"]),
        ("green", Colour),
        ("1x", timedelta),
        ("h", timedelta),
        ("1 2", timedelta),
        ("9" * 40, timedelta),
        ("x", Decimal),
    ],
)
def test_a_text_of_another_type_is_refused(text: str, kind: Any) -> None:
    with pytest.raises(ValueError, match="expected"):
        from_text(text, kind)


@pytest.mark.parametrize(
    ("value", "kind", "kept"),
    [
        (1, bool, True),
        (3, float, 3.0),
        (("a",), list, ["a"]),
        (["/x"], list[Path], [Path("/x")]),
        ({"a": 1}, dict[str, float], {"a": 1.0}),
        (5, timedelta, timedelta(seconds=5)),
        ("2h", timedelta, timedelta(hours=2)),
        ("r", Colour, Colour.RED),
        (None, int | None, None),
        ("a", Literal["a"], "a"),
        ("x", object, "x"),
    ],
)
def test_a_value_that_fits_is_kept_or_made_to_fit(value: Any, kind: Any, kept: Any) -> None:
    assert conform(value, kind) == kept


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("False", bool),
        (2, bool),
        (True, int),
        (1.0, int),
        (True, float),
        ("1", int),
        (1, str),
        ("a", list),
        ({"a": 1}, list),
        ([1], dict),
        (["a"], list[int]),
        (True, Literal[1]),
        (True, timedelta),
        (None, int),
    ],
)
def test_a_value_of_another_type_is_refused(value: Any, kind: Any) -> None:
    with pytest.raises(ValueError, match="expected"):
        conform(value, kind)


def test_a_guess_reads_json_and_else_leaves_text() -> None:
    assert [guess(text) for text in ("5", "true", "False", "None", '["a"]', "a b")] == [
        5,
        True,
        False,
        None,
        ["a"],
        "a b",
    ]


def test_a_default_implies_its_type() -> None:
    assert [kind_of(value) for value in (1, True, Path("/x"), None, object())] == [int, bool, Path, None, None]


def test_types_are_described_as_people_write_them() -> None:
    kinds = [int, list[str], bool | None, Literal["a", "b"], Colour, None]

    assert [describe(kind) for kind in kinds] == [
        "int",
        "list[str]",
        "bool | None",
        "one of 'a', 'b'",
        "one of RED, BLUE",
        "anything",
    ]
