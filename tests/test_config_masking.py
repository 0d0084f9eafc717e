"""What reports may show of a configuration, and which secrets are good enough."""

from __future__ import annotations

from typing import Any

import pytest

from segue.config import check_secret, is_secret_name, mask
from segue.errors import SetupError


@pytest.mark.parametrize(
    "name",
    ["SECRET_KEY", "csrftoken", "PASSWORD", "API_KEY", "Authorization", "Set-Cookie", "SENTRY_DSN", "AWS_CREDENTIALS"],
)
def test_names_of_secrets_are_known(name: str) -> None:
    assert is_secret_name(name)
    assert mask(name, "hunter2") == "***"


@pytest.mark.parametrize("name", ["DEBUG", "DATABASE", "HOST", "PORT"])
def test_other_names_are_not(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize("value", [None, True, "", [], {}])
def test_that_a_secret_is_not_set_is_shown(value: Any) -> None:
    assert mask("SECRET_KEY", value) == value


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("postgresql://me:hunter2@db/club", "postgresql://me:***@db/club"),
        ("postgresql://me:hun@ter:2/@db/club", "postgresql://me:***@db/club"),
        ("redis://:hunter2@cache:6379/0", "redis://:***@cache:6379/0"),
        ("https://hunter2@example.com/x", "https://***@example.com/x"),
        ("mysql://db/club?password=hunter2&ssl=on", "mysql://db/club?password=***&ssl=on"),
        ("host=db password=hunter2 dbname=club", "host=db password=*** dbname=club"),
        ("sqlite:///club.db", "sqlite:///club.db"),
        ("http://127.0.0.1:8000/a@b", "http://127.0.0.1:***@b"),
        ("hello", "hello"),
        (5, 5),
    ],
)
def test_credentials_inside_a_text_are_hidden(value: Any, shown: Any) -> None:
    assert mask("WHERE", value) == shown


def test_tables_and_lists_are_masked_inside() -> None:
    value = {"main": ["mysql://u:hunter2@h/d"], "password": "hunter2", "size": 3}

    assert mask("DATABASES", value) == {"main": ["mysql://u:***@h/d"], "password": "***", "size": 3}


def test_a_declared_secret_shows_only_addresses() -> None:
    assert mask("DATABASE", "hunter2", secret=True) == "***"
    assert mask("DATABASE", 42, secret=True) == "***"
    assert mask("DATABASE", "sqlite:///club.db", secret=True) == "sqlite:///club.db"


@pytest.mark.parametrize("text", ["a" * 200_000, "a." * 100_000, "x://" * 50_000, "a=" * 100_000])
def test_a_long_text_is_masked_in_linear_steps(text: str) -> None:
    assert mask("TEXT", text, secret=True)


@pytest.mark.parametrize("secret", ["0123456789abcdefghijklmnopqrstuvwxyz", b"\x00\xff" * 16])
def test_a_long_secret_is_good_enough(secret: Any) -> None:
    check_secret(secret)


@pytest.mark.parametrize(
    ("secret", "problem"),
    [
        ("", "empty"),
        ("x" * 31, "31 bytes"),
        ("django-insecure-0123456789abcdefghijklmnopqrs", "sample"),
        ("CHANGE_ME_CHANGE_ME_CHANGE_ME_CHANGE_ME", "sample"),
        (12345678901234567890123456789012, "not text"),
        (None, "not text"),
    ],
)
def test_a_weak_secret_is_refused_without_being_shown(secret: Any, problem: str) -> None:
    with pytest.raises(SetupError) as caught:
        check_secret(secret)

    assert caught.value.code == "config/weak-secret"
    assert problem in caught.value.message
    assert not secret or str(secret) not in str(caught.value)
