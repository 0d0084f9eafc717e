"""A provider of OpenID Connect on this machine, which signs what a test wants it to say."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from joserfc import jwk, jwt

from segue import App, Request, abort, redirect

CLIENT, SECRET = "club", "the secret of the club"


@dataclass
class Elsewhere:
    """What the provider says, and what was asked of it.

    Attributes:
        person: Who is logged in there.
        claims: What the signed token says instead of what is right; `None` leaves a claim away.
        key: What it signs by.
        published: The keys that it publishes, if others than that.
        codes: What was given out.
    """

    url: str = ""
    person: dict[str, Any] = field(default_factory=dict[str, Any])
    claims: dict[str, Any] = field(default_factory=dict[str, Any])
    header: dict[str, Any] = field(default_factory=dict[str, Any])
    key: Any = field(default_factory=lambda: jwk.ECKey.generate_key("P-256", {"kid": "one"}))
    published: Any = None
    told_by_token: bool = True
    names_issuer: bool = True
    codes: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    logins: list[dict[str, str]] = field(default_factory=list[dict[str, str]])

    def sign(self, nonce: str) -> str:
        now = int(time.time())
        person = self.person if self.told_by_token else {"sub": self.person["sub"]}
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce, **person, **self.claims}
        kept = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": "ES256", "kid": self.key.kid, **self.header}
        if header["alg"] == "none":
            parts = (str(header).replace("'", '"'), str(kept).replace("'", '"').replace("True", "true"))
            return ".".join(base64.urlsafe_b64encode(each.encode()).rstrip(b"=").decode() for each in parts) + "."
        return jwt.encode(header, kept, self.key)


def make_provider(elsewhere: Elsewhere) -> App:
    """Make the site of the provider."""
    app = App("elsewhere", static_folder=None, template_folder=None, config={"ALLOWED_HOSTS": ["127.0.0.1"]})

    @app.get("/.well-known/openid-configuration")
    def configuration() -> Any:
        url = elsewhere.url
        return {
            "issuer": url,
            "authorization_endpoint": f"{url}/authorize",
            "token_endpoint": f"{url}/token",
            "userinfo_endpoint": f"{url}/me",
            "jwks_uri": f"{url}/keys",
            "authorization_response_iss_parameter_supported": True,
        }

    @app.get("/keys")
    def keys() -> Any:
        return {"keys": [each.as_dict(private=False) for each in elsewhere.published or [elsewhere.key]]}

    @app.get("/authorize")
    def authorize(request: Request) -> Any:
        asked = dict(request.query)
        elsewhere.logins.append(asked)
        code = secrets.token_urlsafe(16)
        elsewhere.codes[code] = asked
        answer = {"code": code, "state": asked["state"]}
        if elsewhere.names_issuer:
            answer["iss"] = elsewhere.url
        return redirect(f"{asked['redirect_uri']}?{urlencode(answer)}", external=True)

    @app.post("/token")
    def token(request: Request) -> Any:
        given = request.form
        asked = elsewhere.codes.pop(given["code"], None)
        wanted = base64.b64encode(f"{CLIENT}:{SECRET}".replace(" ", "%20").encode()).decode()
        plain = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(given["code_verifier"].encode()).digest()).rstrip(b"=")
        if (
            asked is None
            or request.headers.get("authorization") not in (f"Basic {wanted}", f"Basic {plain}")
            or challenge.decode() != asked["code_challenge"]
            or given["redirect_uri"] != asked["redirect_uri"]
        ):
            return {"error": "invalid_grant"}, 400
        return {"access_token": "open", "token_type": "Bearer", "id_token": elsewhere.sign(asked.get("nonce", ""))}

    @app.get("/me")
    def me(request: Request) -> Any:
        if request.headers.get("authorization") != "Bearer open":
            abort(401)
        return elsewhere.person

    return app
