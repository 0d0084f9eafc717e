"""Mappings with several values per name."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.errors import BadRequest
from segue.http.multidict import MissingField, MultiDict

PAIRS = st.lists(st.tuples(st.sampled_from("abc"), st.integers()))


@settings(deadline=None)
@given(PAIRS)
def test_brackets_give_the_first_value_and_getlist_every_one(pairs: list[tuple[str, int]]) -> None:
    found = MultiDict(pairs)

    expected: dict[str, list[int]] = {}
    for name, value in pairs:
        expected.setdefault(name, []).append(value)

    assert {name: found[name] for name in found} == {name: values[0] for name, values in expected.items()}
    assert {name: found.getlist(name) for name in found} == expected
    assert list(found) == list(expected)
    assert found.multi_items() == pairs


def test_a_missing_field_is_a_bad_request_and_a_key_error() -> None:
    found = MultiDict([("title", "x")])

    with pytest.raises(MissingField) as caught:
        found["titel"]

    assert isinstance(caught.value, BadRequest)
    assert isinstance(caught.value, KeyError)
    assert caught.value.status == 400
    assert "'title'" in caught.value.hint


def test_a_missing_field_of_nothing_says_that_nothing_was_sent() -> None:
    with pytest.raises(MissingField) as caught:
        MultiDict[str]([])["x"]

    assert "Nothing was sent" in caught.value.hint


def test_hostile_names_do_not_swell_the_error() -> None:
    found = MultiDict([("n" * 5000 + str(number), "") for number in range(500)])

    with pytest.raises(MissingField) as caught:
        found["m" * 5000]

    assert len(str(caught.value)) < 2000


def test_get_returns_the_default_without_an_error() -> None:
    found = MultiDict([("a", "1")])

    assert found.get("a") == "1"
    assert found.get("b") is None
    assert found.get("b", "2") == "2"


def test_its_repr_shows_names_and_no_values() -> None:
    assert repr(MultiDict([("password", "hunter2")])) == "<MultiDict 'password'>"


def test_equality_counts_every_value() -> None:
    assert MultiDict([("a", 1), ("a", 2)]) != MultiDict([("a", 1)])
    assert MultiDict([("a", 1)]) == {"a": 1}


def test_it_survives_pickle_and_copy() -> None:
    found = MultiDict([("a", 1), ("a", 2)])

    assert pickle.loads(pickle.dumps(found)) == found
    assert copy.deepcopy(found) == found


def test_it_cannot_be_changed() -> None:
    found = MultiDict([("a", 1)])

    with pytest.raises(TypeError):
        found["a"] = 2  # type: ignore[index]

    found.to_dict()["a"] = 2
    found.multi_items().append(("b", 3))
    assert found.multi_items() == [("a", 1)]
