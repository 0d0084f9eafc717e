"""What a provider signs about who logged in (OpenID Connect Core 1.0 §3.1.3.7)."""

from __future__ import annotations

from typing import Any

from joserfc import jwk, jwt
from joserfc.errors import JoseError

from ...signing import equal
from .providers import Endpoints, Grant, Provider
from .wire import ProviderError, keys_at

__all__ = ["read_id_token"]

# Signatures by a key that the provider alone has: no shared secrets, and never `none`.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
_LEEWAY_SECONDS = 60
_WRONG = (JoseError, ValueError, TypeError, KeyError)


def read_id_token(provider: Provider, endpoints: Endpoints, grant: Grant) -> dict[str, Any]:
    """Return the claims of the token in *grant*, once all of them hold.

    Raises:
        ProviderError: One does not: signature, issuer, audience, times or nonce.
    """
    text = grant.token.get("id_token")
    if not isinstance(text, str) or not text:
        raise ProviderError(f"{provider.name} gave no id token")
    claims = _verified(provider, endpoints, text)
    audience: Any = claims.get("aud")
    several = audience if audience.__class__ is list else [audience]
    if grant.client_id not in several or (len(several) > 1 and claims.get("azp") != grant.client_id):
        raise ProviderError(f"{provider.name} signed for another site")
    if claims.get("iss") != provider.issuer_in(claims, endpoints):
        raise ProviderError(f"{provider.name} is not who signed")
    if not equal(str(claims.get("nonce", "")), grant.nonce):
        raise ProviderError(f"{provider.name} signed for another login")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255 or not subject.isascii():
        raise ProviderError(f"{provider.name} names nobody")
    return claims


def _verified(provider: Provider, endpoints: Endpoints, text: str) -> dict[str, Any]:
    try:
        return _read(text, keys_at(endpoints.keys))
    except _WRONG:
        # A provider changes its keys now and then: they are asked for once more.
        pass
    try:
        return _read(text, keys_at(endpoints.keys, are_new=True))
    except _WRONG as error:
        raise ProviderError(f"{provider.name} signed what does not hold: {type(error).__name__}") from error


def _read(text: str, keys: Any) -> dict[str, Any]:
    token = jwt.decode(text, jwk.KeySet.import_key_set(keys), algorithms=_ALGORITHMS)
    _rules().validate(token.claims)
    return dict(token.claims)


def _rules() -> jwt.JWTClaimsRegistry:
    # Made for each token: it takes the time when it is made.
    return jwt.JWTClaimsRegistry(leeway=_LEEWAY_SECONDS, exp={"essential": True}, iat={"essential": True})
