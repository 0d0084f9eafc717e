"""A foreign key to a key of several columns is declared as any other; how it is asked is in `tests/db/relations`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from segue import db
from segue.errors import SetupError

Tables = Callable[..., None]


class Tenant(db.Model):
    name = db.CharField(max_length=9)

    class Meta:
        app_label = "declared"


class Order(db.Model):
    """No row is ever made of it: what tests declare goes on referring to it."""

    tenant = db.ForeignKey(Tenant, on_delete=db.CASCADE)
    number = db.IntegerField()
    pk = db.CompositePrimaryKey("tenant", "number")

    class Meta:
        app_label = "declared"


class Sale(db.Model):
    day = db.IntegerField()
    number = db.IntegerField()
    pk = db.CompositePrimaryKey("day", "number")

    class Meta:
        app_label = "declared"


class Cover(db.Model):
    sale = db.OneToOneField(Sale, on_delete=db.CASCADE, primary_key=True)
    colour = db.CharField(max_length=9)

    class Meta:
        app_label = "declared"


class Bill(db.Model):
    sale = db.ForeignKey(Sale, on_delete=db.SET_DEFAULT, default=(1, 1), related_name="bills")

    class Meta:
        app_label = "declared"


MODELS = (Sale, Cover, Bill)


def refused(declare: Callable[[], Any]) -> SetupError:
    """The error that a class gives when it is defined."""
    with pytest.raises(SetupError) as caught:
        declare()
    return caught.value


def test_the_order_in_which_models_are_defined_does_not_matter() -> None:
    class Remark(db.Model):
        line = db.ForeignKey("Line", on_delete=db.CASCADE)
        others = db.ManyToManyField("Line", related_name="+")

    class Line(db.Model):
        sale = db.ForeignKey("Trade", on_delete=db.CASCADE)
        at = db.IntegerField()
        pk = db.CompositePrimaryKey("sale", "at")

    class Last(Line):
        class Meta:
            proxy = True

    class Trade(db.Model):
        day = db.DateField()
        number = db.IntegerField()
        pk = db.CompositePrimaryKey("day", "number")

    assert [field.name for field in Line._meta.fields] == ["sale_day", "sale_number", "at"]
    assert (Last._meta.fields, Last._meta.pk_fields) == (Line._meta.fields, Line._meta.pk_fields)
    assert [field.name for field in Remark._meta.fields][1:] == ["line_sale_day", "line_sale_number", "line_at"]
    assert list(Remark.others.through.table.c.keys())[2:] == ["line_sale_day", "line_sale_number", "line_at"]
    assert Line(pk=(1, 2, 3)).sale_id == (1, 2)  # type: ignore[attr-defined]


def test_a_whole_key_may_be_a_reference(database: db.Database, tables: Tables) -> None:
    tables(*MODELS)
    sale = Sale.objects.create(day=1, number=2)
    cover = Cover.objects.create(sale=sale, colour="red")

    assert cover.pk == sale.pk
    assert Cover.objects.get(pk=sale.pk).sale == sale
    cover.colour = "blue"
    cover.save()
    assert Sale.objects.get(pk=sale.pk).cover.colour == "blue"  # type: ignore[attr-defined]


def test_a_key_may_name_a_reference_and_what_it_shares() -> None:
    class Ticket(db.Model):
        tenant = db.ForeignKey(Tenant, on_delete=db.CASCADE, related_name="+")
        order = db.ForeignKey(Order, on_delete=db.CASCADE, db_columns=("tenant_id", "order_number"), related_name="+")
        pk = db.CompositePrimaryKey("tenant", "order")

    assert [field.attname for field in Ticket._meta.pk_fields] == ["tenant_id", "order_number"]
    assert Ticket(pk=(1, 2)).order_id == (1, 2)  # type: ignore[attr-defined]


def test_an_abstract_parent_gives_a_reference_to_each_child() -> None:
    class Owned(db.Model):
        order = db.ForeignKey(Order, on_delete=db.CASCADE, related_name="+")

        class Meta:
            abstract = True

    class One(Owned):
        pass

    class Two(Owned):
        pass

    assert One._meta.find_field("order") is not Two._meta.find_field("order")
    assert [field.name for field in Two._meta.fields] == ["id", "order_tenant_id", "order_number"]


def test_the_default_of_a_reference_is_a_whole_key() -> None:
    made: list[int] = []

    def newest() -> tuple[int, int]:
        made.append(len(made))
        return 7, made[-1]

    class Line(db.Model):
        order = db.ForeignKey(Order, on_delete=db.CASCADE, default=(1, 2), related_name="+")
        other = db.ForeignKey(Order, on_delete=db.CASCADE, default=newest, related_name="+")

    assert (Line().order_id, Line().other_id) == ((1, 2), (7, 1))  # type: ignore[attr-defined]
    assert Line(order_id=(3, 4), other_id=(5, 6)).other_id == (5, 6)  # type: ignore[attr-defined]
    assert len(made) == 2


def test_set_default_gives_rows_the_whole_default(database: db.Database, tables: Tables) -> None:
    tables(*MODELS)
    first, second = (Sale.objects.create(day=1, number=number) for number in (1, 2))
    bill = Bill.objects.create(sale=second)

    second.delete()

    assert Bill.objects.get(pk=bill.pk).sale == first
    assert Bill().sale_id == (1, 1)  # type: ignore[attr-defined]


def test_a_reference_may_name_its_columns() -> None:
    class Line(db.Model):
        order = db.ForeignKey(Order, on_delete=db.CASCADE, db_columns=("of", "nr"), related_name="+")

    assert list(Line.table.c.keys()) == ["id", "of", "nr"]
    assert Line(order_id=(1, 2)).order_number == 2  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"db_column": "order"}, "db_columns="),
        ({"db_columns": ("one",)}, "names 1"),
        ({"default": 5}, "default=5"),
        ({"default": (1, 2, 3)}, "has 2 columns"),
        ({"db_columns": ("loose", "number")}, "may be NULL"),
        ({"db_columns": ("first", "second"), "null": True}, "no column of its own"),
        ({"db_columns": ("first", "number"), "null": True, "on_delete": db.DB_SET_NULL}, "shares first"),
    ],
)
def test_a_reference_that_cannot_be_is_an_error(options: dict[str, Any], told: str) -> None:
    body: dict[str, Any] = {
        "__module__": __name__,
        "__qualname__": "test.<locals>.Line",
        "first": db.BigIntegerField(),
        "second": db.IntegerField(),
        "loose": db.BigIntegerField(null=True),
        "order": db.ForeignKey(Order, **{"on_delete": db.CASCADE, "related_name": "+", **options}),
    }

    error = refused(lambda: type("Line", (db.Model,), body))

    assert error.code == "data/relation-target"
    assert told in str(error)


def test_a_part_has_no_name_that_is_taken() -> None:
    body: dict[str, Any] = {
        "__module__": __name__,
        "__qualname__": "test.<locals>.Line",
        "order_number": db.IntegerField(),
        "order": db.ForeignKey(Order, on_delete=db.CASCADE, related_name="+"),
    }

    error = refused(lambda: type("Line", (db.Model,), body))

    assert error.code == "data/field-clash"
    assert "db_columns=" in error.hint


def test_columns_are_named_for_a_key_of_several_alone() -> None:
    body: dict[str, Any] = {
        "__module__": __name__,
        "__qualname__": "test.<locals>.Line",
        "tenant": db.ForeignKey(Tenant, on_delete=db.CASCADE, db_columns=("of",), related_name="+"),
    }

    assert 'db_column="of"' in refused(lambda: type("Line", (db.Model,), body)).hint


def test_a_key_that_is_made_of_itself_is_an_error() -> None:
    body: dict[str, Any] = {
        "__module__": __name__,
        "__qualname__": "test.<locals>.Tree",
        "parent": db.ForeignKey("self", on_delete=db.CASCADE),
        "at": db.IntegerField(),
        "pk": db.CompositePrimaryKey("parent", "at"),
    }

    assert refused(lambda: type("Tree", (db.Model,), body)).code == "data/primary-key"


def test_no_model_derives_from_one_with_a_key_of_several_columns() -> None:
    body = {"__module__": __name__, "__qualname__": "test.<locals>.Large"}

    error = refused(lambda: type("Large", (Order,), body))

    assert error.code == "data/relation-target"
    assert "OneToOneField(Order" in error.hint
