"""What rows are made of: values, lists, dates, some columns, and rows of several queries."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from blog_models import BLOG, WEATHER, Author, Blog, Detail, Entry, Station, Weather, fill_blog, fill_weather

from segue import db
from segue.db import Count, Exists, F, OuterRef, Q, Value
from segue.db import functions as fn

MODELS = [*BLOG, *WEATHER]


def fill():
    fill_blog()
    fill_weather()


def test_values_give_dictionaries(database):
    beatles = Blog.objects.filter(name__startswith="Beatles")
    assert list(beatles.values("name")) == [{"name": "Beatles Blog"}]
    row = beatles.values().get()
    assert row == {"id": row["id"], "name": "Beatles Blog", "tagline": "All the latest Beatles news."}
    assert list(Entry.objects.filter(rating=1).values("blog", "blog_id", "blog__name")) == [
        {"blog": 2, "blog_id": 2, "blog__name": "Pop Music Blog"}
    ]


def test_values_take_transforms_and_expressions(database):
    found = Entry.objects.filter(rating=1).values("pub_date__year", upper=fn.Upper("headline"))
    assert list(found) == [{"pub_date__year": 2020, "upper": "LENNON WOULD HAVE LOVED HIP HOP"}]
    assert list(Entry.objects.filter(rating=1).values(total=F("rating") + 1)) == [{"total": 2}]


def test_values_of_to_many_relations_repeat_rows(database):
    found = Blog.objects.filter(name__startswith="B").order_by("entry__pk").values("name", "entry__headline")
    assert [each["entry__headline"] for each in found] == ["New Lennon Biography", "New Lennon Biography in Paperback"]
    assert list(Blog.objects.filter(name="Empty").values("name", "entry")) == [{"name": "Empty", "entry": None}]


def test_values_lists_are_tuples_bare_values_and_named(database):
    by = Entry.objects.order_by("pk")
    assert by.values_list("rating", "blog__name")[0] == (5, "Beatles Blog")
    assert list(by.values_list("rating", flat=True)) == [5, 4, 3, 1, 5, 2]
    row = by.values_list("rating", "headline", named=True)[0]
    assert (row.rating, row.headline) == (5, "New Lennon Biography")
    assert by.values_list("rating", year=fn.ExtractYear("pub_date"))[0] == (5, 2008)
    assert by.values_list(fn.Upper("headline"))[0] == ("NEW LENNON BIOGRAPHY",)
    assert by.values_list("pk", flat=True).get(rating=1) == 4
    assert by.values_list("rating", flat=True)[1:3][0] == 4
    assert by.values_list("rating", flat=True).first() == 5
    with pytest.raises(ValueError, match="one name"):
        by.values_list("rating", "pk", flat=True)
    with pytest.raises(ValueError):
        by.values_list("rating", flat=True, named=True)


def test_filters_after_values_still_narrow(database):
    assert Entry.objects.values("headline").filter(rating=1).count() == 1
    assert Entry.objects.values_list("rating", flat=True).exclude(rating__lt=5).distinct().get() == 5
    assert set(Entry.objects.order_by("rating").values_list("rating", flat=True).distinct()) == {1, 2, 3, 4, 5}


def test_dates(database):
    assert list(Entry.objects.dates("pub_date", "year")) == [
        date(year, 1, 1) for year in (2006, 2008, 2009, 2010, 2020)
    ]
    assert list(Entry.objects.dates("pub_date", "month"))[1:3] == [date(2008, 6, 1), date(2008, 12, 1)]
    assert list(Entry.objects.dates("pub_date", "day", order="DESC"))[0] == date(2020, 4, 1)
    assert list(Entry.objects.dates("pub_date", "week"))[0] == date(2005, 12, 26)
    assert list(Entry.objects.filter(headline__contains="Lennon").dates("pub_date", "year")) == [
        date(2008, 1, 1),
        date(2009, 1, 1),
        date(2020, 1, 1),
    ]
    assert list(Blog.objects.dates("entry__pub_date", "year"))[0] == date(2006, 1, 1)


def test_datetimes(database):
    assert list(Weather.objects.datetimes("at", "day")) == [datetime(2024, 3, day, tzinfo=UTC) for day in (1, 2, 3)]
    assert len(Weather.objects.datetimes("at", "hour")) == 5
    assert list(Weather.objects.datetimes("at", "month", order="DESC")) == [datetime(2024, 3, 1, tzinfo=UTC)]
    with pytest.raises(db.FieldError):
        Weather.objects.datetimes("nothing", "day")


def test_only_and_defer_load_less(database, sent):
    entry = Entry.objects.only("headline").get(rating=1)
    assert "body_text" not in sent.texts[0]
    assert entry.headline.startswith("Lennon")
    assert len(sent) == 1
    assert entry.rating == 1
    assert len(sent) == 2
    entry = Entry.objects.defer("headline", "body_text").get(rating=1)
    assert "headline" not in sent.texts[2]
    assert "rating" in sent.texts[2]
    assert entry.headline.startswith("Lennon")


def test_only_and_defer_compose_as_in_django(database):
    def loaded(queryset):
        found = queryset.first().__dict__
        return {name for name in ("headline", "body_text", "rating") if name in found}

    by = Entry.objects.order_by("pk")
    assert loaded(by.only("headline", "rating").defer("rating")) == {"headline"}
    assert loaded(by.defer("headline").only("headline", "rating")) == {"rating"}
    assert loaded(by.only("headline").only("rating")) == {"rating"}
    assert loaded(by.defer("headline").defer("rating")) == {"body_text"}
    assert loaded(by.defer("headline").defer(None)) == {"headline", "body_text", "rating"}
    with pytest.raises(db.FieldError):
        by.only("headlin")
    with pytest.raises(db.FieldError):
        by.defer("blog__nam")


def test_related_fields_are_deferred(database, sent):
    entry = Entry.objects.select_related("blog").only("headline", "blog__name").first()
    assert "tagline" not in sent.texts[0]
    assert entry.blog.name == "Beatles Blog"
    assert len(sent) == 1
    assert entry.blog.tagline.startswith("All")
    assert len(sent) == 2


def test_unions(database):
    old = Entry.objects.filter(pub_date__year__lt=2009)
    good = Entry.objects.filter(rating__gte=4)
    assert len(old.union(good)) == 4
    assert len(old.union(good, all=True)) == 6
    assert {entry.pk for entry in old.union(good)} == {entry.pk for entry in old | good}
    assert [entry.rating for entry in old.union(good).order_by("-rating", "pk")] == [5, 5, 4, 3]
    assert [entry.rating for entry in old.union(good).order_by("rating")[1:3]] == [4, 5]
    assert old.union(good).count() == 4
    assert old.union(good).exists()
    assert len(old.union(good, Entry.objects.filter(rating=1))) == 5


def test_unions_of_values_and_of_models(database):
    names = Blog.objects.values_list("name").union(Author.objects.values_list("name"))
    assert names.count() == 8
    assert names.order_by("name")[0] == ("Beatles Blog",)
    found = Blog.objects.values_list("name", Value("blog")).union(Author.objects.values_list("name", Value("author")))
    assert ("John", "author") in list(found)
    assert len(Blog.objects.filter(name="Empty").union(Blog.objects.none())) == 1
    assert Entry.objects.union(Entry.objects.all()).values_list("rating", flat=True).count() == 5


def test_intersections_and_differences(database):
    old = Entry.objects.filter(pub_date__year__lt=2009)
    good = Entry.objects.filter(rating__gte=4)
    assert {entry.rating for entry in old.intersection(good)} == {5}
    assert len(old.intersection(good)) == 2
    assert [entry.rating for entry in old.difference(good)] == [3]
    assert len(old.difference(Entry.objects.none())) == 3
    assert len(old.intersection(Entry.objects.none())) == 0


def test_parts_of_a_union_keep_their_slices(database):
    first = Entry.objects.order_by("pk")[:1]
    last = Entry.objects.order_by("-pk")[:1]
    assert {entry.rating for entry in first.union(last)} == {5, 2}


@pytest.mark.parametrize("method", ["filter", "exclude", "annotate", "distinct", "delete", "update"])
def test_a_union_is_not_changed_further(database, sent, method):
    both = Entry.objects.filter(rating=5).union(Entry.objects.filter(rating=4))
    with pytest.raises(ValueError, match=r"union|combined"):
        getattr(both, method)(**({"rating": 1} if method not in ("distinct", "delete") else {}))
    assert len(sent) == 0


def test_querysets_are_joined_by_and_and_or(database):
    good, old = Entry.objects.filter(rating=5), Entry.objects.filter(pub_date__year__lt=2008)
    assert (good & old).count() == 1
    assert (good | old).count() == 2
    assert (good | Entry.objects.none()).count() == 2
    assert not (good & Entry.objects.none())


def test_annotations_reach_rows_and_aliases_do_not(database):
    entry = Entry.objects.annotate(total=F("number_of_comments") + F("number_of_pingbacks")).get(rating=1)
    assert entry.total == 1
    entry = Entry.objects.alias(total=F("number_of_comments") + F("number_of_pingbacks")).filter(total=1).get()
    assert not hasattr(entry, "total")


def test_an_annotation_may_not_hide_a_field(database):
    for name in ("headline", "blog", "blog_id", "pk", "detail", "authors"):
        with pytest.raises(ValueError, match="already"):
            Entry.objects.annotate(**{name: Value(1)})


def test_denied_conditions_see_annotations_and_outer_rows(database):
    found = Blog.objects.annotate(n=fn.Length("name")).exclude(entry__number_of_comments__gt=F("n"))
    assert {blog.name for blog in found} == {"Pop Music Blog", "Empty", "Beatles Blog"}
    others = Author.objects.exclude(entry__rating=OuterRef("rating")).filter(entry=OuterRef("pk"))
    assert Entry.objects.filter(Exists(others)).count() == 0
    assert Entry.objects.filter(~Q(authors__age=F("rating"))).count() == 6


def test_select_related_loads_with_one_query(database, sent):
    found = [entry.blog.name for entry in Entry.objects.select_related("blog").order_by("pk")]
    assert found[0] == "Beatles Blog"
    assert len(sent) == 1
    assert Detail.objects.select_related("entry__blog").get().entry.blog.name == "Cheddar Talk"
    assert len(sent) == 2


def test_counts_of_joined_values(database):
    assert (
        Station.objects.values("place").annotate(n=Count("reports")).order_by("place").values_list("n", flat=True)[0]
        == 4
    )
