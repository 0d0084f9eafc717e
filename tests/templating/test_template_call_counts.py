"""What a template pays for each value it shows is guarded by counting calls.

A number that rises is work that every page pays from then on. Raise it here only with the
reason in the commit; lower it whenever it falls.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from segue.templating import Templates

pytestmark = pytest.mark.internal

CallsOf = Callable[[Callable[[], Any]], int]


@pytest.mark.parametrize(
    ("source", "most"),
    [("{{ name }}", 1), ("{{ year }}", 1), ("{{ record.label }}", 2)],
    ids=["a text", "a number", "an attribute"],
)
def test_calls_that_a_value_adds(source: str, most: int, calls_of: CallsOf) -> None:
    templates = Templates([])
    values = {"name": "<Nina>", "year": 1965, "record": SimpleNamespace(label="Philips")}
    once, twice = source, source + source
    shown = templates.render_string(once, values), templates.render_string(twice, values)

    calls = calls_of(lambda: templates.render_string(twice, values))
    calls -= calls_of(lambda: templates.render_string(once, values))

    assert shown[1] == shown[0] * 2
    # The generator is resumed once more too, which counts as a call.
    assert calls <= most + 1
