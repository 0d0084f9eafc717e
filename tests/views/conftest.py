"""A site of class-based views: templates in a folder of the test, models in a database of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from views_models import MODELS, Member, Record

from segue import App

Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a template: `write("member_detail.html", "…")`."""

    def make(name: str, text: str) -> None:
        path = tmp_path / "templates" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    return make


@pytest.fixture
def app(tmp_path: Path) -> App:
    """An app with those templates and an empty database."""
    return App(
        "tests_views",
        database=f"sqlite:///{tmp_path}/club.db",
        models=MODELS,
        static_folder=None,
        template_folder=str(tmp_path / "templates"),
    )


@pytest.fixture
def stored(app: App) -> App:
    """The same app with bob and ann, and three records of bob's."""
    app.db.create_all()
    bob = Member(username="bob", name="Bob")
    bob.save(using=app.db)
    Member(username="ann", name="Ann").save(using=app.db)
    titles = {"Indigos": 1958, "Duets": 1962, "Live": 1962}
    Record.objects.using(app.db).bulk_create(
        [Record(title=title, leader=bob, year=year) for title, year in titles.items()]
    )
    return app
