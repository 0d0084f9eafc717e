"""Layers, variables, provenance and start-up checks of the configuration."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from segue.config import Config, MissingKeyError, TargetError
from segue.errors import SetupError, UsageError

STRONG = "0123456789abcdefghijklmnopqrstuvwxyz"


def layered(root: Path, **environ: str) -> Config:
    config = Config(root, environ=environ)
    config.declare("DEBUG", False)
    config.declare("PORT", 8000, env="PORT")
    config.declare("CACHE", {"ttl": 60, "URL": "memory:"})
    config.declare("HOSTS", [])
    config.declare("DATABASE", None, secret=True, env="DATABASE_URL")
    config.declare("SECRET_KEY", None, type=str, secret=True, env="SECRET_KEY")
    config.declare("SECRET_KEY_FALLBACKS", [], secret=True)
    config.declare("TESTING", False)
    return config


# Precedence


def full(root: Path, depth: int) -> Config:
    """Return a configuration whose first *depth* layers set PORT, each to its own number."""
    steps = [depth > number for number in range(9)]
    (root / "config.py").write_text("PORT = 2\n")
    (root / "variable.py").write_text("PORT = 3\n")
    (root / "pushed.py").write_text("PORT = 4\n")
    (root / ".env").write_text("PORT=5\n" if steps[4] else "")
    environ = {
        "SEGUE_CONFIG": "variable.py" if steps[2] else "",
        **({"PORT": "6"} if steps[5] else {}),
        **({"SEGUE_PORT": "7"} if steps[6] else {}),
    }
    arguments = {"PORT": 1} if steps[0] else {}
    config = Config(root, arguments=arguments, target="config.py" if steps[1] else None, environ=environ)
    config.declare("DEBUG", True)
    config.declare("PORT", 0, env="PORT")
    if steps[3]:
        config.push_target("pushed.py")
    if steps[7]:
        config.push_options({"PORT": 8})
    if steps[8]:
        config["PORT"] = 9
    return config


@pytest.mark.parametrize("depth", range(10))
def test_each_layer_beats_the_one_below(tmp_path: Path, depth: int) -> None:
    assert full(tmp_path, depth)["PORT"] == depth


def test_explain_names_the_winner_and_every_loser(tmp_path: Path) -> None:
    explanation = full(tmp_path, 9).explain("PORT")

    assert "test_config_layers.py:" in explanation.source
    assert [each.source for each in explanation.overridden] == [
        "command line",
        "variable SEGUE_PORT",
        "variable PORT",
        ".env:1",
        "pushed.py:1",
        "variable.py:1",
        "config.py:1",
        "App(port=…)",
        "default",
    ]
    assert [each.value for each in explanation.overridden] == list("876543210")


def test_stacked_targets_show_the_two_losers(tmp_path: Path) -> None:
    for name, value in (("default", 1), ("env", 2), ("cli", 3)):
        (tmp_path / f"{name}.toml").write_text(f"\nA = {value}\n")
    config = Config(tmp_path, target="default.toml", env_var="WEB_CONFIG", environ={"WEB_CONFIG": "env.toml"})

    config.push_target("cli.toml")

    explanation = config.explain("A")
    assert config["A"] == 3
    assert (explanation.source, explanation.type) == ("cli.toml:2", "int")
    assert [each.source for each in explanation.overridden] == ["env.toml:2", "default.toml:2"]


def test_a_list_of_targets_is_stacked(tmp_path: Path) -> None:
    config = Config(tmp_path, target=[{"A": 1, "B": 1}, {"B": 2}], environ={})

    assert dict(config) == {"A": 1, "B": 2}


def test_a_later_target_of_the_variable_wins(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("A = 1\n")
    (tmp_path / "b.toml").write_text("A = 2\n")

    assert Config(tmp_path, environ={"SEGUE_CONFIG": "a.toml, b.toml"})["A"] == 2


def test_a_class_may_inherit_its_environment(tmp_path: Path) -> None:
    class Base:
        DATABASES = {"main": "sqlite:///main.db"}
        CACHE = "memory"

    class Production(Base):
        CACHE = "redis"

    config = Config(tmp_path, target=Production, environ={})

    assert dict(config) == {"CACHE": "redis", "DATABASES": {"main": "sqlite:///main.db"}}


def test_imported_classes_are_no_keys(tmp_path: Path) -> None:
    (tmp_path / "dev.py").write_text("from uuid import UUID\nA = 1\n")

    assert list(Config(tmp_path, target="dev.py", environ={})) == ["A"]


# Variables


def test_a_variable_takes_the_type_of_the_default(tmp_path: Path) -> None:
    config = layered(tmp_path, SEGUE_PORT="9", SEGUE_DEBUG="off", SEGUE_HOSTS="a, b")

    assert (config["PORT"], config["DEBUG"], config["HOSTS"]) == (9, False, ["a", "b"])


def test_a_variable_takes_the_type_of_the_file_below(tmp_path: Path) -> None:
    config = Config(tmp_path, target={"RELEASE": "1.0"}, environ={"SEGUE_RELEASE": "1.10"})

    assert config["RELEASE"] == "1.10"


@pytest.mark.parametrize("text", ["False", "false", "no", "0", "off"])
def test_no_text_for_false_counts_as_true(tmp_path: Path, text: str) -> None:
    assert layered(tmp_path, SEGUE_DEBUG=text)["DEBUG"] is False


def test_an_undeclared_variable_is_no_true_text(tmp_path: Path) -> None:
    assert Config(tmp_path, environ={"SEGUE_FANCY": "False"})["FANCY"] is False


def test_a_text_for_a_flag_in_code_is_refused(tmp_path: Path) -> None:
    config = layered(tmp_path)
    config["DEBUG"] = "False"

    with pytest.raises(SetupError) as caught:
        config["DEBUG"]

    assert caught.value.code == "config/wrong-type"


def test_a_text_for_a_list_in_code_is_refused(tmp_path: Path) -> None:
    config = layered(tmp_path)
    config["HOSTS"] = "*"

    with pytest.raises(ValueError, match="not one text"):
        config["HOSTS"]


def test_a_wrong_type_names_the_variable(tmp_path: Path) -> None:
    with pytest.raises(SetupError) as caught:
        layered(tmp_path, SEGUE_PORT="x")["PORT"]

    assert caught.value.where == "variable SEGUE_PORT"
    assert "whole number" in caught.value.message


def test_a_wrong_type_does_not_show_a_secret(tmp_path: Path) -> None:
    with pytest.raises(SetupError) as caught:
        layered(tmp_path, SEGUE_SECRET_KEY_FALLBACKS="[hunter2")["SECRET_KEY_FALLBACKS"]

    assert "hunter2" not in str(caught.value)


def test_double_underscores_set_a_value_inside_a_table(tmp_path: Path) -> None:
    config = layered(tmp_path, SEGUE_CACHE__TTL="5")

    assert config["CACHE"] == {"ttl": 5, "URL": "memory:"}


def test_a_nested_variable_makes_the_table_it_needs(tmp_path: Path) -> None:
    config = Config(tmp_path, environ={"SEGUE_MAIL__SMTP__PORT": "25", "SEGUE_MAIL__FROM": "a@b"})

    assert config["MAIL"] == {"FROM": "a@b", "SMTP": {"PORT": 25}}


def test_a_nested_variable_inside_a_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no table"):
        Config(tmp_path, target={"A": "text"}, environ={"SEGUE_A__B": "1"})["A"]


def test_a_variable_may_name_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(STRONG + "\n")

    config = layered(tmp_path, SEGUE_SECRET_KEY_FILE=str(tmp_path / "secret"))

    assert config["SECRET_KEY"] == STRONG


def test_a_file_that_cannot_be_read_is_an_error_naming_the_variable(tmp_path: Path) -> None:
    with pytest.raises(SetupError) as caught:
        layered(tmp_path, SEGUE_SECRET_KEY_FILE=str(tmp_path / "none"))["SECRET_KEY"]

    assert caught.value.where == "variable SEGUE_SECRET_KEY_FILE"


def test_a_declared_key_may_end_in_file(tmp_path: Path) -> None:
    config = Config(tmp_path, environ={"SEGUE_LOG_FILE": "/var/log/x"})

    config.declare("LOG_FILE", "")

    assert config["LOG_FILE"] == "/var/log/x"


def test_a_value_and_a_file_for_one_key_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError) as caught:
        layered(tmp_path, SEGUE_PORT="1", SEGUE_PORT_FILE="/x")["PORT"]

    assert caught.value.code == "config/set-twice"


def test_the_names_that_hosts_set_are_read(tmp_path: Path) -> None:
    config = layered(tmp_path, DATABASE_URL="sqlite:///x.db", PORT="5000")

    assert (config["DATABASE"], config["PORT"]) == ("sqlite:///x.db", 5000)


def test_variables_that_name_targets_are_no_keys(tmp_path: Path) -> None:
    assert list(Config(tmp_path, environ={"SEGUE_CONFIG": "", "SEGUE_APP": "x"})) == []


# .env


def test_dotenv_is_not_read_outside_development(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SEGUE_PORT=1\nSEGUE_DEBUG=true\n")

    config = layered(tmp_path)

    assert (config["PORT"], config["DEBUG"]) == (8000, False)


def test_dotenv_never_overrides_the_environment(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SEGUE_PORT=1\n")

    config = layered(tmp_path, SEGUE_DEBUG="1", PORT="2")

    assert config["PORT"] == 2


def test_dotenv_is_read_once_code_turns_debug_on(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SEGUE_PORT=1\n")
    config = layered(tmp_path)
    before = config["PORT"]

    config["DEBUG"] = True

    assert (before, config["PORT"]) == (8000, 1)


def test_dotenv_lines_are_read_as_people_write_them(tmp_path: Path) -> None:
    lines = (
        "# comment\n\nexport SEGUE_A=plain # why\nSEGUE_B=\"two\\nlines\"\nSEGUE_C='${raw}'\nSEGUE_D=a#b\nSEGUE_E=\n"
    )
    (tmp_path / ".env").write_text(lines)

    config = Config(tmp_path, environ={}, debug=True)

    assert [config[key] for key in "ABCDE"] == ["plain", "two\nlines", "${raw}", "a#b", ""]
    assert config.explain("D").source == ".env:6"


@pytest.mark.parametrize("line", ["SEGUE_A=${HOME}", 'SEGUE_A="$(id)"', "no assignment", 'SEGUE_A="open'])
def test_a_dotenv_line_that_asks_for_more_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / ".env").write_text(f"# first\n{line}\n")

    with pytest.raises(SetupError) as caught:
        Config(tmp_path, environ={}, debug=True).get("A")

    assert caught.value.code == "config/bad-file"
    assert caught.value.where.endswith(".env:2")


# Loading


def test_nothing_is_opened_before_the_first_read_and_everything_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    (tmp_path / "dev.py").write_text(f"with open({str(log)!r}, 'a') as file:\n    file.write('x')\nA = 1\n")
    config = Config(tmp_path, target="dev.py", environ={})
    opened_before = log.exists()

    threads = [threading.Thread(target=lambda: [config["A"] for _ in range(100)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert opened_before is False
    assert log.read_text() == "x"


def test_a_target_that_fails_fails_again(tmp_path: Path) -> None:
    config = Config(tmp_path, target="none.toml", environ={})

    with pytest.raises(TargetError):
        config.get("A")
    with pytest.raises(TargetError):
        config.get("A")


def test_the_process_environment_is_read_on_first_access(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config(tmp_path)

    monkeypatch.setenv("SEGUE_COLOUR", "red")

    assert config["COLOUR"] == "red"


def test_a_settings_module_may_read_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIN_DB", "sqlite:///m.db")
    (tmp_path / "dev.py").write_text("import os\nDATABASES = {'main': os.environ['MAIN_DB'], 'n': [1, 2]}\n")

    config = Config(tmp_path, target="dev.py", environ={})

    assert config["DATABASES"] == {"main": "sqlite:///m.db", "n": [1, 2]}


def test_a_settings_module_that_reads_its_own_app_is_told(tmp_path: Path) -> None:
    class Lazy:
        config: Config

        @property
        def A(self) -> Any:
            return self.config["B"]

    lazy = Lazy()
    lazy.config = Config(tmp_path, target=lazy, environ={})

    with pytest.raises(SetupError) as caught:
        lazy.config["B"]

    assert caught.value.code == "config/circular"


def test_pyfile_envvar_mapping_file_and_prefix_load_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.cfg").write_text("A = 1\nb = 2\n")
    (tmp_path / "instance").mkdir()
    (tmp_path / "instance" / "a.json").write_text('{"A": 1, "b": 2}')
    environ = {"WHERE": "a.json", "CLUB_A": "1"}
    configs = [Config(tmp_path, environ=environ) for _ in range(5)]

    configs[0].from_pyfile("a.cfg")
    configs[1].from_envvar("WHERE")
    configs[2].from_mapping({"A": 1}, b=2)
    configs[3].from_file("a.json", load=lambda file: {"A": len(file.read()) - 15, "b": 2})
    configs[4].from_prefixed_env("CLUB")

    assert [dict(config) for config in configs] == [{"A": 1}] * 5


def test_silent_loaders_return_whether_there_was_anything(tmp_path: Path) -> None:
    config = Config(tmp_path, environ={})

    found = [
        config.from_pyfile("no.cfg", silent=True),
        config.from_file("no.json", silent=True),
        config.from_envvar("NO", silent=True),
    ]

    assert found == [False, False, False]


def test_an_unset_variable_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        Config(tmp_path, environ={}).from_envvar("CLUB_SETTINGS")

    assert caught.value.code == "config/no-variable"
    assert "CLUB_SETTINGS" in caught.value.message


def test_a_loader_for_variables_may_be_given(tmp_path: Path) -> None:
    config = Config(tmp_path, environ={"CLUB_A__B": "07", "CLUB_C": "x"})

    config.from_prefixed_env("CLUB", loads=int)

    assert dict(config) == {"C": "x", "A": {"B": 7}}


# The dict


def test_it_reads_and_writes_like_a_dict(tmp_path: Path) -> None:
    config = layered(tmp_path)

    config.update(KEYWORD0="v")
    config.setdefault("PORT", 1)
    del config["DATABASE"]

    assert (config["KEYWORD0"], config["PORT"]) == ("v", 8000)
    assert "DATABASE" not in config
    assert len(config) == len(list(config))


def test_a_missing_key_suggests_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(KeyError) as caught:
        layered(tmp_path)["PRT"]

    assert isinstance(caught.value, MissingKeyError)
    assert "PORT" in caught.value.hint


def test_a_key_in_lower_case_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        layered(tmp_path)["debug"] = True

    assert caught.value.code == "config/not-uppercase"


def test_a_namespace_is_cut_out(tmp_path: Path) -> None:
    config = Config(tmp_path, target={"MAIL_HOST": "a", "MAIL_PORT": 1, "X": 2}, environ={})

    assert config.get_namespace("MAIL_") == {"host": "a", "port": 1}
    assert config.get_namespace("MAIL_", lowercase=False, trim_namespace=False) == {"MAIL_HOST": "a", "MAIL_PORT": 1}


def test_a_default_is_not_shared(tmp_path: Path) -> None:
    default: list[str] = []
    one, two = Config(tmp_path, environ={}), Config(tmp_path, environ={})
    one.declare("HOSTS", default)
    two.declare("HOSTS", default)

    one["HOSTS"].append("a")

    assert (one["HOSTS"], two["HOSTS"], default) == (["a"], [], [])


def test_an_overlay_is_independent(tmp_path: Path) -> None:
    config = layered(tmp_path)
    config["HOSTS"].append("a")
    config.freeze()

    copy = config.overlay({"PORT": 1})
    copy["HOSTS"].append("b")

    assert (copy["PORT"], copy["HOSTS"]) == (1, ["a", "b"])
    assert (config["PORT"], config["HOSTS"]) == (8000, ["a"])


def test_an_overlay_is_above_variables(tmp_path: Path) -> None:
    assert layered(tmp_path, SEGUE_PORT="2").overlay({"PORT": 1})["PORT"] == 1


@pytest.mark.parametrize(
    "write",
    [
        lambda config: config.update(A=1),
        lambda config: config.declare("A", 1),
        lambda config: config.from_object({"A": 1}),
        lambda config: config.push_target("a"),
        lambda config: config.push_options({"A": 1}),
        lambda config: config.pop("PORT"),
    ],
)
def test_a_write_after_the_app_closed_names_both_places(tmp_path: Path, write: Callable[[Config], None]) -> None:
    config = layered(tmp_path)
    config.freeze("club/app.py:7")

    with pytest.raises(UsageError) as caught:
        write(config)

    assert caught.value.code == "app/closed"
    assert "test_config_layers.py" in caught.value.where
    assert "club/app.py:7" in caught.value.where


# Checks


@pytest.mark.parametrize("key", ["DEBG", "DEBUGG", "DATABASES", "SECRETKEY", "PROT"])
def test_a_misspelt_key_stops_the_start(tmp_path: Path, key: str) -> None:
    (tmp_path / "dev.py").write_text(f"{key} = 1\n")
    config = layered(tmp_path, SEGUE_CONFIG="dev.py")

    with pytest.raises(SetupError) as caught:
        config.freeze()

    assert caught.value.code == "config/unknown-key"
    assert caught.value.where == "dev.py:1"
    assert "Did you mean" in caught.value.hint


def test_a_misspelt_variable_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="Did you mean DEBUG"):
        layered(tmp_path, SEGUE_DEBG="1").freeze()


def test_a_key_of_ones_own_is_no_mistake(tmp_path: Path) -> None:
    config = layered(tmp_path, SEGUE_GREETING="hi")

    config.freeze()

    assert config["GREETING"] == "hi"


def test_findings_list_every_problem(tmp_path: Path) -> None:
    config = layered(tmp_path, SEGUE_DEBG="1", SEGUE_PORT="x")
    config.declare("NEEDED", None, type=str, required=True)

    assert {each.id for each in config.findings()} == {"config.E001", "config.E002", "config.E003"}


def test_a_required_key_is_satisfied_by_a_variable(tmp_path: Path) -> None:
    config = layered(tmp_path, SEGUE_NEEDED="x")
    config.declare("NEEDED", None, type=str, required=True)

    config.freeze()

    assert config["NEEDED"] == "x"


@pytest.mark.parametrize("secret", ["", "short", "please-change-me-in-production-please"])
def test_a_weak_secret_stops_the_start(tmp_path: Path, secret: str) -> None:
    with pytest.raises(SetupError) as caught:
        layered(tmp_path, SECRET_KEY=secret).freeze()

    assert caught.value.code == "config/weak-secret"
    assert caught.value.where == "variable SECRET_KEY"


def test_a_weak_fallback_stops_the_start(tmp_path: Path) -> None:
    config = layered(tmp_path, SECRET_KEY=STRONG)
    config["SECRET_KEY_FALLBACKS"] = ["old"]

    with pytest.raises(SetupError, match="SECRET_KEY_FALLBACKS has 3 bytes"):
        config.freeze()


@pytest.mark.parametrize("key", ["DEBUG", "TESTING"])
def test_a_weak_secret_is_good_enough_for_development_and_tests(tmp_path: Path, key: str) -> None:
    config = layered(tmp_path, SECRET_KEY="dev")
    config[key] = True

    config.freeze()

    assert config["SECRET_KEY"] == "dev"


def test_explain_masks_the_password_of_a_database(tmp_path: Path) -> None:
    (tmp_path / "dev.py").write_text("\nDATABASE = 'postgresql://me:hunter1@db/club'\n")
    url = "postgresql://me:hunter2@db/club"
    config = Config(
        tmp_path, arguments={"DATABASE": "mysql://me:hunter3@db/club"}, target="dev.py", environ={"DATABASE_URL": url}
    )
    config.declare("DATABASE", None, secret=True, env="DATABASE_URL", doc="Address of the database.")

    text = str(config.explain("DATABASE"))

    assert text.splitlines() == [
        "DATABASE = 'postgresql://me:***@db/club' (str)",
        "  Address of the database.",
        "  from      variable DATABASE_URL",
        "  overrode  'postgresql://me:***@db/club' from dev.py:2",
        "  overrode  'mysql://me:***@db/club' from App(database=…)",
        "  overrode  None from default",
    ]


def test_explain_says_that_a_key_is_not_set(tmp_path: Path) -> None:
    assert str(Config(tmp_path, environ={}).explain("NO")) == "NO is not set"


def test_a_difference_shows_changed_keys_only_and_no_secrets(tmp_path: Path) -> None:
    one = Config(tmp_path, target={"A": 1, "B": 2, "API_KEY": "x"}, environ={})
    two = Config(tmp_path, target={"A": 1, "B": 3, "API_KEY": "y", "C": 4}, environ={})

    assert one.diff(two) == {"API_KEY": ("***", "***"), "B": (2, 3), "C": (None, 4)}
