"""DATA-51: tables and classes of SQLAlchemy, asked as models."""

from __future__ import annotations

from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlalchemy import orm

from segue import db
from segue.db.adopting import adopt
from segue.db.database import Database
from segue.db.errors import ModelError


class Base(orm.DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user_account"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str] = orm.mapped_column(sa.String(30))
    fullname: orm.Mapped[str | None] = orm.mapped_column(sa.String(50))
    joined: orm.Mapped[datetime] = orm.mapped_column(sa.DateTime, default=lambda: datetime(2026, 1, 2, 3, 4, 5))
    addresses: orm.Mapped[list[Address]] = orm.relationship(back_populates="user", cascade="all, delete-orphan")


class Address(Base):
    __tablename__ = "address"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    email_address: orm.Mapped[str] = orm.mapped_column(sa.String(100))
    user_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("user_account.id"))
    user: orm.Mapped[User] = orm.relationship(back_populates="addresses")


MODELS = adopt(Base)


@pytest.fixture
def filled(database: Database) -> Database:
    """The tables of SQLAlchemy's tutorial with its first rows."""
    with database.connection() as connection:
        Base.metadata.create_all(connection)
        connection.commit()
    spongebob = MODELS.User.objects.create(name="spongebob", fullname="Spongebob Squarepants")
    sandy = MODELS.User.objects.create(name="sandy", fullname="Sandy Cheeks")
    MODELS.User.objects.create(name="patrick")
    MODELS.Address.objects.create(email_address="spongebob@sqlalchemy.org", user=spongebob)
    MODELS.Address.objects.create(email_address="sandy@sqlalchemy.org", user=sandy)
    MODELS.Address.objects.create(email_address="sandy@squirrelpower.org", user=sandy)
    return database


def test_the_classes_of_sqlalchemy_stay_as_they_are() -> None:
    assert sorted(MODELS) == ["Address", "User"]
    assert MODELS.User.table is User.__table__
    assert not hasattr(User, "objects")


def test_adopted_models_are_asked_as_any_other(filled: Database) -> None:
    found = MODELS.User.objects.filter(name__in=["spongebob", "sandy"]).order_by("name")

    assert [user.fullname for user in found] == ["Sandy Cheeks", "Spongebob Squarepants"]


def test_references_are_relations(filled: Database) -> None:
    sandy = MODELS.User.objects.get(name="sandy")

    assert sorted(each.email_address for each in sandy.address_set.all()) == [
        "sandy@sqlalchemy.org",
        "sandy@squirrelpower.org",
    ]
    assert MODELS.Address.objects.select_related("user").get(user__name="spongebob").user.name == "spongebob"


def test_defaults_of_sqlalchemy_are_taken(filled: Database) -> None:
    assert MODELS.User.objects.get(name="patrick").joined == datetime(2026, 1, 2, 3, 4, 5)


def test_rows_are_counted_by_group(filled: Database) -> None:
    found = MODELS.User.objects.annotate(count=db.Count("address")).order_by("name")

    assert [(user.name, user.count) for user in found] == [("patrick", 0), ("sandy", 2), ("spongebob", 1)]


def test_rows_are_changed_and_deleted(filled: Database) -> None:
    patrick = MODELS.User.objects.get(name="patrick")
    patrick.fullname = "Patrick Star"
    patrick.save()

    assert MODELS.User.objects.filter(fullname="Patrick Star").delete()[0] == 1


async def test_adopted_models_have_both_colours(filled: Database) -> None:
    assert await MODELS.User.objects.filter(name="sandy").acount() == 1


def test_what_segue_writes_sqlalchemys_core_reads(filled: Database) -> None:
    rows = filled.execute(sa.select(User.__table__.c.name).order_by(User.__table__.c.id)).scalars()

    assert list(rows) == ["spongebob", "sandy", "patrick"]


def test_bare_tables_are_called_like_classes(database: Database) -> None:
    metadata = sa.MetaData()
    sa.Table("jazz_record", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("title", sa.String(50)))
    models = adopt(metadata)
    with database.connection() as connection:
        metadata.create_all(connection)
        connection.commit()

    models.JazzRecord.objects.create(title="Newport")

    assert models.JazzRecord.objects.values_list("title", flat=True)[0] == "Newport"


def test_a_key_of_several_columns_is_a_composite_key(database: Database) -> None:
    metadata = sa.MetaData()
    sa.Table(
        "seat",
        metadata,
        sa.Column("row", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("guest", sa.String(50)),
    )
    seat = adopt(metadata).Seat
    with database.connection() as connection:
        metadata.create_all(connection)
        connection.commit()

    seat.objects.create(row=1, number=2, guest="Nina")

    assert seat.objects.get(pk=(1, 2)).guest == "Nina"


def test_nothing_to_adopt_is_an_error() -> None:
    with pytest.raises(ModelError, match="data/adopt"):
        adopt(sa.MetaData())
