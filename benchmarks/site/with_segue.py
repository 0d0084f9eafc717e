"""Segue, with everything on that is on by default; `def` and `async def` handlers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from segue import App, Request, Session, db, render_template
from segue.auth import AbstractUser, Auth, login

from .content import ARTISTS, FIRST_YEAR, MEMBER, PASSWORD, RECORDS, ROWS, SHELF, TEMPLATES
from .contestant import Contestant

__all__ = ["contestants"]


class Member(AbstractUser):
    """Logs in by a name, as Django's users do."""

    USERNAME_FIELD = "username"
    username = db.CharField(max_length=150, unique=True)


class Artist(db.Model):
    name = db.CharField(max_length=100)


class Record(db.Model):
    title = db.CharField(max_length=200)
    year = db.IntegerField()
    artist: Any = db.ForeignKey(Artist, on_delete=db.CASCADE, related_name="records")


def _rows() -> Any:
    return Record.objects.select_related("artist").filter(year__gte=FIRST_YEAR).order_by("id")[:ROWS]


def _app(url: str, store: str) -> App:
    config = {"SECRET_KEY": "5e1a0c9de4f2c0d7c1b4e14c3f9a3b7d", "ALLOWED_HOSTS": ["127.0.0.1"], "SESSION_STORE": store}
    app = App(__name__, database=url, config=config, template_folder=str(TEMPLATES), static_folder=None)

    app.register(Auth(user=Member, pages=False))

    @app.get("/enter")
    def enter(request: Request, session: Session) -> str:
        login(request, Member.objects.get(username=MEMBER))
        session["shelf"] = SHELF
        return "entered"

    @app.get("/records")
    def records(session: Session, user: Member) -> str:
        return render_template("records.html", records=_rows(), user=user, shelf=session["shelf"])

    @app.get("/arecords")
    async def arecords(session: Session, user: Member) -> str:
        return render_template("records.html", records=await _rows(), user=user, shelf=session["shelf"])

    return app


def _fill(app: App) -> None:
    with app.context():
        app.db.create_all()
        if Member.objects.exists():
            return
        Member.objects.create_user(MEMBER, password=PASSWORD)
        artists = [Artist(name=name) for name in ARTISTS]
        for artist in artists:
            artist.save()
        for title, year, place in RECORDS:
            Record(title=title, year=year, artist=artists[place]).save()


def contestants(vendor: str, url: str) -> Iterator[Contestant]:
    """Yield Segue with sessions in the database, then in the cookie, each in both colours."""
    for store in ("database", "cookie"):
        app = _app(f"sqlite:///{url}" if vendor == "sqlite" else url, store)
        _fill(app)
        with app.test_client(base_url="https://127.0.0.1") as client:
            cookie = client.get("/enter").headers["set-cookie"].partition(";")[0]
        suffix = "" if store == "database" else ", cookie session"
        yield Contestant(f"segue{suffix}", "wsgi", app.wsgi, cookie)
        yield Contestant(f"segue async{suffix}", "asgi", app, cookie, "/arecords")
