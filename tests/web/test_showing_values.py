"""SECURITY P02: values as an error page shows them."""

from __future__ import annotations

import collections
import os
from typing import Any

import pytest

from segue.web.showing import LIMIT, hide, mask_source, show


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "'a'"),
        (b"a", "b'a'"),
        (7, "7"),
        (True, "True"),
        (None, "None"),
        ([1, "b"], "[1, 'b']"),
        ((1,), "(1,)"),
        ((), "()"),
        ({"a": [1]}, "{'a': [1]}"),
        ({1: 2}, "{1: 2}"),
        (frozenset({1}), "frozenset({1})"),
        (ValueError("x", 1), "ValueError('x', 1)"),
        ([[[[1]]]], "[[[[…]]]]"),
        (list(range(100)), "[" + ", ".join(map(str, range(20))) + ", … (100)]"),
        ("x" * 1000, f"'{'x' * 300}'… (1000)"),
        (10**41, "<int of 137 bits>"),
    ],
)
def test_plain_values_look_as_python_writes_them(value: object, text: str) -> None:
    assert show(value) == text


@pytest.mark.parametrize(
    ("value", "name", "text"),
    [
        ("hunter2", "password", "***"),
        ("hunter2", "API_KEY", "***"),
        (None, "password", "None"),
        (False, "auth", "False"),
        ({"user": {"pwd": "hunter2"}}, "", "{'user': {'pwd': ***}}"),
        ([("Set-Cookie", "a=1"), ("Accept", "*/*")], "", "[('Set-Cookie', ***), ('Accept', '*/*')]"),
        ("postgresql://me:hunter2@db/club", "", "'postgresql://me:***@db/club'"),
        ("Basic bWU6aHVudGVyMg==", "", "'Basic ***'"),
        ({"wsgi.input": 1}, "", "<WSGI environ of 1>"),
        ({"REQUEST_METHOD": "GET", "SERVER_NAME": "x"}, "", "<WSGI environ of 2>"),
        ({"type": "http", "headers": [], "path": "/"}, "", "<ASGI scope of 3>"),
        (collections.UserDict({"token": "hunter2"}), "", "{'token': ***}"),
    ],
)
def test_secrets_are_masked_by_name_and_type(value: Any, name: str, text: str) -> None:
    assert show(value, name) == text


def test_a_type_that_says_secret_is_masked() -> None:
    class AccessToken(str):
        pass

    assert show(AccessToken("hunter2")) == "<AccessToken ***>"


def test_the_environment_of_the_process_is_not_shown() -> None:
    assert show(os.environ) == f"<environment of {len(os.environ)}>"


def test_no_text_is_longer_than_its_limit() -> None:
    class Long:
        def __repr__(self) -> str:
            return "x" * 10_000

    assert len(show(Long())) == LIMIT
    assert len(show([Long()] * 20, limit=50)) == 50


@pytest.mark.parametrize("error", [ValueError, SystemExit, RecursionError])
def test_a_repr_that_raises_is_named(error: type[BaseException]) -> None:
    class Hostile:
        def __repr__(self) -> str:
            raise error

    assert show(Hostile()) == f"<Hostile: repr raised {error.__name__}>"


def test_a_value_that_lies_about_its_class_is_named() -> None:
    class Liar:
        @property
        def __class__(self) -> Any:
            raise ValueError("no class")

    assert "Liar" in show(Liar())


def test_known_secrets_are_taken_out_longest_first_and_short_ones_left() -> None:
    assert hide("abcdefgh abcdef abc", ["abcdef", "abcdefgh", "abc"]) == "*** *** abc"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('password = "hunter2"', "password = ***"),
        ("connect(token='hunter2', name='club')", "connect(token=***, name='club')"),
        ('{"api_key": "hunter2"}', '{"api_key": ***}'),
        ("name = 'club'", "name = 'club'"),
        ("password = ask()", "password = ask()"),
    ],
)
def test_literals_of_secret_names_are_masked_in_source(line: str, shown: str) -> None:
    assert mask_source(line) == shown
