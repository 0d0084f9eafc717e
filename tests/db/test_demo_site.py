"""The demo site migrates and seeds itself, and shows its rows, on every database by one address."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
PAGES = """
from club import app
from segue.testing import Client

with Client(app) as visitor:
    for path in ("/", "/musicians", "/concerts", "/nowhere"):
        answer = visitor.get(path, headers={"Accept": "text/html"}, follow_redirects=True)
        print(answer.status, "</html>" in answer.text)
"""


@pytest.fixture
def demo(database_url: str, server: Any, tmp_path: Path) -> Iterator[Any]:
    """Run Python in a folder that has the demo alone, with an empty database."""
    shutil.copytree(EXAMPLES / "club", tmp_path / "club", ignore=shutil.ignore_patterns("*.db*", "__pycache__"))
    environment = {**os.environ, "DATABASE_URL": database_url}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, env=environment,
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    yield run
    if server is not None:
        server.empty()


@pytest.mark.slow
def test_the_demo_checks_migrates_and_shows_its_pages(demo: Any) -> None:
    found = demo("-m", "segue", "--app", "club", "check", "--json")
    demo("-m", "segue", "--app", "club", "migrate")
    shown = demo("-c", PAGES)

    assert found.strip() == "[]"
    assert shown.splitlines() == ["200 True", "200 True", "200 True", "404 True"]
