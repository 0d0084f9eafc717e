"""What fields are on the class, and what is made of them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, assert_type

import sqlalchemy as sa

from segue import db
from segue.db.columns import Column
from segue.db.expressions.base import Combined, OrderBy

from .models import Musician, Record, Tag

assert_type(Record.title, Column[str])
assert_type(Record.notes, Column[str | None])
assert_type(Record.year, Column[int])
assert_type(Record.plays, Column[int | None])
assert_type(Record.price, Column[Decimal])
assert_type(Record.recorded, Column[date | None])
assert_type(Record.is_public, Column[bool])
assert_type(Tag.word, Column[str])
assert_type(Record.leader.name, Column[Any])
assert_type(Record.leader.mentor.name, Column[Any])
assert_type(Record.extra["a"], Column[Any])

assert_type(Record.year == 1956, db.Q)
assert_type(Record.year != 1956, db.Q)
assert_type(Record.year >= 1935, db.Q)
assert_type(Record.year < 1935, db.Q)
assert_type(Record.notes == None, db.Q)  # noqa: E711
assert_type(Record.title.startswith("A"), db.Q)
assert_type(Record.title.in_(["A"]), db.Q)
assert_type(Record.year.between(1, 2), db.Q)
assert_type(Record.notes.is_null(), db.Q)
assert_type((Record.year > 3) & (Record.title == "x"), db.Q)
assert_type((Record.year > 3) | db.Q(title="x"), db.Q)
assert_type(~(Record.year > 3), db.Q)
assert_type(Record.year.desc(), OrderBy)
assert_type(Record.year + 1, Combined)
assert_type(db.F("year") * 2, Combined)
assert_type(Record.table, sa.Table)
assert_type(Record.DoesNotExist, type[db.DoesNotExist])
assert_type(Musician.DoesNotExist, type[db.DoesNotExist])
assert_type(db.Count("tags"), db.Count)
assert_type(db.Exists(Record.objects.all()), db.Exists)
assert_type(~db.Exists(Record.objects.all()), db.Exists)
assert_type(db.Q(year=3) ^ db.Q(year=4), db.Q)
