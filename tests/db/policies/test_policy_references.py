"""A policy through a foreign key of several columns filters a list, and answers for one object."""

from __future__ import annotations

from typing import Any

import pytest

from segue import db
from segue.db import Q, acan, can, policy
from segue.db.database import Database
from segue.db.policies import scoped


class Team(db.Model):
    town = db.CharField(max_length=20)
    number = db.IntegerField()
    captain = db.CharField(max_length=20)
    pk = db.CompositePrimaryKey("town", "number")


class Match(db.Model):
    name = db.CharField(max_length=20)
    home = db.ForeignKey(Team, on_delete=db.CASCADE, related_name="matches")
    guest = db.ForeignKey(Team, on_delete=db.CASCADE, null=True, related_name="visits")


MODELS: list[type[db.Model]] = [Team, Match]


@policy(Match, "change")
def of_the_captain(user: Any) -> Q:
    return Q(home__captain=user) | Q(guest__captain=user)


@policy(Match, "see")
def of_the_team(user: Any) -> Q:
    return Q(home=user)


@policy(Match, "play")
def of_the_number(user: Any) -> Q:
    return Q(home__number=user)


@policy(Team, "join")
def with_a_match(user: Any) -> Q:
    return Q(matches__name=user)


@pytest.fixture
def match(emptied: Database) -> Match:
    """Of the second team of Rome, without a guest; there is another match of the first."""
    first, second = (
        Team.objects.create(town="Rome", number=number, captain=name) for number, name in ((1, "Ann"), (2, "Bob"))
    )
    Match.objects.create(name="other", home=first, guest=second)
    return Match.objects.create(name="one", home=second)


def test_a_list_hides_what_the_policy_hides(match: Match) -> None:
    assert {each.name for each in scoped(Match.objects.all(), "Bob", "change")} == {"one", "other"}
    assert {each.name for each in scoped(Match.objects.all(), "Ann", "change")} == {"other"}
    assert {each.name for each in scoped(Match.objects.all(), ("Rome", 2), "see")} == {"one"}
    assert {each.captain for each in scoped(Team.objects.all(), "one", "join")} == {"Bob"}


async def test_one_object_is_asked_for(match: Match, both: Any) -> None:
    ask = acan if both.is_async else can

    async def answer(*question: Any) -> bool:
        found = ask(*question)
        return bool(await found if both.is_async else found)

    assert await answer("Bob", "change", match)
    assert not await answer("Ann", "change", match)
    assert await answer(("Rome", 2), "see", match)
    assert not await answer(("Rome", 1), "see", match)


def test_a_part_of_the_key_is_read_in_memory(match: Match) -> None:
    asked: list[str] = []
    match._database().observers.append(lambda prepared, *rest: asked.append(prepared.sql))
    loaded = Match.objects.get(pk=match.pk)
    asked.clear()

    assert can(2, "play", loaded)
    assert not can(1, "play", loaded)
    match._database().observers.clear()
    assert asked == []
