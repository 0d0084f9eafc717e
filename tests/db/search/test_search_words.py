"""The words of a text, and search fields that cannot be."""

from __future__ import annotations

from typing import Any

import pytest

from segue import db
from segue.db.database import Database
from segue.db.errors import ModelError
from segue.db.search.words import LONGEST_TEXT, LONGEST_WORD, MOST_WORDS, fold, parse


@pytest.mark.parametrize("text", ["", " ", "-", "-blue", "!?", '""', "or", "\x00", "\u0344", "❤\ufe0f"])
def test_without_a_word_to_look_for_there_is_nothing_to_ask(text: str) -> None:
    assert parse(text) is None


def test_folding_takes_time_that_grows_with_the_length_alone() -> None:
    assert fold("é" + "\u0301\u05b0" * 100_000)[:1] == "e"


# Declared wrongly


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: db.SearchField(), "takes the names of fields"),
        (lambda: db.SearchField("title", "title"), "takes the names of fields"),
        (lambda: db.SearchField("title", weights={"titel": 2}), "names 'titel', which is none of the fields"),
        (lambda: db.SearchField("title", weights={"title": 0}), "no whole number from 1 to 1000"),
        (lambda: db.SearchField("title", weights=[1, 2]), "not as many as the fields"),
        (lambda: db.SearchField(*"abcde", weights=[1, 2, 3, 4, 5]), "5 different weights"),
    ],
)
def test_a_search_field_that_cannot_be_is_refused_where_it_is_written(make: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        make()


def test_what_is_too_long_is_cut() -> None:
    found = parse("a " * LONGEST_TEXT)
    assert found is not None
    assert len(found.groups[0].wanted) == 1

    many = parse(" ".join(f"w{at}" for at in range(100)))
    assert many is not None
    assert len(many.wanted) == MOST_WORDS

    long = parse("x" * 500)
    assert long is not None
    assert long.wanted == ("x" * LONGEST_WORD,)


def test_a_search_field_stands_in_the_body_of_a_model() -> None:
    class Record(db.Model):
        title = db.CharField(max_length=50)

        class Meta:
            indexes = (db.SearchField("title"),)

    with pytest.raises(ModelError, match="is no attribute of it"):
        _ = Record.table.indexes


@pytest.mark.parametrize(
    ("name", "message"), [("titel", "which is no field"), ("year", "no text of its own table: IntegerField")]
)
def test_a_search_field_over_no_text_is_refused_before_a_table_is_made(
    memory: Database, name: str, message: str
) -> None:
    class Record(db.Model):
        title = db.CharField(max_length=50)
        year = db.IntegerField()
        search = db.SearchField(name)

    with pytest.raises(ModelError, match=message) as caught:
        memory.create_all(Record)

    assert caught.value.code == "data/search"
    assert "title" in caught.value.hint
