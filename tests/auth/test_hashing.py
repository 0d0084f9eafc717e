"""SITES-40, SECURITY H01, H10, H11: passwords as they are stored, here and elsewhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator

import bcrypt
import pytest
from argon2.low_level import Type, hash_secret
from werkzeug.security import generate_password_hash

from segue import App
from segue.auth.hashing import (
    FLOOR,
    PRODUCTION,
    STRENGTH,
    TESTING,
    PasswordTooLong,
    Strength,
    acheck_password,
    amake_password,
    check_password,
    is_password_usable,
    make_password,
    making,
    needs_rehash,
)
from segue.errors import SetupError, UsageError

WORD = "correct horse é"


@pytest.fixture
def cheap() -> App:
    """An app in tests: its hashes cost nothing."""
    app = App("tests_app", static_folder=None, template_folder=None)
    app.testing = True
    return app


@pytest.fixture(autouse=True)
def in_tests(cheap: App) -> Iterator[None]:
    with cheap.context():
        yield


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def django_pbkdf2(digest: str = "sha256", iterations: int = 1000) -> str:
    raw = hashlib.pbkdf2_hmac(digest, WORD.encode(), b"salt", iterations)
    return f"pbkdf2_{digest}${iterations}$salt${b64(raw)}"


def django_scrypt() -> str:
    raw = hashlib.scrypt(WORD.encode(), salt=b"salt", n=1024, r=8, p=1, dklen=64)
    return f"scrypt$1024$salt$8$1${b64(raw)}"


def django_argon2() -> str:
    raw = hash_secret(
        WORD.encode(), b"saltsalt", time_cost=2, memory_cost=1024, parallelism=8, hash_len=32, type=Type.ID
    )
    return "argon2" + raw.decode()


def django_bcrypt_sha256() -> str:
    digest = hashlib.sha256(WORD.encode()).hexdigest().encode()
    return "bcrypt_sha256$" + bcrypt.hashpw(digest, bcrypt.gensalt(4)).decode()


def plain_bcrypt() -> str:
    return bcrypt.hashpw(WORD.encode(), bcrypt.gensalt(4)).decode()


def phc_scrypt() -> str:
    raw = hashlib.scrypt(WORD.encode(), salt=b"saltsalt", n=1024, r=8, p=1, dklen=32)
    return f"$scrypt$ln=10,r=8,p=1${b64(b'saltsalt').rstrip('=')}${b64(raw).rstrip('=')}"


FOREIGN: list[Callable[[], str]] = [
    django_pbkdf2,
    lambda: django_pbkdf2("sha1"),
    django_scrypt,
    django_argon2,
    django_bcrypt_sha256,
    lambda: "bcrypt$" + plain_bcrypt(),
    plain_bcrypt,
    phc_scrypt,
    lambda: generate_password_hash(WORD, "scrypt:1024:8:1"),
    lambda: generate_password_hash(WORD, "pbkdf2:sha256:1000"),
    lambda: generate_password_hash(WORD, "pbkdf2:sha512:1000"),
]


# Our own


def test_a_password_is_stored_in_the_phc_form_and_found_right() -> None:
    encoded = make_password(WORD)

    assert encoded.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert check_password(WORD, encoded)
    assert not check_password(WORD + "x", encoded)
    assert make_password(WORD) != encoded


async def test_both_colours_make_and_check() -> None:
    encoded = await amake_password(WORD)

    assert await acheck_password(WORD, encoded)
    assert not await acheck_password("other", encoded)


def test_production_costs_46_mib_and_the_floor_19_mib_twice() -> None:
    assert (PRODUCTION.memory_kib, PRODUCTION.passes, PRODUCTION.lanes) == (46 * 1024, 1, 1)
    assert (FLOOR.memory_kib, FLOOR.passes, FLOOR.lanes) == (19 * 1024, 2, 1)


def test_an_app_that_is_no_test_hashes_at_full_strength() -> None:
    with App("tests_app", static_folder=None, template_folder=None, config={"TESTING": True}).context():
        assert make_password(WORD).startswith("$argon2id$v=19$m=47104,t=1,p=1$")


def test_an_app_says_how_strong_its_hashes_are() -> None:
    app = App("tests_app", static_folder=None, template_folder=None)
    app.provide(STRENGTH, FLOOR)

    with app.context():
        assert "$m=19456,t=2,p=1$" in make_password(WORD)


@pytest.mark.parametrize("strength", [PRODUCTION, FLOOR, Strength(64 * 1024, 3)])
def test_what_is_strong_enough_is_taken(strength: Strength) -> None:
    strength.demand_enough()


@pytest.mark.parametrize("strength", [TESTING, Strength(19 * 1024, 1), Strength(8 * 1024, 20)])
def test_what_protects_too_little_is_refused(strength: Strength) -> None:
    with pytest.raises(SetupError, match="auth/weak-hashing"):
        strength.demand_enough()


async def test_blocking_the_loop_names_the_async_way() -> None:
    with pytest.raises(UsageError, match="acheck_password"):
        check_password(WORD, None)


# Whole passwords


@pytest.mark.parametrize(
    "password", ["", " ", "a\0b", "\ud800", "é" * 2048, "x" * 4096, "日本語🔑"], ids=lambda text: ascii(text[:4])
)
def test_any_text_is_a_password_and_all_of_it_counts(password: str) -> None:
    encoded = make_password(password)

    assert check_password(password, encoded)
    assert not check_password(password + "x" if len(password) < 2048 else password[:-1], encoded)


@pytest.mark.parametrize(("password", "other"), [("p" * 72, "p" * 73), ("a\0b", "a\0c"), ("a\0", "a")])
def test_nothing_is_cut_off(password: str, other: str) -> None:
    assert not check_password(other, make_password(password))


@pytest.mark.parametrize("make", [django_bcrypt_sha256, plain_bcrypt])
def test_bcrypt_takes_no_password_that_only_begins_right(make: Callable[[], str]) -> None:
    assert not check_password(WORD + "\0more", make())
    assert not check_password("p" * 73, bcrypt.hashpw(b"p" * 72, bcrypt.gensalt(4)).decode())


@pytest.mark.parametrize("password", ["x" * 1_000_000, "é" * 2049, "\ud800" * 4096])
def test_a_password_that_is_too_long_is_refused_before_it_is_hashed(password: str) -> None:
    with pytest.raises(PasswordTooLong) as making:
        make_password(password)
    with pytest.raises(PasswordTooLong):
        check_password(password, None)

    assert making.value.status == 400


# Those of others


@pytest.mark.parametrize("make", FOREIGN)
def test_a_hash_of_another_framework_is_verified_and_upgraded(make: Callable[[], str]) -> None:
    encoded, stored = make(), list[str]()

    assert not check_password("other", encoded, stored.append)
    assert stored == []
    assert check_password(WORD, encoded, lambda password: stored.append(make_password(password)))
    assert needs_rehash(encoded)
    assert not needs_rehash(stored[0])
    assert check_password(WORD, stored[0])


async def test_an_async_setter_is_awaited() -> None:
    stored: list[str] = []

    async def store(password: str) -> None:
        stored.append(password)

    assert await acheck_password(WORD, django_pbkdf2(), store)
    assert stored == [WORD]


def test_a_hash_is_upgraded_when_the_strength_rises(cheap: App) -> None:
    encoded = make_password(WORD)
    stronger = App("tests_app", static_folder=None, template_folder=None)
    stronger.provide(STRENGTH, Strength(128, 1))

    assert not needs_rehash(encoded)
    with stronger.context():
        assert needs_rehash(encoded)


def test_what_is_as_strong_is_not_stored_anew() -> None:
    stored: list[str] = []

    assert check_password(WORD, make_password(WORD), stored.append)
    assert stored == []


@pytest.mark.parametrize(
    "encoded",
    [
        None,
        "",
        "!",
        "plain text",
        "md5$salt$abc",
        "$argon2id$v=19$m=64,t=1,p=1$",
        "$argon2id$v=19$m=99999999,t=9999,p=1$c2FsdHNhbHQ$AAAA",
        "argon2$argon2x$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$AAAA",
        "pbkdf2_sha256$0$salt$AAAA",
        "pbkdf2_sha256$999999999$salt$AAAA",
        "pbkdf2_sha256$1$salt$====",
        "pbkdf2:sha256:1$salt$abc",
        "pbkdf2:md5:1$salt$abcd",
        "scrypt$1000$salt$8$1$AAAA",
        "scrypt$999999999$salt$8$1$AAAA",
        "scrypt:1024:0:1$salt$abcd",
        "$scrypt$ln=40,r=8,p=1$AAAA$AAAA",
        "bcrypt$$2b$31$" + "a" * 53,
        "$2b$04$short",
        "bcrypt_sha256$",
        "é",
        "pbkdf2_sha256$" * 1000,
    ],
)
def test_what_cannot_be_read_is_nobodys_password(encoded: str | None) -> None:
    assert check_password("", encoded) is False


def test_an_unusable_password_is_nobodys() -> None:
    unusable = make_password(None)

    assert not is_password_usable(unusable)
    assert not is_password_usable(None)
    assert is_password_usable(make_password("a"))
    assert not check_password(unusable, unusable)
    assert not check_password(None, make_password(""))
    assert make_password(None) != unusable


# What the time tells


@pytest.mark.parametrize(
    ("encoded", "memory_kib"),
    [
        (None, 1024),
        ("!unusable", 1024),
        (django_pbkdf2(), 768),
        ("$argon2id$v=19$m=512,t=1,p=1$c2FsdHNhbHQ$" + "A" * 43, 768),
    ],
    ids=["unknown user", "unusable", "another framework", "weaker"],
)
def test_the_work_does_not_tell_whether_there_is_a_user(
    encoded: str | None, memory_kib: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A comparison that takes a quarter of today's hash is followed by three quarters of one.
    moments = iter([0.0, 0.25])
    monkeypatch.setattr(making, "perf_counter", lambda: next(moments))
    monkeypatch.setattr(making, "_cost_seconds", lambda strength: 1.0)
    real, worked = making._encode, list[Strength]()
    monkeypatch.setattr(making, "_encode", lambda word, strength: worked.append(strength) or real(word, strength))
    app = App("tests_app", static_folder=None, template_folder=None)
    app.provide(STRENGTH, Strength(1024, 1))

    with app.context():
        assert not check_password("wrong", encoded)

    assert [each.memory_kib for each in worked] == [memory_kib]
