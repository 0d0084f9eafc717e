"""A site's own user model that comes late: the users stay who they are."""

from __future__ import annotations

from typing import Any

import pytest
from migration_histories import History, Models

from segue import db
from segue.auth import AbstractBaseUser, AbstractUser
from segue.db.migrations.differ import diff
from segue.db.migrations.questions import Questions, UndecidedError
from segue.db.migrations.state import State


def site(name: str, label: str, *, kind: Any = AbstractUser, table: str = "", **fields: Any) -> list[Any]:
    """Return the models of a site whose users are *label.name*."""
    models = Models()
    models.add("Group", meta={"app_label": "auth"}, name=db.CharField(max_length=150))
    meta = {"app_label": label, **({"db_table": table} if table else {})}
    user = models.add(name, kind, meta=meta, **fields)
    models.add("Post", author=db.ForeignKey(user, on_delete=db.CASCADE), text=db.TextField())
    return models.all


def filled(history: History) -> None:
    """Make the site of the first day, with a user in a group who wrote a post."""
    history.make(site("User", "auth"))
    history.migrate()
    models = history.models()
    bob = models["auth.User"].objects.create(email="bob@example.org", password="a hash", username="bob")
    bob.groups.add(models["auth.Group"].objects.create(name="editors"))
    models["Post"].objects.create(author=bob, text="hello")


@pytest.mark.parametrize(("label", "table"), [("club", ""), ("", ""), ("club", "auth_user")])
def test_users_stay_who_they_are_under_another_model(history: History, label: str, table: str) -> None:
    filled(history)
    full = f"{label}.Member".lstrip(".")

    history.make(
        site("Member", label, table=table, instrument=db.CharField(max_length=50, default="harp")),
        renames=[f"auth.user:{full.lower()}"],
    )
    history.migrate()

    models = history.models()
    (post,) = models["Post"].objects.select_related("author")
    bob = post.author
    assert (bob.pk, bob.email, bob.password, bob.instrument) == (
        models[full].objects.get().pk,
        "bob@example.org",
        "a hash",
        "harp",
    )
    assert [each.name for each in bob.groups.all()] == ["editors"]


def test_the_migration_of_the_user_model_can_be_taken_back(history: History) -> None:
    filled(history)
    history.make(site("Member", "club"), "swap", renames=["auth.user:club.Member"])
    history.migrate()

    history.migrate("0001")

    assert history.models("0001_initial")["Post"].objects.get().author.email == "bob@example.org"


def test_users_that_have_little_in_common_with_the_former_ones_are_asked_for() -> None:
    """Nothing but what refers to them tells that they are the same."""
    email = {"email": db.EmailField(unique=True), "born": db.DateField(null=True)}
    old, new = State.of(site("User", "auth")), State.of(site("Member", "", kind=AbstractBaseUser, **email))

    with pytest.raises(UndecidedError, match=r"auth\.user renamed to member"):
        diff(old, new)

    assert "Rename auth.User to Member" in [
        each.describe() for each in diff(old, new, Questions(renames=["auth.user:member"]))
    ]
