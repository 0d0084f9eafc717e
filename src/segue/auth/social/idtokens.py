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
    rules = jwt.JWTClaimsRegistry(leeway=_LEEWAY_SECONDS, exp={"essential": True}, iat={"essential": True})
    for are_new in (False, True):
        try:
            keys = jwk.KeySet.import_key_set(keys_at(endpoints.keys, are_new=are_new))  # type: ignore[arg-type]  # it looks
            token = jwt.decode(text, keys, algorithms=_ALGORITHMS)
            rules.validate(token.claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            # A provider changes its keys now and then: asked once more.
            if are_new:
                raise ProviderError(f"{provider.name} signed what does not hold: {type(error).__name__}") from error
        else:
            return dict(token.claims)
    raise AssertionError("the second turn returns or raises")
