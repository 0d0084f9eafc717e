"""A default that the database itself sets when a target goes."""

from __future__ import annotations

import pytest

from segue import db


class Shelf(db.Model):
    name = db.CharField(max_length=10, primary_key=True)


class Leaf(db.Model):
    shelf = db.ForeignKey(Shelf, on_delete=db.DB_SET_DEFAULT, db_default="spare", null=True)


def test_the_database_sets_a_default_where_it_can(database: db.Database) -> None:
    if database.vendor == "mysql":
        pytest.skip("InnoDB refuses ON DELETE SET DEFAULT")
    database.create_all(Shelf, Leaf)
    Shelf.objects.create(name="spare")
    shelf = Shelf.objects.create(name="old")
    Leaf.objects.create(shelf=shelf)

    assert shelf.delete() == (1, {"Shelf": 1})
    assert Leaf.objects.get().shelf_id == "spare"
