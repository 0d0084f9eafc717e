"""Flask with Flask-SQLAlchemy and Flask-Login, with Flask-Session's table and with Flask's own cookie."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Flask, render_template, session
from flask_login import LoginManager, UserMixin, current_user, login_user
from flask_session import Session
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import ForeignKey, String, select
from sqlalchemy.orm import DeclarativeBase, Mapped, joinedload, mapped_column, relationship

from .content import ARTISTS, FIRST_YEAR, MEMBER, PASSWORD, RECORDS, ROWS, SHELF, TEMPLATES
from .contestant import Contestant

__all__ = ["contestants"]


def _models(database: Any) -> tuple[Any, Any, Any]:
    class Member(UserMixin, database.Model):  # type: ignore[misc, name-defined]  # a base made at run time
        id: Mapped[int] = mapped_column(primary_key=True)
        username: Mapped[str] = mapped_column(String(150), unique=True)

    class Artist(database.Model):  # type: ignore[misc, name-defined]  # a base made at run time
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str] = mapped_column(String(100))

    class Record(database.Model):  # type: ignore[misc, name-defined]  # a base made at run time
        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str] = mapped_column(String(200))
        year: Mapped[int]
        artist_id: Mapped[int] = mapped_column(ForeignKey(Artist.id), index=True)
        artist: Mapped[Any] = relationship(Artist)

    return Member, Artist, Record


def _app(url: str, *, is_on_server: bool) -> Flask:
    class Base(DeclarativeBase):
        pass

    database = SQLAlchemy(model_class=Base)
    app = Flask(__name__, template_folder=str(TEMPLATES), static_folder=None)
    app.config.update(SECRET_KEY=PASSWORD, SQLALCHEMY_DATABASE_URI=url)
    database.init_app(app)
    if is_on_server:
        # By default each request writes its session anew, which would flatter us.
        app.config.update(SESSION_TYPE="sqlalchemy", SESSION_SQLALCHEMY=database, SESSION_REFRESH_EACH_REQUEST=False)
        Session(app)
    login = LoginManager(app)
    models = _models(database)
    member, _, record = models

    @login.user_loader  # type: ignore[untyped-decorator]  # it ships no types
    def load(key: str) -> Any:
        return database.session.get(member, int(key))

    @app.get("/enter")
    def enter() -> str:
        login_user(database.session.execute(select(member).filter_by(username=MEMBER)).scalar_one())
        session["shelf"] = SHELF
        return "entered"

    @app.get("/records")
    def records() -> str:
        wanted = select(record).options(joinedload(record.artist)).where(record.year >= FIRST_YEAR)
        found = database.session.execute(wanted.order_by(record.id).limit(ROWS)).scalars()
        return render_template("records.html", records=found, user=current_user, shelf=session["shelf"])

    with app.app_context():
        _fill(database, *models)
    return app


def _fill(database: Any, member: Any, artist: Any, record: Any) -> None:
    database.create_all()
    if database.session.execute(select(member)).first() is not None:
        return
    artists = [artist(name=name) for name in ARTISTS]
    records = [record(title=title, year=year, artist=artists[place]) for title, year, place in RECORDS]
    database.session.add_all([member(username=MEMBER), *artists])
    database.session.flush()
    for each in records:  # one after the other, so that their keys are in order
        database.session.add(each)
        database.session.flush()
    database.session.commit()


def contestants(vendor: str, url: str) -> Iterator[Contestant]:
    """Yield Flask with sessions in the database, then in the cookie."""
    address = f"sqlite:///{url}" if vendor == "sqlite" else url.replace("postgresql:", "postgresql+psycopg:", 1)
    for suffix, is_on_server in (("", True), (", cookie session", False)):
        app = _app(address, is_on_server=is_on_server)
        cookie = app.test_client().get("/enter").headers["Set-Cookie"].partition(";")[0]
        yield Contestant(f"flask{suffix}", "wsgi", app, cookie)
