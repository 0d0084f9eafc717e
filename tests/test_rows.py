"""`tests/ROWS.md`: every row has tests that exist, or says what it waits for."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# The rows of each area that stand there, in spans.
AREAS = {
    "CORE": [(1, 93)],
    "DATA": [(1, 65)],
    "SITES": [(1, 10), (16, 22), (24, 33), (48, 49), (51, 51)],
    "ACCESS": [(28, 28)],
}
ROWS = [
    f"{area}-{number}" for area, spans in AREAS.items() for first, last in spans for number in range(first, last + 1)
]
_LINE = re.compile(r"^\| ((?:CORE|DATA|SITES|ACCESS)-\d+) \| (.*?) \| (.*?) ?\|$", re.MULTILINE)
_FILE = re.compile(r"`([a-z0-9_/]+\.py)`: ((?:`\w+`(?:, )?)+)")


def table() -> dict[str, tuple[list[tuple[str, str]], str]]:
    """Return for each row its tests, as file and function, and what it waits for."""
    found: dict[str, tuple[list[tuple[str, str]], str]] = {}
    for row, cell, waits in _LINE.findall((HERE / "ROWS.md").read_text(encoding="utf-8")):
        assert row not in found, f"{row} stands twice"
        tests = [(file, name) for file, names in _FILE.findall(cell) for name in re.findall(r"`(\w+)`", names)]
        assert len(re.findall(r"`test_\w+`", cell)) == len(tests), f"{row} has a test without its file"
        found[row] = tests, waits.strip()
    return found


def functions_in(file: str) -> set[str]:
    """Return the names of the test functions in a file below `tests/`."""
    tree = ast.parse((HERE / file).read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {each.name for each in functions if each.name.startswith("test_")}


@pytest.mark.parametrize("row", ROWS)
def test_a_row_has_tests_or_says_what_it_waits_for(row: str) -> None:
    tests, waits = table().get(row, ([], ""))

    assert tests or waits


def test_no_row_is_invented() -> None:
    assert list(table()) == ROWS


@pytest.mark.parametrize("file", sorted({file for tests, _ in table().values() for file, _ in tests}))
def test_the_tests_that_rows_name_exist(file: str) -> None:
    named = {name for tests, _ in table().values() for place, name in tests if place == file}

    assert named - functions_in(file) == set()
