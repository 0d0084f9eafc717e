"""Django's page on one-to-one relations: places, restaurants, waiters."""

from __future__ import annotations

from typing import Any

import pytest

from segue import db


class Place(db.Model):
    name = db.CharField(max_length=50)
    address = db.CharField(max_length=80)


class Restaurant(db.Model):
    place = db.OneToOneField(Place, on_delete=db.CASCADE, primary_key=True)
    serves_hot_dogs = db.BooleanField(default=False)
    serves_pizza = db.BooleanField(default=False)


class Waiter(db.Model):
    restaurant = db.ForeignKey(Restaurant, on_delete=db.CASCADE)
    name = db.CharField(max_length=50)


class Undercover(db.Model):
    place = db.OneToOneField(Place, null=True, on_delete=db.SET_NULL, related_name="undercover")


class Director(db.Model):
    is_temp = db.BooleanField(default=False)
    school = db.OneToOneField("School", on_delete=db.CASCADE)


class School(db.Model):
    name = db.CharField(max_length=20, unique=True)


class Annex(db.Model):
    school = db.OneToOneField(School, to_field="name", on_delete=db.CASCADE, related_name="annex")


MODELS = [Place, Restaurant, Waiter, Undercover, School, Director, Annex]


@pytest.fixture
def demon(tables: db.Database) -> Place:
    return Place.objects.create(name="Demon Dogs", address="944 W. Fullerton")


@pytest.fixture
def ace(tables: db.Database) -> Place:
    return Place.objects.create(name="Ace Hardware", address="1013 N. Ashland")


def test_each_side_reaches_the_other(demon: Place) -> None:
    restaurant = Restaurant.objects.create(place=demon, serves_hot_dogs=True)

    assert restaurant.place is demon
    assert Place.objects.get(pk=demon.pk).restaurant == restaurant
    assert restaurant.pk == demon.pk


def test_a_place_without_a_restaurant_says_so(ace: Place) -> None:
    with pytest.raises(Restaurant.DoesNotExist):
        _ = ace.restaurant
    assert not hasattr(ace, "restaurant")


def test_a_missing_restaurant_is_an_attribute_error_and_a_lookup_error(ace: Place) -> None:
    with pytest.raises(AttributeError):
        _ = ace.restaurant


def test_assigning_makes_each_side_know_the_other(demon: Place, ace: Place) -> None:
    restaurant = Restaurant(place=demon, serves_pizza=True)
    restaurant.save()

    restaurant.place = ace

    assert ace.restaurant is restaurant
    assert restaurant.place_id == ace.pk


def test_assigning_the_way_back_sets_the_key(demon: Place) -> None:
    cover = Undercover.objects.create()

    demon.undercover = cover
    cover.save()

    assert cover.place_id == demon.pk
    assert Undercover.objects.get().place == demon


def test_assigning_none_to_the_way_back_takes_the_key_away(demon: Place) -> None:
    cover = Undercover.objects.create(place=demon)

    demon.undercover = None

    assert cover.place is None
    assert cover.place_id is None


def test_another_model_cannot_be_assigned(demon: Place) -> None:
    with pytest.raises(ValueError, match="takes an Undercover, not Place"):
        demon.undercover = demon


def test_lookups_go_both_ways(demon: Place, ace: Place) -> None:
    restaurant = Restaurant.objects.create(place=demon, serves_hot_dogs=True)
    waiter = Waiter.objects.create(restaurant=restaurant, name="Joe")

    assert Restaurant.objects.get(place=demon.pk) == restaurant
    assert Restaurant.objects.get(place__pk=demon.pk) == restaurant
    assert Restaurant.objects.get(place__name__startswith="Demon") == restaurant
    assert list(Restaurant.objects.exclude(place__address__contains="Ashland")) == [restaurant]
    assert Place.objects.get(restaurant__place=demon) == demon
    assert Place.objects.get(restaurant=restaurant) == demon
    assert Place.objects.get(restaurant__serves_hot_dogs=True) == demon
    assert Place.objects.get(restaurant__isnull=True) == ace
    assert Waiter.objects.get(restaurant__place=demon.pk) == waiter
    assert Waiter.objects.get(restaurant__place__name__startswith="Demon") == waiter
    assert list(Place.objects.filter(restaurant__waiter__name="Joe")) == [demon]


def test_two_restaurants_at_one_place_are_refused(demon: Place) -> None:
    Undercover.objects.create(place=demon)

    with pytest.raises(db.IntegrityError):
        Undercover.objects.create(place=demon)


async def test_the_way_back_is_loaded_once(tables: db.Database, both: Any, demon: Place, counting: Any) -> None:
    await both.call(Restaurant.objects.create, place=demon)
    place = await both.call(Place.objects.get, pk=demon.pk)

    with counting() as seen:
        found = await both.call(place.fetch, "restaurant")
        assert place.restaurant is found
        assert found.place is place

    assert len(seen) == 1


async def test_that_there_is_none_is_remembered(tables: db.Database, both: Any, ace: Place, counting: Any) -> None:
    place = await both.call(Place.objects.get, pk=ace.pk)

    with counting() as seen:
        for _ in range(2):
            with pytest.raises(Restaurant.DoesNotExist):
                await both.call(place.fetch, "restaurant")

    assert len(seen) == 1


def test_two_models_may_name_each_other(tables: db.Database) -> None:
    school = School.objects.create(name="North")
    director = Director.objects.create(school=school)

    assert School.objects.get().director == director
    assert Director.objects.get(school__name="North") == director


def test_a_one_to_one_may_refer_to_another_unique_field(tables: db.Database) -> None:
    school = School.objects.create(name="North")
    annex = Annex.objects.create(school=school)

    assert annex.school_id == "North"
    assert School.objects.get().annex == annex
    assert School.objects.select_related("annex").get().annex == annex
