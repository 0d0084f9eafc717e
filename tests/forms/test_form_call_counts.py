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
# What each further form adds to checking a formset, with a field of its own and the two of the formset.
MOST_OF_A_FORM = 145


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


Many = forms.formset_factory(One, can_delete=True, can_order=True)


@pytest.fixture
def checking(calls_of: CallsOf) -> Callable[[int], int]:
    """Count the calls of checking a formset, and of reading what is deleted and in which order."""

    def calls_of_checking(count: int) -> int:
        sent = {"form-TOTAL_FORMS": str(count), "form-INITIAL_FORMS": "0"}
        sent |= {f"form-{at}-name": "Nina" for at in range(count)}
        Many(sent).is_valid()
        formset = Many(sent)

        return calls_of(lambda: (formset.is_valid(), formset.deleted_forms, formset.ordered_forms))

    return calls_of_checking


def test_calls_that_a_form_adds_to_a_formset(checking: Callable[[int], int]) -> None:
    assert (checking(20) - checking(10)) / 10 <= MOST_OF_A_FORM


def test_every_form_of_a_formset_adds_as_much(checking: Callable[[int], int]) -> None:
    assert checking(410) - checking(210) == checking(210) - checking(10)


class Counted(forms.CharField):
    """A field that counts how often it reads what was sent."""

    read = 0

    def to_python(self, value: Any) -> Any:
        Counted.read += 1
        return super().to_python(value)


def test_a_formset_reads_what_was_sent_twice_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Counted, "read", 0)
    Read = forms.formset_factory(type("Asked", (forms.Form,), {"name": Counted()}), can_delete=True)
    sent = {"form-TOTAL_FORMS": "10", "form-INITIAL_FORMS": "0"} | {f"form-{at}-name": "x" for at in range(10)}

    formset = Read(sent)
    formset.is_valid()
    formset.has_changed()
    _ = formset.deleted_forms

    assert Counted.read == 20  # once to see whether it changed, once to check it
