"""Making and showing passkeys: what the browser is asked, and whether its answer is right.

Holds: the two ceremonies of WebAuthn, each in its two steps, and the challenge between them.
Imports: fido2, which reads the answers and checks signatures; passkeys, the session, origins.
Never: takes a challenge twice, or an answer that was given to another site.

A challenge lies in the session of the browser that asked, for ten minutes, with what it is for;
whatever answers it, it is gone then. Devices must have asked their user for a finger, a face or a
PIN (*user verification*): a passkey is two factors, and so opens an account alone.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from fido2 import cbor
from fido2.cose import CoseKey
from fido2.server import Fido2Server
from fido2.utils import websafe_decode
from fido2.webauthn import (
    Aaguid,
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from ... import clock
from ...web.origins import Origin, origin_of_url, parse_origin
from .passkeys import Passkey, digest_of, find_passkey, handle_of, passkeys_of, uses_passkey

__all__ = ["MAX_ANSWER", "Asked", "PasskeyRefused", "ask_for_new", "ask_for_one", "made_passkey", "shown_passkey"]

MAX_ANSWER = 32_768
_CHALLENGE = "_passkey"
_MOST = timedelta(minutes=10)
_VERIFIED = UserVerificationRequirement.REQUIRED
_TRANSPORTS = ("ble", "cable", "hybrid", "internal", "nfc", "smart-card", "usb")


class PasskeyRefused(Exception):
    """The answer of a browser is not right; the text says why, for the log."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a challenge in the session is for.

    Attributes:
        what: `new`, `login`, `second` step or `again`.
        owner: The key of the only user who may answer; empty for whoever has a passkey.
        handle: Of a new passkey's user.
    """

    what: str
    owner: str = ""
    handle: str = ""


def ask_for_new(request: Any, user: Any) -> dict[str, Any]:
    """Return what the browser makes a passkey by."""
    handle = handle_of(user.pk)
    name = user.get_username()
    options, state = _server(request).register_begin(
        PublicKeyCredentialUserEntity(id=websafe_decode(handle), name=name, display_name=str(user) or name),
        [_descriptor(each) for each in passkeys_of(user.pk)],
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=_VERIFIED,
    )
    _keep(request, Asked("new", str(user.pk), handle), state)
    return dict(options.public_key)


def ask_for_one(request: Any, asked: Asked) -> dict[str, Any]:
    """Return what the browser shows a passkey by: any one, or one of the user who is asked."""
    own = [_descriptor(each) for each in passkeys_of(asked.owner)] if asked.owner else None
    options, state = _server(request).authenticate_begin(own, user_verification=_VERIFIED)
    _keep(request, asked, state)
    return dict(options.public_key)


def made_passkey(request: Any, user: Any, answer: str, *, name: str) -> Any:
    """Keep the new passkey in the browser's answer, and return it.

    Raises:
        PasskeyRefused: The answer is not right.
    """
    asked, state, _ = _used_up(request)
    if asked.what != "new" or asked.owner != str(user.pk):
        raise PasskeyRefused("the challenge was for something else")
    with _reading():
        given = _read(answer)
        response = RegistrationResponse.from_dict(given)
        _demand_top_level(response.response.client_data)
        data: Any = _server(request).register_complete(state, response).credential_data
        digest = digest_of(data.credential_id)
        if data.public_key.ALGORITHM not in CoseKey.supported_algorithms():
            raise PasskeyRefused("a key of a kind that was not asked for")
        key = cbor.encode(data.public_key)
        transports = _transports(given)
    passkey, is_new = Passkey.objects.get_or_create(
        digest=digest,
        defaults={
            "owner": str(user.pk),
            "handle": asked.handle,
            "credential_id": data.credential_id,
            "public_key": key,
            "sign_count": response.response.attestation_object.auth_data.counter,
            "transports": transports,
            "name": name,
        },
    )
    if not is_new:
        raise PasskeyRefused("this passkey is known already")
    return passkey


def shown_passkey(request: Any, answer: str) -> tuple[Asked, Any]:
    """Return what was asked, and the passkey that the browser's answer proves.

    Raises:
        PasskeyRefused: The answer is not right.
    """
    asked, state, asked_at = _used_up(request)
    with _reading():
        response = AuthenticationResponse.from_dict(_read(answer))
    passkey = find_passkey(response.raw_id)
    if passkey is None or asked.what == "new" or asked.owner not in ("", passkey.owner):
        raise PasskeyRefused("no passkey that may answer this challenge")
    with _reading():
        handle = response.response.user_handle
        if handle is not None and handle != websafe_decode(passkey.handle):
            raise PasskeyRefused("the device names another user")
        _demand_top_level(response.response.client_data)
        _server(request).authenticate_complete(state, [_credential(passkey)], response)
        count = response.response.authenticator_data.counter
    if not uses_passkey(passkey, count=count, asked_at=asked_at):
        raise PasskeyRefused(f"an answer of a copy, or an old one: its counter is {count}, ours {passkey.sign_count}")
    return asked, passkey


# The site that asks


def _server(request: Any) -> Any:  # Any: its methods are typed in part
    own = _origin(request)
    rp = PublicKeyCredentialRpEntity(id=own.host, name=request.app.name)
    return Fido2Server(rp, verify_origin=lambda text: parse_origin(text) == own)


def _origin(request: Any) -> Origin:
    """Return the origin that passkeys belong to: that of `SITE_URL`, else the checked host's."""
    config = request.app.config
    found = origin_of_url(config["SITE_URL"] or f"{request.scheme}://{request.host}")
    if found is None:
        raise PasskeyRefused("a host that no passkey can belong to")
    return found


def _demand_top_level(client: Any) -> None:
    # In a frame of another site a user does not see to whom the answer goes.
    if client.cross_origin:
        raise PasskeyRefused("the answer was given in a frame of another site")


# The challenge between the steps


def _keep(request: Any, asked: Asked, state: Any) -> None:
    made = clock.today()
    request.session[_CHALLENGE] = [state["challenge"], asked.what, asked.owner, asked.handle, made.timestamp()]


def _used_up(request: Any) -> tuple[Asked, dict[str, Any], datetime]:
    kept: Any = request.session.pop(_CHALLENGE, None)
    if kept is None:
        raise PasskeyRefused("no challenge was made for this browser, or it was answered before")
    challenge, what, owner, handle, made = kept
    asked_at = datetime.fromtimestamp(made, UTC)
    if not timedelta(0) <= clock.today() - asked_at <= _MOST:
        raise PasskeyRefused("the challenge is too old")
    return Asked(what, owner, handle), {"challenge": challenge, "user_verification": _VERIFIED}, asked_at


@contextmanager
def _reading() -> Generator[None]:
    """Refuse what cannot be read, whatever the parsers of the library meet in it."""
    try:
        yield
    except PasskeyRefused:
        raise
    except Exception as error:
        raise PasskeyRefused(repr(error)[:200]) from error


def _read(answer: str) -> dict[str, Any]:
    if len(answer) > MAX_ANSWER:
        raise PasskeyRefused("an answer longer than any that a browser gives")
    found = json.loads(answer)
    if not isinstance(found, dict):
        raise PasskeyRefused("an answer that is no credential")
    return cast("dict[str, Any]", found)


def _transports(answer: Any) -> list[str]:
    given: Any = answer["response"].get("transports")
    return [each for each in _TRANSPORTS if each in given] if isinstance(given, list) else []


def _descriptor(passkey: Any) -> PublicKeyCredentialDescriptor:
    return PublicKeyCredentialDescriptor(
        type=PublicKeyCredentialType.PUBLIC_KEY, id=bytes(passkey.credential_id), transports=passkey.transports or None
    )


def _credential(passkey: Any) -> AttestedCredentialData:
    read = cast("Any", cbor).decode  # its argument has no type
    key = read(bytes(passkey.public_key))
    return AttestedCredentialData.create(Aaguid.NONE, bytes(passkey.credential_id), CoseKey.parse(key))
