"""Checking a form is guarded by counting calls: exact on any machine, however busy.

A number that rises is work that every form pays from then on. Raise it here only with the
reason in the commit; lower it whenever it falls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from segue import forms

pytestmark = pytest.mark.internal

CallsOf = Callable[[Callable[[], Any]], int]

# Of Python functions, for a form of one field, and what each further field adds.
MOST_OF_ONE = 36
MOST_OF_MORE = 19


class One(forms.Form):
    name = forms.CharField(max_length=100)


class Two(One):
    title = forms.CharField(max_length=100)


def test_calls_of_checking_a_form(calls_of: CallsOf) -> None:
    sent = {"name": "Nina", "title": "Ballads"}
    One(sent).is_valid()

    assert calls_of(lambda: One(sent).is_valid()) <= MOST_OF_ONE


def test_calls_that_a_field_adds(calls_of: CallsOf) -> None:
    sent = {"name": "Nina", "title": "Ballads"}
    Two(sent).is_valid()

    added = calls_of(lambda: Two(sent).is_valid()) - calls_of(lambda: One(sent).is_valid())

    assert added <= MOST_OF_MORE
