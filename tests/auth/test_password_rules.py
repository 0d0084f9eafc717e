"""SITES-40, SECURITY H12: what a new password must be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from segue.auth.hashing import PasswordTooLong
from segue.auth.passwords import (
    CommonPasswordValidator,
    MinimumLengthValidator,
    NumericPasswordValidator,
    UserAttributeSimilarityValidator,
    password_validators_help_texts,
    validate_password,
)
from segue.errors import ValidationError

CallsOf = Callable[[Callable[[], Any]], int]

FIRST_TRIES = """
password Password1 P4ssw0rd!2024 qwerty qwertzuiop 123456 123456789 111111 abc123 iloveyou dragon monkey1
letmein 1q2w3e4r 1qaz2wsx q1w2e3r4t5 trustno1 starwars passw0rd abcabcabc aaaaaaaa drowssap sunshine!
01.02.1990 19900102 qwerty123 admin123 !@#$%^&* zaq12wsx asdfghjkl asdf1234 michael1988 loveme123
password1password1 hello123! 987654321 a1b2c3d4 football2020 Summer2024! 11223344 qweasdzxc Pa$$w0rd Welcome1
princess99
"""


@dataclass
class Member:
    username: str = "testclient"
    first_name: str = "Jonathan"
    last_name: str = "Coltrane"
    email: str = "testclient@example.com"


def codes(password: str, user: Any = None, *rules: Any) -> list[str]:
    try:
        validate_password(password, user, rules or None)
    except ValidationError as error:
        return [fault.code for fault in error.faults]
    return []


@pytest.mark.parametrize("password", ["kayak lantern", "mF7!pq0Zr", "grünesauto am Bahnhof", "correct-horse-battery"])
def test_a_good_password_breaks_no_rule(password: str) -> None:
    assert codes(password, Member()) == []


def test_every_rule_that_is_broken_is_named_at_once() -> None:
    assert codes("1234567") == ["password_too_short", "password_too_common", "password_entirely_numeric"]


def test_the_length_is_a_setting() -> None:
    assert codes("x9#kQ", None, MinimumLengthValidator(5)) == []
    assert codes("x9#k", None, MinimumLengthValidator(5)) == ["password_too_short"]


@pytest.mark.parametrize(
    "password",
    FIRST_TRIES.split(),
)
def test_what_everybody_tries_first_is_common(password: str) -> None:
    assert codes(password, None, CommonPasswordValidator()) == ["password_too_common"]


@pytest.mark.slow
def test_ten_thousand_of_the_first_tries_are_common() -> None:
    words = ["password", "dragon", "monkey", "michael", "football", "shadow", "master", "qwerty", "letmein", "sunshine"]
    ends = [*map(str, range(1000)), "!", "?", "01!"]

    missed = [word + end for word in words for end in ends if not codes(word + end, None, CommonPasswordValidator())]

    assert len(words) * len(ends) > 10_000
    assert missed == []


def test_a_site_adds_its_own_words() -> None:
    assert codes("JazzClub2026", None, CommonPasswordValidator(["jazzclub"])) == ["password_too_common"]


@pytest.mark.parametrize("password", ["testclient", "Test-Client", "jonathan1", "enartloc", "testclient@example.com"])
def test_what_is_like_the_user_is_refused(password: str) -> None:
    assert codes(password, Member(), UserAttributeSimilarityValidator()) == ["password_too_similar"]


def test_the_attributes_and_the_likeness_are_settings() -> None:
    rule = UserAttributeSimilarityValidator(["last_name"], max_similarity=1)

    assert codes("testclient", Member(), rule) == []
    assert codes("coltrane1", Member(), rule) == []
    assert codes("coltrane", Member(), rule) == ["password_too_similar"]


@pytest.mark.parametrize("password", ["12345678901", "٣٤٥٦٧٨٩٠"])
def test_digits_alone_are_refused(password: str) -> None:
    assert codes(password, None, NumericPasswordValidator()) == ["password_entirely_numeric"]


def test_the_rules_are_told_as_sentences() -> None:
    texts = password_validators_help_texts()

    assert len(texts) == 4
    assert texts[1] == "Your password must have at least 8 characters."


def test_a_password_of_a_megabyte_is_refused_at_once(calls_of: CallsOf) -> None:
    def refuse() -> None:
        with pytest.raises(PasswordTooLong):
            validate_password("a" * 1_000_000, Member())

    assert calls_of(refuse) < 100


@pytest.mark.parametrize("length", [4096, 100_000])
def test_comparing_with_the_user_costs_little(calls_of: CallsOf, length: int) -> None:
    rule = UserAttributeSimilarityValidator()
    member = Member(username="b a" * length, email="a@" * length)

    assert calls_of(lambda: rule.validate("ab" * (length // 2), member)) < 100
