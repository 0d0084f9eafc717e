"""Who may do what: the truth table of rules, in lists and of single rows, in both colours."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from segue import context, db
from segue.db import Q, can, policy
from segue.db.database import Database
from segue.db.errors import ModelError, QueryError
from segue.db.policies import STRICT_POLICIES, has_policy
from segue.errors import UsageError


class Member(db.Model, db.Can):
    name = db.CharField(max_length=20)
    is_superuser = db.BooleanField(default=False)
    is_active = db.BooleanField(default=True)


class Tag(db.Model):
    word = db.CharField(max_length=20)


class Note(db.Model):
    owner = db.ForeignKey(Member, on_delete=db.CASCADE, null=True, related_name="notes")
    text = db.CharField(max_length=20)
    is_public = db.BooleanField(default=False)
    tags = db.ManyToManyField(Tag, related_name="notes")


class Plain(db.Model):
    text = db.CharField(max_length=20)


class Special(Note):
    class Meta:
        proxy = True


@policy(Note, "view")
def what_is_public(user: Any) -> Q:
    return Note.is_public == True  # noqa: E712  # a condition


@policy(Note, "view", "change")
def ones_own(user: Any) -> Q | bool:
    return False if user is None else Q(owner=user)


@policy(Note, "delete")
def nobody_deletes(user: Any) -> bool:
    return False


@policy(Note, "add")
def whoever_is_known(user: Any) -> bool:
    return user is not None


@policy(Note, "tag")
def what_is_tagged(user: Any) -> Q:
    return Q(tags__word__in=["a", "b"])


@policy(Special, "change")
def nothing_special(user: Any) -> bool:
    return False


class Holder:
    """A user who has some permissions."""

    def __init__(self, *permissions: str) -> None:
        self.permissions = permissions

    def has_perm(self, name: str) -> bool:
        return name in self.permissions


class Waiting(Holder):
    """A user whose permissions have to be waited for in async code."""

    def has_perm(self, name: str) -> bool:
        raise AssertionError

    async def ahas_perm(self, name: str) -> bool:
        return name in self.permissions


MODELS = [Member, Tag, Note, Plain]


@pytest.fixture
def notes(emptied: Database) -> dict[str, Any]:
    """Two members, and three notes: of each one, and a public one of nobody."""
    ann, bob = Member.objects.create(name="Ann"), Member.objects.create(name="Bob")
    return {
        "ann": ann,
        "bob": bob,
        "hers": Note.objects.create(owner=ann, text="hers"),
        "his": Note.objects.create(owner=bob, text="his"),
        "open": Note.objects.create(text="open", is_public=True),
    }


def texts(queryset: Any) -> list[str]:
    """Return the texts of notes, sorted."""
    return sorted(note.text for note in queryset)


class NoApp:
    """An app that provides nothing."""

    def provided(self, key: Any) -> Any:
        raise UsageError(f"nothing provides {key}", code="app/nothing-provided")


def strictly() -> Any:
    """Return a block in which policies are strict."""
    running = context.Context(NoApp())
    running.keep(STRICT_POLICIES, True)
    return context.using(running)


# Rules


def test_several_rules_for_one_action_are_joined_by_or(notes: dict[str, Any]) -> None:
    assert texts(Note.objects.visible_to(notes["ann"])) == ["hers", "open"]


def test_a_list_is_asked_for_the_action(notes: dict[str, Any]) -> None:
    assert texts(Note.objects.visible_to(notes["ann"], "change")) == ["hers"]


def test_nobody_sees_what_is_for_nobody(notes: dict[str, Any]) -> None:
    assert texts(Note.objects.visible_to(None)) == ["open"]


@pytest.mark.parametrize(("user", "seen"), [("ann", ["hers", "open"]), ("bob", ["his", "open"])])
def test_one_row_is_answered_like_the_list(notes: dict[str, Any], user: str, seen: list[str]) -> None:
    allowed = [name for name in ("hers", "his", "open") if can(notes[user], "view", notes[name])]

    assert allowed == seen


async def test_both_colours_answer(notes: dict[str, Any], both: Any) -> None:
    ann = notes["ann"]

    assert await both.call(ann.can, "change", notes["hers"]) is True
    assert await both.call(ann.can, "change", notes["his"]) is False


async def test_both_colours_ask_the_database(notes: dict[str, Any], both: Any) -> None:
    notes["hers"].text = "changed"

    assert await both.call(notes["ann"].can, "change", notes["hers"]) is True
    assert await both.call(notes["bob"].can, "change", notes["hers"]) is False


def test_false_denies_each_row(notes: dict[str, Any]) -> None:
    assert not can(notes["ann"], "delete", notes["hers"])
    assert texts(Note.objects.visible_to(notes["ann"], "delete")) == []


def test_a_model_is_asked_whether_there_may_be_rows(notes: dict[str, Any]) -> None:
    assert can(notes["ann"], "add", Note)
    assert not can(None, "add", Note)
    assert can(notes["ann"], "change", Note)
    assert not can(notes["ann"], "delete", Note)


def test_a_user_may_be_asked_in_the_model_itself(notes: dict[str, Any]) -> None:
    assert notes["ann"].can("add", Note)


def test_an_active_superuser_may_do_everything(notes: dict[str, Any]) -> None:
    root = Member(name="Root", is_superuser=True)

    assert can(root, "delete", notes["hers"])
    assert can(root, "anything", Plain(text="x"))
    assert len(Note.objects.visible_to(root, "delete")) == 3


def test_a_superuser_who_was_deactivated_passes_nothing(notes: dict[str, Any]) -> None:
    gone = Member(name="Gone", is_superuser=True, is_active=False)

    assert not can(gone, "delete", notes["hers"])


def test_a_class_in_place_of_a_user_is_no_superuser(notes: dict[str, Any]) -> None:
    assert not can(Member, "delete", notes["hers"])


# Actions without a rule


def test_without_a_rule_the_permission_of_the_model_decides(notes: dict[str, Any]) -> None:
    plain, name = Plain.objects.create(text="x"), f"{Plain._meta.app_label}.view_plain".lstrip(".")

    assert can(Holder(name), "view", plain)
    assert not can(Holder("view_other"), "view", plain)
    assert not can(None, "view", plain)
    assert len(Plain.objects.visible_to(Holder(name))) == 1
    assert len(Plain.objects.visible_to(Holder())) == 0


async def test_permissions_may_be_waited_for(emptied: Database, both: Any) -> None:
    name = f"{Plain._meta.app_label}.view_plain".lstrip(".")
    kind = Waiting if both.is_async else Holder

    chosen = await both.call(Plain.objects.visible_to, kind(name))

    assert chosen.query.empty is False
    assert (await both.call(Plain.objects.visible_to, kind())).query.empty is True
    assert await both.call(Can(kind(name)).can, "view", Plain) is True


class Can(db.Can):
    """A user who passes on what another may."""

    def __init__(self, holder: Holder) -> None:
        self.holder = holder

    def has_perm(self, name: str) -> bool:
        return self.holder.has_perm(name)

    async def ahas_perm(self, name: str) -> bool:
        return await self.holder.ahas_perm(name) if isinstance(self.holder, Waiting) else self.holder.has_perm(name)


def test_strict_policies_deny_what_no_rule_says(notes: dict[str, Any]) -> None:
    holder = Holder(f"{Plain._meta.app_label}.view_plain".lstrip("."))

    with strictly():
        assert not can(holder, "view", Plain(text="x"))
        assert len(Plain.objects.visible_to(holder)) == 0
        assert can(notes["ann"], "change", notes["hers"])


def test_a_model_tells_whether_it_has_rules() -> None:
    assert has_policy(Note)
    assert has_policy(Note, "view")
    assert not has_policy(Note, "publish")
    assert not has_policy(Plain)


# Models that derive from others


def test_a_proxy_has_the_rules_of_its_model(notes: dict[str, Any]) -> None:
    assert texts(Special.objects.visible_to(notes["ann"])) == ["hers", "open"]


def test_rules_of_a_child_replace_those_it_inherits(notes: dict[str, Any]) -> None:
    assert texts(Special.objects.visible_to(notes["ann"], "change")) == []


# Lists


def test_a_rule_over_a_to_many_relation_gives_each_row_once(notes: dict[str, Any]) -> None:
    words = [Tag.objects.create(word=word) for word in "abc"]
    notes["hers"].tags.add(*words)
    notes["his"].tags.add(words[2])

    found = Note.objects.visible_to(None, "tag")

    assert texts(found) == ["hers"]
    assert found.count() == 1
    assert can(None, "tag", notes["hers"])
    assert not can(None, "tag", notes["his"])


def test_counts_beside_a_policy_stay_true(notes: dict[str, Any]) -> None:
    notes["hers"].tags.add(*[Tag.objects.create(word=word) for word in "abc"])

    found = Note.objects.annotate(many=db.Count("tags")).visible_to(None, "tag").values_list("text", "many")

    assert list(found) == [("hers", 3)]


def test_a_slice_is_not_narrowed(notes: dict[str, Any]) -> None:
    with pytest.raises(QueryError) as caught:
        Note.objects.all()[:2].visible_to(notes["ann"])

    assert caught.value.code == "data/sliced"


# What was assigned does not count


def test_an_assigned_owner_is_not_the_owner(notes: dict[str, Any]) -> None:
    note = Note.objects.get(text="his")
    note.owner = notes["ann"]

    assert not can(notes["ann"], "change", note)
    assert can(notes["bob"], "change", note)


def test_a_made_up_instance_with_a_key_is_looked_up(notes: dict[str, Any]) -> None:
    claimed = Note(pk=notes["his"].pk, owner=notes["ann"], text="x")

    assert not can(notes["ann"], "change", claimed)


def test_an_instance_that_is_not_saved_is_answered_by_what_it_holds(notes: dict[str, Any]) -> None:
    assert can(notes["ann"], "change", Note(owner=notes["ann"], text="x"))
    assert not can(notes["ann"], "change", Note(owner=notes["bob"], text="x"))


def test_an_instance_that_is_not_saved_has_no_row_to_ask_for(notes: dict[str, Any]) -> None:
    with pytest.raises(QueryError) as caught:
        can(notes["ann"], "tag", Note(text="x"))

    assert caught.value.code == "data/policy-unsaved"


def test_a_row_that_is_gone_is_denied(notes: dict[str, Any]) -> None:
    note = Note.objects.get(text="hers")
    db.execute(Note.table.delete())
    note.text = "changed"

    assert not can(notes["ann"], "change", note)


# What cannot be a rule


def rule_of(said: Any) -> type[db.Model]:
    """Return a model with a rule that says *said*."""

    class Thing(db.Model):
        owner = db.IntegerField(null=True)

    @policy(Thing, "view")
    def rule(user: Any) -> Any:
        return said(user)

    return Thing


@pytest.mark.parametrize(
    "said",
    [
        lambda user: None,
        lambda user: 1,
        lambda user: "owner",
        lambda user: Q(),
        lambda user: ~Q(),
        lambda user: Q(owner__isnull=False) & ~(Q(Q(), owner=3)),
        lambda user: Q(owner=user),
        lambda user: ~Q(owner__exact=None),
        lambda user: Q(owner__isnull=True) | Q(owner=None),
    ],
)
def test_what_says_neither_yes_nor_no_is_refused(said: Any) -> None:
    thing = rule_of(said)

    with pytest.raises(QueryError) as caught:
        can(None, "view", thing)

    assert caught.value.code == "data/policy-value"
    assert "test_policy_rules.py:" in caught.value.where


def test_null_may_be_asked_for_by_its_name() -> None:
    assert can(None, "view", rule_of(lambda user: Q(owner__isnull=True)))


@pytest.mark.parametrize("arguments", [(Note,), (Note, ""), (Note, "not a word"), (Note, 3), ("Note", "view")])
def test_a_declaration_that_cannot_work_is_refused(arguments: Any) -> None:
    with pytest.raises(ModelError) as caught:
        policy(*arguments)(lambda user: True)

    assert caught.value.code == "data/policy"


def test_an_async_rule_is_refused() -> None:
    async def rule(user: Any) -> bool:
        return True

    with pytest.raises(ModelError) as caught:
        policy(Plain, "view")(rule)

    assert caught.value.code == "data/policy"


@pytest.mark.parametrize("thing", [None, 3, "note", object, db.Model])
def test_policies_are_about_models(thing: Any) -> None:
    with pytest.raises(QueryError) as caught:
        can(None, "view", thing)

    assert caught.value.code == "data/policy"


def test_a_rule_that_is_declared_again_replaces_itself() -> None:
    thing = rule_of(lambda user: True)

    def declare(said: bool) -> None:
        @policy(thing, "change")
        def again(user: Any) -> bool:
            return said

    declare(True)
    declare(False)

    assert not can(None, "change", thing)


def test_rules_go_with_their_model() -> None:
    before = sum(1 for each in gc.get_objects() if type(each).__name__ == "Rule")
    rule_of(lambda user: True)
    gc.collect()

    assert sum(1 for each in gc.get_objects() if type(each).__name__ == "Rule") <= before + 1


def test_a_rule_may_ask_the_rules_of_another_model(notes: dict[str, Any]) -> None:
    class Copy(db.Model):
        note = db.ForeignKey(Note, on_delete=db.CASCADE, related_name="+")

    @policy(Copy, "view")
    def as_the_note(user: Any) -> Q:
        return Q(note__in=Note.objects.visible_to(user))

    assert "IN (SELECT" in Copy.objects.visible_to(notes["ann"]).sql()
