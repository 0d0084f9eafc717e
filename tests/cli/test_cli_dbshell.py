"""CORE-85: the client of a database, opened on an app's."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from segue.cli.commands.dbshell import call_of
from segue.db.urls import parse_url

Project = Callable[..., Path]
Command = Callable[..., Result]
Dbshell = Callable[..., "subprocess.CompletedProcess[str]"]

# A program in the place of a client: it tells how it was called.
CLIENT = """#!/bin/sh
echo "$@"
echo "$PGPASSWORD$MYSQL_PWD"
"""
# Read now: before a test everything of Segue is taken out of the environment.
MISSING_IS_FAILURE = os.environ.get("SEGUE_TEST_ALL") == "1"
POSTGRESQL = os.environ.get("SEGUE_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432")
MYSQL = os.environ.get("SEGUE_TEST_MYSQL", "mysql://root@127.0.0.1:3306")


def demand(url: str) -> None:
    """Skip where the server of an address does not answer; with SEGUE_TEST_ALL fail."""
    server = parse_url(url)
    try:
        if server.host:
            socket.create_connection((server.host, server.port), timeout=3).close()
    except OSError as error:
        (pytest.fail if MISSING_IS_FAILURE else pytest.skip)(f"needs {server}: {error}")


@pytest.fixture
def dbshell(project: Project) -> Dbshell:
    """Run `segue dbshell` for a database, in a process that becomes the client."""

    def run(url: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        folder = project(app="from segue import App\napp = App(__name__)\n")
        return subprocess.run(
            [sys.executable, "-m", "segue", "dbshell", *arguments],
            cwd=folder,
            env={**os.environ, "DATABASE_URL": url, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    ("url", "arguments", "found"),
    [
        pytest.param("sqlite:///club.db", ["select 6 * 7"], "42", marks=pytest.mark.needs("sqlite3")),
        pytest.param(
            f"{POSTGRESQL}/postgres", ["-Atc", "select current_database()"], "postgres", marks=pytest.mark.needs("psql")
        ),
        pytest.param(f"{MYSQL}/mysql", ["-Ne", "select database()"], "mysql", marks=pytest.mark.needs("mariadb")),
    ],
    ids=["sqlite", "postgresql", "mysql"],
)
def test_the_client_of_each_database_asks_the_apps(
    dbshell: Dbshell, url: str, arguments: list[str], found: str
) -> None:
    demand(url)

    done = dbshell(url, *arguments)

    assert (done.returncode, done.stdout.strip()) == (0, found), done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("url", "client"),
    [("postgresql://me:hunter2@db.example.org/club", "psql"), ("mysql://me:hunter2@db.example.org/club", "mariadb")],
)
def test_the_password_reaches_the_client_by_the_environment_alone(
    dbshell: Dbshell, tmp_path: Path, url: str, client: str
) -> None:
    program = tmp_path / "bin" / client
    program.parent.mkdir()
    program.write_text(CLIENT)
    program.chmod(0o755)

    arguments, password = dbshell(url, "--quiet", PATH=f"{program.parent}:/bin").stdout.splitlines()

    assert "hunter2" not in arguments
    assert (arguments.split()[-2:], password) == (["club", "--quiet"], "hunter2")


@pytest.mark.slow
def test_a_client_that_is_not_installed_is_named(dbshell: Dbshell, tmp_path: Path) -> None:
    done = dbshell("sqlite:///club.db", PATH=str(tmp_path))

    assert done.returncode == 1
    assert "[cli/no-client] sqlite3 is not installed" in done.stderr
    assert "Install the client of sqlite" in done.stderr


def test_an_app_without_a_database_is_told_so(project: Project, command: Command) -> None:
    project(app="from segue import App\napp = App(__name__)\n")

    assert "data/no-database" in command("dbshell").output


@pytest.mark.parametrize(
    ("url", "line", "environment"),
    [
        ("sqlite:////x/club.db", ["sqlite3", "/x/club.db"], {}),
        (
            "postgresql://me:secret@db.example.org:5433/club?sslmode=require&passfile=/x/pass",
            ["psql", "club"],
            {
                "PGHOST": "db.example.org", "PGPORT": "5433", "PGUSER": "me", "PGPASSWORD": "secret",
                "PGSSLMODE": "require", "PGPASSFILE": "/x/pass",
            },
        ),
        (
            "mysql://me:secret@db.example.org/club?ssl_ca=/x/ca.pem",
            ["mariadb", "--host=db.example.org", "--user=me", "--ssl-ca=/x/ca.pem", "club"],
            {"MYSQL_PWD": "secret"},
        ),
    ],
)  # fmt: skip
def test_an_address_becomes_a_command_line_without_its_password(
    url: str, line: list[str], environment: dict[str, str]
) -> None:
    assert call_of(parse_url(url)) == (line, environment)
