"""Texts that are translated when they are read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from markupsafe import Markup, escape

from segue.context import TRANSLATIONS, Context, using
from segue.text import (
    LazyText,
    capitalized,
    gettext,
    gettext_lazy,
    ngettext,
    ngettext_lazy,
    npgettext,
    npgettext_lazy,
    pgettext,
    pgettext_lazy,
)


class Upper:
    """Translates into capital letters."""

    def gettext(self, message: str) -> str:
        return message.upper()

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        return self.gettext(singular if n == 1 else plural)

    def pgettext(self, context: str, message: str) -> str:
        return f"{context}:{self.gettext(message)}"

    def npgettext(self, context: str, singular: str, plural: str, n: int) -> str:
        return f"{context}:{self.ngettext(singular, plural, n)}"


@pytest.fixture
def upper() -> Iterator[None]:
    context = Context(app=None)
    context.keep(TRANSLATIONS, Upper())
    with using(context):
        yield


LAZY = {
    "text": gettext_lazy("hello"),
    "plural": ngettext_lazy("song", "songs", 2),
    "context": pgettext_lazy("month", "may"),
    "plural in context": npgettext_lazy("x", "song", "songs", 1),
    "filled": gettext_lazy("{} at {place}").format("now", place="home"),
    "joined": "a " + gettext_lazy("hello") + " b",
    "capital": capitalized(gettext_lazy("hello")),
}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("text", "hello"),
        ("plural", "songs"),
        ("context", "may"),
        ("plural in context", "song"),
        ("filled", "now at home"),
        ("joined", "a hello b"),
        ("capital", "Hello"),
    ],
)
def test_a_lazy_text_is_itself_where_nothing_translates(name: str, expected: str) -> None:
    assert str(LAZY[name]) == expected


@pytest.mark.usefixtures("upper")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("text", "HELLO"),
        ("plural", "SONGS"),
        ("context", "month:MAY"),
        ("plural in context", "x:SONG"),
        ("joined", "a HELLO b"),
        ("capital", "HELLO"),
    ],
)
def test_a_lazy_text_is_translated_when_it_is_read(name: str, expected: str) -> None:
    assert str(LAZY[name]) == expected


@pytest.mark.usefixtures("upper")
def test_texts_are_translated_at_once() -> None:
    texts = [gettext("a"), ngettext("a", "b", 2), pgettext("c", "a"), npgettext("c", "a", "b", 1)]

    assert texts == ["A", "B", "c:A", "c:A"]


@pytest.mark.parametrize(("limit", "expected"), [(1, "1 song"), (3, "3 songs")])
@pytest.mark.parametrize("values", [{"limit": ...}, ...], ids=["named", "alone"])
def test_the_number_of_a_plural_may_come_later(limit: int, expected: str, values: Any) -> None:
    named = values is not ...
    text = ngettext_lazy("%(limit)d song" if named else "%d song", "%(limit)d songs" if named else "%d songs", "limit")

    assert str(text % ({"limit": limit} if named else limit)) == expected


def test_it_stands_for_a_text() -> None:
    text = gettext_lazy("hello %s") % "Duke"

    assert (text == "hello Duke", text != "x", hash(text) == hash("hello Duke"), f"{text:>12}") == (
        True,
        True,
        True,
        "  hello Duke",
    )
    assert (len(text), text[0], "Duke" in text, text.upper(), sorted([text, "a"])[0]) == (
        10,
        "h",
        True,
        "HELLO DUKE",
        "a",
    )


def test_it_is_no_sequence_of_letters() -> None:
    with pytest.raises(TypeError):
        iter(gettext_lazy("hello"))  # type: ignore[call-overload]  # that it cannot be is what is tested


def test_it_is_escaped_as_every_text_is() -> None:
    evil = gettext_lazy("<b>")

    assert (escape(evil), Markup("{}").format(evil), Markup("%s") % evil) == ("&lt;b&gt;",) * 3


def test_it_says_what_it_reads() -> None:
    assert repr(LazyText(lambda: "x")) == "<LazyText 'x'>"
