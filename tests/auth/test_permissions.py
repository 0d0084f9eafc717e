"""Permissions of users and groups."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from club_with_users import EMAIL, PASSWORD, Visitor

from segue import App, Request, db
from segue.auth import AnonymousUser, Group, Permission, User, UserProtocol
from segue.auth.permissions import known_permissions
from segue.db import policy
from segue.errors import UsageError, ValidationError
from segue.testing import Client


class Concert(db.Model):
    """What users may do something with."""

    title = db.CharField(max_length=50)

    class Meta:
        app_label = "stage"
        db_table = "permission_concert"
        permissions = (("publish_concert", "Can publish a concert"),)


class Ticket(db.Model):
    """Nothing is allowed with it but to see it, and that by a policy."""

    owner = db.CharField(max_length=100)

    class Meta:
        app_label = ""
        db_table = "permission_ticket"
        default_permissions = ("view",)


@policy(Ticket, "view")
def view_own(user: Any) -> db.Q:
    """One's own."""
    return db.Q(owner=user.email)


@pytest.fixture
def running(make_site: Callable[..., App]) -> Iterator[App]:
    """A running app with concerts and tickets."""
    app = make_site()
    app.add_models(Concert, Ticket)
    with Client(app), app.context():
        yield app


@pytest.fixture
def bob(running: App) -> User:
    return User.objects.create_user(EMAIL)


def again(user: User) -> User:
    """The user as the next request has him."""
    return User.objects.get(pk=user.pk)


def test_models_say_which_permissions_there_are(running: App) -> None:
    known = known_permissions()

    assert {each for each in known if "concert" in each} == {
        f"stage.{action}_concert" for action in ("view", "add", "change", "delete", "publish")
    }
    assert {each for each in known if "ticket" in each} == {"view_ticket"}
    assert known["stage.publish_concert"] == Permission(
        "stage.publish_concert", "Can publish a concert", "stage.concert"
    )
    assert known["stage.view_concert"].name == "Can view concert"
    assert (known["view_ticket"].content_label, known["view_ticket"].codename) == ("", "view_ticket")


def test_a_new_user_may_nothing(bob: User) -> None:
    assert not bob.has_perm("stage.view_concert")
    assert bob.get_all_permissions() == set()
    assert not bob.has_module_perms("stage")


def test_own_permissions_and_those_of_groups_add_up(bob: User) -> None:
    bob.user_permissions = ["stage.view_concert"]
    bob.groups.add(Group.objects.create(name="editors", permissions=["stage.change_concert", "view_ticket"]))

    assert bob.get_all_permissions() == {"stage.view_concert", "stage.change_concert", "view_ticket"}
    assert bob.has_perms(["stage.view_concert", "stage.change_concert"])
    assert not bob.has_perms(["stage.view_concert", "stage.delete_concert"])
    assert bob.has_module_perms("stage")
    assert not bob.has_module_perms("auth")
    assert bob.has_perm("view_ticket")


def test_what_a_group_is_given_counts_from_the_next_request_on(bob: User) -> None:
    editors = Group.objects.create(name="editors")
    bob.groups.add(editors)
    before = bob.has_perm("stage.view_concert")
    editors.permissions = ["stage.view_concert"]
    editors.save()

    assert (before, bob.has_perm("stage.view_concert"), again(bob).has_perm("stage.view_concert")) == (
        False,
        False,
        True,
    )


def test_permissions_are_asked_once_for_an_instance(bob: User) -> None:
    with db.query_budget(1):
        assert not any(bob.has_perm(each) for each in ("stage.view_concert", "stage.add_concert", "view_ticket"))


def test_a_superuser_may_everything_and_an_inactive_one_nothing(running: App) -> None:
    chief = User.objects.create_superuser("chief@example.org")
    gone = User(email="gone@example.org", is_superuser=True, is_active=False, user_permissions=["view_ticket"])

    assert (chief.has_perm("stage.publish_concert"), chief.has_module_perms("stage")) == (True, True)
    assert (gone.has_perm("view_ticket"), gone.has_module_perms("stage"), gone.get_all_permissions()) == (
        False,
        False,
        set(),
    )


@pytest.mark.parametrize("user", [User(is_superuser=True), User()])
def test_an_unknown_permission_names_the_nearest(running: App, user: User) -> None:
    with pytest.raises(UsageError, match="auth/unknown-permission") as caught:
        user.has_perm("stage.veiw_concert")

    assert "stage.view_concert" in caught.value.hint


def test_an_unknown_permission_is_not_given(bob: User) -> None:
    with pytest.raises(ValidationError, match="There is no permission"):
        Group.objects.create(name="editors", permissions=["stage.veiw_concert"])
    bob.user_permissions = ["stage.veiw_concert"]
    with pytest.raises(ValidationError, match="There is no permission"):
        bob.save()


def test_a_permission_of_a_model_that_is_gone_stays_and_harms_nobody(bob: User) -> None:
    db.execute("UPDATE auth_user SET user_permissions = '[\"old.view_thing\"]'")
    found = again(bob)
    found.first_name = "Robert"
    found.save()
    found.user_permissions.append("view_ticket")
    found.save()

    assert again(bob).user_permissions == ["old.view_thing", "view_ticket"]


def test_for_one_row_its_policy_says_it(bob: User) -> None:
    own, other = Ticket.objects.create(owner=EMAIL), Ticket.objects.create(owner="ann@example.org")

    assert (bob.has_perm("view_ticket", own), bob.has_perm("view_ticket", other)) == (True, False)


def test_an_action_that_is_no_permission_is_one_that_nobody_has(bob: User) -> None:
    assert not db.can(bob, "applaud", Concert)


def test_a_list_of_permissions_given_as_one_text_is_refused(bob: User) -> None:
    with pytest.raises(TypeError, match="several"):
        bob.has_perms("view_ticket")


def test_users_of_a_group_are_those_of_the_running_app(bob: User) -> None:
    editors = Group.objects.create(name="editors")
    bob.groups.add(editors)

    assert list(editors.user_set) == [bob]


def test_a_group_that_has_users_is_deleted(bob: User) -> None:
    editors = Group.objects.create(name="editors")
    bob.groups.add(editors)

    editors.delete()

    assert list(again(bob).groups.all()) == []


def test_nobody_may_anything() -> None:
    nobody = AnonymousUser()

    assert (nobody.has_perm("x"), nobody.has_perms(["x"]), nobody.has_module_perms("x")) == (False, False, False)
    assert nobody.get_all_permissions() == set()
    assert nobody == AnonymousUser()


def test_users_and_nobody_are_what_the_rest_needs(bob: User) -> None:
    assert isinstance(bob, UserProtocol)
    assert isinstance(AnonymousUser(), UserProtocol)


def test_async_handlers_ask_the_same(make_site: Callable[..., App]) -> None:
    app = make_site()

    @app.get("/")
    async def index(request: Request) -> dict[str, Any]:
        user = await User.objects.acreate_user(EMAIL, password=PASSWORD)
        await user.groups.aadd(await Group.objects.acreate(name="g", permissions=["auth.view_group"]))
        return {
            "has": await user.ahas_perm("auth.view_group"),
            "all": sorted(await user.aget_all_permissions()),
            "some": await user.ahas_perms(["auth.view_group", "auth.add_group"]),
            "module": await user.ahas_module_perms("auth"),
            # What was loaded answers plainly.
            "plain": user.has_perm("auth.view_group"),
            "nobody": await AnonymousUser().ahas_perm("auth.view_group"),
        }

    with Client(app) as client:
        assert client.get("/").json == {
            "has": True,
            "all": ["auth.view_group"],
            "some": False,
            "module": True,
            "plain": True,
            "nobody": False,
        }


def test_a_visitors_permissions_are_cached_for_the_request(visitor: Visitor) -> None:
    visitor.log_in()

    assert visitor.go("/twice").text == "True"
