"""DATA-49: `segue check --security` finds SQL that has values in its text."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
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
def find(find_unsafe: Callable[[str, str], list[dict[str, Any]]]) -> Find:
    """Return what is found in a function with this body, which no route leads to."""
    return partial(find_unsafe, f"{HEAD}def search(name, order, year: int):\n")


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
        "db.execute(''.join(['SELECT ', name]))",
        "parts = ['SELECT ']\nparts.append(name)\ndb.execute(''.join(parts))",
        "conds = ['year > 1']\nconds.append(f'title = {name!r}')\ndb.execute('SELECT 1 WHERE ' + ' AND '.join(conds))",
        "for column in order:\n    db.execute(f'SELECT {column}')",
        "column = 'title'\nfor column in order:\n    db.execute(f'SELECT {column}')",
        "db.execute(f\"SELECT {', '.join(column for column in order)}\")",
        "columns = {}\ncolumns[order] = name\ndb.execute(f'SELECT {columns[order]}')",
        "first, second = name.split()\ndb.execute(f'SELECT {first}')",
        "db.execute(f'SELECT {name * 3}')",
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
        "db.execute(f\"SELECT 1 WHERE id IN ({', '.join(f':k{i}' for i in range(len(order)))})\")",
        "marks = ', '.join(f':k{i}' for i in range(len(order)))\ndb.execute(f'SELECT 1 WHERE id IN ({marks})')",
        "marks = ', '.join([f':k{i}' for i, _ in enumerate(order)])\ndb.execute(f'SELECT 1 WHERE id IN ({marks})')",
        "db.execute(f\"SELECT 1 WHERE id IN ({','.join('?' * len(order))})\")",
        "db.execute(f\"SELECT 1 WHERE id IN ({','.join(['%s'] * len(order))})\")",
        "db.execute('SELECT 1 WHERE id IN (%s)' % ','.join(['%s'] * len(order)))",
        "marks = '?,' * len(order)\ndb.execute(f'SELECT 1 WHERE id IN ({marks[:-1]})')",
        "conds = ['a = :a', 'b = :b']\ndb.execute('SELECT 1 WHERE ' + ' AND '.join(conds))",
        "conds = []\nif name:\n    conds.append('a = :a')\ndb.execute(f\"SELECT 1 WHERE {' AND '.join(conds)}\")",
        "for table in ('a', 'b'):\n    db.execute(f'DELETE FROM {table}')",
        "tables = ['a', 'b']\nfor number, table in enumerate(tables):\n    db.execute(f'DELETE FROM {table}')",
        "for column, kind in (('a', 'int'), ('b', 'text')):\n    db.execute(f'SELECT CAST({column} AS {kind})')",
        "column = {'new': 'year', 'name': 'title'}[order]\ndb.execute(f'SELECT 1 ORDER BY {column}')",
        "for name in order:\n    print(name)\ndb.execute(f\"SELECT {', '.join(name for name in ('a', 'b'))}\")",
        "db.execute(' '.join(name))",
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
            "db.execute(f\"SELECT 1 WHERE id IN ({', '.join(name)})\")",
            'db.execute("SELECT … WHERE name = :name", {"name": name}): the value goes beside the text.',
        ),
        (
            "ids = ', '.join(name)\ndb.execute(f'SELECT 1 WHERE id IN ({ids})')",
            'db.execute("SELECT … WHERE name = :name", {"name": name}): the value goes beside the text.',
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


def test_sqlalchemy_is_known_by_another_name(find: Find) -> None:
    assert [each["where"] for each in find("import sqlalchemy as sa\nsa.text(f'SELECT {name}')")] == ["app.py:12"]


def test_a_module_that_imports_sqlalchemy_as_a_whole_is_read(project: Project, command: Command) -> None:
    folder = project(app=f"import queries\n{HEAD}")
    (folder / "queries.py").write_text("import sqlalchemy as sa\ndef find(q):\n    return sa.text(f'SELECT {q}')\n")

    found = json.loads(command("check", "--security", "--json").stdout)

    assert [each["where"] for each in found] == ["queries.py:3"]


SUM = "total = " + " + ".join(["1"] * 1200)
ELIFS = "if year == 0:\n    pass\n" + "".join(f"elif year == {number}:\n    pass\n" for number in range(1, 1100))


@pytest.mark.parametrize("body", [SUM, f"db.execute({SUM[8:]})", ELIFS], ids=["sum", "given", "elif"])
def test_a_long_source_is_read_and_other_functions_are_judged(find: Find, body: str) -> None:
    found = find(f"def other(q):\n    db.execute(f'SELECT {{q}}')\n{body}")

    assert [each["where"] for each in found] == ["app.py:12"]


def test_of_what_is_too_deep_to_be_judged_nothing_is_said(find: Find) -> None:
    names = "\n".join(f"s{number + 1} = f'{{s{number}}}'" for number in range(2000))

    found = find(f"def other(q):\n    db.execute(f'SELECT {{q}}')\ns0 = name\n{names}\ndb.execute(s2000)")

    assert [each["where"] for each in found] == ["app.py:12"]


@pytest.mark.parametrize(
    "made", ["f'{{{0}}}{{{0}}}'", "{0} if year else {0}", "{0} or {0}", "[*{0}, *{0}]", "{0} + {0}"]
)
def test_names_that_are_made_of_each_other_are_judged_once(find: Find, made: str) -> None:
    names = "\n".join(f"s{number + 1} = {made.format(f's{number}')}" for number in range(60))

    found = find(f"s0 = f'{{name}}'\n{names}\ndb.execute(f'SELECT {{s60}}')")

    assert len(found) == 1
