"""Aggregates: the examples of Django's guide, and counts across relations that are right or refused."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from blog_models import BOOKS, WEATHER, Book, Publisher, Station, Store, Weather, Writer, fill_books, fill_weather

from segue import db
from segue.db import Avg, Count, F, Max, Min, Q, StdDev, StringAgg, Sum, Value, Variance
from segue.db import functions as fn

MODELS = [*BOOKS, *WEATHER]


def fill():
    fill_books()
    fill_weather()


def test_the_cheat_sheet(database):
    assert Book.objects.count() == 4
    assert Book.objects.filter(publisher__name="Penguin").count() == 2
    assert Book.objects.aggregate(Avg("price", default=0)) == {"price__avg": Decimal("41.395")}
    assert Book.objects.aggregate(Max("price", default=0)) == {"price__max": Decimal("82.80")}
    assert Book.objects.aggregate(difference=Max("price") - Avg("price")) == {"difference": Decimal("41.405")}
    pubs = Publisher.objects.annotate(num_books=Count("books"))
    assert {pub.name: pub.num_books for pub in pubs} == {"Penguin": 2, "Ace": 2, "Idle": 0}
    above = Count("books", filter=Q(books__rating__gt=3))
    below = Count("books", filter=Q(books__rating__lte=3))
    pubs = Publisher.objects.annotate(below=below).annotate(above=above)
    assert {pub.name: (pub.below, pub.above) for pub in pubs} == {"Penguin": (1, 1), "Ace": (1, 1), "Idle": (0, 0)}
    assert Publisher.objects.annotate(num_books=Count("books")).order_by("-num_books", "name")[0].num_books == 2


def test_several_aggregates_at_once(database):
    found = Book.objects.aggregate(Avg("price"), Max("price"), Min("price"), pages=Sum("pages"), rated=Avg("rating"))
    assert found == {
        "price__avg": Decimal("41.395"),
        "price__max": Decimal("82.80"),
        "price__min": Decimal("23.09"),
        "pages": 2260,
        "rated": 3.375,
    }
    assert isinstance(found["pages"], int)
    assert isinstance(found["rated"], float)


def test_an_empty_group_gives_its_default(database):
    nothing = Book.objects.filter(name="x")
    assert nothing.aggregate(Sum("pages"), Avg("price"), Count("pk")) == {
        "pages__sum": None,
        "price__avg": None,
        "pk__count": 0,
    }
    assert nothing.aggregate(s=Sum("pages", default=0), a=Avg("price", default=1), m=Max("pubdate", default=date(2000, 1, 1))) == {
        "s": 0,
        "a": 1,
        "m": date(2000, 1, 1),
    }  # fmt: skip
    assert Book.objects.none().aggregate(s=Sum("pages", default=7)) == {"s": 7}


def test_aggregates_join_relations(database):
    stores = Store.objects.annotate(min_price=Min("books__price"), max_price=Max("books__price"))
    assert {store.name: (store.min_price, store.max_price) for store in stores} == {
        "Amazon": (Decimal("23.09"), Decimal("82.80")),
        "Corner": (Decimal("30.00"), Decimal("82.80")),
        "Closed": (None, None),
    }
    assert Store.objects.aggregate(low=Min("books__price"), high=Max("books__price"))["high"] == Decimal("82.80")
    assert Store.objects.aggregate(youngest=Min("books__writers__age")) == {"youngest": 30}


def test_aggregates_go_backwards(database):
    assert Publisher.objects.aggregate(oldest=Min("books__pubdate")) == {"oldest": date(2000, 1, 15)}
    pages = Writer.objects.annotate(total_pages=Sum("books__pages"))
    assert {writer.name: writer.total_pages for writer in pages} == {"Ann": 1732, "Bob": 1960, "Cyd": 1132}
    assert Writer.objects.aggregate(average=Avg("books__rating"))["average"] == pytest.approx(22 / 7)


def test_filters_before_annotate_narrow_what_is_counted(database):
    flask = Publisher.objects.filter(books__name__startswith="F").annotate(n=Count("books"))
    assert [(pub.name, pub.n) for pub in flask] == [("Penguin", 1)]
    after = Publisher.objects.annotate(n=Count("books")).filter(books__name__startswith="F")
    assert [(pub.name, pub.n) for pub in after] == [("Penguin", 2)]


def test_filter_and_annotate_in_django_s_two_orders(database):
    # As the guide has it: a filter() before annotate() constrains the books that are averaged.
    before = Publisher.objects.filter(books__rating__gt=3.0).annotate(avg=Avg("books__rating"))
    assert {pub.name: pub.avg for pub in before} == {"Penguin": 4.5, "Ace": 4.0}
    after = Publisher.objects.annotate(avg=Avg("books__rating")).filter(books__rating__gt=3.0)
    assert {pub.name: pub.avg for pub in after} == {"Penguin": 3.75, "Ace": 3.0}


def test_an_annotation_is_filtered_by_having(database):
    many = Book.objects.annotate(n=Count("writers")).filter(n__gt=1)
    assert [book.name for book in many.order_by("name")] == ["Django", "Zope"]
    assert Book.objects.annotate(n=Count("writers")).exclude(n__gt=1).count() == 2
    assert Book.objects.annotate(n=Count("writers")).filter(Q(n__gt=2) | Q(name="Flask")).count() == 2
    assert Book.objects.annotate(n=Count("writers")).filter(n__gt=F("rating")).count() == 1
    assert Book.objects.alias(n=Count("writers")).filter(n=3).get().name == "Zope"


def test_annotations_of_annotations(database):
    books = Book.objects.annotate(n=Count("writers")).annotate(each=F("pages") / F("n"))
    assert {book.name: book.each for book in books} == {"Django": 150, "Flask": 528, "Rails": 300, "Zope": 377}
    assert Book.objects.annotate(n=Count("writers")).aggregate(Avg("n")) == {"n__avg": 1.75}
    assert Book.objects.annotate(n=Count("writers")).aggregate(m=Max("n"), s=Sum("n")) == {"m": 3, "s": 7}


def test_values_group(database):
    by = Book.objects.values("publisher__name").annotate(n=Count("pk"), top=Max("rating")).order_by("publisher__name")
    assert list(by) == [
        {"publisher__name": "Ace", "n": 2, "top": 4.0},
        {"publisher__name": "Penguin", "n": 2, "top": 4.5},
    ]
    by = Book.objects.values("pages").annotate(n=Count("*")).filter(n__gt=1)
    assert list(by) == [{"pages": 300, "n": 2}]
    by = Book.objects.values_list("pages").annotate(n=Count("*")).order_by("-n", "pages")
    assert list(by) == [(300, 2), (528, 1), (1132, 1)]


def test_values_after_annotate_do_not_group(database):
    found = Book.objects.annotate(n=Count("writers")).values("name", "n").order_by("name")
    assert [each["n"] for each in found] == [2, 1, 1, 3]


def test_groups_by_computed_values(database):
    by = Book.objects.values(year=fn.ExtractYear("pubdate")).annotate(n=Count("pk")).order_by("year")
    assert list(by) == [{"year": 2000, "n": 1}, {"year": 2007, "n": 1}, {"year": 2008, "n": 2}]
    by = Book.objects.annotate(thick=F("pages") / 500).values("thick").annotate(n=Count("pk")).order_by("thick")
    assert list(by) == [{"thick": 0, "n": 2}, {"thick": 1, "n": 1}, {"thick": 2, "n": 1}]
    by = (
        Book.objects.annotate(first=fn.Lower(fn.Left("name", 1)))
        .values("first")
        .annotate(n=Count("pk"))
        .order_by("first")
    )
    assert [each["first"] for each in by] == ["d", "f", "r", "z"]


def test_meta_ordering_does_not_part_groups(database):
    assert len(Publisher.objects.values("awards").annotate(n=Count("pk"))) == 3


def test_two_to_many_relations_are_not_multiplied(database):
    # Django's guide warns that this gives 6 and 6 for Zope.
    books = Book.objects.annotate(writers_n=Count("writers"), stores_n=Count("stores")).order_by("name")
    assert [(book.name, book.writers_n, book.stores_n) for book in books] == [
        ("Django", 2, 2),
        ("Flask", 1, 1),
        ("Rails", 1, 1),
        ("Zope", 3, 2),
    ]
    books = Book.objects.annotate(ages=Sum("writers__age"), stores_n=Count("stores", distinct=True)).order_by("name")
    assert [(book.ages, book.stores_n) for book in books] == [(80, 2), (50, 1), (30, 1), (150, 2)]


def test_sums_are_not_multiplied_by_a_filter_through_another_relation(database):
    found = Publisher.objects.filter(books__stores__name="Amazon").annotate(n=Count("books__writers")).distinct()
    assert {pub.name: pub.n for pub in found}["Penguin"] == 3


def test_multiplied_groups_are_refused(database):
    with pytest.raises(ValueError, match="several times"):
        list(Book.objects.values("pages").annotate(w=Count("writers"), s=Count("stores")))
    fine = Book.objects.values("pages").annotate(w=Count("writers", distinct=True), s=Count("stores", distinct=True))
    assert {each["pages"]: (each["w"], each["s"]) for each in fine} == {300: (2, 2), 528: (1, 1), 1132: (3, 2)}


def test_distinct_values_are_counted_once(database):
    assert Book.objects.aggregate(n=Count("pages"), d=Count("pages", distinct=True)) == {"n": 4, "d": 3}
    assert Book.objects.aggregate(s=Sum("pages", distinct=True)) == {"s": 1960}
    assert Store.objects.aggregate(n=Count("books"), d=Count("books", distinct=True)) == {"n": 6, "d": 4}


def test_conditional_aggregates(database):
    found = Book.objects.aggregate(
        cheap=Count("pk", filter=Q(price__lt=30)),
        dear=Sum("price", filter=Q(price__gte=30)),
        none=Max("price", filter=Q(price__gt=1000)),
    )
    assert found == {"cheap": 2, "dear": Decimal("112.80"), "none": None}
    stores = Store.objects.annotate(n=Count("books", filter=Q(books__writers__name="Cyd"))).order_by("name")
    assert {store.name: store.n for store in stores} == {"Amazon": 1, "Closed": 0, "Corner": 1}


def test_expressions_inside_aggregates(database):
    exact = sum(book.price * book.pages for book in Book.objects.all())
    assert Book.objects.aggregate(s=Sum(F("price") * F("pages"))) == {"s": exact}
    assert Book.objects.aggregate(s=Sum(F("pages") + 1, default=0) + Count("*")) == {"s": 2268}
    assert Book.objects.aggregate(a=Avg(fn.Length("name"))) == {"a": 5.0}
    assert Book.objects.aggregate(n=Count(db.Case(db.When(rating__gt=3, then=1)))) == {"n": 2}


def test_deviations(database):
    found = Book.objects.aggregate(
        p=StdDev("pages"), s=StdDev("pages", sample=True), vp=Variance("pages"), vs=Variance("pages", sample=True)
    )
    pages = [300, 528, 300, 1132]
    mean = sum(pages) / 4
    squares = sum((each - mean) ** 2 for each in pages)
    assert found["p"] == pytest.approx((squares / 4) ** 0.5)
    assert found["s"] == pytest.approx((squares / 3) ** 0.5)
    assert found["vp"] == pytest.approx(squares / 4)
    assert found["vs"] == pytest.approx(squares / 3)


def test_texts_are_joined(database):
    assert Writer.objects.aggregate(n=StringAgg("name", "; ", order_by="-name")) == {"n": "Cyd; Bob; Ann"}
    books = Book.objects.annotate(by=StringAgg("writers__name", delimiter=", ", order_by="writers__name"))
    assert {book.name: book.by for book in books}["Zope"] == "Ann, Bob, Cyd"
    hostile = "-'); DROP TABLE book; --%s:x"
    found = Writer.objects.aggregate(n=StringAgg("name", hostile, order_by="name"))["n"]
    assert found == f"Ann{hostile}Bob{hostile}Cyd"
    assert set(Book.objects.aggregate(n=StringAgg(fn.Cast("pages", db.TextField()), ",", distinct=True))["n"].split(",")) == {"300", "528", "1132"}  # fmt: skip


def test_aggregates_over_slices_distinct_and_unions(database):
    assert Book.objects.order_by("pages", "pk")[:2].aggregate(Sum("pages")) == {"pages__sum": 600}
    assert Book.objects.values("pages").distinct().aggregate(Sum("pages")) == {"pages__sum": 1960}
    assert Book.objects.values("pages").distinct().count() == 3
    both = Book.objects.filter(pages=300).union(Book.objects.filter(rating__gt=3))
    assert both.count() == 2
    assert Book.objects.order_by("pk")[1:3].aggregate(n=Count("pk"), top=Max("price")) == {
        "n": 2,
        "top": Decimal("29.69"),
    }


def test_a_count_ignores_annotations_it_does_not_need(database):
    assert Book.objects.annotate(n=Count("writers")).count() == 4
    assert Book.objects.annotate(n=Count("writers")).filter(n=1).count() == 2
    assert Book.objects.annotate(n=Count("writers")).exists()
    assert not Book.objects.annotate(n=Count("writers")).filter(n=9).exists()


def test_durations_and_dates_are_summed_up(database):
    assert Weather.objects.aggregate(Min("at"), Max("at"), Count("degrees"))["degrees__count"] == 7
    stations = Station.objects.annotate(
        warmest=Max("reports__degrees"), days=Count(fn.TruncDate("reports__at"), distinct=True)
    )
    assert {each.place: (each.warmest, each.days) for each in stations} == {"Oslo": (2.0, 3), "Rome": (14.25, 3)}
    span = Weather.objects.aggregate(span=Max("at") - Min("at"))["span"]
    assert span.total_seconds() == 60 * 3600


def test_an_order_by_an_aggregate(database):
    assert [each.name for each in Writer.objects.order_by(Count("books").desc(), "name")] == ["Ann", "Bob", "Cyd"]
    by = Writer.objects.annotate(n=Count("books")).order_by("-n", "name")
    assert [(writer.name, writer.n) for writer in by] == [("Ann", 3), ("Bob", 3), ("Cyd", 1)]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Book.objects.annotate(Count("*")),
        lambda: Book.objects.annotate(Sum(F("pages") + 1)),
        lambda: Book.objects.annotate(name=Count("writers")),
        lambda: Book.objects.annotate(writers=Count("writers")),
        lambda: Book.objects.annotate(pk=Count("writers")),
        lambda: Book.objects.aggregate(x=F("pages")),
        lambda: Book.objects.aggregate(x=Value(1)),
        lambda: Book.objects.annotate(x=Count("writer")),
        lambda: Book.objects.aggregate(x=Sum("writers__agee")),
        lambda: Book.objects.annotate(x=Count("pages", filter=Q(page=1))),
        lambda: Book.objects.aggregate(x=StdDev("pages", distinct=True)),
        lambda: Book.objects.annotate(a=Sum("pages")).aggregate(b=Sum("c")),
    ],
)
def test_a_wrong_aggregate_is_refused_before_any_sql(database, sent, make):
    with pytest.raises((db.FieldError, ValueError)):
        make()
    assert len(sent) == 0
