"""Django as `startproject` sets it up: all its middleware, sessions in the database, its own users."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from .content import ARTISTS, FIRST_YEAR, MEMBER, PASSWORD, RECORDS, ROWS, SHELF, TEMPLATES
from .contestant import Contestant

__all__ = ["contestants"]

_MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
_PROCESSORS = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
]


class _Routes:
    """What Django takes as a module of URLs."""

    urlpatterns: list[Any] = []  # noqa: RUF012  # filled once the models are there


def _configure(vendor: str, url: str) -> None:
    import django
    from django.conf import settings

    parts = urlsplit(url)
    database: dict[str, Any] = {"ENGINE": "django.db.backends.sqlite3", "NAME": url}
    if vendor != "sqlite":
        server = {"NAME": parts.path[1:], "USER": parts.username, "HOST": parts.hostname, "PORT": parts.port}
        database = {"ENGINE": "django.db.backends.postgresql", **server}
    settings.configure(
        SECRET_KEY=PASSWORD,
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF=_Routes,
        # By default each request opens the database anew, which would flatter us.
        DATABASES={"default": {**database, "CONN_MAX_AGE": None}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        MIDDLEWARE=_MIDDLEWARE,
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "DIRS": [TEMPLATES],
                "OPTIONS": {"context_processors": _PROCESSORS},
            }
        ],
        USE_TZ=True,
        LOGGING_CONFIG=None,
    )
    django.setup()


def _models() -> tuple[Any, Any]:
    from django.db import models

    class Artist(models.Model):
        name = models.CharField(max_length=100)

        class Meta:
            app_label = "bench"

    class Record(models.Model):
        title = models.CharField(max_length=200)
        year = models.IntegerField()
        artist = models.ForeignKey(Artist, on_delete=models.CASCADE, related_name="records")

        class Meta:
            app_label = "bench"

    return Artist, Record


def _route(record: Any) -> None:
    from django.shortcuts import render
    from django.urls import path

    def rows() -> Any:
        return record.objects.select_related("artist").filter(year__gte=FIRST_YEAR).order_by("id")[:ROWS]

    def records(request: Any) -> Any:
        return render(request, "records.html", {"records": rows(), "shelf": request.session["shelf"]})

    async def arecords(request: Any) -> Any:
        user = await request.auser()
        shelf = await request.session.aget("shelf")
        found = [each async for each in rows()]
        return render(request, "records.html", {"records": found, "shelf": shelf, "user": user})

    _Routes.urlpatterns[:] = [path("records", records), path("arecords", arecords)]


def _fill(artist: Any, record: Any) -> str:
    """Make and fill the tables, log somebody in, and return the cookie."""
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    call_command("migrate", verbosity=0)
    with connection.schema_editor() as editor:
        editor.create_model(artist)
        editor.create_model(record)
    artists = [artist.objects.create(name=name) for name in ARTISTS]
    for title, year, place in RECORDS:
        record.objects.create(title=title, year=year, artist=artists[place])
    client = Client()
    client.force_login(get_user_model().objects.create_user(MEMBER, password=PASSWORD))
    session = client.session
    session["shelf"] = SHELF
    session.save()
    return f"sessionid={session.session_key}"


def contestants(vendor: str, url: str) -> Iterator[Contestant]:
    """Yield Django by WSGI and, with an `async def` view, by ASGI."""
    _configure(vendor, url)
    artist, record = _models()
    _route(record)
    cookie = _fill(artist, record)
    from django.core.asgi import get_asgi_application
    from django.core.wsgi import get_wsgi_application

    yield Contestant("django", "wsgi", get_wsgi_application(), cookie)
    yield Contestant("django async", "asgi", get_asgi_application(), cookie, "/arecords")
