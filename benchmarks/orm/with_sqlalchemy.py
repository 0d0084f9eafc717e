"""SQLAlchemy: Core, and the ORM."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from .data import BULK


class Base(orm.DeclarativeBase):
    pass


class Artist(Base):
    __tablename__ = "bench_artist"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str]
    country: orm.Mapped[str]
    records: orm.Mapped[list[Record]] = orm.relationship(back_populates="artist")


class Record(Base):
    __tablename__ = "bench_record"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    title: orm.Mapped[str]
    year: orm.Mapped[int]
    price: orm.Mapped[float]
    artist_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("bench_artist.id"))
    artist: orm.Mapped[Artist] = orm.relationship(back_populates="records")


class Note(Base):
    __tablename__ = "bench_note"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    text: orm.Mapped[str]
    count: orm.Mapped[int]


def _engine(vendor: str, url: str) -> sa.Engine:
    return sa.create_engine(
        f"sqlite:///{url}" if vendor == "sqlite" else url.replace("postgresql:", "postgresql+psycopg:")
    )


class Core:
    """SQLAlchemy Core, with its own cache of compiled statements."""

    name = "sqlalchemy core"
    is_async = False

    def __init__(self, vendor: str, url: str) -> None:
        self.engine = _engine(vendor, url)
        self.artist, self.record, self.note = Artist.__table__, Record.__table__, Note.__table__

    def _all(self, statement: Any) -> Any:
        with self.engine.connect() as connection:
            return connection.execute(statement).all()

    def get(self) -> str:
        return self._all(sa.select(self.record).where(self.record.c.id == 42))[0].title  # type: ignore[no-any-return]

    def filtered(self) -> int:
        c = self.record.c
        return len(self._all(sa.select(self.record).where(c.artist_id == 3, c.id > 100).order_by(c.id).limit(20)))

    def thousand(self) -> int:
        return len(self._all(sa.select(self.record).order_by(self.record.c.id).limit(1000)))

    def values(self) -> int:
        with self.engine.connect() as connection:
            statement = sa.select(self.record.c.title).order_by(self.record.c.id).limit(1000)
            return len(connection.execute(statement).scalars().all())

    def joined(self) -> int:
        statement = (
            sa.select(self.record, self.artist)
            .join_from(self.record, self.artist)
            .where(self.record.c.year > 1950)
            .order_by(self.record.c.id)
            .limit(20)
        )
        return len(self._all(statement))

    def _prefetched(self, low: int, high: int) -> int:
        artists = self._all(
            sa.select(self.artist).where(self.artist.c.id.between(low, high)).order_by(self.artist.c.id)
        )
        rows = self._all(sa.select(self.record).where(self.record.c.artist_id.in_([row.id for row in artists])))
        by_artist: dict[int, list[Any]] = {}
        for row in rows:
            by_artist.setdefault(row.artist_id, []).append(row)
        return sum(len(by_artist[row.id]) for row in artists)

    def prefetch_few(self) -> int:
        return self._prefetched(1, 20)

    def prefetch_many(self) -> int:
        return self._prefetched(21, 120)

    def insert(self) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.insert(self.note).values(text="a note", count=5))

    def bulk(self) -> int:
        with self.engine.begin() as connection:
            connection.execute(sa.insert(self.note), [{"text": f"note {n}", "count": n} for n in range(BULK)])
        return BULK

    def update(self) -> int:
        with self.engine.begin() as connection:
            statement = sa.update(self.note).where(self.note.c.id == 1).values(text="changed", count=6)
            return connection.execute(statement).rowcount

    def count(self) -> int:
        return self._all(sa.select(sa.func.count()).select_from(self.record).where(self.record.c.id <= 1000))[0][0]  # type: ignore[no-any-return]

    def grouped(self) -> int:
        c = self.record.c
        return len(self._all(sa.select(c.artist_id, sa.func.count(c.id), sa.func.max(c.year)).group_by(c.artist_id)))


class ORM:
    """SQLAlchemy's ORM, a session for each question, as a request has one."""

    name = "sqlalchemy orm"
    is_async = False

    def __init__(self, vendor: str, url: str) -> None:
        self.session = orm.sessionmaker(_engine(vendor, url))

    def get(self) -> str:
        with self.session() as session:
            found = session.get(Record, 42)
            assert found is not None
            return found.title

    def filtered(self) -> int:
        statement = sa.select(Record).where(Record.artist_id == 3, Record.id > 100).order_by(Record.id).limit(20)
        with self.session() as session:
            return len(session.scalars(statement).all())

    def thousand(self) -> int:
        with self.session() as session:
            return len(session.scalars(sa.select(Record).order_by(Record.id).limit(1000)).all())

    def values(self) -> int:
        with self.session() as session:
            return len(session.scalars(sa.select(Record.title).order_by(Record.id).limit(1000)).all())

    def joined(self) -> int:
        statement = (
            sa.select(Record)
            .options(orm.joinedload(Record.artist, innerjoin=True))
            .where(Record.year > 1950)
            .order_by(Record.id)
            .limit(20)
        )
        with self.session() as session:
            return len([row.artist.name for row in session.scalars(statement)])

    def _prefetched(self, low: int, high: int) -> int:
        statement = (
            sa.select(Artist)
            .options(orm.selectinload(Artist.records))
            .where(Artist.id.between(low, high))
            .order_by(Artist.id)
        )
        with self.session() as session:
            return sum(len(artist.records) for artist in session.scalars(statement))

    def prefetch_few(self) -> int:
        return self._prefetched(1, 20)

    def prefetch_many(self) -> int:
        return self._prefetched(21, 120)

    def insert(self) -> None:
        with self.session.begin() as session:
            session.add(Note(text="a note", count=5))

    def bulk(self) -> int:
        with self.session.begin() as session:
            session.add_all([Note(text=f"note {n}", count=n) for n in range(BULK)])
        return BULK

    def update(self) -> int:
        with self.session.begin() as session:
            note = session.get(Note, 1)
            assert note is not None
            note.text, note.count = "changed", note.count + 1
        return 1

    def count(self) -> int:
        with self.session() as session:
            statement = sa.select(sa.func.count()).select_from(Record).where(Record.id <= 1000)
            return session.scalar(statement) or 0

    def grouped(self) -> int:
        statement = sa.select(Record.artist_id, sa.func.count(Record.id), sa.func.max(Record.year))
        with self.session() as session:
            return len(session.execute(statement.group_by(Record.artist_id)).all())
