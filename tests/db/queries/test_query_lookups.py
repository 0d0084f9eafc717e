"""Look-ups: every one of them, through relations, mixed with columns and Q."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest
import sqlalchemy as sa
from blog_models import BLOG, WEATHER, Author, Blog, Detail, Entry, Weather, fill_blog, fill_weather

from segue import db
from segue.db import F, Q

MODELS = [*BLOG, *WEATHER]


def fill():
    fill_blog()
    fill_weather()


def short(queryset):
    """The entries by the year of their publication."""
    return sorted(entry.pub_date.year for entry in queryset)


LOOKUPS = [
    ({"headline__exact": "Best Albums of 2008"}, [2008]),
    ({"headline": "best albums of 2008"}, []),
    ({"headline__iexact": "bEST albums of 2008"}, [2008]),
    ({"headline__contains": "Lennon"}, [2008, 2009, 2020]),
    ({"headline__contains": "lennon"}, []),
    ({"headline__icontains": "lennon"}, [2008, 2009, 2020]),
    ({"headline__startswith": "New"}, [2008, 2009]),
    ({"headline__startswith": "new"}, []),
    ({"headline__istartswith": "NEW"}, [2008, 2009]),
    ({"headline__endswith": "cheese"}, [2006]),
    ({"headline__endswith": "Cheese"}, []),
    ({"headline__iendswith": "CHEESE"}, [2006]),
    ({"headline__contains": "%"}, [2010]),
    ({"headline__contains": "_"}, [2010]),
    ({"headline__contains": "\\"}, [2010]),
    ({"headline__icontains": "%"}, [2010]),
    ({"headline__icontains": "0% CHEDDAR_"}, [2010]),
    ({"headline__contains": "*"}, []),
    ({"headline__contains": "[a-z]"}, []),
    ({"headline__startswith": "1__%"}, []),
    ({"headline__contains": "'"}, [2006]),
    ({"headline__in": ["Best Albums of 2008", "nothing", None]}, [2008]),
    ({"headline__in": []}, []),
    ({"headline__in": {"What's new in cheese"}}, [2006]),
    ({"rating__in": (1, 2)}, [2010, 2020]),
    ({"number_of_comments__gt": 7}, [2006, 2008]),
    ({"number_of_comments__gte": 7}, [2006, 2008, 2008]),
    ({"number_of_comments__lt": 1}, [2020]),
    ({"number_of_comments__lte": 1}, [2010, 2020]),
    ({"number_of_comments__range": (1, 7)}, [2008, 2009, 2010]),
    ({"pub_date__range": (date(2008, 1, 1), date(2009, 12, 31))}, [2008, 2008, 2009]),
    ({"pub_date": "2006-01-01"}, [2006]),
    ({"pub_date__lte": "2006-01-01"}, [2006]),
    ({"edited__isnull": True}, [2008, 2010]),
    ({"edited__isnull": False}, [2006, 2008, 2009, 2020]),
    ({"edited": None}, [2008, 2010]),
    ({"headline__regex": r"^(New|What)"}, [2006, 2008, 2009]),
    ({"headline__regex": r"^new"}, []),
    ({"headline__iregex": r"^new +l"}, [2008, 2009]),
    ({"pub_date__year": 2008}, [2008, 2008]),
    ({"pub_date__year__gte": 2009}, [2009, 2010, 2020]),
    ({"pub_date__year__in": [2006, 2020]}, [2006, 2020]),
    ({"pub_date__iso_year": 2005}, [2006]),
    ({"pub_date__month": 12}, [2008]),
    ({"pub_date__month__gt": 5}, [2008, 2008, 2009]),
    ({"pub_date__day": 1}, [2006, 2008, 2009, 2020]),
    ({"pub_date__week": 52}, [2006]),
    ({"pub_date__week": 14}, [2020]),
    ({"pub_date__week_day": 1}, [2006, 2008, 2010]),
    ({"pub_date__week_day": 4}, [2020]),
    ({"pub_date__iso_week_day": 7}, [2006, 2008, 2010]),
    ({"pub_date__quarter": 2}, [2008, 2009, 2020]),
    ({"edited__date": date(2009, 7, 2)}, [2009]),
    ({"edited__date__gt": date(2009, 7, 2)}, [2020]),
    ({"edited__time": time(10, 30, 15)}, [2008]),
    ({"edited__time__range": (time(8), time(17))}, [2008]),
    ({"edited__year": 2009}, [2009]),
    ({"edited__hour": 23}, [2009]),
    ({"edited__minute": 30}, [2008]),
    ({"edited__second": 59}, [2009]),
    ({"edited__second__gte": 15}, [2008, 2009]),
    ({"edited": datetime(2009, 7, 2, 23, 59, 59, 999999, tzinfo=UTC)}, [2009]),
    ({"headline__length": 19}, [2008]),
    ({"headline__lower": "what's new in cheese"}, [2006]),
    ({"headline__upper__contains": "LENNON"}, [2008, 2009, 2020]),
    ({"blog__name": "Beatles Blog"}, [2008, 2009]),
    ({"blog__name__iexact": "beatles blog", "rating": 5}, [2008]),
    ({"blog__tagline__contains": "100%"}, [2008, 2020]),
    ({"authors__name": "Paul"}, [2006, 2008, 2010]),
    ({"authors": None}, [2020]),
    ({"authors__isnull": True}, [2020]),
    ({"detail__text": "yellow"}, [2006]),
    ({"detail": None}, [2008, 2008, 2009, 2010, 2020]),
    ({"detail__isnull": False}, [2006]),
]


@pytest.mark.parametrize(
    ("lookup", "years"), LOOKUPS, ids=[next(iter(each[0])) + str(at) for at, each in enumerate(LOOKUPS)]
)
def test_a_lookup_finds_its_rows(database, lookup, years):
    assert short(Entry.objects.filter(**lookup)) == years


# Where a path is to-many, or a value NULL, `exclude` must be the complement.
@pytest.mark.parametrize(
    ("lookup", "years"), LOOKUPS, ids=[next(iter(each[0])) + str(at) for at, each in enumerate(LOOKUPS)]
)
def test_exclude_is_the_complement(database, lookup, years):
    every = short(Entry.objects.all())
    for year in years:
        every.remove(year)
    assert short(Entry.objects.exclude(**lookup)) == every
    assert short(Entry.objects.filter(~Q(**lookup))) == every


def test_a_list_may_be_a_generator_or_any_iterable(database):
    assert short(Entry.objects.filter(rating__in=(rating for rating in (1, 2)))) == [2010, 2020]
    assert short(Entry.objects.filter(rating__in={1: "a", 2: "b"})) == [2010, 2020]
    assert short(Entry.objects.filter(rating__in=range(1, 3))) == [2010, 2020]


def test_keys_and_instances_name_a_relation_alike(database):
    beatles = Blog.objects.get(name="Beatles Blog")
    spellings = [
        {"blog": beatles},
        {"blog": beatles.pk},
        {"blog_id": beatles.pk},
        {"blog__pk": beatles.pk},
        {"blog__id": beatles.pk},
        {"blog__id__exact": beatles.pk},
        {"blog__in": [beatles]},
        {"blog__in": Blog.objects.filter(name="Beatles Blog")},
        {"blog__in": Blog.objects.filter(name="Beatles Blog").values("id")},
        {"blog__id__in": Blog.objects.filter(name="Beatles Blog").values_list("pk", flat=True)},
        {"blog_id__in": [beatles.pk]},
    ]
    for spelling in spellings:
        assert short(Entry.objects.filter(**spelling)) == [2008, 2009], spelling


def test_a_key_of_another_table_needs_no_join(database):
    assert "JOIN" not in Entry.objects.filter(blog__id=3).sql()
    assert "JOIN" not in Entry.objects.filter(blog__in=[1]).sql()
    assert "JOIN" in Entry.objects.filter(blog__name="x").sql()


def test_reverse_relations_are_named_by_their_model(database):
    assert [blog.name for blog in Blog.objects.filter(entry__headline__contains="cheese").distinct()] == [
        "Cheddar Talk"
    ]
    assert Author.objects.filter(entry__detail__text="yellow").count() == 2
    assert Blog.objects.filter(entry__authors__name="Paul").distinct().count() == 2


def test_a_chain_that_ends_early_finds_nothing(database):
    assert not Blog.objects.filter(entry__authors__name__isnull=False, name="Empty")
    assert Blog.objects.filter(entry__authors__name__isnull=True).distinct().count() == 2
    found = Blog.objects.filter(entry__authors__isnull=False, entry__authors__name__isnull=True)
    assert found.count() == 0


def test_one_filter_speaks_of_one_row_and_two_of_any(database):
    one = Blog.objects.filter(entry__headline__contains="Lennon", entry__pub_date__year=2008)
    assert {blog.name for blog in one} == {"Beatles Blog"}
    two = Blog.objects.filter(entry__headline__contains="Lennon").filter(entry__pub_date__year=2008)
    assert {blog.name for blog in two} == {"Beatles Blog", "Pop Music Blog"}


def test_two_filters_multiply_as_sql_does(database):
    two = Blog.objects.filter(entry__headline__contains="Lennon").filter(entry__pub_date__year=2008)
    assert [blog.name for blog in two.order_by("name")] == ["Beatles Blog", "Beatles Blog", "Pop Music Blog"]


def test_exclude_speaks_of_any_row_for_each_condition(database):
    # As in Django: a blog goes if some entry has Lennon and some entry is of 2008.
    found = Blog.objects.exclude(entry__headline__contains="Lennon", entry__pub_date__year=2008)
    assert {blog.name for blog in found} == {"Cheddar Talk", "Empty"}
    # The other reading is a subquery.
    found = Blog.objects.exclude(
        entry__in=Entry.objects.filter(headline__contains="Lennon", pub_date__year=2008),
    )
    assert {blog.name for blog in found} == {"Pop Music Blog", "Cheddar Talk", "Empty"}


def test_exclude_of_a_to_many_path_keeps_rows_without_any(database):
    assert {author.name for author in Author.objects.exclude(entry__rating=5)} == {"Ringo"}
    assert {blog.name for blog in Blog.objects.exclude(entry__authors__name="Paul")} == {"Pop Music Blog", "Empty"}


def test_filter_and_exclude_compose(database):
    found = Blog.objects.filter(entry__authors__name="John").exclude(entry__authors__name="George").distinct()
    assert {blog.name for blog in found} == {"Beatles Blog"}


def test_nulls_are_not_equal_and_not_different(database):
    assert {author.name for author in Author.objects.exclude(age=40)} == {"Paul", "George", "Ringo"}
    assert {author.name for author in Author.objects.exclude(age__gt=50)} == {"John", "George"}
    assert {author.name for author in Author.objects.filter(~Q(age__gt=50) | Q(name="Paul"))} == {
        "John",
        "George",
        "Paul",
    }
    assert {author.name for author in Author.objects.exclude(age__in=[40, 83])} == {"George", "Ringo"}


@pytest.mark.parametrize(
    ("condition", "years"),
    [
        (Q(headline__startswith="New") | Q(headline__startswith="What"), [2006, 2008, 2009]),
        (Q(headline__startswith="New") | ~Q(pub_date__year=2008), [2006, 2008, 2009, 2010, 2020]),
        (Q(rating=5) & ~Q(pub_date__year=2008), [2006]),
        (Q(rating=5) ^ Q(pub_date__year=2008), [2006, 2008]),
        (Q(rating=5) ^ Q(pub_date__year=2008) ^ Q(headline__contains="Lennon"), [2006, 2008, 2008, 2009, 2020]),
        (~(Q(rating=5) | Q(rating=4)), [2008, 2010, 2020]),
        (~~Q(rating=5), [2006, 2008]),
        (Q(), [2006, 2008, 2008, 2009, 2010, 2020]),
        (Q(Q(rating=5) | Q(rating=1), pub_date__year=2020), [2020]),
        (~(Q(rating=5) ^ Q(pub_date__year=2008)), [2008, 2009, 2010, 2020]),
        (Q(("rating", 5)), [2006, 2008]),
        (Q(authors__name="Paul") | Q(rating=1), [2006, 2008, 2010, 2020]),
        (~Q(authors__name="Paul") & ~Q(rating=1), [2008, 2009]),
        (~(Q(authors__name="Paul") | Q(rating=1)), [2008, 2009]),
        (Q(detail__text="yellow") | Q(rating=1), [2006, 2020]),
        (Q(edited__gt=datetime(2019, 1, 1, tzinfo=UTC)) ^ Q(rating=3), [2008, 2020]),
    ],
)
def test_conditions_are_joined_by_and_or_xor_and_not(database, condition, years):
    assert sorted({(entry.pk, entry.pub_date.year) for entry in Entry.objects.filter(condition)}, key=lambda x: x[1])
    found = {entry.pk: entry.pub_date.year for entry in Entry.objects.filter(condition)}
    assert sorted(found.values()) == years


def test_conditions_and_names_mix(database):
    found = Entry.objects.filter(
        Q(pub_date=date(2008, 6, 1)) | Q(pub_date=date(2009, 6, 1)), headline__startswith="New"
    )
    assert short(found) == [2008, 2009]


def test_four_spellings_make_equal_sql(database):
    spellings = [
        Entry.objects.filter(rating__gte=4),
        Entry.objects.filter(Q(rating__gte=4)),
        Entry.objects.filter(Entry.rating >= 4),
        Entry.objects.filter(Q(Entry.rating >= 4)),
    ]
    assert len({found.sql() for found in spellings}) == 1
    assert [short(found) for found in spellings] == [[2006, 2008, 2009]] * 4


def test_columns_compare_with_values_columns_and_conditions(database):
    assert short(Entry.objects.filter(Entry.number_of_comments > Entry.number_of_pingbacks)) == [2006, 2008]
    assert short(Entry.objects.filter((Entry.rating == 5) | (Entry.rating == 1))) == [2006, 2008, 2020]
    assert short(Entry.objects.filter((Entry.rating == 5) | Q(rating=1), headline__contains="Lennon")) == [2008, 2020]
    assert short(Entry.objects.filter(~(Entry.rating == 5))) == [2008, 2009, 2010, 2020]
    assert short(Entry.objects.exclude(Entry.rating == 5)) == [2008, 2009, 2010, 2020]
    assert short(Entry.objects.order_by(Entry.pub_date.desc())[:1]) == [2020]


def test_fields_compare_with_other_fields(database):
    assert short(Entry.objects.filter(number_of_comments__gt=F("number_of_pingbacks"))) == [2006, 2008]
    assert short(Entry.objects.filter(number_of_comments__gt=F("number_of_pingbacks") * 2)) == [2006, 2008]
    assert short(Entry.objects.filter(rating__lt=F("number_of_comments") + F("number_of_pingbacks"))) == [
        2006, 2008, 2008, 2009, 2010,
    ]  # fmt: skip
    assert short(Entry.objects.filter(pub_date__year=F("mod_date__year"))) == [2006, 2008, 2008, 2009, 2010, 2020]
    assert short(Entry.objects.filter(rating__in=[F("number_of_pingbacks"), F("number_of_comments")])) == [2010, 2020]
    assert short(Entry.objects.filter(number_of_comments__range=(F("number_of_pingbacks"), 12))) == [2008, 2008]


def test_patterns_compare_with_fields(undone):
    entry = Entry.objects.create(blog=Blog.objects.first(), headline="John and % done", pub_date=date(2021, 1, 1))
    entry.authors.add(Author.objects.get(name="John"))
    assert short(Entry.objects.filter(headline__startswith=F("authors__name"))) == [2021]
    assert short(Entry.objects.filter(headline__icontains=F("authors__name"))) == [2021]
    assert short(Entry.objects.filter(headline__contains=F("blog__name"))) == []


def test_annotations_take_lookups_and_transforms(database):
    found = Entry.objects.annotate(day=F("edited")).filter(day__year=2009)
    assert short(found) == [2009]
    assert short(Entry.objects.annotate(title=F("blog__name")).filter(title__icontains="beatles")) == [2008, 2009]


def test_floats_compare_and_nulls_stay_out(database):
    assert Weather.objects.filter(degrees__lt=0).count() == 2
    assert Weather.objects.filter(degrees__gte=-1).count() == 6
    assert Weather.objects.filter(degrees=9.0).count() == 2
    assert Weather.objects.exclude(degrees=9.0).count() == 6


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("headlin", "headline"),
        ("blog__nmae", "name"),
        ("headline__contians", "contains"),
        ("authors__nam__startswith", "name"),
        ("pub_date__yaer", "year"),
        ("entry", None),
        ("headline__year", None),
        ("blog__name__in__x", None),
        ("", None),
        ("__", None),
        ("headline__", None),
        ("__headline", None),
        ("blog____name", None),
    ],
)
def test_an_unknown_lookup_is_an_error_with_a_suggestion(database, sent, name, hint):
    with pytest.raises(db.FieldError) as caught:
        Entry.objects.filter(**{name: 1})
    assert caught.value.code == "data/unknown-lookup"
    if hint is not None:
        assert hint in str(caught.value.hint)
    assert len(sent) == 0


def test_an_own_lookup_works_on_its_fields(database):
    class NotEqual(db.Lookup):
        name = "ne"

        def build(self, compiler, left, right):
            return left != right

    db.register_lookup(db.IntegerField, NotEqual)
    assert short(Entry.objects.filter(rating__ne=5)) == [2008, 2009, 2010, 2020]
    assert short(Entry.objects.filter(rating__ne=F("number_of_pingbacks"))) == [2006, 2008, 2008, 2009]
    with pytest.raises(db.FieldError):
        Entry.objects.filter(headline__ne="x")
    assert Detail.objects.count() == 1


class Rest(db.Transform):
    name = "rest"

    def build(self, compiler, element):
        return element % 3


class Words(db.Transform):
    name = "words"

    def output(self, field):
        return db.IntegerField()

    def build(self, compiler, element):
        return sa.func.length(element) - sa.func.length(sa.func.replace(element, " ", "")) + 1


@pytest.fixture
def transforms(database):
    """Two transforms: one gives what the field is, one something else."""
    db.register_lookup(db.IntegerField, Rest)
    db.register_lookup(db.CharField, Words)
    return list(Entry.objects.select_related("blog"))


def test_an_own_transform_is_looked_up_as_its_field_is(transforms):
    found = sorted(entry.pub_date.year for entry in transforms if entry.number_of_comments % 3 == 1)

    assert short(Entry.objects.filter(number_of_comments__rest=1)) == found
    assert short(Entry.objects.filter(number_of_comments__rest__in=[1, 5])) == found
    assert short(Entry.objects.annotate(n=F("number_of_comments") + 3).filter(n__rest=1)) == found


def test_an_own_transform_says_what_comes_out(transforms):
    found = sorted(entry.pub_date.year for entry in transforms if entry.headline.count(" ") > 2)

    assert short(Entry.objects.filter(headline__words__gt="3")) == found
    assert 0 < len(found) < len(transforms)


def test_rows_are_ordered_by_what_an_own_transform_gives(transforms):
    rests = [entry.number_of_comments % 3 for entry in Entry.objects.order_by("-number_of_comments__rest", "pk")]

    assert rests == sorted(rests, reverse=True)
    assert len(set(rests)) > 1


def test_an_own_transform_is_of_its_fields_alone(transforms):
    with pytest.raises(db.FieldError, match="data/unknown-lookup"):
        Entry.objects.filter(pub_date__rest=1)
    with pytest.raises(db.FieldError) as caught:
        Entry.objects.filter(rating__resr=1)
    assert "rest" in caught.value.hint


def test_an_unknown_name_that_is_no_condition_has_another_code(database):
    with pytest.raises(db.FieldError, match="data/unknown-name"):
        Entry.objects.order_by("headlin")
