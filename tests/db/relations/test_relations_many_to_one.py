"""Django's page on many-to-one relations: reporters and their articles."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from segue import db


class Reporter(db.Model):
    first_name = db.CharField(max_length=30)
    last_name = db.CharField(max_length=30)
    email = db.EmailField(default="")

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"


class Article(db.Model):
    headline = db.CharField(max_length=100)
    pub_date = db.DateField()
    reporter = db.ForeignKey(Reporter, on_delete=db.CASCADE)

    class Meta:
        ordering = ["headline"]

    def __str__(self) -> str:
        return self.headline


class Bin(db.Model):
    name = db.CharField(max_length=10, unique=True)


class Item(db.Model):
    label = db.CharField(max_length=20)
    bin = db.ForeignKey(
        Bin, to_field="name", on_delete=db.CASCADE, null=True, related_name="items", related_query_name="item"
    )
    container = db.ForeignKey("self", on_delete=db.SET_NULL, null=True, related_name="contents")

    class Meta:
        ordering = ["label"]


class Tracked(db.Model):
    """What has an owner and a second key, by names that each child makes its own."""

    owner = db.ForeignKey(
        Reporter, on_delete=db.CASCADE, related_name="%(class)s_owned", related_query_name="%(class)s_owns"
    )

    class Meta:
        abstract = True


class Camera(Tracked):
    pass


class Laptop(Tracked):
    pass


class Hidden(db.Model):
    reporter = db.ForeignKey(Reporter, on_delete=db.CASCADE, related_name="+")


class Limited(db.Model):
    reporter = db.ForeignKey(Reporter, on_delete=db.CASCADE, limit_choices_to={"last_name": "Smith"})


MODELS = [Reporter, Article, Bin, Item, Camera, Laptop, Hidden, Limited]
DAY = date(2005, 7, 27)


@pytest.fixture
def john(tables: db.Database) -> Reporter:
    return Reporter.objects.create(first_name="John", last_name="Smith", email="john@example.com")


@pytest.fixture
def paul(tables: db.Database) -> Reporter:
    return Reporter.objects.create(first_name="Paul", last_name="Jones", email="paul@example.com")


def test_an_article_keeps_its_reporter(john: Reporter) -> None:
    article = Article(headline="This is a test", pub_date=DAY, reporter=john)
    article.save()

    assert article.reporter_id == john.id
    assert article.reporter is john
    assert Article.objects.get(pk=article.pk).reporter == john


def test_an_unsaved_target_is_refused(tables: db.Database) -> None:
    article = Article(headline="X", pub_date=DAY, reporter=Reporter(first_name="N", last_name="N"))

    with pytest.raises(ValueError, match="was not saved") as caught:
        article.save()
    assert caught.value.code == "data/unsaved"


def test_a_target_saved_after_it_was_assigned_is_taken(tables: db.Database) -> None:
    reporter = Reporter(first_name="N", last_name="N")
    article = Article(headline="X", pub_date=DAY, reporter=reporter)
    reporter.save()
    article.save()

    assert Article.objects.get().reporter_id == reporter.pk


async def test_the_way_back_creates(tables: db.Database, both: Any, john: Reporter) -> None:
    new = await both.call(john.article_set.create, headline="John's second story", pub_date=DAY)

    assert new.reporter is john
    assert await both.call(john.article_set.count) == 1


async def test_adding_moves_an_article(tables: db.Database, both: Any, john: Reporter, paul: Reporter) -> None:
    article = await both.call(Article.objects.create, headline="Paul's story", pub_date=DAY, reporter=paul)

    await both.call(john.article_set.add, article)

    assert article.reporter == john
    assert await both.call(john.article_set.count) == 1
    assert await both.call(paul.article_set.count) == 0


async def test_adding_without_bulk_saves_each(tables: db.Database, both: Any, john: Reporter) -> None:
    article = Article(headline="New", pub_date=DAY)

    await both.call(john.article_set.add, article, bulk=False)

    assert article.pk is not None
    assert await both.call(john.article_set.count) == 1


async def test_adding_an_unsaved_article_in_bulk_is_refused(tables: db.Database, both: Any, john: Reporter) -> None:
    with pytest.raises(ValueError, match="bulk=False"):
        await both.call(john.article_set.add, Article(headline="New", pub_date=DAY))


async def test_adding_another_model_is_refused(tables: db.Database, both: Any, john: Reporter) -> None:
    with pytest.raises(ValueError, match="takes Article, not Reporter"):
        await both.call(john.article_set.add, john)


def test_set_leaves_others_where_the_key_is_required(john: Reporter, paul: Reporter) -> None:
    first = Article.objects.create(headline="A", pub_date=DAY, reporter=john)
    second = Article.objects.create(headline="B", pub_date=DAY, reporter=paul)

    john.article_set.set([second])

    assert list(john.article_set.all()) == [first, second]


def test_remove_is_refused_where_the_key_is_required(john: Reporter) -> None:
    article = Article.objects.create(headline="A", pub_date=DAY, reporter=john)

    with pytest.raises(ValueError, match="never NULL"):
        john.article_set.remove(article)


def test_lookups_go_both_ways(john: Reporter, paul: Reporter) -> None:
    Article.objects.create(headline="A", pub_date=DAY, reporter=john)
    Article.objects.create(headline="This is a test", pub_date=DAY, reporter=john)
    Article.objects.create(headline="P", pub_date=DAY, reporter=paul)

    assert [a.headline for a in Article.objects.filter(reporter__first_name="John")] == ["A", "This is a test"]
    assert Article.objects.filter(reporter__first_name__exact="John", reporter__last_name="Smith").count() == 2
    assert Article.objects.filter(reporter__pk=john.pk).count() == 2
    assert Article.objects.filter(reporter=john.pk).count() == 2
    assert Article.objects.filter(reporter=john).count() == 2
    assert Article.objects.filter(reporter__in=[john.pk, paul]).count() == 3
    assert Article.objects.filter(reporter__in=Reporter.objects.filter(first_name="John")).count() == 2
    assert list(Reporter.objects.filter(article__headline__startswith="This")) == [john]
    assert list(Reporter.objects.filter(article__headline__startswith="T").distinct()) == [john]
    assert Reporter.objects.filter(article=Article.objects.get(headline="P")).get() == paul
    assert Reporter.objects.filter(article__reporter__exact=john).distinct().count() == 1
    assert Reporter.objects.filter(article__reporter__first_name__startswith="John").distinct().get() == john


def test_deleting_the_reporter_deletes_the_articles(john: Reporter) -> None:
    Article.objects.create(headline="A", pub_date=DAY, reporter=john)

    assert john.delete() == (2, {"Article": 1, "Reporter": 1})


async def test_a_key_may_refer_to_another_unique_field(tables: db.Database, both: Any) -> None:
    box = await both.call(Bin.objects.create, name="left")
    item = await both.call(Item.objects.create, label="pen", bin=box)

    assert item.bin_id == "left"
    assert [each.label async for each in _each(both, box.items.all())] == ["pen"]
    assert await both.call(Bin.objects.filter(item__label="pen").count) == 1
    assert await both.call(Item.objects.filter(bin=box).count) == 1
    assert await both.call(Item.objects.filter(bin__name="left").count) == 1
    assert (await both.call(Item.objects.select_related("bin").get)).bin == box


async def test_a_nullable_key_can_be_removed_and_cleared(tables: db.Database, both: Any) -> None:
    box = await both.call(Bin.objects.create, name="left")
    pen, cup = [await both.call(Item.objects.create, label=name, bin=box) for name in ("pen", "cup")]

    await both.call(box.items.remove, pen)
    assert pen.bin is None
    assert await both.call(box.items.count) == 1

    await both.call(box.items.clear)
    assert await both.call(Item.objects.filter(bin=None).count) == 2
    assert cup.bin_id == "left"


async def test_removing_what_refers_to_another_is_refused(tables: db.Database, both: Any) -> None:
    box = await both.call(Bin.objects.create, name="left")
    other = await both.call(Bin.objects.create, name="right")
    pen = await both.call(Item.objects.create, label="pen", bin=other)

    with pytest.raises(Bin.DoesNotExist):
        await both.call(box.items.remove, pen)


async def test_set_takes_away_and_adds(tables: db.Database, both: Any) -> None:
    box = await both.call(Bin.objects.create, name="left")
    pen, cup = [await both.call(Item.objects.create, label=name, bin=box) for name in ("pen", "cup")]
    new = await both.call(Item.objects.create, label="new")

    await both.call(box.items.set, [pen, new])

    assert [each.label async for each in _each(both, box.items.all())] == ["new", "pen"]
    assert (await both.call(Item.objects.get, pk=cup.pk)).bin_id is None


async def test_set_with_clear_writes_all_anew(tables: db.Database, both: Any) -> None:
    box = await both.call(Bin.objects.create, name="left")
    pen = await both.call(Item.objects.create, label="pen", bin=box)

    await both.call(box.items.set, [pen], clear=True)

    assert await both.call(box.items.count) == 1


async def test_a_model_may_refer_to_itself(tables: db.Database, both: Any) -> None:
    box = await both.call(Item.objects.create, label="box")
    pen = await both.call(Item.objects.create, label="pen", container=box)

    assert [each.label async for each in _each(both, box.contents.all())] == ["pen"]
    assert await both.call(Item.objects.filter(container__label="box").get) == pen
    assert await both.call(Item.objects.filter(contents__label="pen").get) == box


async def test_get_or_create_of_a_relation_fills_in_the_key(tables: db.Database, both: Any, john: Reporter) -> None:
    new, created = await both.call(john.article_set.get_or_create, headline="H", defaults={"pub_date": DAY})
    same, again = await both.call(john.article_set.get_or_create, headline="H", defaults={"pub_date": DAY})

    assert (created, again) == (True, False)
    assert new == same
    assert new.reporter_id == john.pk


async def test_update_or_create_of_a_relation_fills_in_the_key(tables: db.Database, both: Any, john: Reporter) -> None:
    new, created = await both.call(john.article_set.update_or_create, headline="H", defaults={"pub_date": DAY})

    assert created
    assert new.reporter_id == john.pk


async def test_bulk_create_of_a_relation_fills_in_the_key(tables: db.Database, both: Any, john: Reporter) -> None:
    await both.call(john.article_set.bulk_create, [Article(headline=f"{n}", pub_date=DAY) for n in range(3)])

    assert await both.call(john.article_set.count) == 3


async def test_rows_of_a_relation_know_their_instance(
    tables: db.Database, both: Any, john: Reporter, counting: Any
) -> None:
    await both.call(Article.objects.create, headline="A", pub_date=DAY, reporter=john)

    with counting() as seen:
        found = await both.call(john.article_set.get)
        assert found.reporter is john

    assert len(seen) == 1


def test_names_of_an_abstract_parent_are_each_childs_own(john: Reporter) -> None:
    camera, laptop = Camera.objects.create(owner=john), Laptop.objects.create(owner=john)

    assert john.camera_owned.get() == camera
    assert john.laptop_owned.get() == laptop
    assert Reporter.objects.filter(camera_owns__pk=camera.pk).get() == john


def test_a_hidden_relation_has_no_way_back(john: Reporter) -> None:
    Hidden.objects.create(reporter=john)

    assert not hasattr(john, "hidden_set")
    with pytest.raises(LookupError, match="has no field 'hidden'"):
        Reporter.objects.filter(hidden__pk=1)
    assert john.delete() == (2, {"Hidden": 1, "Reporter": 1})


def test_the_limit_of_choices_is_kept_for_forms(tables: db.Database) -> None:
    assert Limited._meta.get_field("reporter").limit_choices_to == {"last_name": "Smith"}


def test_the_way_back_cannot_be_assigned(john: Reporter) -> None:
    with pytest.raises(ValueError, match=r"article_set\.set"):
        john.article_set = []


def test_an_instance_of_another_model_is_refused(john: Reporter) -> None:
    with pytest.raises(ValueError, match="takes a Reporter, not Item"):
        Article(headline="X", pub_date=DAY, reporter=Item(label="x"))


def test_a_reporter_that_was_not_saved_has_no_articles(tables: db.Database) -> None:
    reporter = Reporter(first_name="N", last_name="N")

    with pytest.raises(ValueError, match="was not saved"):
        reporter.article_set.create(headline="X", pub_date=DAY)


async def _each(both: Any, queryset: Any) -> Any:
    if both.is_async:
        async for each in queryset:
            yield each
    else:
        for each in queryset:
            yield each
