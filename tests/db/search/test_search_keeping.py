"""The index of a search is true, whoever writes, on every database."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from search_models import SEARCHED, Draft, Musician, Record, Seat

from segue import db
from segue.db.database import Database
from segue.db.datafiles import dump, load
from segue.db.schema import create_all, drop_all

pytestmark = pytest.mark.usefixtures("empty")


def _titles(text: str) -> list[str]:
    return list(Record.objects.search(text).values_list("title", flat=True))


def test_a_row_is_found_as_soon_as_it_is_saved() -> None:
    record = Record.objects.create(title="Milestones")
    assert _titles("milestones") == ["Milestones"]

    record.title = "Round Midnight"
    record.save()

    assert _titles("milestones") == []
    assert _titles("midnight") == ["Round Midnight"]


def test_a_word_behind_an_emoji_is_found() -> None:
    Record.objects.create(title="Blue❤\ufe0ftrain \u0301kind ❤\ufe0f")

    assert len(_titles("blue")) == len(_titles("train")) == len(_titles("kind")) == 1


@pytest.mark.parametrize("number", "²¹¼¾⁰⁵₂⅓Ⅳⅻ①⑩⒈Ⓐ⓪❷〇〡㆒㈠㊿㎏〸⳽")
def test_a_number_that_is_no_digit_parts_words(number: str) -> None:
    Record.objects.create(title=f"Kind{number}of {number}Blue{number}")

    found = Record.objects.search(f"kind{number}").annotate(rank=db.SearchRank(f"{number}of"))

    assert [int(row.rank) for row in found] == [8]
    assert len(_titles(f'"of{number} blue{number}"')) == len(_titles("kind blue")) == 1


@pytest.mark.parametrize("word", ["٢٠٢٠", "ↄaↃ", "xⁿ", "aª", "µ", "১২", "አ፩"])
def test_digits_and_letters_of_any_script_are_words(word: str) -> None:
    Record.objects.create(title=f"Blue {word} Train")

    assert len(_titles(word)) == 1


def test_rows_made_together_are_found() -> None:
    Record.objects.bulk_create([Record(title=f"Volume {at}", notes="blue" if at % 2 else None) for at in range(9)])

    assert len(_titles("volume")) == 9
    assert len(_titles("blue")) == 4


def test_rows_changed_together_are_found() -> None:
    records = [Record.objects.create(title=f"Volume {at}") for at in range(3)]
    for record in records:
        record.notes = "revised"

    Record.objects.bulk_update(records, ["notes"])

    assert len(_titles("revised")) == 3


def test_an_update_changes_what_is_found() -> None:
    Record.objects.create(title="Kind of Blue", notes="modal")

    assert Record.objects.search("modal").update(notes=db.functions.Concat(db.Value("very "), "title")) == 1

    assert _titles("modal") == []
    assert _titles("very") == ["Kind of Blue"]


def test_rows_that_are_deleted_are_found_no_more() -> None:
    for title in ("Kind of Blue", "Blue Train", "Milestones"):
        Record.objects.create(title=title)

    Record.objects.search("blue").delete()
    Record.objects.create(title="In a Silent Way")

    assert _titles("blue") == []
    assert _titles("milestones") == ["Milestones"]
    assert _titles("silent") == ["In a Silent Way"]


def test_rows_deleted_with_what_they_refer_to_are_found_no_more() -> None:
    miles = Musician.objects.create(name="Miles Davis")
    Record.objects.create(title="Kind of Blue", leader=miles)

    miles.delete()

    assert _titles("blue") == []


def test_a_row_that_is_replaced_in_place_is_found_by_its_new_words() -> None:
    Record.objects.create(pk=1, title="Kind of Blue")

    Record.objects.bulk_create(
        [Record(pk=1, title="Blue Train")], update_conflicts=True, update_fields=["title"], unique_fields=["id"]
    )

    assert _titles("kind") == []
    assert _titles("train") == ["Blue Train"]


def test_statements_by_hand_keep_it_true(empty: Database) -> None:
    table = Record.table
    empty.execute(sa.insert(table).values(title="Kind of Blue", subtitle="", year=1959))
    assert _titles("kind") == ["Kind of Blue"]

    empty.execute(sa.update(table).values(title="Milestones"))

    assert (_titles("kind"), _titles("milestones")) == ([], ["Milestones"])


def test_a_null_has_no_words() -> None:
    Record.objects.create(title="Null", notes=None)
    Record.objects.update(notes="now some")
    assert _titles("some") == ["Null"]

    Record.objects.update(notes=None)

    assert (_titles("some"), _titles("none")) == ([], [])


def test_what_is_rolled_back_is_not_found(empty: Database) -> None:
    with empty.atomic():
        Record.objects.create(title="Kind of Blue")
        empty.set_rollback(True)

    assert _titles("blue") == []
    assert Record.objects.create(title="Blue Train").title in _titles("blue")


# MariaDB's FULLTEXT sees what was committed.
FOUND_WITHIN = {"sqlite": 1, "postgresql": 1, "mysql": 0}


def test_a_transaction_finds_its_own_rows_where_the_database_can(empty: Database) -> None:
    with empty.atomic():
        Record.objects.create(title="Kind of Blue")
        within = len(_titles("blue"))

    assert within == FOUND_WITHIN[empty.vendor]
    assert len(_titles("blue")) == 1


def test_a_row_keeps_its_words_when_its_key_changes() -> None:
    Musician.objects.create(name="Miles Davis")

    Musician.objects.update(name="Bill Evans")

    assert [each.name for each in Musician.objects.search("evans")] == ["Bill Evans"]
    assert not Musician.objects.search("davis")


def test_rows_with_keys_of_several_columns_are_found() -> None:
    Seat.objects.create(row=1, number=2, who="Bill Evans")
    Seat.objects.create(row=2, number=1, who="Paul Motian")
    Seat.objects.filter(row=1).update(number=7)

    assert [seat.pk for seat in Seat.objects.search("evans")] == [(1, 7)]
    assert [seat.pk for seat in Seat.objects.search("evans or motian")] == [(1, 7), (2, 1)]


def test_hidden_rows_are_found_only_among_all() -> None:
    draft = Draft.objects.create(text="Blue in Green")

    draft.delete()

    assert not Draft.objects.search("green")
    assert [each.text for each in Draft.all_objects.search("green")] == ["Blue in Green"]


def test_the_key_that_the_database_makes_is_the_rows_own() -> None:
    Record.objects.create(title="first")
    second = Record.objects.create(title="second")

    assert Record.objects.get(title="second").pk == second.pk
    assert Record.objects.search("second").get().pk == second.pk


def test_rows_from_a_file_are_found(empty: Database) -> None:
    Record.objects.create(title="Kind of Blue", notes="modal")
    content = dump(empty, [Record])
    Record.objects.all().delete()

    load(empty, [Record], content)

    assert _titles("modal") == ["Kind of Blue"]


def test_a_word_that_all_rows_have_is_found() -> None:
    Record.objects.bulk_create([Record(title="blue") for _ in range(3)])

    assert _titles("blue") == ["blue"] * 3


def test_a_text_of_a_megabyte_is_kept() -> None:
    Record.objects.create(title="Long", notes=f"beginning {'many words ' * 100_000} end")

    assert _titles("beginning many words") == ["Long"]


@pytest.mark.parametrize("text", ["e" + "\u0301\u0323" * 30_000, "x" * 300_000, "ﷺ" * 3_000, "'\"\\%:*" * 5_000])
def test_hostile_texts_are_kept(text: str) -> None:
    Record.objects.create(title="Hostile", notes=f"{text} ending")

    assert _titles("hostile") == ["Hostile"]


def test_tables_are_dropped_and_made_again(empty: Database) -> None:
    Record.objects.create(title="Kind of Blue")
    with empty.connection() as connection:
        drop_all(connection, SEARCHED)
        left = sa.inspect(connection).get_table_names()
        made = create_all(connection, SEARCHED)
        connection.commit()

    assert (left, "record" in made) == ([], True)
    assert _titles("blue") == []


async def test_a_row_is_found_as_soon_as_it_is_saved_in_async_code() -> None:
    await Record.objects.acreate(title="Milestones")

    found: Any = await Record.objects.search("milestones").aget()

    assert found.title == "Milestones"
