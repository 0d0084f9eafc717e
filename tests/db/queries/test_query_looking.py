"""Looking at a query from outside, SQL and Core statements as querysets, and rows or 404."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest
import sqlalchemy as sa
from blog_models import BLOG, Author, Blog, Detail, Entry, fill_blog

from segue import db
from segue.db import Count, Exists, F, OuterRef, Q, Value
from segue.db import functions as fn
from segue.errors import NotFound, UsageError

MODELS = BLOG


def fill():
    fill_blog()


STATEMENTS = [
    lambda: Entry.objects.all(),
    lambda: Entry.objects.filter(rating__gte=3, headline__contains="n").order_by("pk"),
    lambda: Entry.objects.filter(blog__name="Beatles Blog"),
    lambda: Entry.objects.exclude(authors__name="Paul"),
    lambda: Entry.objects.filter(pk__in=[1, 2, 3]),
    lambda: Entry.objects.filter(Exists(Author.objects.filter(entry=OuterRef("pk"), age__gt=50))),
    lambda: Entry.objects.order_by("-pk")[1:3],
    lambda: Entry.objects.filter(rating=5).union(Entry.objects.filter(rating=4)),
    lambda: Blog.objects.annotate(n=Count("entry")).filter(n__gte=2),
    lambda: Entry.objects.annotate(s=fn.Concat("headline", Value("!"))).filter(s__endswith="!"),
]


@pytest.mark.parametrize("make", STATEMENTS, ids=range(len(STATEMENTS)))
def test_a_statement_runs_in_plain_sqlalchemy_with_equal_rows(database, make):
    expected = sorted(row.pk for row in make())
    with database.connection() as connection:
        rows = connection.execute(make().statement).all()
    assert sorted(row[0] for row in rows) == expected
    assert sorted(row[0] for row in database.execute(make().statement)) == expected


def test_a_statement_is_built_on(database):
    statement = Entry.objects.filter(rating=5).statement
    counted = sa.select(sa.func.count()).select_from(statement.subquery())
    assert database.execute(counted).scalar() == 2


def test_sql_shows_no_values(database):
    text = Entry.objects.filter(headline="secret'; --", rating__gt=123456).sql()
    assert "secret" not in text
    assert "123456" not in text
    assert text.startswith("SELECT entry.id")


def test_explain_tells_the_plan(database):
    found = Entry.objects.filter(rating=5).explain()
    assert "entry" in found.lower()
    if database.vendor == "sqlite":
        with pytest.raises(db.NotSupportedError):
            Entry.objects.all().explain(analyze=True)
    else:
        assert "entry" in Entry.objects.filter(rating=5).explain(format="json").lower()
        assert Entry.objects.filter(rating=5).explain(analyze=True)
    assert "entry" in asyncio.run(Entry.objects.all().aexplain()).lower()


# raw()


def test_raw_gives_instances(database):
    found = Blog.objects.raw("SELECT * FROM blog WHERE name LIKE :name ORDER BY id", {"name": "%Blog"})
    assert [blog.name for blog in found] == ["Beatles Blog", "Pop Music Blog"]
    assert [blog.name for blog in Blog.objects.raw("SELECT * FROM blog WHERE name = %s", ["Empty"])] == ["Empty"]
    assert Blog.objects.raw("SELECT * FROM blog ORDER BY id;")[0].name == "Beatles Blog"
    assert len(Blog.objects.raw("SELECT * FROM blog WHERE name LIKE '%Blog'")) == 2


def test_raw_goes_by_the_names_of_columns(database, sent):
    entry = next(iter(Entry.objects.raw("SELECT headline, 7 AS seven, id, pub_date FROM entry ORDER BY id")))
    assert (entry.headline, entry.seven, entry.pub_date) == ("New Lennon Biography", 7, date(2008, 6, 1))
    assert len(sent) == 1
    assert entry.rating == 5
    assert len(sent) == 2
    with pytest.raises(ValueError, match="id"):
        list(Entry.objects.raw("SELECT headline FROM entry"))


def test_raw_is_narrowed_further(database):
    found = Entry.objects.raw("SELECT * FROM entry WHERE rating > :least", {"least": 2})
    assert found.filter(blog__name="Beatles Blog").count() == 2
    assert found.order_by("-rating", "pk")[0].headline == "New Lennon Biography"
    assert found.count() == 4
    assert found.exists()
    assert found.values_list("rating", flat=True).order_by("rating")[0] == 3
    assert Blog.objects.filter(entry__in=found).distinct().count() == 3
    assert found.prefetch_related("authors")[0].authors.count() >= 1


def test_raw_binds_and_refuses(database, sent):
    hostile = "x'; DROP TABLE blog; --"
    assert list(Blog.objects.raw("SELECT * FROM blog WHERE name = :name", {"name": hostile})) == []
    before = len(sent)
    for sql, params in [
        ("SELECT 1; DROP TABLE blog", None),
        ("SELECT * FROM blog WHERE name = :name", None),
        ("SELECT * FROM blog WHERE name = :name", {"nam": 1}),
        ("SELECT * FROM blog WHERE name = %s", []),
        ("SELECT * FROM blog WHERE name = %s", ["a", "b"]),
        ("SELECT * FROM blog", {"x": 1}),
        ("SELECT * FROM blog WHERE name = :name", "x"),
        (None, None),
    ]:
        with pytest.raises(ValueError):
            Blog.objects.raw(sql, params)
    assert len(sent) == before


def test_raw_is_awaited(database):
    async def ask():
        await database.aclose()
        found = [blog.name for blog in await Blog.objects.raw("SELECT * FROM blog ORDER BY id")]
        found += [blog.name async for blog in Blog.objects.raw("SELECT * FROM blog WHERE name = :n", {"n": "Empty"})]
        await database.aclose()
        return found

    assert asyncio.run(ask())[-2:] == ["Empty", "Empty"]


# from_statement()


def test_core_statements_give_instances(database):
    table = Entry._meta.table
    statement = sa.select(table).where(table.c.rating > 3).order_by(table.c.id)
    assert [entry.rating for entry in Entry.objects.from_statement(statement)] == [5, 4, 5]


def test_columns_of_the_class_serve_core(database):
    statement = sa.select(Entry.id, Entry.headline).order_by(Entry.id)
    found = list(Entry.objects.from_statement(statement))
    assert found[0].headline == "New Lennon Biography"
    assert "rating" not in found[0].__dict__
    assert found[0].rating == 5


def test_core_windows_and_ctes_come_back_filterable(database):
    table = Entry._meta.table
    ranked = sa.select(
        table, sa.func.row_number().over(partition_by=table.c.blog_id, order_by=table.c.rating.desc()).label("n")
    ).cte("ranked")
    best = sa.select(*[ranked.c[column.name] for column in table.c]).where(ranked.c.n == 1)
    found = Entry.objects.from_statement(best)
    assert len(found) == 3
    assert found.filter(rating=5).count() == 2
    assert found.filter(blog__name="Cheddar Talk").get().rating == 5
    assert [entry.rating for entry in found.order_by("rating", "pk")] == [3, 5, 5]
    assert found.select_related("blog").order_by("pk")[0].blog.name == "Beatles Blog"
    assert found.annotate(n=F("rating") + 1).aggregate(db.Sum("n")) == {"n__sum": 16}
    assert Blog.objects.filter(entry__in=found).count() == 3
    assert found.exclude(authors__name="Paul").count() == 1


def test_values_of_core_statements_are_not_kept(database):
    table = Entry._meta.table

    def of(rating):
        return Entry.objects.from_statement(sa.select(table).where(table.c.rating == rating))

    assert [len(of(rating)) for rating in (5, 4, 3, 5)] == [2, 1, 1, 2]
    compiled = database.plans.compiled
    assert [len(of(rating).filter(pk__gt=0)) for rating in (5, 4, 3, 5)] == [2, 1, 1, 2]
    assert database.plans.compiled <= compiled + 1

    def among(ratings):
        return Entry.objects.from_statement(sa.select(table).where(table.c.rating.in_(ratings)))

    assert [len(among(ratings)) for ratings in ([5], [5, 4], [1, 2, 3], [])] == [2, 3, 3, 0]
    assert Entry.objects.filter(table.c.rating.in_([5, 4])).count() == 3
    assert Entry.objects.filter(table.c.rating.in_([1]), pk__gt=0).count() == 1


# 404


def test_a_missing_row_is_404(database, sent):
    public = Entry.objects.filter(rating__gte=3)
    assert db.get_object_or_404(public, headline="New Lennon Biography").rating == 5
    assert len(sent) == 1
    with pytest.raises(NotFound) as caught:
        db.get_object_or_404(public, headline="Lennon Would Have Loved Hip Hop")
    assert caught.value.status == 404
    assert len(sent) == 2
    assert db.get_object_or_404(Blog, Q(name="Empty")).name == "Empty"
    assert public.get_or_404(pub_date__year=2009).rating == 4
    with pytest.raises(NotFound):
        Blog.objects.get_or_404(name="x")
    with pytest.raises(Entry.MultipleObjectsReturned):
        db.get_object_or_404(Entry, rating=5)
    with pytest.raises(db.FieldError):
        db.get_object_or_404(Entry, nothing=5)


def test_an_empty_list_is_404(database):
    assert len(db.get_list_or_404(Entry, rating=5)) == 2
    assert len(db.get_list_or_404(Entry.objects.filter(rating=5))) == 2
    assert len(db.get_list_or_404(Blog.objects.get(name="Beatles Blog").entry_set)) == 2
    with pytest.raises(NotFound):
        db.get_list_or_404(Entry, rating=99)
    with pytest.raises(UsageError, match="model"):
        db.get_object_or_404("Entry", pk=1)


def test_404_has_async_twins(database):
    async def ask():
        await database.aclose()
        assert (await db.aget_object_or_404(Blog, name="Empty")).name == "Empty"
        assert len(await db.aget_list_or_404(Entry.objects.filter(rating=5))) == 2
        assert (await Blog.objects.aget_or_404(name="Empty")).name == "Empty"
        for missing in (
            db.aget_object_or_404(Blog, name="x"),
            db.aget_list_or_404(Blog, name="x"),
            Blog.objects.aget_or_404(name="x"),
        ):
            with pytest.raises(NotFound):
                await missing
        await database.aclose()

    asyncio.run(ask())
    assert Detail.objects.count() == 1
