"""Abstract, proxy and multi-table inheritance work as in Django."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from databases import on_loop

from segue import db
from segue.errors import SetupError

Tables = Callable[..., None]


class Place(db.Model):
    name = db.CharField(max_length=50)
    address = db.CharField(max_length=80, default="")

    class Meta:
        app_label = "town"
        ordering = ["name"]

    def shout(self) -> str:
        return self.name.upper()


class Restaurant(Place):
    serves_pizza = db.BooleanField(default=False)

    class Meta:
        app_label = "town"


class Pizzeria(Restaurant):
    ovens = db.IntegerField(default=1)

    class Meta:
        app_label = "town"


class Review(db.Model):
    place = db.ForeignKey(Place, on_delete=db.CASCADE, related_name="reviews")
    text = db.CharField(max_length=50)

    class Meta:
        app_label = "town"


class OpenPlace(Place):
    class Meta:
        app_label = "town"
        proxy = True
        ordering = ["-name"]

    def greet(self) -> str:
        return f"Welcome to {self.name}"


class Visit(db.Model):
    place = db.ForeignKey(OpenPlace, on_delete=db.CASCADE, related_name="visits")

    class Meta:
        app_label = "town"


TOWN = (Place, Restaurant, Pizzeria, Review, Visit)


def counts(database: db.Database) -> tuple[int, int, int]:
    """Return the number of rows in the three tables."""
    names = [model._meta.db_table for model in (Place, Restaurant, Pizzeria)]
    return tuple(database.execute(f"SELECT COUNT(*) FROM {name}").scalar() for name in names)  # type: ignore[return-value]


# Abstract


def test_an_abstract_model_gives_its_fields_options_and_methods(database: db.Database, tables: Tables) -> None:
    class Dated(db.Model):
        year = db.IntegerField(default=1959)

        class Meta:
            abstract = True
            ordering = ["year"]
            constraints = [db.CheckConstraint(condition=db.Q(year__gt=0), name="%(class)s_year")]

        def decade(self) -> int:
            return self.year // 10 * 10

    class Record(Dated):
        title = db.CharField(max_length=9, default="x")

    class Concert(Dated):
        class Meta(Dated.Meta):
            verbose_name = "gig"

    tables(Record, Concert)
    for year in (1965, 1931):
        Record.objects.create(year=year)
    Concert.objects.create()

    assert [record.decade() for record in Record.objects.all()] == [1930, 1960]
    assert Concert._meta.ordering == ["year"]
    assert (Concert._meta.verbose_name, Concert._meta.abstract) == ("gig", False)
    assert Record._meta.get_field("year") is not Concert._meta.get_field("year")
    with database.connection() as connection:
        assert set(sa.inspect(connection).get_table_names()) == {"record", "concert"}
    with pytest.raises(db.IntegrityError) as caught:
        Concert.objects.create(year=0)
    assert caught.value.constraint == "concert_year"


def test_an_abstract_model_has_no_rows() -> None:
    class Dated(db.Model):
        class Meta:
            abstract = True

    with pytest.raises(SetupError) as of_manager:
        Dated.objects.all()
    with pytest.raises(SetupError) as of_instance:
        Dated()
    assert (of_manager.value.code, of_instance.value.code) == ("data/abstract", "data/abstract")


def test_relations_of_an_abstract_model_are_named_by_its_children(database: db.Database, tables: Tables) -> None:
    class Leader(db.Model):
        pass

    class Led(db.Model):
        leader = db.ForeignKey(Leader, on_delete=db.CASCADE, related_name="%(class)s_set_of")

        class Meta:
            abstract = True

    class Record(Led):
        pass

    class Concert(Led):
        pass

    tables(Leader, Record, Concert)
    leader = Leader.objects.create()
    Record.objects.create(leader=leader)

    assert leader.record_set_of.count() == 1  # type: ignore[attr-defined]
    assert leader.concert_set_of.count() == 0  # type: ignore[attr-defined]


def test_a_child_may_replace_or_take_away_a_field_of_an_abstract_parent() -> None:
    class Dated(db.Model):
        year = db.IntegerField()
        month = db.IntegerField()

        class Meta:
            abstract = True

    class Record(Dated):
        year = db.CharField(max_length=4)  # type: ignore[assignment]
        month = None  # type: ignore[assignment]

    assert [field.name for field in Record._meta.fields] == ["id", "year"]
    assert isinstance(Record._meta.get_field("year"), db.CharField)


def test_abstract_models_may_be_several_and_in_layers(database: db.Database, tables: Tables) -> None:
    class Named(db.Model):
        name = db.CharField(max_length=9, default="n")

        class Meta:
            abstract = True

    class Dated(db.Model):
        year = db.IntegerField(default=1)

        class Meta:
            abstract = True

    class Both(Named, Dated):
        class Meta:
            abstract = True

    class Record(Both):
        pass

    tables(Record)

    record = Record.objects.get(pk=Record.objects.create(year=3).pk)
    assert (record.name, record.year) == ("n", 3)


# Multi-table


def test_a_child_is_a_row_in_its_own_table_and_in_its_parents(database: db.Database, tables: Tables) -> None:
    tables(*TOWN)

    pizzeria = Pizzeria.objects.create(name="Da Nina", serves_pizza=True, ovens=2)

    assert counts(database) == (1, 1, 1)
    assert pizzeria.pk == pizzeria.restaurant_ptr_id == pizzeria.place_ptr_id == pizzeria.id  # type: ignore[attr-defined]
    found = Pizzeria.objects.get(name="Da Nina")
    assert (found.name, found.serves_pizza, found.ovens, found.shout()) == ("Da Nina", True, 2, "DA NINA")


def test_a_child_is_found_and_sorted_by_fields_of_its_parents(database: db.Database, tables: Tables) -> None:
    tables(*TOWN)
    for name, pizza in (("b", True), ("a", True), ("c", False)):
        Restaurant.objects.create(name=name, serves_pizza=pizza)
    Place.objects.create(name="park")

    assert [each.name for each in Restaurant.objects.all()] == ["a", "b", "c"]
    assert [each.name for each in Restaurant.objects.filter(serves_pizza=True, name__gt="a")] == ["b"]
    assert Restaurant.objects.exclude(name="a").count() == 2
    assert list(Restaurant.objects.values_list("name", "serves_pizza")) == [("a", True), ("b", True), ("c", False)]
    assert Restaurant.objects.aggregate(last=db.Max("name"))["last"] == "c"
    assert [each.name for each in Place.objects.all()] == ["a", "b", "c", "park"]


def test_a_parent_reaches_its_child(database: db.Database, tables: Tables) -> None:
    tables(*TOWN)
    restaurant = Restaurant.objects.create(name="x", serves_pizza=True)
    park = Place.objects.create(name="park")

    place = Place.objects.get(name="x")
    assert place.restaurant == restaurant  # type: ignore[attr-defined]
    assert type(place.restaurant) is Restaurant  # type: ignore[attr-defined]
    assert list(Place.objects.filter(restaurant__serves_pizza=True)) == [place]
    assert list(Place.objects.filter(restaurant__isnull=True)) == [park]
    with pytest.raises(Restaurant.DoesNotExist):
        _ = park.restaurant  # type: ignore[attr-defined]
    chosen = Place.objects.select_related("restaurant").get(name="x")
    assert chosen.restaurant.serves_pizza is True  # type: ignore[attr-defined]


def test_a_child_has_the_relations_of_its_parent(database: db.Database, tables: Tables) -> None:
    tables(*TOWN)
    pizzeria = Pizzeria.objects.create(name="x")
    Review.objects.create(place=pizzeria, text="good")

    assert [review.text for review in pizzeria.reviews.all()] == ["good"]  # type: ignore[attr-defined]
    assert Pizzeria.objects.get(reviews__text="good") == pizzeria
    assert Review.objects.get(place__restaurant__pizzeria__ovens=1).text == "good"
    pizzeria.reviews.create(text="bad")  # type: ignore[attr-defined]
    assert Pizzeria.objects.annotate(n=db.Count("reviews")).get().n == 2  # type: ignore[attr-defined]


def test_saving_a_child_writes_each_table(database: db.Database, tables: Tables) -> None:
    tables(*TOWN)
    pizzeria = Pizzeria.objects.create(name="x")

    pizzeria.name, pizzeria.serves_pizza, pizzeria.ovens = "y", True, 7
    pizzeria.save()

    assert counts(database) == (1, 1, 1)
    assert Place.objects.get().name == "y"
    assert Restaurant.objects.get().serves_pizza is True
    assert Pizzeria.objects.get().ovens == 7


def test_update_fields_writes_only_the_tables_it_names(database: db.Database, tables: Tables) -> None:
    tables(*TOWN)
    pizzeria = Pizzeria.objects.create(name="x")
    seen: list[str] = []
    database.observers.append(lambda prepared, *_: seen.append(prepared.sql))

    pizzeria.name, pizzeria.ovens = "y", 7
    pizzeria.save(update_fields=["name"])

    database.observers.clear()
    assert [sql.split()[:2] for sql in seen if sql.startswith(("UPDATE", "INSERT"))] == [["UPDATE", "town_place"]]
    found = Pizzeria.objects.get()
    assert (found.name, found.ovens) == ("y", 1)


def test_a_child_that_cannot_be_written_leaves_no_parent(database: db.Database, tables: Tables) -> None:
    tables(*TOWN)

    with pytest.raises(db.IntegrityError):
        Pizzeria.objects.create(name="x", ovens=None)

    assert counts(database) == (0, 0, 0)


def test_deleting_a_child_deletes_its_parents_rows(database: db.Database, tables: Tables) -> None:
    tables(*TOWN)
    pizzeria = Pizzeria.objects.create(name="x")
    Review.objects.create(place=pizzeria, text="good")

    deleted, by_model = pizzeria.delete()

    assert counts(database) == (0, 0, 0)
    assert (deleted, by_model["town.Review"]) == (4, 1)


def test_deleting_a_parent_deletes_its_children(database: db.Database, tables: Tables) -> None:
    tables(*TOWN)
    Pizzeria.objects.create(name="x")

    Place.objects.get().delete()

    assert counts(database) == (0, 0, 0)


def test_a_child_may_go_and_its_parent_stay(database: db.Database, tables: Tables) -> None:
    tables(*TOWN)
    restaurant = Restaurant.objects.create(name="x")

    restaurant.delete(keep_parents=True)

    assert counts(database) == (1, 0, 0)


def test_a_queryset_of_children_updates_and_deletes(database: db.Database, tables: Tables) -> None:
    tables(*TOWN)
    for name in ("a", "b"):
        Restaurant.objects.create(name=name)
    Place.objects.create(name="park")

    assert Restaurant.objects.filter(name="a").update(name="z", serves_pizza=True) == 1
    assert [(each.name, each.serves_pizza) for each in Restaurant.objects.all()] == [("b", False), ("z", True)]
    Restaurant.objects.filter(serves_pizza=True).delete()
    assert [each.name for each in Place.objects.all()] == ["b", "park"]


def test_a_child_is_loaded_anew_with_its_parents_fields(database: db.Database, tables: Tables) -> None:
    tables(*TOWN)
    pizzeria = Pizzeria.objects.create(name="x")
    Place.objects.update(name="y")
    Pizzeria.objects.update(ovens=4)

    pizzeria.refresh_from_db()
    assert (pizzeria.name, pizzeria.ovens) == ("y", 4)
    Place.objects.update(name="z")
    pizzeria.refresh_from_db(fields=["name"])
    assert pizzeria.name == "z"


def test_fields_of_parents_may_be_deferred(database: db.Database, tables: Tables) -> None:
    tables(*TOWN)
    Pizzeria.objects.create(name="x", address="here")

    assert Pizzeria.objects.only("ovens").get().name == "x"
    assert Pizzeria.objects.defer("name", "serves_pizza").get().serves_pizza is False
    assert Pizzeria.objects.only("address").get().ovens == 1


def test_a_row_of_the_parent_can_become_a_child(database: db.Database, tables: Tables) -> None:
    tables(*TOWN)
    place = Place.objects.create(name="x", address="here")

    restaurant = Restaurant(place_ptr=place, serves_pizza=True)
    restaurant.__dict__.update({key: place.__dict__[key] for key in ("id", "name", "address")})
    restaurant.save()

    assert counts(database) == (1, 1, 0)
    assert Restaurant.objects.get().address == "here"


def test_the_link_to_the_parent_may_be_the_users_own(database: db.Database, tables: Tables) -> None:
    class Spot(db.Model):
        name = db.CharField(max_length=9)

    class Bar(Spot):
        spot = db.OneToOneField(Spot, on_delete=db.CASCADE, parent_link=True, primary_key=True, related_name="as_bar")
        stools = db.IntegerField(default=3)

    tables(Spot, Bar)
    bar = Bar.objects.create(name="x")

    assert Bar._meta.pk.name == "spot"
    assert Spot.objects.get().as_bar == bar  # type: ignore[attr-defined]
    assert Bar.objects.get(name="x").stools == 3


def test_a_child_may_have_two_parents(database: db.Database, tables: Tables) -> None:
    class Book(db.Model):
        book_id = db.AutoField()
        title = db.CharField(max_length=9)

    class Disc(db.Model):
        disc_id = db.AutoField()
        label = db.CharField(max_length=9)

    class Bundle(Book, Disc):
        price = db.IntegerField(default=1)

    tables(Book, Disc, Bundle)
    Book.objects.create(title="other")
    bundle = Bundle.objects.create(title="x", label="y")

    found = Bundle.objects.get(title="x", label="y")
    assert (found.pk, found.title, found.label, found.price) == (bundle.pk, "x", "y", 1)
    found.label = "z"
    found.save()
    assert Disc.objects.get().label == "z"
    bundle.delete()
    assert (Book.objects.count(), Disc.objects.count()) == (1, 0)


def test_a_child_inherits_ordering_but_not_the_other_options() -> None:
    assert Restaurant._meta.ordering == ["name"]
    assert Restaurant._meta.db_table == "town_restaurant"


def test_a_child_cannot_take_the_name_of_a_field_of_its_parent() -> None:
    with pytest.raises(SetupError) as caught:
        type("Cafe", (Place,), {"__module__": __name__, "name": db.IntegerField()})

    assert caught.value.code == "data/field-clash"
    assert "name" in str(caught.value)


def test_an_error_of_the_child_is_one_of_the_parent(database: db.Database, tables: Tables) -> None:
    tables(*TOWN)

    assert issubclass(Restaurant.DoesNotExist, Place.DoesNotExist)
    with pytest.raises(Place.DoesNotExist):
        Restaurant.objects.get(pk=1)


def test_async_code_saves_loads_and_deletes_children(database: db.Database, tables: Tables) -> None:
    tables(*TOWN)

    async def story() -> tuple[str, int, tuple[int, int]]:
        pizzeria = await Pizzeria.objects.acreate(name="x")
        pizzeria.name, pizzeria.ovens = "y", 5
        await pizzeria.asave()
        found = await Pizzeria.objects.aget(name="y")
        await found.arefresh_from_db()
        before = found.name, found.ovens
        await found.adelete()
        return *before, (await Place.objects.acount(), await Pizzeria.objects.acount())

    assert on_loop(story()) == ("y", 5, (0, 0))


# Proxy


def test_a_proxy_shares_the_table_and_has_its_own_behaviour(database: db.Database, tables: Tables) -> None:
    tables(*TOWN, OpenPlace)
    for name in ("a", "b"):
        Place.objects.create(name=name)

    assert [(type(each), each.greet()) for each in OpenPlace.objects.all()] == [
        (OpenPlace, "Welcome to b"),
        (OpenPlace, "Welcome to a"),
    ]
    assert OpenPlace.objects.get(name="a") == Place.objects.get(name="a")
    assert hash(OpenPlace.objects.get(name="a")) == hash(Place.objects.get(name="a"))
    made = OpenPlace.objects.create(name="c")
    assert Place.objects.filter(pk=made.pk).exists()
    made.delete()
    assert Place.objects.count() == 2


def test_a_proxy_has_the_relations_of_its_model(database: db.Database, tables: Tables) -> None:
    tables(*TOWN)
    place = OpenPlace.objects.create(name="a")
    Review.objects.create(place=place, text="good")

    assert OpenPlace.objects.get(reviews__text="good").reviews.count() == 1  # type: ignore[attr-defined]
    assert [each.text for each in place.reviews.all()] == ["good"]  # type: ignore[attr-defined]


def test_a_proxy_of_a_child_works_over_both_tables(database: db.Database, tables: Tables) -> None:
    class Trattoria(Restaurant):
        class Meta:
            proxy = True

    tables(*TOWN)
    Trattoria.objects.create(name="x", serves_pizza=True)

    found = Trattoria.objects.get(name="x", serves_pizza=True)
    assert type(found) is Trattoria
    found.name = "y"
    found.save()
    assert Place.objects.get().name == "y"


def test_a_foreign_key_may_point_at_a_proxy(database: db.Database, tables: Tables) -> None:
    tables(*TOWN)
    place = OpenPlace.objects.create(name="x")
    Visit.objects.create(place=place)

    assert Visit.objects.get(place__name="x").place.greet() == "Welcome to x"
    assert place.visits.count() == 1  # type: ignore[attr-defined]
    Place.objects.get().delete()
    assert Visit.objects.count() == 0


@pytest.mark.parametrize(
    ("bases", "body", "code"),
    [
        ((Place,), {"extra": db.IntegerField()}, "data/proxy"),
        ((db.Model,), {}, "data/proxy"),
        ((Place, Review), {}, "data/proxy"),
    ],
)
def test_a_proxy_that_cannot_be_is_an_error(bases: Any, body: Any, code: str) -> None:
    meta = type("Meta", (), {"proxy": True})

    with pytest.raises(SetupError) as caught:
        type("Wrong", bases, {"__module__": __name__, "Meta": meta, **body})

    assert caught.value.code == code


# Managers of parents


def test_managers_of_parents_are_inherited(database: db.Database, tables: Tables) -> None:
    class Loud(db.QuerySet[Any]):
        def loud(self) -> Any:
            return self.filter(name__gt="a")

    class Named(db.Model):
        name = db.CharField(max_length=9)
        objects = Loud.as_manager()

        class Meta:
            abstract = True

    class Record(Named):
        pass

    class Box(Record):
        pass

    tables(Record, Box)
    for name in ("a", "b"):
        Record.objects.create(name=name)
    Box.objects.create(name="c")

    assert [each.name for each in Record.objects.loud()] == ["b", "c"]
    assert [each.name for each in Box.objects.loud()] == ["c"]
    assert isinstance(Record.objects.loud(), Loud)
