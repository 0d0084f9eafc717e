"""SECURITY §2.3: one-time tokens, authenticators and recovery codes."""

from __future__ import annotations

import re
from base64 import b32encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from segue.auth.onetime import IssuedToken, is_token_good, issue_token, token_digest
from segue.auth.totp import (
    find_recovery_code,
    hash_recovery_code,
    make_code,
    make_recovery_codes,
    make_secret,
    provisioning_url,
    verify_code,
)
from segue.errors import UsageError

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
BOUND = ("bob@example.com", "$argon2id$…", None)


@pytest.fixture
def issued() -> IssuedToken:
    return issue_token("reset", lifetime=timedelta(hours=1), bound_to=BOUND, now=NOON)


def is_good(issued: IssuedToken, text: str | None = None, **changed: Any) -> bool:
    given = {
        "purpose": "reset",
        "digest": issued.digest,
        "fingerprint": issued.fingerprint,
        "expires_at": issued.expires_at,
        "bound_to": BOUND,
        "now": NOON,
        **changed,
    }
    return is_token_good(issued.text if text is None else text, **given)


# Tokens


def test_a_token_is_good_for_its_purpose_and_time(issued: IssuedToken) -> None:
    assert is_good(issued)
    assert is_good(issued, now=NOON + timedelta(minutes=59))
    assert len(issued.text) == 43
    assert issued.text not in repr(issued)
    assert issued.digest == token_digest(issued.text, purpose="reset")


@pytest.mark.parametrize(
    "changed",
    [
        {"purpose": "invite"},
        {"now": NOON + timedelta(hours=1)},
        {"bound_to": ("eve@example.com", *BOUND[1:])},
        {"bound_to": ("bob@example.com", "new", None)},
        {"bound_to": (*BOUND[:2], NOON)},
        {"bound_to": ("bob@example.com$argon2id$…", None)},
        {"bound_to": ()},
        {"digest": "0" * 64},
        {"digest": ""},
        {"fingerprint": ""},
    ],
)
def test_a_token_is_good_for_nothing_else(issued: IssuedToken, changed: dict[str, Any]) -> None:
    assert not is_good(issued, **changed)


@pytest.mark.parametrize(
    "slip",
    [
        lambda text: "",
        lambda text: text[:-1],
        lambda text: text + "x",
        lambda text: text.swapcase(),
        lambda text: "\ud800",
        lambda text: text * 100_000,
    ],
    ids=["empty", "shorter", "longer", "other case", "surrogate", "many times"],
)
def test_another_text_is_no_token(issued: IssuedToken, slip: Any) -> None:
    assert not is_good(issued, slip(issued.text))


def test_an_empty_token_is_none_even_where_its_digest_is_stored(issued: IssuedToken) -> None:
    assert not is_good(issued, "", digest=token_digest("", purpose="reset"))


def test_no_two_tokens_are_the_same() -> None:
    assert len({issue_token("reset", lifetime=timedelta(1)).digest for _ in range(100)}) == 100


# Authenticators


@pytest.mark.parametrize(
    ("seconds", "sha1", "sha256", "sha512"),
    [
        (59, "94287082", "46119246", "90693936"),
        (1111111109, "07081804", "68084774", "25091201"),
        (1111111111, "14050471", "67062674", "99943326"),
        (1234567890, "89005924", "91819424", "93441116"),
        (2000000000, "69279037", "90698825", "38618901"),
        (20000000000, "65353130", "77737706", "47863826"),
    ],
)
def test_the_codes_are_those_of_rfc_6238(seconds: int, sha1: str, sha256: str, sha512: str) -> None:
    def code(algorithm: Any, size: int) -> str:
        secret = b32encode((b"1234567890" * 7)[:size]).decode()
        return make_code(secret, now=seconds, digits=8, algorithm=algorithm)

    assert (code("sha1", 20), code("sha256", 32), code("sha512", 64)) == (sha1, sha256, sha512)


@pytest.mark.parametrize(("late", "counter"), [(-30, 99), (0, 100), (30, 101)])
def test_a_code_is_good_one_step_before_and_after(late: int, counter: int) -> None:
    secret = make_secret()

    assert verify_code(secret, make_code(secret, now=3000 + late), now=3000) == counter


@pytest.mark.parametrize("late", [-60, 60])
def test_two_steps_away_it_is_not(late: int) -> None:
    secret = b32encode(b"1234567890" * 2).decode()

    assert verify_code(secret, make_code(secret, now=3000 + late), now=3000) is None


def test_a_code_works_once() -> None:
    secret = make_secret()
    code = make_code(secret, now=3000)

    counter = verify_code(secret, code, now=3000)

    assert counter == 100
    assert verify_code(secret, code, last_used=counter, now=3000) is None
    assert verify_code(secret, code, last_used=counter, now=3029) is None


@pytest.mark.parametrize(
    "code", ["", "28708", "2870820", " 287082", "287082\n", "２８７０８２", "28708a", "\ud800", "0" * 10**6]
)
def test_what_is_not_six_ascii_digits_is_no_code(code: str) -> None:
    secret = b32encode(b"1234567890" * 2).decode()

    assert verify_code(secret, "287082", now=59) == 1
    assert verify_code(secret, code, now=59) is None


def test_a_secret_is_read_as_people_copy_it() -> None:
    secret = make_secret()
    copied = " ".join(re.findall("....", secret.lower()))

    assert len(secret) == 32
    assert make_code(copied, now=0) == make_code(secret, now=0)


@pytest.mark.parametrize("secret", ["", "a!b", "1890", "é"])
def test_a_secret_that_is_none_is_an_error(secret: str) -> None:
    with pytest.raises(UsageError, match="auth/bad-totp-secret"):
        make_code(secret)


def test_an_authenticator_reads_the_address() -> None:
    url = provisioning_url("ABC", account="bob@example.com", issuer="Jazz Club")

    assert url == "otpauth://totp/Jazz%20Club%3Abob@example.com?secret=ABC&issuer=Jazz%20Club&digits=6&period=30"


# Recovery codes


def test_a_recovery_code_is_found_however_it_is_typed() -> None:
    codes = make_recovery_codes()
    stored = [hash_recovery_code(each) for each in codes]

    assert len(set(codes)) == 10
    assert find_recovery_code(f" {codes[3].upper().replace('-', ' ')} ", stored) == stored[3]
    assert find_recovery_code(codes[3], [each for each in stored if each != stored[3]]) is None
    assert codes[3] not in "".join(stored)


@pytest.mark.parametrize("code", ["", "aaaa-aaaa-aaaa-aaaa", "\ud800", "x" * 10**6])
def test_another_text_is_no_recovery_code(code: str) -> None:
    assert find_recovery_code(code, [hash_recovery_code(each) for each in make_recovery_codes()]) is None
