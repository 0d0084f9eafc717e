"""`segue policy explain USER ACTION OBJ`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

CLUB = """
from segue import App, db

app = App(__name__, database="sqlite:///club.db")


class Member(db.Model):
    name = db.CharField(max_length=20)

    def __str__(self):
        return self.name


class Record(db.Model):
    owner = db.ForeignKey(Member, on_delete=db.CASCADE, null=True)
    year = db.IntegerField()


@db.policy(Record, "change")
def owners(user):
    return False if user is None else db.Q(owner=user)


@db.policy(Record, "change")
def the_old_ones(user):
    return db.Q(year__lt=1900)


@app.command
def fill():
    app.db.create_all()
    ann = Member.objects.create(name="Ann")
    Member.objects.create(name="Bob")
    Record.objects.create(owner=ann, year=1956)
"""

Command = Callable[..., Result]


@pytest.fixture
def club(project: Callable[..., Path], command: Command) -> Command:
    """The command line of a project with two members and Ann's record."""
    project(club=CLUB)

    def run(*words: str) -> Any:
        return command("--app", "club", "policy", "explain", *words)

    command("--app", "club", "fill", catch_exceptions=False)
    return run


def test_an_allowed_action_shows_the_clause_with_file_and_line(club: Command) -> None:
    shown = club("Member:1", "change", "Record:1")

    assert shown.exit_code == 0
    assert "<Member: Ann>, change, Record:1: allowed" in shown.output
    assert "holds: owners(), " in shown.output
    assert "club.py:19" in shown.output


def test_a_denied_action_shows_what_stands_against_it(club: Command) -> None:
    shown = club("member:2", "change", "record:1")

    assert shown.exit_code == 1
    assert "<Member: Bob>, change, Record:1: denied" in shown.output
    assert "does not hold: owners(), " in shown.output
    assert "year__lt=1900 does not hold: the_old_ones(), " in shown.output


def test_nobody_may_be_asked_about(club: Command) -> None:
    shown = club("nobody", "change", "Record:1")

    assert "nobody, change, Record:1: denied" in shown.output
    assert "return False does not hold: owners()" in shown.output


def test_a_model_may_be_asked_about(club: Command) -> None:
    assert "any Record: allowed" in club("Member:1", "change", "Record").output


def test_the_answer_can_be_json(club: Command) -> None:
    shown = json.loads(club("Member:2", "change", "Record:1", "--json").output)

    assert shown["allowed"] is False
    assert [clause["rule"] for clause in shown["clauses"]] == ["owners", "the_old_ones"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("Member:9", "change", "Record:1"), "There is no Member with the key '9'"),
        (("Member:x", "change", "Record:1"), "There is no Member with the key 'x'"),
        (("Member", "change", "Record:1"), "names no row"),
        (("Member:1", "change", "Rekord:1"), "Record"),
    ],
)
def test_a_row_that_is_not_there_is_said_so(club: Command, words: tuple[str, ...], said: str) -> None:
    shown = club(*words)

    assert shown.exit_code != 0
    assert said in str(shown.exception or "") + shown.output
