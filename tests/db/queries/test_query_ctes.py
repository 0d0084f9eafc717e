"""Queries with names: joined, recursive, counted, used in subqueries."""

from __future__ import annotations

from decimal import Decimal

import pytest
from blog_models import BLOG, BOOKS, Blog, Book, Entry, Publisher, fill_blog, fill_books

from segue import db
from segue.db import CTE, Count, Exists, F, OuterRef, Q, Subquery, Sum, Value
from segue.db import functions as fn


class Category(db.Model):
    name = db.CharField(max_length=50)
    parent = db.ForeignKey("self", on_delete=db.CASCADE, null=True, related_name="children")
    price = db.DecimalField(max_digits=8, decimal_places=2, default=Decimal(1))


MODELS = [*BLOG, *BOOKS, Category]


def fill():
    fill_blog()
    fill_books()
    root = Category.objects.create(name="root")
    other = Category.objects.create(name="other")
    fruit = Category.objects.create(name="fruit", parent=root, price=Decimal("2.50"))
    apple = Category.objects.create(name="apple", parent=fruit, price=Decimal("0.25"))
    Category.objects.create(name="boskoop", parent=apple)
    Category.objects.create(name="leaf", parent=other)


def tree(start=None):
    first = Category.objects.filter(parent=None) if start is None else Category.objects.filter(name=start)
    return CTE.recursive(
        "tree",
        first.values("id", depth=Value(0), total=F("price")),
        lambda above: Category.objects.with_cte(above, parent="id").values(
            "id", depth=above["depth"] + 1, total=above["total"] + F("price")
        ),
    )


def test_a_cte_is_joined(database):
    totals = CTE("totals", Entry.objects.values("blog").annotate(total=Sum("number_of_comments")))
    found = Blog.objects.with_cte(totals, pk="blog").annotate(total=totals["total"]).order_by("pk")
    assert [(blog.name, blog.total) for blog in found] == [
        ("Beatles Blog", 15),
        ("Pop Music Blog", 7),
        ("Cheddar Talk", 21),
    ]
    assert found.filter(total__gt=10).count() == 2
    assert found.count() == 3
    assert found.aggregate(Sum("total")) == {"total__sum": 43}
    assert found.values_list("total", flat=True)[1] == 7
    assert "WITH totals AS" in found.sql()


def test_rows_without_a_match_are_kept_where_that_is_wanted(database):
    totals = CTE("totals", Entry.objects.values("blog").annotate(total=Sum("number_of_comments")))
    found = Blog.objects.with_cte(totals, pk="blog", outer=True).annotate(total=totals["total"]).order_by("pk")
    assert [blog.total for blog in found] == [15, 7, 21, None]


def test_a_recursive_cte_walks_a_tree(database):
    walked = tree()
    found = Category.objects.with_cte(walked, pk="id").annotate(depth=walked["depth"], total=walked["total"])
    rows = [(each.name, each.depth, each.total) for each in found.order_by("depth", "name")]
    assert rows == [
        ("other", 0, Decimal(1)),
        ("root", 0, Decimal(1)),
        ("fruit", 1, Decimal("3.50")),
        ("leaf", 1, Decimal(2)),
        ("apple", 2, Decimal("3.75")),
        ("boskoop", 3, Decimal("4.75")),
    ]
    assert found.filter(depth__gte=2).count() == 2


def test_values_of_a_cte_are_parameters(database):
    def below(name):
        walked = tree(name)
        return Category.objects.with_cte(walked, pk="id").order_by("name")

    compiled = database.plans.compiled
    assert [each.name for each in below("fruit")] == ["apple", "boskoop", "fruit"]
    assert [each.name for each in below("other")] == ["leaf", "other"]
    assert database.plans.compiled == compiled + 1
    assert "fruit" not in below("fruit").sql()


def test_a_cte_serves_subqueries(database):
    walked = tree("fruit")
    inside = Category.objects.with_cte(walked, pk="id")
    assert Category.objects.filter(pk__in=inside.values("pk")).count() == 3
    assert Category.objects.exclude(pk__in=inside.values("pk")).count() == 3
    named = Category.objects.with_cte(walked, pk="id").filter(pk=OuterRef("pk"))
    assert Category.objects.filter(Exists(named)).count() == 3
    totals = CTE("totals", Entry.objects.values("blog").annotate(total=Sum("number_of_comments")))
    one = Blog.objects.with_cte(totals, pk="blog").filter(pk=OuterRef("blog")).values(total=totals["total"])
    assert Entry.objects.annotate(t=Subquery(one)).order_by("pk").values_list("t", flat=True)[0] == 15


def test_several_ctes_and_own_conditions(database):
    comments = CTE("comments", Entry.objects.values("blog").annotate(total=Sum("number_of_comments")))
    counts = CTE("counts", Entry.objects.values("blog").annotate(n=Count("pk")))
    found = (
        Blog.objects.with_cte(comments, pk="blog")
        .with_cte(counts, Q(pk=counts["blog"]) & Q(name__contains="Blog"))
        .annotate(each=comments["total"] / counts["n"])
        .order_by("pk")
    )
    assert [(blog.name, blog.each) for blog in found] == [("Beatles Blog", 7), ("Pop Music Blog", 3)]


def test_a_cte_of_instances_windows_and_slices(database):
    ranked = CTE(
        "ranked",
        Book.objects.annotate(rank=db.Window(fn.RowNumber(), partition_by="publisher", order_by="-pages")).values("id", "rank"),
    )  # fmt: skip
    best = Book.objects.with_cte(ranked, pk="id").filter(Q(pk__gt=0)).annotate(rank=ranked["rank"]).filter(rank=1)
    assert {book.name for book in best} == {"Flask", "Zope"}
    longest = CTE("longest", Book.objects.order_by("-pages")[:1])
    assert Book.objects.with_cte(longest, pk="id").get().name == "Zope"
    assert Publisher.objects.with_cte(longest, pk="publisher_id").get().name == "Ace"


def test_a_cte_in_a_deletion_and_an_update(undone):
    if undone.vendor == "mysql":
        pytest.skip("MariaDB has no WITH before UPDATE")
    walked = tree("fruit")
    assert Category.objects.with_cte(walked, pk="id").update(name="x") == 3


def test_a_wrong_cte_is_refused(database, sent):
    totals = CTE("totals", Entry.objects.values("blog").annotate(total=Sum("rating")))
    for make in (
        lambda: CTE("a b", Entry.objects.values("pk")),
        lambda: CTE('x"; drop', Entry.objects.values("pk")),
        lambda: CTE("x", "SELECT 1"),
        lambda: totals["totl"],
        lambda: Blog.objects.with_cte(totals, pk="nothing"),
        lambda: Blog.objects.with_cte(totals, nothing="blog"),
        lambda: list(Blog.objects.annotate(t=totals["total"])),
        lambda: CTE.recursive("t", Category.objects.values("id", "name"), lambda t: Category.objects.values("id")),
        lambda: list(
            Blog.objects.with_cte(totals, pk="blog").with_cte(CTE("totals", Blog.objects.values("pk")), pk="pk")
        ),
    ):
        with pytest.raises((db.FieldError, ValueError)):
            make()
    assert len(sent) == 0
