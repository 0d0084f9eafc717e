"""A model with addresses, and one whose policy hides rows."""

from __future__ import annotations

from typing import Any

from segue import db


class Record(db.Model):
    title = db.CharField(max_length=200)
    year = db.IntegerField(default=1959)

    class Meta:
        app_label = "content_tests"

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return f"/records/{self.pk}"


class Draft(db.Model):
    title = db.CharField(max_length=200)
    is_public = db.BooleanField(default=False)
    owner = db.CharField(max_length=20, blank=True, default="")

    class Meta:
        app_label = "content_tests"

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return f"/drafts/{self.pk}"


@db.policy(Draft, "view")
def public_or_own(user: Any) -> Any:
    return db.Q(is_public=True) if user is None else db.Q(is_public=True) | db.Q(owner=user.name)


MODELS = [Record, Draft]
