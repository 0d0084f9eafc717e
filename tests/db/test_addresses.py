"""Addresses of databases: every usual spelling, and what is said to the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from segue.db.urls import MEMORY, DatabaseURL, parse_url
from segue.errors import SetupError


@pytest.mark.parametrize(
    "address",
    ["sqlite://", "sqlite:///", "sqlite://:memory:", "sqlite:///:memory:", "sqlite3://:memory:", "SQLite://:memory:"],
)
def test_sqlite_in_memory_has_several_spellings(address: str) -> None:
    url = parse_url(address)

    assert (url.vendor, url.database, url.is_memory) == ("sqlite", MEMORY, True)


def test_a_path_of_sqlite_is_relative_to_the_root(tmp_path: Path) -> None:
    assert parse_url("sqlite:///data/club.db", root=tmp_path).database == str(tmp_path / "data" / "club.db")


def test_a_path_of_sqlite_is_else_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert parse_url("sqlite:///club.db").database == str(Path.cwd() / "club.db")


def test_a_fourth_slash_begins_a_path_from_the_root(tmp_path: Path) -> None:
    assert parse_url("sqlite:////srv/a%20b.db", root=tmp_path).database == "/srv/a b.db"


@pytest.mark.parametrize(
    ("address", "vendor"),
    [
        ("postgres://me@db/club", "postgresql"),
        ("postgresql://me@db/club", "postgresql"),
        ("postgresql+psycopg://me@db/club", "postgresql"),
        ("postgresql+psycopg2://me@db/club", "postgresql"),
        ("postgresql+asyncpg://me@db/club", "postgresql"),
        ("pgsql://me@db/club", "postgresql"),
        ("mysql://me@db/club", "mysql"),
        ("mysql2://me@db/club", "mysql"),
        ("mysql+pymysql://me@db/club", "mysql"),
        ("mariadb://me@db/club", "mysql"),
        ("mariadb+asyncmy://me@db/club", "mysql"),
    ],
)
def test_the_spellings_of_hosts_and_of_sqlalchemy_are_understood(address: str, vendor: str) -> None:
    assert parse_url(address) == DatabaseURL(vendor, "club", user="me", host="db")


def test_all_parts_of_an_address_are_read() -> None:
    url = parse_url(
        "postgres://m%40x:p%2Fw@db.example.org:6432/club%20one?sslmode=require&pool_size=5&lock_timeout=1.5"
    )

    assert (url.user, url.password, url.host, url.port, url.database) == (
        "m@x",
        "p/w",
        "db.example.org",
        6432,
        "club one",
    )
    assert url.options == {"sslmode": "require", "pool_size": 5, "lock_timeout": 1.5}


def test_a_password_may_hold_an_at_sign_as_it_is() -> None:
    url = parse_url("mysql://me:p@ss@db/club")

    assert (url.user, url.password, url.host) == ("me", "p@ss", "db")


def test_an_address_may_be_one_of_version_six() -> None:
    url = parse_url("postgres://me@[::1]:5433/club")

    assert (url.host, url.port, str(url)) == ("::1", 5433, "postgresql://me@[::1]:5433/club")


def test_a_socket_may_be_given_as_an_option_or_as_the_host() -> None:
    assert parse_url("postgres:///club?host=/var/run/postgresql").host == "/var/run/postgresql"
    assert parse_url("postgres://%2Fvar%2Frun/club").host == "/var/run"


def test_a_password_is_never_shown() -> None:
    url = parse_url("postgres://me:hunter2@db/club?sslpassword=hunter2")

    assert "hunter2" not in f"{url!r} {url}"
    assert repr(url) == "<DatabaseURL postgresql://me:***@db/club?sslpassword=***>"


@pytest.mark.parametrize(
    ("address", "hint"),
    [
        ("sqllite:///x", "Did you mean sqlite"),
        ("postgre://me@db/club", "Did you mean postgres"),
        ("oracle://me@db/club", "sqlite"),
        ("postgresql+psychopg://me@db/club", "Did you mean psycopg"),
        ("club.db", "sqlite:///club.db"),
        ("", "sqlite:///club.db"),
        ("sqlite://club.db", "sqlite:///club.db"),
        ("postgres://me@db/club?sslmod=require", "Did you mean sslmode"),
        ("sqlite:///x.db?timout=5", "Did you mean timeout"),
        ("sqlite:///x.db?timeout=long", "?timeout=2.5"),
        ("postgres://me@db/club?pool_size=many", "?pool_size=5"),
        ("postgres://me@db/club?pool_size=0", "?pool_size=5"),
        ("postgres://me@db/club?pool_size=-1", "?pool_size=5"),
        ("sqlite:///x.db?mode=r", "ro, rw, rwc"),
        ("mysql://me@db/club?charset=gbk", "utf8mb4"),
        ("mysql://me@db", "mysql://user:password@localhost/club"),
        ("postgres://me:a/b@db/club", "%2F"),
        ("postgres://me@db:http/club", "%2F"),
        ("postgres://me@db:99999/club", "%2F"),
    ],
)
def test_a_bad_address_says_what_to_write(address: str, hint: str) -> None:
    with pytest.raises(SetupError) as caught:
        parse_url(address)

    assert (caught.value.code, hint in caught.value.hint) == ("data/bad-url", True)


@pytest.mark.parametrize("address", ["postgre://me:hunter2@db/club", "me:hunter2@db/club", "mysql://a:hunter2@db:x/y"])
def test_a_bad_address_does_not_show_its_password(address: str) -> None:
    with pytest.raises(SetupError) as caught:
        parse_url(address)

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("address", [None, 5, b"sqlite://"])
def test_what_is_no_text_is_no_address(address: object) -> None:
    with pytest.raises(SetupError):
        parse_url(address)  # type: ignore[arg-type]


def test_what_an_address_says_beats_the_options_beside_it() -> None:
    url = parse_url("postgres://me@db/club?pool_size=5", options={"pool_size": 9, "lock_timeout": 2})

    assert url.options == {"pool_size": 5, "lock_timeout": 2.0}


def test_an_option_beside_the_address_is_checked_too() -> None:
    with pytest.raises(SetupError, match="no option 'pool_sise'"):
        parse_url("postgres://me@db/club", options={"pool_sise": 9})
