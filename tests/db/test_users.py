"""Users on every database: names that are one whatever their case, and many who come at once."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from segue import db
from segue.auth import AbstractBaseUser, AbstractUser, Group, User
from segue.db.database import Database
from segue.db.errors import ModelError
from segue.errors import ValidationError


@pytest.fixture(autouse=True)
def tables(database: Database) -> None:
    # An app of an earlier test, which is not collected yet, would have them in its own database.
    User._meta.owners.clear()
    Group._meta.owners.clear()
    database.create_all(User, Group)


def test_a_name_is_found_whatever_its_case(database: Database) -> None:
    user = User.objects.create_user("J\u00f6rg@Example.ORG", password=None)

    assert user.email == "J\u00f6rg@example.org"
    assert User.objects.get_by_natural_key("J\u00d6RG@example.org") == user


@pytest.mark.parametrize("other", ["jorg@example.org", "j\u00f6rg@example.orgx", "", "x" * 300])
def test_another_name_is_not_found(database: Database, other: str) -> None:
    User.objects.create_user("j\u00f6rg@example.org")

    with pytest.raises(User.DoesNotExist):
        User.objects.get_by_natural_key(other)


@pytest.mark.parametrize("field", ["email", "username"])
def test_a_name_is_taken_whatever_its_case(database: Database, field: str) -> None:
    User.objects.create_user("bob@example.org", username="bob")
    values = {
        "email": "ann@example.org",
        "username": "ann",
        field: {"email": "BOB@example.org", "username": "BoB"}[field],
    }

    with pytest.raises(ValidationError) as caught:
        User.objects.create_user(**values)
    with pytest.raises(ValidationError) as checked:
        User(**values).full_clean(exclude=["password"])

    assert [(each.path, each.code) for each in caught.value.faults] == [((field,), "unique")]
    assert [(each.path, each.code) for each in checked.value.faults] == [((field,), "unique")]


def test_users_without_a_user_name_do_not_meet(database: Database) -> None:
    User.objects.create_user("bob@example.org")
    User.objects.create_user("ann@example.org")

    assert User.objects.filter(username=None).count() == 2


def test_a_taken_name_leaves_the_transaction_around_it_whole(database: Database) -> None:
    with db.atomic():
        User.objects.create_user("bob@example.org")
        with pytest.raises(ValidationError):
            User.objects.create_user("BOB@example.org")
        User.objects.create_user("ann@example.org")

    assert User.objects.count() == 2


@pytest.mark.slow
def test_a_hundred_who_sign_up_at_once_with_one_name_make_one_user(database: Database) -> None:
    outcomes: list[Any] = []

    def sign_up(number: int) -> None:
        address = "".join(
            sign.upper() if number >> place & 1 else sign for place, sign in enumerate("bobby@example.org")
        )
        try:
            outcomes.append(User.objects.create_user(address))
        except Exception as error:
            outcomes.append(error)

    threads = [threading.Thread(target=sign_up, args=(number,)) for number in range(100)]
    [each.start() for each in threads]
    [each.join() for each in threads]

    assert sum(isinstance(each, User) for each in outcomes) == 1
    assert sum(isinstance(each, ValidationError) for each in outcomes) == 99
    assert User.objects.count() == 1


def test_permissions_are_kept(database: Database) -> None:
    group = Group.objects.create(name="editors", permissions=["b.view_x", "a.view_x", "a.view_x"])
    user = User.objects.create_user("bob@example.org", user_permissions=["c.view_x"])
    user.groups.add(group)

    found = User.objects.get()

    assert found.get_all_permissions() == {"a.view_x", "b.view_x", "c.view_x"}
    assert Group.objects.get().permissions == ["a.view_x", "b.view_x"]


# The classes


def test_a_model_keeps_the_rules_for_names_beside_its_own(database: Database) -> None:
    class Player(AbstractUser):
        instrument = db.CharField(max_length=20)

        class Meta:
            constraints = (db.UniqueConstraint(fields=["instrument"], name="player_instrument"),)

    database.create_all(Player)
    Player.objects.create_user("bob@example.org", instrument="bass")

    with pytest.raises(ValidationError):
        Player.objects.create_user("BOB@example.org", instrument="drums")
    with pytest.raises(ValidationError):
        Player.objects.create_user("ann@example.org", instrument="bass")


def test_a_user_name_may_be_what_is_logged_in_with(database: Database) -> None:
    class Named(AbstractUser):
        USERNAME_FIELD = "username"

    database.create_all(Named)
    user = Named.objects.create_user("bob", "bob@example.org", "secret")

    assert (user.username, user.email, str(user)) == ("bob", "bob@example.org", "bob")
    assert user.check_password("secret")
    assert Named.objects.get_by_natural_key("BOB") == user


def test_several_may_have_no_address_where_a_name_is_logged_in_with(database: Database) -> None:
    class Called(AbstractUser):
        USERNAME_FIELD = "username"

    database.create_all(Called)
    Called.objects.create_user("ann")
    Called.objects.create_user("bob")
    Called.objects.bulk_create([Called(username="cy"), Called(username="di", email="di@example.org")])

    assert Called.objects.filter(email="").count() == 3
    with pytest.raises(ValidationError):
        Called.objects.create_user("eve", "DI@example.org")
    with pytest.raises(ValidationError, match="e-mail address"):
        Called(username="eve", email="DI@example.org", password="x").full_clean()


def test_a_model_may_do_without_a_user_name(database: Database) -> None:
    class Plain(AbstractUser):
        username = None

    database.create_all(Plain)

    assert Plain.objects.create_user("bob@example.org").pk is not None
    assert Plain._meta.find_field("username") is None


def test_a_bare_user_has_a_password_and_a_name(database: Database) -> None:
    class Key(AbstractBaseUser):
        code = db.CharField(max_length=20, unique=True)

        USERNAME_FIELD = "code"

    database.create_all(Key)
    key = Key.objects.create_user("A1", password="secret")

    assert (str(key), key.is_active, key.is_authenticated, key.natural_key()) == ("A1", True, True, ("A1",))
    assert Key.objects.get_by_natural_key("a1").check_password("secret")


def test_a_name_that_is_no_field_is_refused_at_its_definition() -> None:
    with pytest.raises(ModelError, match="auth/username-field") as caught:
        type("Wrong", (AbstractUser,), {"USERNAME_FIELD": "emial", "__module__": __name__})

    assert "email" in caught.value.hint


@pytest.mark.parametrize("name", ["", "no address", "x" * 300 + "@example.org"])
def test_a_user_is_not_made_of_a_name_that_is_none(database: Database, name: str) -> None:
    with pytest.raises(ValidationError):
        User.objects.create_user(name)


def test_too_many_values_are_refused(database: Database) -> None:
    with pytest.raises(TypeError, match="email, password"):
        User.objects.create_user("bob@example.org", "secret", "third")


def test_names_and_passwords(database: Database) -> None:
    user = User.objects.create_user("bob@example.org", first_name="Bob", last_name="Dylan")

    assert (user.get_full_name(), user.get_short_name(), user.get_username()) == ("Bob Dylan", "Bob", "bob@example.org")
    assert not user.has_usable_password()
    user.set_password("secret")
    assert (user.has_usable_password(), user.check_password("secret"), user.check_password("other")) == (
        True,
        True,
        False,
    )
    user.set_unusable_password()
    assert not user.check_password("secret")


def test_no_form_has_the_fields_that_give_power() -> None:
    assert {"is_staff", "is_superuser", "is_active", "groups", "user_permissions", "password", "last_login"} <= set(
        User._meta.privileged
    )
