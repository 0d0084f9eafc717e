"""Expressions: conditions inside queries, subqueries, windows, updates by F."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from blog_models import (
    BLOG,
    BOOKS,
    WEATHER,
    Author,
    Blog,
    Book,
    Entry,
    Publisher,
    Station,
    Store,
    Weather,
    Writer,
    fill_blog,
    fill_books,
    fill_weather,
)

from segue import db
from segue.db import Avg, Case, Count, Exists, F, Max, Min, OuterRef, Q, Subquery, Sum, Value, When, Window
from segue.db import functions as fn


class Client(db.Model):
    name = db.CharField(max_length=50)
    account_type = db.CharField(max_length=1, default="R")
    registered_on = db.DateField()


MODELS = [*BLOG, *BOOKS, *WEATHER, Client]


def fill():
    fill_blog()
    fill_books()
    fill_weather()
    for name, kind, day in [
        ("Jane Doe", "G", date(2024, 5, 1)),
        ("James Smith", "R", date(2024, 4, 20)),
        ("Jack Black", "P", date(2020, 1, 1)),
        ("Jean Grey", "R", date(2021, 1, 1)),
    ]:
        Client.objects.create(name=name, account_type=kind, registered_on=day)


# Conditional expressions, as in Django's guide


def test_case_gives_the_first_that_holds(database):
    discount = Case(
        When(account_type="G", then=Value("5%")),
        When(account_type="P", then=Value("10%")),
        default=Value("0%"),
    )
    found = Client.objects.annotate(discount=discount).order_by("pk").values_list("name", "discount")
    assert list(found) == [("Jane Doe", "5%"), ("James Smith", "0%"), ("Jack Black", "10%"), ("Jean Grey", "0%")]


def test_when_takes_lookups_conditions_and_fields(database):
    a_month_ago, a_year_ago = date(2024, 4, 15), date(2023, 5, 15)
    discount = Case(
        When(registered_on__lte=a_year_ago, then=Value("10%")),
        When(Q(registered_on__lte=a_month_ago) | Q(name__startswith="Jane"), then=Value("5%")),
        default="account_type",
    )
    found = Client.objects.annotate(discount=discount).order_by("pk").values_list("discount", flat=True)
    assert list(found) == ["5%", "R", "10%", "10%"]


def test_when_looks_at_nothing_of_its_own_without_a_condition():
    with pytest.raises(ValueError, match="condition"):
        When(then=Value(1))


def test_a_case_filters_and_orders(database):
    limit = Case(
        When(account_type="G", then=date(2024, 4, 15)), When(account_type="P", then=date(2023, 5, 15)), default=date(2024, 4, 19)
    )  # fmt: skip
    assert [each.name for each in Client.objects.filter(registered_on__lte=limit).order_by("pk")] == [
        "Jack Black",
        "Jean Grey",
    ]
    order = Case(When(name__contains="Grey", then=0), When(account_type="R", then=1), default=2)
    assert [each.name for each in Client.objects.order_by(order, "name")][:2] == ["Jean Grey", "James Smith"]


def test_a_case_updates(undone):
    change = Case(
        When(registered_on__lte=date(2021, 6, 1), then=Value("P")), When(name="James Smith", then=Value("G")), default=Value("R")
    )  # fmt: skip
    assert Client.objects.update(account_type=change) == 4
    assert list(Client.objects.order_by("pk").values_list("account_type", flat=True)) == ["R", "G", "P", "P"]


def test_a_case_aggregates(database):
    found = Client.objects.aggregate(
        regular=Count("pk", filter=Q(account_type="R")),
        gold=Sum(Case(When(account_type="G", then=1), default=0)),
        platinum=Count(Case(When(account_type="P", then=Value(1)))),
    )
    assert found == {"regular": 2, "gold": 1, "platinum": 1}


def test_a_case_without_a_default_is_null(database):
    found = Client.objects.annotate(x=Case(When(account_type="G", then=Value(1)))).order_by("pk")
    assert [each.x for each in found] == [1, None, None, None]
    assert Client.objects.annotate(x=Case(default=Value(7))).first().x == 7


def test_decimals_meet_numbers_in_a_case(database):
    price = Case(When(price__gt=50, then=Value(50)), default="price")
    assert [each.x for each in Book.objects.annotate(x=price).order_by("pk")] == [
        Decimal("30.00"),
        Decimal("23.09"),
        Decimal("29.69"),
        Decimal(50),
    ]


# Subqueries


def test_a_subquery_gives_a_value_for_each_row(database):
    newest = Entry.objects.filter(blog=OuterRef("pk")).order_by("-pub_date")
    found = Blog.objects.annotate(newest=Subquery(newest.values("headline")[:1])).order_by("name")
    assert [(blog.name, blog.newest) for blog in found] == [
        ("Beatles Blog", "New Lennon Biography in Paperback"),
        ("Cheddar Talk", "100% cheddar_cheese \\ best"),
        ("Empty", None),
        ("Pop Music Blog", "Lennon Would Have Loved Hip Hop"),
    ]
    assert Blog.objects.annotate(newest=Subquery(newest.values("pub_date")[:1])).get(name="Empty").newest is None
    assert Blog.objects.annotate(d=Subquery(newest.values("pub_date")[:1])).get(pk=1).d == date(2009, 6, 1)


def test_a_queryset_stands_for_its_subquery(database):
    newest = Entry.objects.filter(blog=OuterRef("pk")).order_by("-pub_date").values("rating")[:1]
    assert Blog.objects.annotate(r=newest).filter(r__gte=2).count() == 2
    assert Blog.objects.filter(pk__in=Entry.objects.filter(rating=5).values("blog")).count() == 2
    assert Blog.objects.exclude(pk__in=Entry.objects.values("blog")).get().name == "Empty"


def test_a_list_of_a_sliced_queryset(database):
    recent = Entry.objects.order_by("-pub_date")[:2]
    assert Blog.objects.filter(entry__in=recent).distinct().count() == 2
    assert Entry.objects.filter(pk__in=recent.values("pk")).count() == 2


def test_exists_and_its_denial(database):
    recent = Entry.objects.filter(blog=OuterRef("pk"), pub_date__gte=date(2010, 1, 1))
    assert {blog.name for blog in Blog.objects.filter(Exists(recent))} == {"Pop Music Blog", "Cheddar Talk"}
    assert {blog.name for blog in Blog.objects.filter(~Exists(recent))} == {"Beatles Blog", "Empty"}
    assert {blog.name for blog in Blog.objects.exclude(Exists(recent))} == {"Beatles Blog", "Empty"}
    found = Blog.objects.annotate(recent=Exists(recent)).order_by("pk")
    assert [blog.recent for blog in found] == [False, True, True, False]
    assert Blog.objects.annotate(recent=Exists(recent)).filter(recent=True).count() == 2
    assert Blog.objects.filter(Exists(recent) | Q(name="Empty")).count() == 3
    assert Blog.objects.filter(Exists(recent), name="Pop Music Blog").count() == 1
    assert Blog.objects.filter(~Exists(recent) & Q(name="Empty")).count() == 1


def test_an_exists_in_a_case(database):
    rated = Entry.objects.filter(blog=OuterRef("pk"), rating=5)
    found = Blog.objects.annotate(x=Case(When(Exists(rated), then=Value("yes")), default=Value("no"))).order_by("pk")
    assert [blog.x for blog in found] == ["yes", "no", "yes", "no"]


def test_aggregates_inside_a_subquery(database):
    comments = Entry.objects.filter(blog=OuterRef("pk")).order_by().values("blog").annotate(t=Sum("number_of_comments"))
    found = Blog.objects.annotate(total=Subquery(comments.values("t"))).order_by("pk")
    assert [blog.total for blog in found] == [15, 7, 21, None]
    assert Blog.objects.filter(pk=Subquery(comments.values("t"))).count() == 0


def test_outer_references_through_relations_and_two_levels(database):
    others = Entry.objects.filter(blog=OuterRef("blog"), rating__gt=OuterRef("rating"))
    assert Entry.objects.filter(~Exists(others)).count() == 3
    named = Author.objects.filter(entry__blog__name=OuterRef("blog__name")).values("pk")
    assert Entry.objects.filter(Exists(named)).count() == 6
    inner = Author.objects.filter(entry=OuterRef("pk"), entry__blog__name=OuterRef(OuterRef("name")))
    middle = Entry.objects.filter(Exists(inner), blog=OuterRef("pk"))
    assert Blog.objects.filter(Exists(middle)).count() == 3


def test_an_outer_reference_takes_part_in_arithmetic(database):
    near = Entry.objects.filter(number_of_comments__gt=OuterRef("number_of_comments") + 10, blog=OuterRef("blog"))
    assert Entry.objects.filter(Exists(near)).count() == 1


def test_an_outer_reference_outside_a_subquery_is_refused(database, sent):
    with pytest.raises(ValueError, match="OuterRef"):
        list(Entry.objects.filter(blog=OuterRef("pk")))
    assert len(sent) == 0


def test_a_subquery_takes_a_queryset():
    with pytest.raises(ValueError, match="queryset"):
        Subquery("SELECT 1")


# Windows


def test_windows_of_the_guide(database):
    window = {"partition_by": [F("publisher")], "order_by": "pubdate"}
    books = Book.objects.annotate(
        best=Window(Max("rating"), **window),
        worst=Window(Min("rating"), **window),
        mean=Window(Avg("rating"), partition_by="publisher"),
    ).order_by("pk")
    assert [(each.best, each.worst, each.mean) for each in books] == [
        (4.5, 4.5, 3.75),
        (4.5, 3.0, 3.75),
        (4.0, 2.0, 3.0),
        (2.0, 2.0, 3.0),
    ]


def test_window_functions(database):
    by = {"order_by": ["-pages", "pk"]}
    found = Book.objects.annotate(
        number=Window(fn.RowNumber(), **by),
        rank=Window(fn.Rank(), order_by="pages"),
        dense=Window(fn.DenseRank(), order_by="pages"),
        percent=Window(fn.PercentRank(), order_by="pages"),
        dist=Window(fn.CumeDist(), order_by="pages"),
        tile=Window(fn.Ntile(2), **by),
        before=Window(fn.Lag("name"), **by),
        after=Window(fn.Lead("name", 2), **by),
        otherwise=Window(fn.Lag("name", default=Value("none")), **by),
        further=Window(fn.Lead("price", default=Value(0)), **by),
        first=Window(fn.FirstValue("name"), **by),
        last=Window(fn.LastValue("name"), frame=db.RowRange(), **by),
        second=Window(fn.NthValue("name", 2), frame=db.RowRange(None, None), **by),
    )
    rows = found.order_by("-pages", "pk").values_list(
        "name", "number", "rank", "dense", "percent", "dist", "tile", "before", "after", "otherwise", "further", "first", "last", "second"
    )  # fmt: skip
    assert list(rows) == [
        ("Zope", 1, 4, 3, 1.0, 1.0, 1, None, "Django", "none", Decimal("23.09"), "Zope", "Rails", "Flask"),
        ("Flask", 2, 3, 2, pytest.approx(2 / 3), 0.75, 1, "Zope", "Rails", "Zope", Decimal("30.00"), "Zope", "Rails", "Flask"),
        ("Django", 3, 1, 1, 0.0, 0.5, 2, "Flask", None, "Flask", Decimal("29.69"), "Zope", "Rails", "Flask"),
        ("Rails", 4, 1, 1, 0.0, 0.5, 2, "Django", None, "Django", Decimal(0), "Zope", "Rails", "Flask"),
    ]  # fmt: skip


def test_frames(database):
    rows = Window(Sum("pages"), order_by="pk", frame=db.RowRange(start=-1, end=0))
    assert [each.s for each in Book.objects.annotate(s=rows).order_by("pk")] == [300, 828, 828, 1432]
    rows = Window(Sum("pages"), order_by="pk", frame=db.RowRange(start=0, end=1))
    assert [each.s for each in Book.objects.annotate(s=rows).order_by("pk")] == [828, 828, 1432, 1132]
    rows = Window(Sum("pages"), order_by="pages", frame=db.ValueRange(start=None, end=0))
    assert [each.s for each in Book.objects.annotate(s=rows).order_by("pk")] == [600, 1128, 600, 2260]
    with pytest.raises(ValueError, match="whole number"):
        db.RowRange(start="1; drop")


def test_a_running_average_of_the_weather(database):
    mean = Window(Avg("degrees"), partition_by="station", order_by="at", frame=db.RowRange(-1, 0))
    found = Weather.objects.filter(station__place="Rome").annotate(mean=mean).order_by("at")
    assert [each.mean for each in found] == [9.0, 10.25, 10.25, 11.625]


def test_windows_over_groups(database):
    by = Book.objects.values("publisher__name").annotate(n=Sum("pages"))
    ranked = by.annotate(rank=Window(fn.Rank(), order_by=F("n").desc())).order_by("rank")
    assert [(each["publisher__name"], each["rank"]) for each in ranked] == [("Ace", 1), ("Penguin", 2)]


def test_windows_are_filtered(database):
    number = Window(fn.RowNumber(), partition_by="station", order_by="-at")
    newest = Weather.objects.annotate(n=number).filter(n=1).order_by("station__place")
    assert [(each.station.place, each.degrees) for each in newest] == [("Oslo", 2.0), ("Rome", 14.25)]
    assert newest.count() == 2
    assert newest.exists()
    assert Weather.objects.annotate(n=number).filter(n__lte=2, station__place="Oslo").count() == 2
    assert Weather.objects.alias(n=number).filter(n=1).values_list("station__place", flat=True).distinct().count() == 2
    assert Weather.objects.annotate(n=number).exclude(n=1).count() == 6
    assert Weather.objects.annotate(n=number).filter(Q(n=1) | Q(degrees__lt=0)).count() == 4
    assert Weather.objects.annotate(n=number).filter(n__gt=F("degrees")).count() == 2
    assert [each.pk for each in newest[:1]] == [newest[0].pk]
    assert Weather.objects.annotate(n=number).filter(n=1).aggregate(Max("degrees")) == {"degrees__max": 14.25}


def test_a_filter_before_a_window_narrows_it_and_one_after_does_not(database):
    number = Window(fn.RowNumber(), order_by="at")
    assert [each.n for each in Weather.objects.filter(station__place="Rome").annotate(n=number).order_by("at")] == [
        1,
        2,
        3,
        4,
    ]


# F in changes


def test_updates_by_f(undone):
    entry = Entry.objects.order_by("pk").first()
    assert Entry.objects.filter(pk=entry.pk).update(number_of_comments=F("number_of_comments") + 1) == 1
    assert Entry.objects.get(pk=entry.pk).number_of_comments == entry.number_of_comments + 1
    entry.number_of_pingbacks = F("number_of_pingbacks") * 2
    entry.save()
    entry.refresh_from_db()
    assert entry.number_of_pingbacks == 8
    Entry.objects.update(mod_date=F("pub_date"), edited=None, headline=fn.Upper("headline"))
    assert Entry.objects.filter(mod_date=F("pub_date"), edited=None).count() == 6
    Entry.objects.update(edited=datetime(2020, 1, 1, tzinfo=UTC))
    Entry.objects.update(edited=F("edited") + timedelta(days=3))
    assert {each.edited for each in Entry.objects.all()} == {datetime(2020, 1, 4, tzinfo=UTC)}


def test_updates_by_a_subquery_and_through_filters(undone):
    names = Blog.objects.filter(pk=OuterRef("blog_id")).values("name")[:1]
    Entry.objects.update(body_text=Subquery(names))
    assert Entry.objects.filter(body_text=F("blog__name")).count() == 6
    assert Entry.objects.filter(blog__name="Beatles Blog", authors__name="Paul").update(rating=1) == 1
    assert (
        Entry.objects.filter(Exists(Author.objects.filter(entry=OuterRef("pk"), name="George"))).update(rating=2) == 3
    )
    Book.objects.update(price=F("price") * 2 + 1)
    assert Book.objects.get(name="Flask").price == Decimal("47.18")


def test_values_of_f(database):
    assert list(Entry.objects.filter(rating=1).values(blog_name=F("blog__name"))) == [{"blog_name": "Pop Music Blog"}]
    assert Store.objects.filter(books__writers__name=F("books__writers__name")).distinct().count() == 2
    assert Station.objects.annotate(length=fn.Length("place")).values_list("length", flat=True)[0] == 4
    assert Publisher.objects.annotate(x=Value("v")).values_list("x", flat=True)[0] == "v"
    assert Writer.objects.annotate(x=Value(None, output_field=db.IntegerField())).first().x is None


@pytest.mark.parametrize(
    "make",
    [
        lambda: F(1),
        lambda: F(None),
        lambda: Entry.objects.filter(rating=F("ratin")),
        lambda: Entry.objects.annotate(x=F("blog__nam")),
        lambda: Entry.objects.annotate(x=F("rating") + F("nothing")),
        lambda: Entry.objects.order_by(F("nothing").desc()),
        lambda: Entry.objects.annotate(x=Case(When(nothing=1, then=1))),
        lambda: Entry.objects.annotate(x=Window(Max("nothing"))),
        lambda: Entry.objects.annotate(x=Window(Max("rating"), partition_by="nothing")),
        lambda: Entry.objects.annotate(x=Window(Max("rating"), order_by="-nothing")),
        lambda: Entry.objects.annotate(x=fn.Lower("nothing")),
        lambda: Entry.objects.annotate(x=Value(object())),
        lambda: Entry.objects.filter(rating=object()),
        lambda: F("rating").asc(nulls_first=True, nulls_last=True),
        lambda: Entry.objects.filter(object()),
        lambda: Entry.objects.filter("rating"),
        lambda: Q(3),
    ],
)
def test_a_wrong_expression_is_refused_before_any_sql(database, sent, make):
    with pytest.raises((db.FieldError, ValueError)):
        make()
    assert len(sent) == 0
