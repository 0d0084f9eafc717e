"""A key of several columns works wherever one of one column does."""

from __future__ import annotations

import copy
import pickle
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from databases import on_loop

from segue import db
from segue.errors import SetupError, ValidationError

Tables = Callable[..., None]


class Tenant(db.Model):
    name = db.CharField(max_length=9)

    class Meta:
        app_label = "shop"


class Order(db.Model):
    tenant = db.ForeignKey(Tenant, on_delete=db.CASCADE, related_name="orders")
    number = db.IntegerField()
    total = db.IntegerField(default=0)
    pk = db.CompositePrimaryKey("tenant", "number")

    class Meta:
        app_label = "shop"


class Stamp(db.Model):
    day = db.DateField()
    mark = db.UUIDField(default=uuid.uuid4)
    note = db.CharField(max_length=9, default="")
    pk = db.CompositePrimaryKey("day", "mark")

    class Meta:
        app_label = "shop"


MODELS = (Tenant, Order, Stamp)


@pytest.fixture(autouse=True)
def made(request: pytest.FixtureRequest) -> None:
    if "database" in request.fixturenames:
        request.getfixturevalue("tables")(*MODELS)


@pytest.fixture
def orders(database: db.Database, made: None) -> list[Order]:
    """Two tenants with two orders each; the totals are 11, 12, 21, 22."""
    tenants = [Tenant.objects.create(name=name) for name in ("a", "b")]
    return [
        Order.objects.create(tenant=tenant, number=number, total=10 * at + number)
        for at, tenant in enumerate(tenants, 1)
        for number in (1, 2)
    ]


def test_the_key_of_the_table_is_of_both_columns(database: db.Database) -> None:
    with database.connection() as connection:
        key = sa.inspect(connection).get_pk_constraint("shop_order")["constrained_columns"]

    assert key == ["tenant_id", "number"]
    assert [field.name for field in Order._meta.fields] == ["tenant", "number", "total"]


def test_a_row_is_made_read_changed_and_deleted_by_its_key(orders: list[Order]) -> None:
    order = orders[1]
    assert order.pk == (order.tenant.pk, 2)

    found = Order.objects.get(pk=order.pk)
    assert (found, found.total) == (order, 12)
    found.total = 99
    found.save()
    assert Order.objects.get(pk=order.pk).total == 99
    assert Order.objects.filter(total=99).count() == 1
    found.refresh_from_db()
    assert found.delete() == (1, {"shop.Order": 1})
    assert not Order.objects.filter(pk=order.pk).exists()
    assert Order.objects.count() == 3


def test_the_key_can_be_set_at_once(orders: list[Order]) -> None:
    order = Order(pk=(orders[0].tenant.pk, 7), total=1)
    assert order.number == 7
    order.pk = (orders[2].tenant.pk, 8)
    order.save()

    assert Order.objects.get(tenant=orders[2].tenant, number=8) == order
    assert Order(number=3).pk is None


def test_look_ups_by_the_key(orders: list[Order]) -> None:
    keys = [order.pk for order in orders]

    assert list(Order.objects.filter(pk__in=[keys[0], keys[3]]).order_by("pk")) == [orders[0], orders[3]]
    assert list(Order.objects.exclude(pk=keys[0]).order_by("pk")) == orders[1:]
    assert list(Order.objects.order_by("-pk")) == orders[::-1]
    assert Order.objects.in_bulk(keys[:2]) == {keys[0]: orders[0], keys[1]: orders[1]}
    assert Order.objects.filter(pk__isnull=False).count() == 4
    assert Order.objects.contains(orders[0])
    assert Order.objects.filter(pk__in=[]).count() == 0
    assert Order.objects.filter(pk=None).count() == 0
    assert Order.objects.filter(pk__range=(keys[1], keys[2])).count() == 2


@pytest.mark.parametrize("how", ["gt", "gte", "lt", "lte"])
def test_keys_compare_part_by_part(orders: list[Order], how: str) -> None:
    middle = orders[1].pk
    expected = {"gt": orders[2:], "gte": orders[1:], "lt": orders[:1], "lte": orders[:2]}[how]

    assert list(Order.objects.filter(**{f"pk__{how}": middle}).order_by("pk")) == expected


def test_a_subquery_may_give_keys(orders: list[Order]) -> None:
    large = Order.objects.filter(total__gt=20)

    assert list(Order.objects.filter(pk__in=large).order_by("pk")) == orders[2:]
    assert list(Order.objects.filter(pk__in=large.values("pk")).order_by("pk")) == orders[2:]


def test_the_key_is_one_value_in_a_row(orders: list[Order]) -> None:
    rows = Order.objects.order_by("pk")

    assert list(rows.values_list("pk", flat=True)) == [order.pk for order in orders]
    assert rows.values_list("pk", "total")[0] == (orders[0].pk, 11)
    assert rows.values("pk", "number")[1] == {"pk": orders[1].pk, "number": 2}


@pytest.mark.parametrize("value", [1, "1", (1,), (1, 2, 3), ("x", 1), [(1, 2)], {"a": 1}])
def test_a_value_that_is_no_key_is_refused(orders: list[Order], value: Any) -> None:
    with pytest.raises(ValueError):
        Order.objects.filter(pk=value).exists()


def test_keys_count_and_are_distinct(orders: list[Order]) -> None:
    assert Tenant.objects.annotate(n=db.Count("orders")).order_by("pk").values_list("n", flat=True)[0] == 2
    assert Order.objects.aggregate(n=db.Count("pk"))["n"] == 4
    assert Order.objects.filter(tenant__orders__number=1).distinct().count() == 4
    assert Tenant.objects.filter(orders__pk=orders[0].pk).get() == orders[0].tenant
    assert Tenant.objects.filter(orders=orders[0]).get() == orders[0].tenant


def test_many_rows_are_written_at_once(orders: list[Order]) -> None:
    tenant = orders[0].tenant
    made = Order.objects.bulk_create([Order(tenant=tenant, number=number) for number in range(10, 14)])
    assert [order.pk for order in made] == [(tenant.pk, number) for number in range(10, 14)]

    for order in orders:
        order.total += 1
    assert Order.objects.bulk_update(orders, ["total"]) == 4
    assert list(Order.objects.filter(number__lt=10).order_by("pk").values_list("total", flat=True)) == [12, 13, 22, 23]
    assert Order.objects.filter(pk__in=[order.pk for order in orders]).update(total=0) == 4
    assert Order.objects.filter(pk__in=[order.pk for order in made]).delete()[0] == 4


def test_get_or_create_by_the_key(orders: list[Order]) -> None:
    key = orders[0].pk

    assert Order.objects.get_or_create(pk=key) == (orders[0], False)
    order, is_new = Order.objects.get_or_create(tenant=orders[0].tenant, number=5, defaults={"total": 7})
    assert (order.total, is_new) == (7, True)
    assert Order.objects.update_or_create(tenant_id=key[0], number=5, defaults={"total": 8})[1] is False
    assert Order.objects.get(number=5).total == 8


def test_deleting_what_a_part_of_the_key_refers_to(orders: list[Order]) -> None:
    assert orders[0].tenant.delete()[0] == 3
    assert Order.objects.count() == 2


def test_instances_are_equal_hashed_and_copied_by_the_whole_key(orders: list[Order]) -> None:
    same = Order.objects.get(pk=orders[0].pk)

    assert same == orders[0]
    assert len({same, *orders}) == 4
    assert pickle.loads(pickle.dumps(same)) == copy.deepcopy(same) == same
    with pytest.raises(TypeError):
        hash(Order(number=1))


def test_a_deferred_field_is_loaded_by_the_key(orders: list[Order]) -> None:
    loaded = list(Order.objects.only("number").order_by("pk"))

    assert [order.total for order in loaded] == [11, 12, 21, 22]


def test_a_key_that_another_row_has_is_a_fault(orders: list[Order]) -> None:
    again = Order(tenant=orders[0].tenant, number=1)

    with pytest.raises(ValidationError) as caught:
        again.full_clean()
    assert [fault.code for fault in caught.value.faults] == ["unique_together"]
    orders[0].full_clean()
    with pytest.raises(db.IntegrityError):
        again.save(force_insert=True)


def test_parts_of_the_key_may_have_defaults(database: db.Database) -> None:
    from datetime import date

    stamp = Stamp.objects.create(day=date(2024, 1, 2))

    assert Stamp.objects.get(pk=stamp.pk) == stamp
    assert Stamp.objects.get(pk=("2024-01-02", str(stamp.mark))) == stamp
    assert list(Stamp.objects.filter(pk__in=[stamp.pk])) == [stamp]


def test_async_code_uses_keys_alike(orders: list[Order]) -> None:
    async def story() -> list[Any]:
        order = await Order.objects.aget(pk=orders[0].pk)
        order.total = 1
        await order.asave()
        await order.arefresh_from_db()
        found = await Order.objects.ain_bulk([orders[1].pk])
        return [order.total, list(found), (await order.adelete())[0], await Order.objects.acount()]

    assert on_loop(story()) == [1, [orders[1].pk], 1, 3]


@pytest.mark.parametrize(
    ("names", "code"), [(("tenant",), "data/primary-key"), (("tenant", "numbr"), "data/primary-key")]
)
def test_a_composite_key_that_cannot_be_is_an_error(names: tuple[str, ...], code: str) -> None:
    with pytest.raises(SetupError) as caught:
        body = {"__module__": __name__, "tenant": db.IntegerField(), "number": db.IntegerField()}
        type("Wrong", (db.Model,), {**body, "pk": db.CompositePrimaryKey(*names)})

    assert caught.value.code == code


def test_a_foreign_key_may_refer_to_a_unique_field_beside_the_key(database: db.Database, tables: Tables) -> None:
    class Box(db.Model):
        row = db.IntegerField()
        number = db.IntegerField()
        label = db.CharField(max_length=9, unique=True)
        pk = db.CompositePrimaryKey("row", "number")

    class Item(db.Model):
        box = db.ForeignKey(Box, on_delete=db.CASCADE, to_field="label", related_name="items")

    tables(Box, Item)
    box = Box.objects.create(row=1, number=2, label="x")
    item = Item.objects.create(box=box)

    assert Item.objects.get(box__number=2).box == box
    assert list(box.items.all()) == [item]  # type: ignore[attr-defined]
    assert Item.objects.get(box=box) == item
    assert Item.objects.select_related("box").get().box.pk == (1, 2)
    assert box.delete()[0] == 2
