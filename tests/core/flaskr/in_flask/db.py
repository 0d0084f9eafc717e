"""The database: one connection for each request that needs one."""

import sqlite3
from datetime import datetime

import click
from flask import current_app, g
from flask.cli import with_appcontext

sqlite3.register_converter("timestamp", lambda text: datetime.fromisoformat(text.decode()))


def get_db():
    """Return the connection of this request, opened at its first use."""
    if "db" not in g:
        g.db = sqlite3.connect(
            current_app.config["DATABASE"],
            detect_types=sqlite3.PARSE_DECLTYPES,
        )
        g.db.row_factory = sqlite3.Row

    return g.db


def close_db(error=None):
    """Close the connection, if one was opened."""
    db = g.pop("db", None)

    if db is not None:
        db.close()


def init_db():
    """Make empty tables; what was there is lost."""
    db = get_db()

    with current_app.open_resource("schema.sql") as file:
        db.executescript(file.read().decode("utf-8"))


@click.command("init-db")
@with_appcontext
def init_db_command():
    """Make empty tables; what was there is lost."""
    init_db()
    click.echo("The database is ready.")


def init_app(app):
    """Let the application close connections, and make tables by command."""
    app.teardown_appcontext(close_db)
    app.cli.add_command(init_db_command)
