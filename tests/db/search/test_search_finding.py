"""What a search finds, and what comes first: the same on every database."""

from __future__ import annotations

from typing import Any

import pytest
from search_models import Hall, Letter, Musician, Plain, Record, Venue

from segue import db
from segue.db import F, Q
from segue.db.errors import QueryError
from segue.db.search.words import LONGEST_TEXT

pytestmark = pytest.mark.usefixtures("library")

BLUE = ["Kind of Blue", "Blue Train", "Something Else"]


def _titles(text: str) -> list[str]:
    return list(Record.objects.search(text).values_list("title", flat=True))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("kind of blue", ["Kind of Blue", "Blue Train"]),
        ("BLUE", BLUE),
        ("blue davis", ["Kind of Blue", "Something Else"]),
        ("coltrane", ["Blue Train", "A Love Supreme", "Ballads"]),
        ("love", ["A Love Supreme", "Love Songs", "Ballads"]),
        ("ultimate", ["Blue Train"]),
        ("the", ["The Who", "Blue Train"]),
        ("a", ["A Love Supreme", "Blue Train", "O'Brien's AC/DC_Tribute"]),
        ("it is", ["The Who"]),
        ("nothing", []),
    ],
)
def test_rows_with_all_the_words_come_best_first(text: str, expected: list[str]) -> None:
    assert _titles(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"kind of blue"', ["Kind of Blue"]),
        ('"of blue" kind', ["Kind of Blue"]),
        ('"blue kind"', []),
        ('"blue miles"', []),  # from the end of one field into the next
        ('"hard bop', ["Blue Train"]),
        ("blue -train", ["Kind of Blue", "Something Else"]),
        ('coltrane -"love supreme" -slow', ["Blue Train"]),
        ("supreme or ballads", ["A Love Supreme", "Ballads"]),
        ("miles blue or ballads -nothing", ["Kind of Blue", "Ballads", "Something Else"]),
        ('"or"', []),
        ("-blue", []),
        ("or blue or", BLUE),
    ],
)
def test_phrases_without_and_or_are_understood(text: str, expected: list[str]) -> None:
    assert _titles(text) == expected


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("ecole", "École de Paris"),
        ("ÉCOLE", "École de Paris"),
        ("e\u0301cole", "École de Paris"),
        ("ete elan", "École de Paris"),
        ("straße", "École de Paris"),
        ("naive cooperate", "École de Paris"),
        ("Αθήνα", "École de Paris"),
        ("МОСКВА", "École de Paris"),
        ("日本の音楽", "日本の音楽"),
        ("東京", "日本の音楽"),
    ],
)
def test_letters_of_any_script_are_found_without_case_and_accents(text: str, title: str) -> None:
    assert _titles(text) == [title]


@pytest.mark.parametrize(
    "text",
    [
        "brien",
        "o'brien",
        "brien's",
        "ac/dc",
        "dc",
        "tribute",
        "u2",
        "r2-d2",
        "d2",
        "100",
        "3.5",
        "example",
        "me@example.com",
        "https://example.com/a/b?c=d",
        "e-mail",
        "mail",
    ],
)
def test_punctuation_parts_words_alike(text: str) -> None:
    assert _titles(text) == ["O'Brien's AC/DC_Tribute"]


@pytest.mark.parametrize(
    "text",
    ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen"],
)
def test_signs_of_any_kind_part_words(text: str) -> None:
    assert "Signs" in _titles(text)


HOSTILE = [
    "'",
    '"',
    '"""',
    "''; DROP TABLE record; --",
    "*",
    "blue*",
    "NEAR(blue train)",
    "title:blue",
    "^blue",
    "(blue",
    "blue)",
    "+blue -",
    "~blue <blue >blue @3",
    "blue & | ! <-> :* :A",
    "\\",
    "\\'",
    "%s %(a)s :a ? $1 {0}",
    "\x00",
    "blue\x00train",
    "\ud800",
    "\u202e\ufeff",
    "AND OR NOT",
    "- - -",
    '-"',
    '"" ""',
    "or or or",
    "🎷",
    "ﷺ" * 1000,
    "e" + "\u0301" * 100_000,
    "\u05b0\u05c1" * 50_000,
    "blue " * 10_000,
    "x" * 1_000_000,
    " ".join(f"w{at}" for at in range(10_000)),
    "ß" * 90,
    "a " * 500,
    '"' + "b " * 400 + '"',
    "日" * 1000,
    "-a " * 300,
    " or ".join("abcdefghijklmnopqrstuvwxyz"),
    "\t\n\r\v",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_character_of_a_text_is_syntax(text: str) -> None:
    found = Record.objects.search(text).annotate(rank=db.SearchRank(text))

    assert {row.title for row in found} <= {row.title for row in Record.objects.all()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("blue*", BLUE),
        ("bl*", []),
        ("title:blue", []),
        ("^blue", BLUE),
        ("(blue", BLUE),
        ("+blue", BLUE),
        ("blue:A", []),
        ("blue & | ! blue", BLUE),
        ("NEAR(blue train)", []),
        ("blue AND train", []),
    ],
)
def test_operators_of_databases_are_no_operators(text: str, expected: list[str]) -> None:
    assert _titles(text) == expected


@pytest.mark.parametrize(
    "text", ["kind \u0344", "kind ❤\ufe0f", "kind -\u0301", '"kind \u034f of"', "\u0301kind", "❤\ufe0fkind"]
)
def test_a_mark_without_a_letter_is_no_word(text: str) -> None:
    assert _titles(text) == ["Kind of Blue", "Blue Train"]


def test_a_long_text_is_cut_before_it_is_read() -> None:
    assert _titles("blue " + "." * LONGEST_TEXT + " nothing") == BLUE


@pytest.mark.parametrize("given", [None, 5, b"blue", ["blue"]])
def test_only_a_text_is_searched_for(given: Any) -> None:
    with pytest.raises(QueryError, match=r"search\(\) takes a text"):
        Record.objects.search(given)


def test_a_model_without_a_search_field_is_told_what_to_write() -> None:
    with pytest.raises(QueryError, match="Plain has no search field") as caught:
        Plain.objects.search("blue")

    assert caught.value.hint == 'search = db.SearchField("title", "text")'
    assert caught.value.code == "data/search"


def test_one_of_several_search_fields_is_named() -> None:
    assert Letter.objects.search("wayne", field="search").count() == 1
    assert Letter.objects.search("wayne", field="senders").count() == 0


def test_an_unknown_search_field_names_those_there_are() -> None:
    with pytest.raises(QueryError) as caught:
        Letter.objects.search("wayne", field="sender")

    assert caught.value.hint == 'search(…, field="search"). Choices: search, senders.'


def test_of_several_one_must_be_named() -> None:
    with pytest.raises(QueryError, match="has several search fields"):
        Letter.objects.filter(pk=1).search("wayne")


# With the rest of a query


def test_an_order_of_ones_own_comes_in_place_of_the_rank() -> None:
    found = Record.objects.search("blue").order_by("-title")

    assert [row.title for row in found] == ["Something Else", "Kind of Blue", "Blue Train"]


def test_the_worst_comes_first_in_reverse() -> None:
    found = Record.objects.search("blue").reverse()

    assert [row.title for row in found] == BLUE[::-1]


def test_it_narrows_with_filters_before_and_after() -> None:
    found = Record.objects.filter(year__gte=1956).search("blue").exclude(title="Blue Train")

    assert [row.title for row in found] == ["Something Else"]


def test_it_is_sliced_counted_and_looked_at() -> None:
    found = Record.objects.search("blue")

    assert [row.title for row in found[1:2]] == ["Blue Train"]
    assert (found.count(), found.exists(), found.first().title) == (3, True, "Kind of Blue")  # type: ignore[union-attr]


def test_two_searches_narrow_each_other() -> None:
    found = Record.objects.search("blue").search("miles")

    assert {row.title for row in found} == {"Kind of Blue", "Something Else"}


def test_values_and_ranks_are_given() -> None:
    rank = db.SearchRank("blue")

    found = list(Record.objects.search("blue").annotate(rank=rank).values_list("title", "rank"))

    assert [title for title, _ in found] == BLUE
    assert [int(rank) for _, rank in found] == [8, 8, 1]


def test_a_rank_is_filtered_and_ordered_by() -> None:
    ranked = Record.objects.alias(rank=db.SearchRank("love"))

    found = ranked.filter(rank__gte=1).order_by("-rank", "-year")

    assert [row.title for row in found] == ["A Love Supreme", "Love Songs", "Ballads"]


def test_a_rank_of_nothing_is_nothing() -> None:
    found = Record.objects.annotate(rank=db.SearchRank("?!"))

    assert {row.rank for row in found} == {0.0}


def test_it_stands_inside_another_query() -> None:
    miles = Musician.objects.search("davis")

    found = Record.objects.filter(leader__in=miles).order_by("title")

    assert [row.title for row in found] == ["Kind of Blue", "Something Else"]


def test_it_is_excluded_by_its_keys() -> None:
    blue = Record.objects.search("blue")

    assert Record.objects.exclude(pk__in=blue).count() == 8


def test_rows_are_joined_and_loaded_along() -> None:
    found = Record.objects.filter(Q(leader__name="Miles Davis")).select_related("leader").search("blue")

    assert [(row.title, row.leader and row.leader.name) for row in found] == [
        ("Kind of Blue", "Miles Davis"),
        ("Something Else", "Miles Davis"),
    ]


def test_groups_are_counted_within_it() -> None:
    found = Record.objects.search("blue").order_by("leader").values("leader").annotate(n=db.Count("pk"))

    assert {row["leader"]: row["n"] for row in found} == {None: 1, "Miles Davis": 2}


def test_rows_of_a_relation_are_searched() -> None:
    miles = Musician.objects.get(name="Miles Davis")

    found = miles.records.search("miles").filter(year=F("year"))  # type: ignore[attr-defined]

    assert [row.title for row in found] == ["Kind of Blue", "Something Else"]


def test_a_sliced_query_is_searched_no_more() -> None:
    with pytest.raises(QueryError, match=r"search\(\) after a slice"):
        Record.objects.all()[:3].search("blue")


def test_a_statement_is_not_searched() -> None:
    with pytest.raises(QueryError, match=r"search\(\) of raw\(\)"):
        Record.objects.raw("SELECT * FROM record").search("blue")


def test_a_child_is_searched_in_the_table_of_its_parent() -> None:
    assert [row.label for row in Hall.objects.search("carnegie")] == ["Carnegie Hall"]
    assert [row.label for row in Venue.objects.search("hall")] == ["Carnegie Hall"]


async def test_it_is_awaited() -> None:
    found = [row.title async for row in Record.objects.search("blue")]

    assert found == BLUE
    assert await Record.objects.search("blue").acount() == 3


def test_other_words_share_the_plan(library: db.Database) -> None:
    _titles("kind blue")
    compiled = library.plans.compiled

    _titles("love supreme")
    _titles('"bill evans" -trane')

    assert library.plans.compiled == compiled


def test_what_refers_to_found_rows_is_counted() -> None:
    found = Musician.objects.search("miles or evans").annotate(n=db.Count("records"), rank=db.SearchRank("miles"))

    assert [(row.name, row.n, int(row.rank)) for row in found] == [("Bill Evans", 0, 0), ("Miles Davis", 2, 1)]


def test_distinct_rows_keep_their_rank() -> None:
    found = Record.objects.search("blue").distinct()

    assert [record.title for record in found] == BLUE


@pytest.mark.parametrize("flat", [False, True])
def test_distinct_values_are_not_parted_by_the_rank(flat: bool) -> None:
    found = Record.objects.search("blue").values_list("subtitle", flat=flat).distinct()

    assert len(found) == found.count() == 2


def test_distinct_values_keep_an_order_of_ones_own() -> None:
    found = Record.objects.search("blue").order_by("-subtitle").values_list("subtitle", flat=True).distinct()

    assert list(found) == ["The Ultimate", ""]
    assert len(Record.objects.search("blue").order_by(db.SearchRank("kind")).values("subtitle").distinct()) == 3


def test_distinct_values_with_the_key_keep_their_rank() -> None:
    found = Record.objects.search("blue").distinct()

    assert [title for _, title in found.values_list("pk", "title")] == BLUE
    assert [title for _, title in found.reverse().values_list("id", "title")] == BLUE[::-1]


def test_the_best_of_distinct_rows_stand_inside_another_query() -> None:
    best = Record.objects.search("coltrane -slow").distinct()[:1]

    assert [row.title for row in Record.objects.filter(pk__in=best.values("pk"))] == ["Blue Train"]
