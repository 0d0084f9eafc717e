"""DATA-51: the quickstart of Flask-SQLAlchemy, ported line by line.

Its classes stay as they are, on SQLAlchemy's own base; its queries are asked of the adopted models.
docs/how-to/from-sqlalchemy.md has each line beside its port.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import orm

from segue import App, Request, db, html, redirect, render_template_string, url_for
from segue.db.database import Database
from segue.testing import Client


class Base(orm.DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user"

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    username: orm.Mapped[str] = orm.mapped_column(sa.String(80), unique=True)
    email: orm.Mapped[str | None] = orm.mapped_column(sa.String(120))


MODELS = db.adopt(Base)
Users: Any = MODELS.User

LIST = "{% for user in users %}{{ user.username }} at {{ url_for('user_detail', id=user.id) }}\n{% endfor %}"
DETAIL = "{{ user.username }} <{{ user.email }}>"


@pytest.fixture
def app(database: Database, database_url: str) -> Iterator[App]:
    """The pages of the quickstart, in the order that it shows them."""
    app = App("tests_quickstart", database=database_url, models=list(MODELS.values()), static_folder=None)
    with app.db.connection() as connection:
        Base.metadata.create_all(connection)
        connection.commit()

    @app.route("/users")
    def user_list() -> str:
        users = Users.objects.order_by("username")
        return render_template_string(LIST, users=users)

    @app.route("/users/create", methods=["GET", "POST"])
    def user_create(request: Request) -> Any:
        if request.method == "POST":
            user = Users(username=request.form["username"], email=request.form["email"])
            user.save()
            return redirect(url_for("user_detail", id=user.id))
        return "<form method=post>"

    @app.route("/user/<int:id>")
    def user_detail(id: int) -> str:
        user = db.get_object_or_404(Users, pk=id)
        return render_template_string(DETAIL, user=user)

    @app.route("/user/<int:id>/delete", methods=["GET", "POST"])
    def user_delete(request: Request, id: int) -> Any:
        user = db.get_object_or_404(Users, pk=id)
        if request.method == "POST":
            user.delete()
            return redirect(url_for("user_list"))
        return "<form method=post>"

    @app.route("/user-by-username/<username>")
    def user_by_username(username: str) -> str:
        user = Users.objects.get(username=username)
        return render_template_string(DETAIL, user=user)

    yield app
    app.own_databases().close()


@pytest.fixture
def browser(app: App) -> Any:
    """A visitor, after two users were made."""
    visitor = Client(app, raise_errors=False)
    for name in ("nina", "ella"):
        visitor.post("/users/create", data={"username": name, "email": f"{name}@example.com"})
    return visitor


def test_users_are_listed_in_order(browser: Any) -> None:
    assert browser.get("/users").text.split("\n") == ["ella at /user/2", "nina at /user/1", ""]


def test_a_user_is_made_and_shown(browser: Any) -> None:
    made = browser.post("/users/create", data={"username": "etta", "email": ""})

    assert (made.status_code, made.location) == (302, "/user/3")
    assert browser.get("/user/1").text == html("nina <{}>", "nina@example.com").text


def test_a_user_is_deleted(browser: Any) -> None:
    gone = browser.post("/user/1/delete")

    assert gone.location == "/users"
    assert browser.get("/users").text == "ella at /user/2\n"


def test_a_user_is_found_by_name(browser: Any) -> None:
    assert "ella@example.com" in browser.get("/user-by-username/ella").text


@pytest.mark.parametrize("path", ["/user/9", "/user/9/delete", "/user-by-username/nobody"])
def test_who_is_not_there_is_404(browser: Any, path: str) -> None:
    assert browser.get(path).status_code == 404


def test_a_name_that_is_taken_is_a_conflict(browser: Any) -> None:
    answer = browser.post("/users/create", data={"username": "nina", "email": ""})

    assert answer.status_code == 409
    assert browser.get("/users").text.count("nina") == 1


def test_the_class_is_still_sqlalchemys(browser: Any, database: Database) -> None:
    statement = sa.select(User.username).order_by(User.username)

    assert database.execute(statement).scalars() == ["ella", "nina"]
