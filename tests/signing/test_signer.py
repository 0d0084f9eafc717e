"""SECURITY F13 to F15 and §2.3: tokens of one purpose, of one key, of some age."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import UsageError
from segue.signing import BadSignature, SignatureExpired, Signer, equal

KEY = "one key of thirty-two bytes or more"
OTHER = "another key of thirty-two bytes or more"
NOON = 1_800_000_000.0


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def signer(clock: Clock) -> Signer:
    return Signer(KEY, salt="test", now=clock)


def test_a_text_comes_back(signer: Signer) -> None:
    assert signer.unsign(signer.sign("user 42.é")) == "user 42.é"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_comes_back(text: str) -> None:
    signer = Signer(KEY, salt="test")

    assert signer.unsign(signer.sign(text)) == text


@pytest.mark.parametrize("value", [None, True, 3, 1.5, "é", [1, "b"], {"a": {"b": []}}])
def test_any_json_value_comes_back(signer: Signer, value: Any) -> None:
    assert signer.loads(signer.dumps(value)) == value


def test_a_token_needs_no_quoting_in_urls_and_cookies(signer: Signer) -> None:
    token = signer.dumps({"text": 'ÿ ; , " \\ / + ='})

    assert token.replace(".", "").replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize("position", range(0, 72, 3))
def test_a_token_changed_in_one_place_is_refused(signer: Signer, position: int) -> None:
    token = signer.dumps("abc")
    position %= len(token)
    changed = token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]

    with pytest.raises(BadSignature):
        signer.loads(changed)


def test_the_unused_bits_of_the_last_letter_cannot_be_changed(signer: Signer) -> None:
    token = signer.sign("abc")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = token[:-1] + letters[letters.index(token[-1]) ^ 1]

    with pytest.raises(BadSignature):
        signer.unsign(twin)


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "abc", "\ud800", "é.é.é", None, 3, b"a.b.c", "." * 10_000])
def test_what_is_no_token_is_a_bad_signature(signer: Signer, token: Any) -> None:
    with pytest.raises(BadSignature) as caught:
        signer.unsign(token)

    assert (caught.value.code, caught.value.status) == ("signing/bad-signature", 400)


def test_a_signed_text_is_no_signed_value(signer: Signer) -> None:
    with pytest.raises(BadSignature):
        signer.loads(signer.sign("not base64 of json"))


# Purposes (F13)


def test_a_token_of_one_purpose_is_refused_for_another() -> None:
    token = Signer(KEY, salt="reset").sign("7")

    with pytest.raises(BadSignature):
        Signer(KEY, salt="verify").unsign(token)


@pytest.mark.parametrize(
    ("one", "other"),
    [(("ab", "c"), ("a", "bc")), (("a", "b"), "ab"), (("a", ""), ("a",)), ("1:a", ("a",)), (("é",), ("e\u0301",))],
)
def test_purposes_are_joined_so_that_no_two_meet(one: Any, other: Any) -> None:
    token = Signer(KEY, salt=one).sign("7")

    with pytest.raises(BadSignature):
        Signer(KEY, salt=other).unsign(token)


def test_the_moment_cannot_be_changed(signer: Signer, clock: Clock) -> None:
    old = signer.sign("7").split(".")
    clock.now += 3600
    fresh = signer.sign("8").split(".")

    with pytest.raises(BadSignature):
        signer.unsign(f"{old[0]}.{fresh[1]}.{old[2]}")


# Age


def test_a_token_within_its_age_is_taken(signer: Signer, clock: Clock) -> None:
    token = signer.sign("7")
    clock.now += 60

    assert signer.unsign(token, max_age=60) == "7"


@pytest.mark.parametrize("max_age", [60, 60.0, timedelta(minutes=1)])
def test_a_token_beyond_its_age_is_expired(signer: Signer, clock: Clock, max_age: Any) -> None:
    token = signer.sign("7")
    clock.now += 61

    with pytest.raises(SignatureExpired) as caught:
        signer.unsign(token, max_age=max_age)

    assert caught.value.code == "signing/expired"
    assert caught.value.signed_at == datetime.fromtimestamp(NOON, UTC)


def test_an_expired_token_is_a_bad_signature_to_who_does_not_tell_them_apart() -> None:
    assert issubclass(SignatureExpired, BadSignature)


def test_no_limit_takes_any_age(signer: Signer, clock: Clock) -> None:
    token = signer.sign("7")
    clock.now += 10**9

    assert signer.unsign(token) == "7"


def test_a_limit_that_is_no_number_takes_nothing(signer: Signer) -> None:
    with pytest.raises(SignatureExpired):
        signer.unsign(signer.sign("7"), max_age=float("nan"))


def test_a_clock_that_is_a_few_seconds_behind_takes_the_token(signer: Signer, clock: Clock) -> None:
    token = signer.sign("7")
    clock.now -= 5

    assert signer.unsign(token, max_age=60) == "7"


def test_a_token_of_tomorrow_is_refused_where_age_counts(signer: Signer, clock: Clock) -> None:
    token = signer.sign("7")
    clock.now -= 86_400

    with pytest.raises(SignatureExpired):
        signer.unsign(token, max_age=60)


# Keys (F14)


def test_a_former_key_verifies() -> None:
    token = Signer(OTHER, salt="test").sign("7")

    assert Signer(KEY, salt="test", fallbacks=[OTHER]).unsign(token) == "7"


def test_a_former_key_does_not_sign() -> None:
    token = Signer(KEY, salt="test", fallbacks=[OTHER]).sign("7")

    with pytest.raises(BadSignature):
        Signer(OTHER, salt="test").unsign(token)


def test_a_key_that_was_dropped_does_not_verify() -> None:
    token = Signer(OTHER, salt="test").sign("7")

    with pytest.raises(BadSignature):
        Signer(KEY, salt="test").unsign(token)


@pytest.mark.parametrize("key", ["", b""])
@pytest.mark.parametrize("place", ["key", "fallback"])
def test_an_empty_key_is_refused(key: Any, place: str) -> None:
    arguments: dict[str, Any] = {"key": key} if place == "key" else {"key": KEY, "fallbacks": [key]}

    with pytest.raises(UsageError, match="signing/empty-key"):
        Signer(salt="test", **arguments)


def test_a_signer_does_not_show_its_key() -> None:
    assert KEY not in repr(Signer(KEY, salt="test"))


def test_what_json_cannot_hold_is_not_signed(signer: Signer) -> None:
    with pytest.raises(UsageError, match="signing/not-json"):
        signer.dumps(object())


# Comparison (F15)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("token", "token", True),
        ("tokén", "tokén".encode(), True),
        ("token", "Token", False),
        ("token", "toke", False),
        ("", "", True),
        ("\ud800", "\ud800", True),
        ("\ud800", "x", False),
        (None, "token", False),
        ("token", None, False),
        (None, None, False),
        (5, 5, False),
        (bytearray(b"a"), b"a", True),
    ],
)
def test_equal_compares_secrets_of_any_kind(one: Any, other: Any, expected: bool) -> None:
    assert equal(one, other) is expected


@pytest.mark.slow
def test_itsdangerous_is_loaded_when_something_signs() -> None:
    code = (
        "import sys, segue.signing as s\n"
        "signer = s.Signer('k' * 32, salt='x')\n"
        "before = 'itsdangerous' in sys.modules\n"
        "signer.sign('a')\n"
        "print(before, 'itsdangerous' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "True"]
