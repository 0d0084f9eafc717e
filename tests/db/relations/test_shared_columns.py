"""A foreign key of several columns may share some with other fields: the tenant that all rows have."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from segue import db
from segue.db.errors import QueryError
from segue.errors import ValidationError


class Tenant(db.Model):
    name = db.CharField(max_length=9)


class Order(db.Model):
    tenant = db.ForeignKey(Tenant, on_delete=db.CASCADE)
    number = db.IntegerField()
    total = db.IntegerField(default=0)
    pk = db.CompositePrimaryKey("tenant", "number")


class Line(db.Model):
    tenant = db.ForeignKey(Tenant, on_delete=db.CASCADE)
    at = db.IntegerField()
    order = db.ForeignKey(Order, on_delete=db.CASCADE, db_columns=("tenant_id", "order_number"), related_name="lines")
    copied = db.ForeignKey(
        Order, on_delete=db.SET_NULL, null=True, db_columns=("tenant_id", "copied_number"), related_name="copies"
    )
    pk = db.CompositePrimaryKey("tenant", "at")


class Remark(db.Model):
    """It has no column for its line but those it has anyway."""

    tenant_id = db.BigIntegerField()
    line_at = db.IntegerField()
    text = db.CharField(max_length=20)
    line = db.ForeignKey(Line, on_delete=db.CASCADE, db_columns=("tenant_id", "line_at"), related_name="remarks")


MODELS = [Tenant, Order, Line, Remark]


@pytest.fixture
def lines(tables: db.Database) -> list[Line]:
    """Two tenants with two orders each, and a line of each first order."""
    found: list[Line] = []
    for name in ("a", "b"):
        tenant = Tenant.objects.create(name=name)
        first, _ = (Order.objects.create(tenant=tenant, number=number) for number in (1, 2))
        found.append(Line.objects.create(tenant=tenant, at=5, order=first))
    return found


def test_there_is_one_column_for_both(lines: list[Line]) -> None:
    assert list(Line.table.c.keys()) == ["tenant_id", "at", "order_number", "copied_number"]
    keys = {tuple(each.column_keys) for each in Line.table.foreign_key_constraints}
    assert keys == {("tenant_id",), ("tenant_id", "order_number"), ("tenant_id", "copied_number")}
    assert list(Remark.table.c.keys()) == ["id", "tenant_id", "line_at", "text"]


def test_rows_are_found_and_joined_by_both(lines: list[Line]) -> None:
    order = Order.objects.get(tenant__name="b", number=1)

    assert list(Line.objects.filter(order=order)) == [lines[1]]
    assert list(Line.objects.filter(order__total=0, tenant__name="a")) == [lines[0]]
    assert Line.objects.select_related("order", "tenant").get(order=order).order == order
    assert list(order.lines.all()) == [lines[1]]  # type: ignore[attr-defined]
    assert [each.order.pk for each in Line.objects.order_by("pk")] == [each.order_id for each in lines]  # type: ignore[attr-defined]


def test_setting_the_reference_sets_what_it_shares(lines: list[Line]) -> None:
    line = lines[0]
    line.order = Order.objects.get(tenant=line.tenant, number=2)
    line.save()

    assert Line.objects.get(tenant=line.tenant).order.number == 2
    made = Line(at=6, order=line.order)
    assert made.tenant == line.tenant
    made.save()
    assert Line.objects.filter(tenant=line.tenant).count() == 2


def test_no_reference_leaves_the_shared_column_as_it_is(lines: list[Line]) -> None:
    line = lines[0]
    line.copied = line.order
    line.save()
    assert Line.objects.get(copied=line.order) == line
    assert set(Line.objects.values_list("copied", flat=True)) == {line.order_id, None}  # type: ignore[attr-defined]

    line.copied = None
    line.save()

    again = Line.objects.get(pk=line.pk)
    assert (again.copied, again.tenant) == (None, line.tenant)
    assert Line.objects.filter(copied=None).count() == Line.objects.filter(copied__isnull=True).count() == 2
    assert Line.objects.exclude(copied=None).count() == 0


def test_what_is_shared_says_nothing_of_a_reference_that_is_not_there(lines: list[Line]) -> None:
    line = lines[0]
    line.copied = line.order
    line.save()

    assert list(Line.objects.filter(copied__tenant=line.tenant)) == [line]
    assert Line.objects.filter(copied__tenant__isnull=True).count() == 1
    assert Line.objects.filter(copied__pk__isnull=True).count() == 1
    assert list(Line.objects.exclude(copied__pk=None)) == [line]
    assert set(Line.objects.values_list("copied__tenant", flat=True)) == {line.tenant.pk, None}
    assert Line.objects.aggregate(n=db.Count("copied"))["n"] == 1


def test_rows_are_updated_with_the_column_that_is_shared(lines: list[Line]) -> None:
    order = Order.objects.get(tenant=lines[0].tenant, number=2)

    assert Line.objects.filter(tenant=lines[0].tenant).update(copied=order) == 1
    assert Line.objects.get(copied=order) == lines[0]
    assert Line.objects.update(copied=None) == 2
    lines[0].order = order
    assert Line.objects.bulk_update([lines[0]], ["order"]) == 1
    assert Line.objects.get(order=order) == lines[0]


def test_deleting_the_target_sets_its_own_column_alone(lines: list[Line]) -> None:
    tenant = lines[0].tenant
    other = Order.objects.get(tenant=tenant, number=2)
    Line.objects.filter(tenant=tenant).update(copied=other)

    other.delete()

    assert Line.objects.get(tenant=tenant).copied is None
    assert tenant.delete()[0] == 3
    assert Line.objects.count() == 1


def test_every_column_may_be_shared(lines: list[Line]) -> None:
    remark = Remark.objects.create(line=lines[1], text="x")

    assert (remark.tenant_id, remark.line_at) == lines[1].pk
    assert Remark.objects.get(line__order__number=1).line == lines[1]
    with pytest.raises(ValidationError) as caught:
        Remark(tenant_id=lines[0].tenant.pk, line_at=9, text="y").full_clean()
    assert [(fault.path, fault.code) for fault in caught.value.faults] == [(("line",), "invalid")]


def test_an_unsaved_target_is_refused(lines: list[Line]) -> None:
    with pytest.raises(QueryError) as caught:
        Line(at=7, order=Order(number=3)).save()

    assert caught.value.code == "data/unsaved"


def test_the_columns_are_the_databases(lines: list[Line], tables: db.Database) -> None:
    with tables.connection() as connection:
        keys: list[Any] = sa.inspect(connection).get_foreign_keys("line")

    found = {tuple(each["constrained_columns"]): tuple(each["referred_columns"]) for each in keys}
    assert found[("tenant_id", "order_number")] == ("tenant_id", "number")


# The key of a row stays what it is


def test_a_row_of_another_tenant_is_refused(lines: list[Line]) -> None:
    other = Order.objects.get(tenant=lines[1].tenant, number=2)

    with pytest.raises(QueryError, match="is of the key of Line too") as caught:
        lines[0].order = other

    assert caught.value.code == "data/relation-value"
    assert Line.objects.get(pk=lines[0].pk).order.number == 1


def test_an_update_leaves_rows_of_other_tenants_alone(lines: list[Line]) -> None:
    order = Order.objects.get(tenant=lines[1].tenant, number=2)

    assert Line.objects.update(copied=order) == 1
    assert list(Line.objects.filter(copied=order)) == [lines[1]]
    assert Line.objects.get(pk=lines[0].pk).copied is None


def test_half_of_what_is_shared_is_refused(tables: db.Database) -> None:
    with pytest.raises(QueryError, match="half a reference: tenant_id is None"):
        Remark(line_at=5, text="lost").save()
