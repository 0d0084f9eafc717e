"""The door, its mirror for type checkers, its table and its documentation name the same things."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

import segue

ROOT = Path(__file__).resolve().parents[1]
SOURCE = Path(segue.__file__)
PAGE = ROOT / "docs" / "reference" / "public-names.md"


def mirror() -> dict[str, str]:
    """Return what the `TYPE_CHECKING` block imports: name → module, as in the table."""
    found: dict[str, str] = {}
    for node in ast.parse(SOURCE.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for each in node.body:
                assert isinstance(each, ast.ImportFrom)
                where = (each.module or "") if each.level else f":{each.module}"
                for alias in each.names:
                    name = alias.asname or alias.name
                    is_module = where and (SOURCE.parent / where.replace(".", "/") / f"{name}.py").is_file()
                    found[name] = f"={where}.{name}" if is_module else where
    return found


def documented() -> dict[str, str]:
    """Return the names of the reference with the module that it says they live in."""
    rows = re.findall(r"^\| `(\w+)` \| `([\w.]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return dict(rows)


def test_the_names_for_type_checkers_are_the_names_that_resolve() -> None:
    assert mirror() == segue._WHERE


def test_all_names_are_in_the_table() -> None:
    assert segue.__all__ == sorted(segue._WHERE)


def test_the_reference_lists_the_public_names_and_no_others() -> None:
    assert sorted(documented()) == sorted(segue.__all__)


@pytest.mark.parametrize("name", segue.__all__)
def test_a_public_name_is_what_its_module_has(name: str) -> None:
    where = documented()[name]

    named = import_module(where)

    assert getattr(segue, name) is (named if segue._WHERE[name].startswith("=") else getattr(named, name))


@pytest.mark.parametrize("name", sorted(set(segue.__all__) - {"__version__"}))
def test_a_public_name_is_public_in_its_module(name: str) -> None:
    module = import_module(documented()[name])

    assert segue._WHERE[name].startswith("=") or name in getattr(module, "__all__", dir(module))


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(AttributeError, match="Blueprint"):
        _ = segue.Blueprnt
