"""DATA-49: `segue check --security` finds SQL that has values in its text."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Project = Callable[..., Path]
Command = Callable[..., Result]
Find = Callable[[str], list[dict[str, Any]]]

HEAD = """\
from sqlalchemy import literal_column, text
from segue import App, db

app = App(__name__, database="sqlite:///club.db")
COLUMNS = "title, year"

class Record(db.Model):
    title = db.CharField(max_length=100)

"""


@pytest.fixture
def find(project: Project, command: Command) -> Find:
    """Return what is found in a function with this body, which no route leads to."""

    def run(body: str) -> list[dict[str, Any]]:
        lines = "".join(f"    {line}\n" for line in body.splitlines())
        project(app=f"{HEAD}def search(name, order, year: int):\n{lines}")
        result = command("check", "--security", "--json")
        assert result.exit_code == 0, result.output
        found: list[dict[str, Any]] = json.loads(result.stdout)
        return found

    return run


@pytest.mark.parametrize(
    "body",
    [
        "db.execute(f\"SELECT * FROM app_record WHERE title = '{name}'\")",
        "db.execute('SELECT * FROM app_record WHERE title = ' + name)",
        "db.execute('SELECT * FROM app_record WHERE title = %s' % name)",
        "db.execute('SELECT * FROM app_record WHERE title = {}'.format(name))",
        "db.execute(text(f'SELECT * FROM app_record ORDER BY {order}'))",
        "statement = text(f'SELECT * FROM app_record ORDER BY {order}')",
        "sql = 'SELECT * FROM app_record'\nsql += f' ORDER BY {order}'\nRecord.objects.raw(sql)",
        "Record.objects.raw(sql=f'SELECT * FROM app_record WHERE title = {name!r}')",
        "Record.objects.annotate(high=literal_column(f'upper({name})'))",
        "async def inner(name):\n    await db.aexecute(f'SELECT {name}')",
        "app.db.execute(f'DELETE FROM app_record WHERE title = {name}')",
    ],
)
def test_sql_with_a_value_in_its_text_is_found(find: Find, body: str) -> None:
    found = find(body)

    assert [(each["id"], each["level"]) for each in found] == [("security.W010", "warning")]


@pytest.mark.parametrize(
    "body",
    [
        "db.execute('SELECT * FROM app_record WHERE title = :name', {'name': name})",
        "Record.objects.raw('SELECT * FROM app_record WHERE title = :name', {'name': name})",
        "db.execute(f'SELECT {COLUMNS} FROM app_record')",
        "db.execute('SELECT title ' + 'FROM app_record')",
        "db.execute(f'SELECT * FROM app_record WHERE year > {year}')",
        "db.execute(f'SELECT * FROM app_record LIMIT {int(name)}')",
        "columns = 'title'\ndb.execute(f'SELECT {columns} FROM app_record')",
        "print(f'searching {name}')",
        "literal_column('upper(title)')",
    ],
)
def test_bound_values_and_constants_are_not_reported(find: Find, body: str) -> None:
    assert find(body) == []


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        (
            "db.execute(f\"SELECT * FROM app_record WHERE title = '{name}'\")",
            "db.execute('SELECT * FROM app_record WHERE title = :name', {\"name\": name})",
        ),
        (
            "Record.objects.raw('SELECT * FROM app_record WHERE title = ' + name)",
            "Record.objects.raw('SELECT * FROM app_record WHERE title = :name', {\"name\": name})",
        ),
        (
            "db.execute('SELECT * FROM app_record WHERE title = %s AND artist = %s' % (name, order))",
            "db.execute('SELECT * FROM app_record WHERE title = :name AND artist = :order', "
            '{"name": name, "order": order})',
        ),
        (
            "db.execute(f'SELECT * FROM app_record ORDER BY {order}')",
            "Names of tables and columns cannot be bound: take them from a fixed list, or use a QuerySet.",
        ),
        (
            "statement = text(f'SELECT 1 WHERE 1 = {name}')",
            'db.execute("SELECT … WHERE name = :name", {"name": name}): the value goes beside the text.',
        ),
    ],
)
def test_the_hint_is_the_call_with_its_values_beside_the_text(find: Find, body: str, hint: str) -> None:
    assert find(body)[0]["hint"] == hint


def test_a_finding_names_the_call_the_value_and_the_line(find: Find) -> None:
    [found] = find("db.execute(f'SELECT {name}')")

    assert found["message"] == "execute() is given SQL made by an f-string, with `name` in its text."
    assert found["where"] == "app.py:11"


def test_other_modules_of_the_project_are_read(project: Project, command: Command) -> None:
    folder = project(app=f"import queries\n{HEAD}")
    (folder / "queries.py").write_text("def find(database, name):\n    return database.execute('SELECT ' + name)\n")

    found = json.loads(command("check", "--security", "--json").stdout)

    assert [each["where"] for each in found] == ["queries.py:2"]
