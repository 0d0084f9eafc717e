"""The models that the tests of views show."""

from __future__ import annotations

from typing import Any

from segue import db

__all__ = ["MODELS", "Member", "Part", "Record", "Secret"]


class Member(db.Model):
    """Somebody, found by a name in the address."""

    username = db.SlugField(unique=True)
    name = db.CharField(max_length=100)

    class Meta:
        app_label = "core"
        ordering = ["username"]


class Record(db.Model):
    """What a list shows."""

    title = db.CharField(max_length=100)
    year = db.IntegerField()
    leader = db.ForeignKey(Member, on_delete=db.CASCADE, related_name="records")

    class Meta:
        app_label = ""
        ordering = ["title"]


class Part(db.Model):
    """Found by two columns."""

    pk = db.CompositePrimaryKey("song", "number")
    song = db.CharField(max_length=20)
    number = db.IntegerField()

    class Meta:
        app_label = ""


class Secret(db.Model):
    """Hidden from all but its owner."""

    owner = db.CharField(max_length=20)
    text = db.CharField(max_length=20)

    class Meta:
        app_label = ""


@db.policy(Secret, "view", "change")
def own_secrets(user: Any) -> Any:
    """Who asks sees what is theirs."""
    return False if user is None else db.Q(owner=user.name)


MODELS = (Member, Record, Part, Secret)
