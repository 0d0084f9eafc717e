from __future__ import annotations

from collections.abc import Callable

from click.testing import Result

from segue.masking import check_secret


def test_a_secret_is_one_that_an_app_accepts(command: Callable[..., Result]) -> None:
    printed = command("secret").stdout.strip()

    check_secret(printed)


def test_two_secrets_are_not_the_same(command: Callable[..., Result]) -> None:
    one, other = (command("secret").stdout for _ in range(2))

    assert one != other


def test_the_key_alone_goes_to_the_standard_output(command: Callable[..., Result]) -> None:
    result = command("secret")

    assert len(result.stdout.split()) == 1
    assert "SECRET_KEY" in result.stderr
