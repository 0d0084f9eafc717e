"""Django's pages on many-to-many relations: publications, groups with memberships, friends."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from segue import db


class Publication(db.Model):
    title = db.CharField(max_length=30)

    class Meta:
        ordering = ["title"]


class Article(db.Model):
    headline = db.CharField(max_length=100)
    publications = db.ManyToManyField(Publication)

    class Meta:
        ordering = ["headline"]


class Person(db.Model):
    name = db.CharField(max_length=128)
    friends = db.ManyToManyField("self")
    idols = db.ManyToManyField("self", symmetrical=False, related_name="fans")

    class Meta:
        ordering = ["name"]


class Group(db.Model):
    name = db.CharField(max_length=128)
    members = db.ManyToManyField(Person, through="Membership", through_fields=("group", "person"))

    class Meta:
        ordering = ["name"]


class Membership(db.Model):
    group = db.ForeignKey(Group, on_delete=db.CASCADE)
    person = db.ForeignKey(Person, on_delete=db.CASCADE)
    inviter = db.ForeignKey(Person, on_delete=db.CASCADE, null=True, related_name="membership_invites")
    date_joined = db.DateField(default=date(1960, 8, 1))
    invite_reason = db.CharField(max_length=64, default="")


class Topic(db.Model):
    name = db.SlugField(unique=True)


class Essay(db.Model):
    title = db.CharField(max_length=20)
    topics = db.ManyToManyField(
        Topic, through="EssayTopic", related_name="writings", related_query_name="writing", db_table="unused"
    )


class EssayTopic(db.Model):
    essay = db.ForeignKey(Essay, on_delete=db.CASCADE, related_name="+")
    topic = db.ForeignKey(Topic, to_field="name", on_delete=db.CASCADE, related_name="+")


class Link(db.Model):
    """A self relation through a model with columns of its own."""

    source = db.ForeignKey("Page", on_delete=db.CASCADE, related_name="+")
    target = db.ForeignKey("Page", on_delete=db.CASCADE, related_name="+")
    weight = db.IntegerField(default=1)


class Page(db.Model):
    name = db.CharField(max_length=20)
    links = db.ManyToManyField("self", through=Link, symmetrical=False, related_name="linked_from")


class Tagged(db.Model):
    topics = db.ManyToManyField(Topic, related_name="%(class)s_tagged")

    class Meta:
        abstract = True


class Song(Tagged):
    name = db.CharField(max_length=20)


class Film(Tagged):
    name = db.CharField(max_length=20)


MODELS = [Publication, Article, Person, Group, Membership, Topic, Essay, EssayTopic, Link, Page, Song, Film]


async def ids(both: Any, queryset: Any) -> set[Any]:
    return set(await both.call(queryset.in_bulk))


@pytest.fixture
def press(tables: db.Database) -> dict[str, Any]:
    made: dict[str, Any] = {
        name: Publication.objects.create(title=title)
        for name, title in (("p1", "The Python Journal"), ("p2", "Science News"), ("p3", "Science Weekly"))
    }
    made["a1"] = Article.objects.create(headline="Django lets you build web apps easily")
    made["a2"] = Article.objects.create(headline="NASA uses Python")
    return made


async def test_pairs_are_joined_once(tables: db.Database, both: Any, press: Any) -> None:
    article = press["a1"]

    await both.call(article.publications.add, press["p1"])
    await both.call(article.publications.add, press["p1"], press["p2"])

    assert await ids(both, article.publications) == {press["p1"].pk, press["p2"].pk}
    assert await ids(both, press["p1"].article_set) == {article.pk}


async def test_keys_are_taken_too(tables: db.Database, both: Any, press: Any) -> None:
    await both.call(press["a1"].publications.add, press["p1"].pk, str(press["p2"].pk))

    assert await both.call(press["a1"].publications.count) == 2


async def test_the_other_side_adds_too(tables: db.Database, both: Any, press: Any) -> None:
    await both.call(press["p1"].article_set.add, press["a1"], press["a2"])

    assert await ids(both, press["a1"].publications) == {press["p1"].pk}


async def test_an_article_that_was_not_saved_has_no_publications(tables: db.Database, both: Any, press: Any) -> None:
    with pytest.raises(ValueError, match="was not saved"):
        await both.call(Article(headline="X").publications.add, press["p1"])


async def test_another_model_is_refused(tables: db.Database, both: Any, press: Any) -> None:
    with pytest.raises(ValueError, match="takes Publication, not Article"):
        await both.call(press["a1"].publications.add, press["a2"])


async def test_create_makes_and_joins(tables: db.Database, both: Any, press: Any) -> None:
    new = await both.call(press["a1"].publications.create, title="Highlights")

    assert await ids(both, press["a1"].publications) == {new.pk}


async def test_remove_parts_and_leaves_what_is_not_joined(tables: db.Database, both: Any, press: Any) -> None:
    article = press["a1"]
    await both.call(article.publications.add, press["p1"], press["p2"])

    await both.call(article.publications.remove, press["p1"], press["p3"])

    assert await ids(both, article.publications) == {press["p2"].pk}


async def test_clear_parts_all_of_one(tables: db.Database, both: Any, press: Any) -> None:
    await both.call(press["p1"].article_set.set, [press["a1"], press["a2"]])

    await both.call(press["a1"].publications.clear)

    assert await ids(both, press["p1"].article_set) == {press["a2"].pk}


@pytest.mark.parametrize("clear", [True, False])
async def test_set_joins_exactly_these(tables: db.Database, both: Any, press: Any, clear: bool) -> None:
    article = press["a1"]
    await both.call(article.publications.add, press["p1"], press["p2"])

    await both.call(article.publications.set, [press["p2"], press["p3"].pk], clear=clear)

    assert await ids(both, article.publications) == {press["p2"].pk, press["p3"].pk}


async def test_set_of_nothing_parts_all(tables: db.Database, both: Any, press: Any) -> None:
    await both.call(press["a1"].publications.add, press["p1"])

    await both.call(press["a1"].publications.set, [])

    assert await both.call(press["a1"].publications.exists) is False


async def test_a_narrowed_relation_cannot_be_changed(tables: db.Database, both: Any, press: Any) -> None:
    await both.call(press["a1"].publications.add, press["p1"], press["p2"])

    with pytest.raises(ValueError, match="after the rows were narrowed"):
        await both.call(press["a1"].publications.filter(title="Science News").clear)

    assert await both.call(press["a1"].publications.count) == 2


async def test_get_or_create_joins_what_it_makes(tables: db.Database, both: Any, press: Any) -> None:
    new, created = await both.call(press["a1"].publications.get_or_create, title="Highlights")
    same, again = await both.call(press["a1"].publications.get_or_create, title="Highlights")

    assert (new, created, again) == (same, True, False)


async def test_update_or_create_joins_what_it_makes(tables: db.Database, both: Any, press: Any) -> None:
    new, created = await both.call(press["a1"].publications.update_or_create, title="Highlights")

    assert created
    assert await ids(both, press["a1"].publications) == {new.pk}


def test_lookups_go_both_ways(press: Any) -> None:
    a1, a2, p1, p2 = press["a1"], press["a2"], press["p1"], press["p2"]
    a1.publications.add(p1)
    a2.publications.add(p1, p2, press["p3"])

    assert list(Article.objects.filter(publications=p1)) == [a1, a2]
    assert list(Article.objects.filter(publications__pk=p1.pk)) == [a1, a2]
    assert list(Article.objects.filter(publications__title__startswith="Science")) == [a2, a2]
    assert list(Article.objects.filter(publications__title__startswith="Science").distinct()) == [a2]
    assert Article.objects.filter(publications__title__startswith="Science").count() == 2
    assert Article.objects.filter(publications__title__startswith="Science").distinct().count() == 1
    assert list(Article.objects.filter(publications__in=[p1.pk, p2]).distinct()) == [a1, a2]
    assert set(Publication.objects.filter(article__headline__startswith="NASA")) == {p1, p2, press["p3"]}
    assert list(Publication.objects.filter(article__in=[a1])) == [p1]
    assert list(Article.objects.exclude(publications=p2)) == [a1]
    assert list(Article.objects.filter(publications=None)) == []


def test_deleting_one_side_parts_it(press: Any) -> None:
    press["a1"].publications.add(press["p1"], press["p2"])

    assert press["p1"].delete() == (2, {"Publication": 1, "Article_publications": 1})
    assert list(press["a1"].publications.all()) == [press["p2"]]


# A model between, with columns of its own


@pytest.fixture
def beatles(tables: db.Database) -> dict[str, Any]:
    made: dict[str, Any] = {
        name: Person.objects.create(name=name) for name in ("Ringo Starr", "Paul McCartney", "Pete")
    }
    made["beatles"] = Group.objects.create(name="The Beatles")
    made["stones"] = Group.objects.create(name="The Stones")
    Membership.objects.create(
        person=made["Ringo Starr"],
        group=made["beatles"],
        date_joined=date(1962, 8, 16),
        invite_reason="Needed a new drummer.",
        inviter=made["Paul McCartney"],
    )
    return made


async def test_a_membership_joins(tables: db.Database, both: Any, beatles: Any) -> None:
    group, ringo = beatles["beatles"], beatles["Ringo Starr"]

    assert await ids(both, group.members) == {ringo.pk}
    assert await ids(both, ringo.group_set) == {group.pk}


async def test_add_takes_values_for_the_model_between(tables: db.Database, both: Any, beatles: Any) -> None:
    group = beatles["beatles"]

    await both.call(
        group.members.add,
        beatles["Pete"],
        through_defaults={"date_joined": lambda: date(1960, 8, 1), "invite_reason": "x"},
    )

    joined = await both.call(Membership.objects.get, person=beatles["Pete"])
    assert (joined.date_joined, joined.invite_reason) == (date(1960, 8, 1), "x")


async def test_create_takes_values_for_the_model_between(tables: db.Database, both: Any, beatles: Any) -> None:
    new = await both.call(beatles["beatles"].members.create, name="George", through_defaults={"invite_reason": "y"})

    assert (await both.call(Membership.objects.get, person=new)).invite_reason == "y"


async def test_set_takes_values_for_the_model_between(tables: db.Database, both: Any, beatles: Any) -> None:
    group = beatles["beatles"]

    await both.call(group.members.set, [beatles["Pete"]], through_defaults={"invite_reason": "z"})

    assert [each.invite_reason for each in (await both.call(Membership.objects.in_bulk)).values()] == ["z"]


async def test_remove_parts_every_membership_of_a_pair(tables: db.Database, both: Any, beatles: Any) -> None:
    group, ringo = beatles["beatles"], beatles["Ringo Starr"]
    await both.call(Membership.objects.create, person=ringo, group=group, invite_reason="again")

    await both.call(group.members.remove, ringo)

    assert await both.call(Membership.objects.count) == 0


def test_conditions_of_one_call_speak_of_one_membership(beatles: Any) -> None:
    ringo = beatles["Ringo Starr"]
    Membership.objects.create(person=ringo, group=beatles["stones"], date_joined=date(1950, 1, 1))

    later = Person.objects.filter(group__name="The Beatles", membership__date_joined__gt=date(1961, 1, 1))
    earlier = Person.objects.filter(group__name="The Beatles", membership__date_joined__lt=date(1961, 1, 1))

    assert list(later) == [ringo]
    assert list(earlier) == []


def test_the_first_filter_of_a_relation_speaks_of_its_membership(beatles: Any) -> None:
    group, ringo = beatles["beatles"], beatles["Ringo Starr"]
    Membership.objects.create(person=ringo, group=beatles["stones"], date_joined=date(1950, 1, 1))

    assert list(group.members.filter(membership__date_joined__gt=date(1961, 1, 1))) == [ringo]
    assert list(group.members.filter(membership__date_joined__lt=date(1961, 1, 1))) == []


def test_the_model_between_is_reached_from_both_sides(beatles: Any) -> None:
    ringo = beatles["Ringo Starr"]

    assert ringo.membership_set.get(group=beatles["beatles"]).date_joined == date(1962, 8, 16)
    assert beatles["Paul McCartney"].membership_invites.get().person == ringo
    assert list(Group.objects.filter(members__name__startswith="Ringo")) == [beatles["beatles"]]


async def test_the_keys_between_may_refer_to_other_fields(tables: db.Database, both: Any) -> None:
    essay = await both.call(Essay.objects.create, title="On jazz")
    topic = await both.call(Topic.objects.create, name="jazz")

    await both.call(essay.topics.add, topic)

    assert await ids(both, essay.topics) == {topic.pk}
    assert await ids(both, topic.writings) == {essay.pk}
    assert await both.call(Topic.objects.filter(writing__title="On jazz").count) == 1
    assert [each.topic_id for each in (await both.call(EssayTopic.objects.in_bulk)).values()] == ["jazz"]


# Relations of a model to itself


async def test_friends_are_friends_of_each_other(tables: db.Database, both: Any) -> None:
    anna, bert = [await both.call(Person.objects.create, name=name) for name in ("Anna", "Bert")]

    await both.call(anna.friends.add, bert)

    assert await ids(both, anna.friends) == {bert.pk}
    assert await ids(both, bert.friends) == {anna.pk}


async def test_friends_are_parted_on_both_sides(tables: db.Database, both: Any) -> None:
    anna, bert = [await both.call(Person.objects.create, name=name) for name in ("Anna", "Bert")]
    await both.call(anna.friends.add, bert)

    await both.call(bert.friends.remove, anna)

    assert await both.call(anna.friends.count) == 0


async def test_clearing_friends_clears_both_sides(tables: db.Database, both: Any) -> None:
    anna, bert = [await both.call(Person.objects.create, name=name) for name in ("Anna", "Bert")]
    await both.call(anna.friends.add, bert, anna)

    await both.call(bert.friends.clear)

    assert await ids(both, anna.friends) == {anna.pk}


async def test_setting_friends_sets_both_sides(tables: db.Database, both: Any) -> None:
    anna, bert, cleo = [await both.call(Person.objects.create, name=name) for name in ("Anna", "Bert", "Cleo")]
    await both.call(anna.friends.add, bert)

    await both.call(anna.friends.set, [cleo])

    assert await ids(both, cleo.friends) == {anna.pk}
    assert await both.call(bert.friends.count) == 0


async def test_an_idol_need_not_be_a_fan(tables: db.Database, both: Any) -> None:
    anna, bert = [await both.call(Person.objects.create, name=name) for name in ("Anna", "Bert")]

    await both.call(anna.idols.add, bert)

    assert await ids(both, anna.idols) == {bert.pk}
    assert await ids(both, bert.fans) == {anna.pk}
    assert await both.call(bert.idols.count) == 0


def test_both_ways_of_one_relation_stand_in_one_query(tables: db.Database) -> None:
    anna, bert, cleo = [Person.objects.create(name=name) for name in ("Anna", "Bert", "Cleo")]
    anna.idols.add(bert)
    bert.idols.add(cleo)

    assert list(Person.objects.filter(idols__name="Cleo", fans__name="Anna")) == [bert]
    assert list(Person.objects.filter(friends__name="Anna")) == []
    assert Person.objects.annotate(up=db.Count("idols"), down=db.Count("fans")).values_list("name", "up", "down")[
        1
    ] == (
        "Bert",
        1,
        1,
    )


async def test_a_self_relation_may_go_through_a_model(tables: db.Database, both: Any) -> None:
    home, news = [await both.call(Page.objects.create, name=name) for name in ("home", "news")]

    await both.call(home.links.add, news, through_defaults={"weight": 3})

    assert await ids(both, home.links) == {news.pk}
    assert await ids(both, news.linked_from) == {home.pk}
    assert (await both.call(Link.objects.get)).weight == 3


def test_names_of_an_abstract_parent_are_each_childs_own(tables: db.Database) -> None:
    jazz = Topic.objects.create(name="jazz")
    song, film = Song.objects.create(name="S"), Film.objects.create(name="F")
    song.topics.add(jazz)
    film.topics.add(jazz)

    assert list(jazz.song_tagged.all()) == [song]
    assert list(jazz.film_tagged.all()) == [film]


def test_a_relation_of_many_cannot_be_assigned(tables: db.Database, press: Any) -> None:
    with pytest.raises(ValueError, match=r"publications\.set"):
        press["a1"].publications = [press["p1"]]
