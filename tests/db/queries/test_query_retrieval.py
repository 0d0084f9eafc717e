"""What querysets give: laziness, one row, first and last, slices, orders."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest
from blog_models import BLOG, WEATHER, Author, Blog, Detail, Entry, Weather, fill_blog, fill_weather

from segue import db
from segue.db import functions as fn

MODELS = [*BLOG, *WEATHER]


def fill() -> None:
    fill_blog()
    fill_weather()


def names(queryset: db.QuerySet[Blog]) -> list[str]:
    return [blog.name for blog in queryset]


def headlines(queryset: db.QuerySet[Entry]) -> list[str]:
    return [entry.headline for entry in queryset]


def test_a_queryset_asks_nothing_before_it_is_looked_at(database, sent):
    found = Entry.objects.filter(headline__startswith="What").exclude(pub_date__gte=date(2010, 1, 1)).order_by("pk")
    assert len(sent) == 0
    assert headlines(found) == ["What's new in cheese"]
    assert headlines(found) == ["What's new in cheese"]
    assert len(sent) == 1


def test_narrowing_leaves_the_queryset_as_it_was(database):
    q1 = Entry.objects.filter(headline__startswith="New")
    q2 = q1.exclude(pub_date__gte=date(2009, 1, 1))
    q3 = q1.filter(pub_date__gte=date(2009, 1, 1))
    assert (q1.count(), q2.count(), q3.count()) == (2, 1, 1)


def test_all_forgets_what_was_fetched(undone):
    blogs = Blog.objects.all()
    assert len(blogs) == 4
    Blog.objects.create(name="Fifth")
    assert len(blogs) == 4
    assert len(blogs.all()) == 5


def test_none_asks_nothing(database, sent):
    nothing = Entry.objects.none()
    assert list(nothing) == []
    assert nothing.count() == 0
    assert not nothing.exists()
    assert nothing.first() is None
    assert list(nothing.filter(pk=1).order_by("pk")) == []
    assert nothing.aggregate(total=db.Sum("rating"), rows=db.Count("*")) == {"total": None, "rows": 0}
    assert len(sent) == 0


def test_get_gives_the_one_row(database):
    assert Blog.objects.get(name="Empty").tagline == ""
    assert Blog.objects.filter(name="Empty").get().name == "Empty"


def test_get_of_no_row_raises_the_models_own_error(database):
    with pytest.raises(Blog.DoesNotExist) as caught:
        Blog.objects.get(name="Nowhere")
    assert isinstance(caught.value, db.DoesNotExist)
    assert not isinstance(caught.value, Entry.DoesNotExist)
    assert "Blog" in str(caught.value)
    assert "Nowhere" not in str(caught.value)


def test_get_of_several_rows_raises_the_models_own_error(database):
    with pytest.raises(Entry.MultipleObjectsReturned, match="2"):
        Entry.objects.get(headline__startswith="New Lennon")


def test_get_fetches_few_rows_of_many(database, sent):
    with pytest.raises(Entry.MultipleObjectsReturned):
        Entry.objects.get()
    assert "LIMIT" in sent.texts[0]


def test_first_and_last_go_by_the_order(database):
    by_name = Blog.objects.order_by("name")
    assert by_name.first().name == "Beatles Blog"
    assert by_name.last().name == "Pop Music Blog"
    assert by_name.reverse().first().name == "Pop Music Blog"


def test_first_and_last_go_by_the_key_where_there_is_no_order(database):
    assert Blog.objects.first().name == "Beatles Blog"
    assert Blog.objects.last().name == "Empty"
    assert Blog.objects.filter(name="x").first() is None
    assert Blog.objects.filter(name="x").last() is None


def test_last_of_an_ordered_slice_is_refused(database):
    with pytest.raises(ValueError, match="slice"):
        Blog.objects.order_by("name")[:2].last()


def test_latest_and_earliest(database):
    assert Entry.objects.latest("pub_date").pub_date == date(2020, 4, 1)
    assert Entry.objects.earliest("pub_date").pub_date == date(2006, 1, 1)
    assert Entry.objects.latest("rating", "-pub_date").headline == "What's new in cheese"
    with pytest.raises(Entry.DoesNotExist):
        Entry.objects.filter(rating=99).latest("pub_date")
    with pytest.raises(ValueError, match="field"):
        Entry.objects.latest()


def test_exists_and_count_and_contains(database):
    beatles = Blog.objects.get(name="Beatles Blog")
    empty = Blog.objects.get(name="Empty")
    chosen = Blog.objects.filter(name__contains="Blog")
    assert chosen.exists()
    assert not Blog.objects.filter(name="x").exists()
    assert chosen.count() == 2
    assert chosen.contains(beatles)
    assert not chosen.contains(empty)
    assert not chosen.contains(Author.objects.first())


def test_count_and_exists_of_slices(database):
    assert Entry.objects.all()[:4].count() == 4
    assert Entry.objects.all()[4:10].count() == 2
    assert Entry.objects.all()[4:].count() == 2
    assert not Entry.objects.all()[10:20].exists()
    assert Entry.objects.order_by("pk")[5:6].exists()


def test_in_bulk(database):
    one, two = Blog.objects.order_by("pk")[:2]
    assert Blog.objects.in_bulk([one.pk, two.pk, 10**9]) == {one.pk: one, two.pk: two}
    assert Blog.objects.in_bulk([]) == {}
    assert len(Blog.objects.in_bulk()) == 4
    detail = Detail.objects.get()
    assert Detail.objects.in_bulk([detail.entry_id], field_name="entry_id") == {detail.entry_id: detail}
    with pytest.raises(ValueError, match="unique"):
        Blog.objects.in_bulk(["Empty"], field_name="name")


@pytest.mark.parametrize("size", [1, 2, 4, 100])
def test_iterator_gives_every_row_in_chunks(database, size):
    found = Entry.objects.order_by("pk").iterator(chunk_size=size)
    assert [entry.pk for entry in found] == [entry.pk for entry in Entry.objects.order_by("pk")]


def test_iterator_keeps_nothing(database, sent):
    entries = Entry.objects.order_by("pk")
    assert len(list(entries.iterator())) == 6
    assert len(list(entries)) == 6
    assert len(sent) == 2


def test_iterator_refuses_a_bad_size(database):
    with pytest.raises(ValueError, match="chunk_size"):
        list(Entry.objects.iterator(chunk_size=0))


def test_slices_are_limits(database, sent):
    by_key = Entry.objects.order_by("pk")
    every = [entry.pk for entry in by_key]
    assert [entry.pk for entry in by_key[:5]] == every[:5]
    assert [entry.pk for entry in by_key[2:4]] == every[2:4]
    assert [entry.pk for entry in by_key[4:]] == every[4:]
    assert [entry.pk for entry in by_key[1:5][1:3]] == every[1:5][1:3]
    assert [entry.pk for entry in by_key[2:][1:]] == every[2:][1:]
    assert list(by_key[3:3]) == []
    assert [entry.pk for entry in by_key[:6:2]] == every[:6:2]


def test_an_index_is_one_row(database):
    by_key = Entry.objects.order_by("pk")
    assert by_key[0].headline == "New Lennon Biography"
    assert by_key[5].headline.startswith("100%")
    with pytest.raises(IndexError):
        by_key[6]


@pytest.mark.parametrize("bad", [-1, slice(-1, None), slice(None, -2), slice(0, 2**63), slice(2**64, None)])
def test_a_slice_that_cannot_be_is_a_value_error(database, sent, bad):
    with pytest.raises(ValueError):
        Entry.objects.all()[bad]
    assert len(sent) == 0


@pytest.mark.parametrize("bad", ["1", 1.0, None, slice("1", "2"), slice(1.5, 2), True, slice(True, None)])
def test_a_slice_of_another_type_is_a_type_error(database, sent, bad):
    with pytest.raises(TypeError):
        Entry.objects.all()[bad]
    assert len(sent) == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found.filter(pk=1),
        lambda found: found.exclude(pk=1),
        lambda found: found.order_by("pk"),
        lambda found: found.reverse(),
        lambda found: found.distinct(),
        lambda found: found.annotate(n=db.Count("authors")),
        lambda found: found.latest("pub_date"),
        lambda found: found.in_bulk([1]),
        lambda found: found.delete(),
        lambda found: found.update(rating=1),
    ],
    ids=["filter", "exclude", "order_by", "reverse", "distinct", "annotate", "latest", "in_bulk", "delete", "update"],
)
def test_what_is_sliced_cannot_be_changed(database, sent, change):
    with pytest.raises(ValueError, match="slice"):
        change(Entry.objects.order_by("pk")[:3])
    assert len(sent) == 0


def test_orders(database):
    assert names(Blog.objects.order_by("-name")) == ["Pop Music Blog", "Empty", "Cheddar Talk", "Beatles Blog"]
    assert headlines(Entry.objects.order_by("blog__name", "-pub_date"))[:2] == [
        "New Lennon Biography in Paperback",
        "New Lennon Biography",
    ]
    assert headlines(Entry.objects.order_by("-rating", "headline"))[0] == "New Lennon Biography"
    assert Entry.objects.order_by("pk").order_by("-pk").first().pk == Entry.objects.latest("pk").pk


def test_order_by_nothing_drops_the_order(database):
    assert not Entry.objects.order_by("pk").order_by().ordered
    assert Entry.objects.order_by("pk").ordered


def test_nulls_go_first_or_last(database):
    by_age = Author.objects.order_by(db.F("age").asc(nulls_first=True), "name")
    assert [author.name for author in by_age] == ["George", "John", "Paul", "Ringo"]
    by_age = Author.objects.order_by(db.F("age").desc(nulls_last=True))
    assert [author.name for author in by_age] == ["Ringo", "Paul", "John", "George"]
    assert [author.name for author in by_age.reverse()] == ["George", "John", "Paul", "Ringo"]


def test_a_random_order_has_every_row(database):
    assert {blog.name for blog in Blog.objects.order_by("?")} == set(names(Blog.objects.all()))


def test_an_order_by_an_expression(database):
    by_sum = Entry.objects.order_by((db.F("number_of_comments") + db.F("number_of_pingbacks")).desc(), "pk")
    assert headlines(by_sum)[:2] == ["What's new in cheese", "New Lennon Biography"]


def test_distinct_drops_equal_rows(database):
    doubled = Blog.objects.filter(entry__headline__contains="Lennon")
    assert doubled.count() == 3
    assert doubled.distinct().count() == 2
    assert sorted(names(doubled.distinct())) == ["Beatles Blog", "Pop Music Blog"]


def test_distinct_rows_are_ordered_by_what_they_do_not_show(database):
    ordered = Entry.objects.filter(blog__name__startswith="B").distinct().order_by("-blog__name", fn.Lower("headline"))
    assert headlines(ordered) == ["New Lennon Biography", "New Lennon Biography in Paperback"]
    assert headlines(ordered[1:]) == ["New Lennon Biography in Paperback"]
    assert Entry.objects.filter(pk__in=ordered.values("pk")[:1]).get().headline == "New Lennon Biography"
    assert names(Blog.objects.distinct().order_by(db.F("tagline").desc(nulls_last=True)))[-1] == "Empty"


def test_what_distinct_rows_are_ordered_by_parts_them(database):
    doubled = Blog.objects.filter(name="Beatles Blog", entry__rating__gte=1).distinct()
    assert names(doubled.order_by("tagline")) == ["Beatles Blog"]
    assert names(doubled.order_by("entry__headline")) == ["Beatles Blog", "Beatles Blog"]


def test_distinct_on_is_postgresqls(database):
    chosen = Entry.objects.order_by("blog_id", "pub_date").distinct("blog_id")
    if database.vendor == "postgresql":
        assert headlines(chosen) == ["New Lennon Biography", "Best Albums of 2008", "What's new in cheese"]
    else:
        with pytest.raises(db.NotSupportedError, match="PostgreSQL"):
            list(chosen)


def test_a_queryset_is_generic_in_its_model():
    assert db.QuerySet[Blog] is not None


def test_the_repr_fetches_nothing(database, sent):
    assert "not fetched" in repr(Blog.objects.all())
    assert len(sent) == 0


def test_everything_has_its_async_twin(database):
    async def ask() -> None:
        await database.aclose()
        blogs = Blog.objects.order_by("name")
        assert (await blogs.afirst()).name == "Beatles Blog"
        assert (await blogs.alast()).name == "Pop Music Blog"
        assert (await blogs.aget(name="Empty")).name == "Empty"
        assert await blogs.acount() == 4
        assert await blogs.aexists()
        assert await blogs.acontains(await blogs.afirst())
        assert [blog.name async for blog in blogs] == [blog.name for blog in await blogs]
        assert [blog.name async for blog in blogs.aiterator(chunk_size=2)] == [blog.name for blog in await blogs]
        assert (await Entry.objects.alatest("pub_date")).pub_date == date(2020, 4, 1)
        assert (await Entry.objects.aearliest("pub_date")).pub_date == date(2006, 1, 1)
        assert len(await blogs.ain_bulk()) == 4
        assert (await Entry.objects.aaggregate(total=db.Sum("rating"))) == {"total": 20}
        assert [row async for row in Weather.objects.none()] == []
        with pytest.raises(Blog.DoesNotExist):
            await Blog.objects.aget(name="x")
        await database.aclose()

    asyncio.run(ask())


def test_a_blocking_method_on_the_loop_names_its_twin(database):
    async def ask() -> str:
        with pytest.raises(Exception) as caught:
            Blog.objects.get(name="Empty")
        return f"{caught.value.code} {caught.value.hint}"

    assert asyncio.run(ask()) == "data/blocking-call await aget()"
