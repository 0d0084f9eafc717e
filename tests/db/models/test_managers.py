"""Managers: where querysets of a model begin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from databases import on_loop

from segue import db
from segue.errors import SetupError

Tables = Callable[..., None]


class PostQuerySet(db.QuerySet["Post"]):
    def published(self) -> PostQuerySet:
        return self.filter(public=True)

    def titles(self) -> list[str]:
        return list(self.order_by("title").values_list("title", flat=True))


class PublicManager(db.Manager["Post"]):
    def get_queryset(self) -> db.QuerySet[Post]:
        return super().get_queryset().filter(public=True)

    def loud(self) -> list[str]:
        return [post.title.upper() for post in self.order_by("title")]


class CountingManager(db.Manager["Post"]):
    def create_draft(self, title: str) -> Post:
        return self.create(title=title, public=False)


class Post(db.Model):
    title = db.CharField(max_length=20)
    public = db.BooleanField(default=True)

    objects = PostQuerySet.as_manager()
    visible = PublicManager()
    drafts = CountingManager.from_queryset(PostQuerySet)()

    class Meta:
        app_label = "blog"


class Comment(db.Model):
    post = db.ForeignKey(Post, on_delete=db.CASCADE, related_name="comments")
    public = db.BooleanField(default=True)

    objects = PostQuerySet.as_manager()

    class Meta:
        app_label = "blog"


@pytest.fixture
def posts(tables: Tables) -> None:
    tables(Post, Comment)
    for title, public in (("b", True), ("a", True), ("c", False)):
        Post.objects.create(title=title, public=public)


@pytest.mark.usefixtures("posts")
def test_methods_of_a_queryset_are_the_managers_and_chain() -> None:
    assert Post.objects.published().titles() == ["a", "b"]
    assert Post.objects.filter(title__gt="a").published().titles() == ["b"]
    assert isinstance(Post.objects.published().exclude(title="x"), PostQuerySet)


@pytest.mark.usefixtures("posts")
def test_a_manager_says_which_rows_it_begins_with() -> None:
    assert Post.visible.loud() == ["A", "B"]
    assert Post.visible.count() == 2
    assert not Post.visible.filter(title="c").exists()
    with pytest.raises(Post.DoesNotExist):
        Post.visible.get(title="c")


@pytest.mark.usefixtures("posts")
def test_a_manager_may_have_methods_of_its_own_beside_a_querysets() -> None:
    draft = Post.drafts.create_draft("d")

    assert draft.public is False
    assert Post.drafts.published().titles() == ["a", "b"]


@pytest.mark.usefixtures("posts")
def test_a_manager_works_in_async_code() -> None:
    async def story() -> tuple[list[str], int, bool]:
        found = [post.title async for post in Post.objects.published().order_by("title")]
        return found, await Post.visible.acount(), await Post.visible.filter(title="c").aexists()

    assert on_loop(story()) == (["a", "b"], 2, False)


@pytest.mark.usefixtures("posts")
def test_each_touch_is_a_fresh_queryset() -> None:
    first = Post.objects.all()
    list(first)
    Post.objects.create(title="z")

    assert len(first) == 3
    assert len(Post.objects.all()) == 4


@pytest.mark.usefixtures("posts")
def test_related_rows_come_from_the_first_manager() -> None:
    post = Post.objects.get(title="a")
    Comment.objects.create(post=post)
    Comment.objects.create(post=post, public=False)

    assert post.comments.published().count() == 1  # type: ignore[attr-defined]
    assert post.comments.filter(public=False).count() == 1  # type: ignore[attr-defined]


def test_the_first_manager_is_the_default_one_unless_meta_says_otherwise() -> None:
    class Song(db.Model):
        everything = db.Manager["Song"]()
        few = PublicManager()

    class Album(db.Model):
        public = db.BooleanField()
        everything = db.Manager["Album"]()
        few = PublicManager()

        class Meta:
            default_manager_name = "few"

    assert Song._default_manager.__class__ is db.Manager
    assert isinstance(Album._meta.default_queryset(), PublicManager)
    assert not hasattr(Song, "objects")


def test_a_default_manager_that_is_none_is_an_error() -> None:
    with pytest.raises(SetupError) as caught:

        class Song(db.Model):
            everything = db.Manager["Song"]()

            class Meta:
                default_manager_name = "everythin"

    assert "everything" in caught.value.hint


@pytest.mark.usefixtures("posts")
def test_the_default_manager_is_asked_by_what_reads_every_row() -> None:
    assert Post._default_manager.count() == 3
    assert Post._base_manager.count() == 3


@pytest.mark.usefixtures("posts")
def test_a_related_object_is_found_even_where_the_default_manager_hides_it(
    database: db.Database, tables: Tables
) -> None:
    class Hiding(db.Manager[Any]):
        def get_queryset(self) -> Any:
            return super().get_queryset().filter(alive=True)

    class Leader(db.Model):
        alive = db.BooleanField(default=True)
        objects = Hiding()

    class Record(db.Model):
        leader = db.ForeignKey(Leader, on_delete=db.CASCADE)

    tables(Leader, Record)
    leader = Leader(alive=False)
    leader.save()
    Record.objects.create(leader=leader)

    assert Leader.objects.count() == 0
    assert Record.objects.get().leader.pk == leader.pk
    leader.alive = True
    leader.save()
    assert Leader.objects.count() == 1
    leader.refresh_from_db()


def test_a_manager_is_on_the_class_alone() -> None:
    with pytest.raises(AttributeError) as caught:
        _ = Post(title="x").objects

    assert "Post.objects" in str(caught.value)


def test_a_manager_names_its_database(database: db.Database, tables: Tables) -> None:
    other = db.connect("sqlite://:memory:", name="other")
    try:
        tables(Post)
        from segue.db.schema import create_all

        with other.connection() as connection:
            create_all(connection, [Post])
            connection.commit()
        Post.objects.using("other").create(title="there")

        assert Post.objects.count() == 0
        assert Post.objects.using("other").published().titles() == ["there"]
        assert Post.visible.using("other").count() == 1
    finally:
        db.disconnect("other")
