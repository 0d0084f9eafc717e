"""The demo site migrates and seeds itself, and shows its rows, on every database by one address."""

from __future__ import annotations

import os
import secrets
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


RESERVING = """
from concurrent.futures import ThreadPoolExecutor

from club import app
from club.models import Concert, Member, Reservation
from segue.testing import Client

def member(number):
    Member.objects.create_user(f"m{number}@example.org", password="correct horse battery")
    visitor = Client(app)
    visitor.post("/accounts/login", data={"username": f"m{number}@example.org", "password": "correct horse battery"})
    return visitor

def reserve(visitor):
    answer = visitor.post("/concerts/1/reserve", data={"seats": 2})
    return answer.headers.get("location") or answer.status_code

with Client(app), app.context():
    Concert.objects.filter(pk=1).update(seats=61)
    visitors = [member(number) for number in range(50)]
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(reserve, visitors))
    print(answers.count("/profile"), answers.count(422), Reservation.objects.count())
"""


@pytest.fixture
def demo(database_url: str, server: Any, tmp_path: Path) -> Iterator[Any]:
    """Run Python in a folder that has the demo alone, with an empty database."""
    shutil.copytree(EXAMPLES / "club", tmp_path / "club", ignore=shutil.ignore_patterns("*.db*", "__pycache__", ".env"))
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "SECRET_KEY": secrets.token_hex(32),
        "SEGUE_LOGIN_NETWORK_RATE": "1000/5m",
    }

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


@pytest.mark.slow
def test_of_fifty_who_reserve_at_once_as_many_get_seats_as_there_are(demo: Any) -> None:
    demo("-m", "segue", "--app", "club", "migrate")

    told = demo("-c", RESERVING)

    assert told.strip() == "30 20 30"
