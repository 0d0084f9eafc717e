"""`segue dbshell`: the database's own client."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

import click

from ...errors import SetupError
from ..group import invocation_of
from ..migrating import database_option, home_of

if TYPE_CHECKING:
    from ...db.urls import DatabaseURL

__all__ = ["call_of", "command"]


@click.command("dbshell", context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@database_option
@click.pass_context
def command(ctx: click.Context, *, arguments: tuple[str, ...], database: str | None) -> None:
    """Open psql, mariadb or sqlite3 on the app's database; ARGUMENTS are handed on.

    The password goes by the environment: the list of processes shows command lines.
    """
    home = home_of(invocation_of(ctx).app(), database)
    line, environment = call_of(home.database.url)
    program = shutil.which(line[0]) or (shutil.which("mysql") if line[0] == "mariadb" else None)
    if program is None:
        raise SetupError(
            f"{line[0]} is not installed.", code="cli/no-client", hint=f"Install the client of {home.database.vendor}."
        )
    sys.stdout.flush()
    os.execve(program, [program, *line[1:], *arguments], {**os.environ, **environment})


def call_of(url: DatabaseURL) -> tuple[list[str], dict[str, str]]:
    """Return the command line that opens a client, and what its environment needs."""
    if url.vendor == "sqlite":
        return ["sqlite3", url.database], {}
    if url.vendor == "postgresql":
        given = {"PGHOST": url.host, "PGPORT": str(url.port or ""), "PGUSER": url.user, "PGPASSWORD": url.password}
        for option in ("sslmode", "sslrootcert", "sslcert", "sslkey", "passfile", "service", "options"):
            given[f"PG{option.upper()}"] = str(url.options.get(option, ""))
        return ["psql", *([url.database] if url.database else [])], {
            name: value for name, value in given.items() if value
        }
    line = ["mariadb"]
    for option, value in (
        ("host", url.host),
        ("port", url.port),
        ("user", url.user),
        ("socket", url.options.get("unix_socket")),
    ):
        if value:
            line.append(f"--{option}={value}")
    for option in ("ssl_ca", "ssl_cert", "ssl_key"):
        if option in url.options:
            line.append(f"--{option.replace('_', '-')}={url.options[option]}")
    return [*line, url.database], {"MYSQL_PWD": url.password} if url.password else {}
