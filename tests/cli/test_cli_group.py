from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import Result

from segue.cli.group import BUILTINS

Project = Callable[..., Path]
Command = Callable[..., Result]

APP = "from segue import App\napp = App(__name__)\n"


def python(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("SEGUE_")}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


@pytest.mark.slow
def test_help_loads_neither_the_project_nor_anything_heavy(project: Project) -> None:
    folder = project(app="raise RuntimeError('imported')")
    heavy = ("sqlalchemy", "jinja2", "granian", "msgspec", "asyncio", "segue.app", "app")
    code = (
        "import sys\nfrom segue.cli.group import segue\n"
        "try: segue.main(['--help'], prog_name='segue')\n"
        f"finally: print([name for name in {heavy!r} if name in sys.modules])"
    )

    done = python(code, folder)

    assert "Serve the app." in done.stdout
    assert done.stdout.strip().endswith("[]")


@pytest.mark.parametrize("name", sorted(BUILTINS))
def test_the_summary_of_a_command_is_the_first_line_of_its_help(name: str) -> None:
    module = import_module(f"segue.cli.commands.{BUILTINS[name].module}")

    first = (module.command.help or "").partition("\n\n")[0].replace("\n", " ")

    assert first.startswith(BUILTINS[name].summary.rstrip("."))


def test_help_of_a_broken_project_lists_the_built_ins_and_the_last_line(project: Project, command: Command) -> None:
    project(app="x = (\n")

    done = command("--help")

    assert done.exit_code == 0
    assert "List the routes." in done.stdout
    assert "SyntaxError: '(' was never closed" in done.stdout


def test_an_unknown_command_of_a_broken_project_shows_the_last_line(project: Project, command: Command) -> None:
    project(app="import nothing_like_it\n")

    done = command("greet")

    assert done.exit_code == 2
    assert "Commands: check, clearsessions" in done.stderr
    assert "app.py:1" in done.stderr
    assert "ModuleNotFoundError: No module named 'nothing_like_it'" in done.stderr


def test_an_unknown_command_suggests_the_nearest(project: Project, command: Command) -> None:
    project(app=APP)

    done = command("rotes")

    assert done.exit_code == 2
    assert "Did you mean routes" in done.stderr


def test_an_error_of_the_project_goes_to_stderr_and_ends_with_1(project: Project, command: Command) -> None:
    project(app="1 / 0\n")

    done = command("routes")

    assert (done.exit_code, done.stdout) == (1, "")
    assert "ZeroDivisionError: division by zero" in done.stderr
    assert "config/target-failed" in done.stderr


def test_a_wrong_option_ends_with_2(command: Command) -> None:
    assert command("routes", "--nothing").exit_code == 2


@pytest.mark.parametrize(
    "words", [("--app", "other", "routes"), ("routes", "--app", "other"), ("routes", "--app=other")]
)
def test_app_is_taken_before_and_after_the_command(project: Project, command: Command, words: tuple[str, ...]) -> None:
    project(other=APP + "@app.get('/here')\ndef here(): return ''\n")

    assert "/here" in command(*words).stdout


def test_app_is_taken_after_a_command_that_only_the_app_knows(project: Project, command: Command) -> None:
    project(other=APP + "@app.command\ndef hail(): print('hailed')\n")

    assert command("hail", "--app", "other").stdout == "hailed\n"


def test_colour_is_off_with_no_color_and_on_with_force_color(
    project: Project, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(app=APP + "@app.get('/')\ndef index(): return ''\n")

    monkeypatch.setenv("FORCE_COLOR", "1")
    forced = command("routes").stdout
    monkeypatch.setenv("NO_COLOR", "1")
    plain = command("routes").stdout

    assert "\x1b[1m" in forced
    assert "\x1b" not in plain


def test_an_interrupt_ends_with_130(project: Project, command: Command) -> None:
    project(app=APP + "@app.command\ndef stop(): raise KeyboardInterrupt\n")

    assert command("stop").exit_code == 130


@pytest.mark.slow
def test_python_m_segue_is_the_command_line(project: Project) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "segue", "version", "--json"], capture_output=True, text=True, timeout=20, check=True,
        cwd=project(),
    )  # fmt: skip

    assert json.loads(done.stdout)["libraries"]["granian"]


def test_version_names_what_runs(command: Command) -> None:
    done = command("--version")

    assert done.stdout.startswith("Segue ")
    assert "Python 3." in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_the_shell(command: Command, shell: str) -> None:
    assert "_SEGUE_COMPLETE" in command("completion", shell).stdout


def complete(words: str, folder: Path, monkeypatch: pytest.MonkeyPatch, command: Command) -> list[str]:
    monkeypatch.setenv("_SEGUE_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split(" ")) - 1))
    return [line.partition(",")[2] for line in command().stdout.splitlines() if line]


def test_completion_knows_the_commands(project: Project, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    assert complete("segue ro", project(), monkeypatch, command) == ["routes"]


def test_completion_knows_the_commands_of_the_app(
    project: Project, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project(app=APP + "@app.command\ndef hail(): ...\n")

    assert complete("segue ha", folder, monkeypatch, command) == ["hail"]


def test_completion_knows_the_endpoints(project: Project, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = project(app=APP + "@app.get('/')\ndef index(): return ''\n")

    assert complete("segue routes in", folder, monkeypatch, command) == ["index"]


def test_completion_knows_the_keys(project: Project, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = project(app=APP)

    assert complete("segue config explain SECRET_KEY_", folder, monkeypatch, command) == ["SECRET_KEY_FALLBACKS"]


def test_completion_of_a_broken_project_is_quiet(
    project: Project, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert complete("segue routes in", project(app="1 / 0"), monkeypatch, command) == []


def install(folder: Path, entries: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make *folder* look like one that a package with commands was installed into."""
    info = folder / "tools_of_a_friend-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tools-of-a-friend\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[segue.commands]\n{entries}\n")
    monkeypatch.syspath_prepend(str(folder))


def test_a_package_adds_its_command_to_every_project(
    project: Project, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project(friendly="import click\nwave = click.Command('wave', callback=lambda: print('waved'))\n")
    install(folder, "wave = friendly:wave", monkeypatch)

    assert "(from tools-of-a-friend)" in command("--help").stdout
    assert command("wave").stdout == "waved\n"


@pytest.mark.parametrize("text", ["raise RuntimeError('broken')\n", "wave = 1\n"])
def test_a_broken_package_is_a_warning_and_breaks_no_help(
    project: Project, command: Command, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    install(project(friendly=text, app=APP), "wave = friendly:wave", monkeypatch)

    done = command("wave")

    assert command("--help").exit_code == 0
    assert done.exit_code == 2
    assert "Warning: 'wave' of tools-of-a-friend" in done.stderr
