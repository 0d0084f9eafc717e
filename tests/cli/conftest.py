"""A project in a folder of its own, and the command line in it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from segue.cli.group import segue

Project = Callable[..., Path]
Command = Callable[..., Result]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """Write files into an empty folder, which is the working directory; forget their modules afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)

    def write(paths: Mapping[str, str] | None = None, **modules: str) -> Path:
        for name, text in {**(paths or {}), **{f"{name}.py": text for name, text in modules.items()}}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    yield write
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None)
        if file is not None and file.startswith(str(tmp_path)):
            del sys.modules[name]
            forget_models(name)


def forget_models(package: str) -> None:
    """Forget the models of a package, as a new process does: another test may give it others."""
    from segue.db.registry import registry_of_package

    registry_of_package(package.partition(".")[0])._models.clear()


@pytest.fixture
def find_unsafe(project: Project, command: Command) -> Callable[[str, str], list[dict[str, Any]]]:
    """Return what `segue check --security` finds in `app.py`: some lines, and below them a function's body."""

    def run(head: str, body: str) -> list[dict[str, Any]]:
        project(app=head + "".join(f"    {line}\n" for line in body.splitlines()))
        result = command("check", "--security", "--json")
        assert result.exit_code == 0, result.output
        found: list[dict[str, Any]] = json.loads(result.stdout)
        return found

    return run


@pytest.fixture
def command() -> Command:
    """Run `segue` with words; errors become exit codes, as in a terminal."""

    def run(*words: str, **options: object) -> Result:
        return CliRunner().invoke(segue, list(words), prog_name="segue", **options)  # type: ignore[arg-type]  # passed on

    return run
