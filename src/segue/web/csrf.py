"""Forged requests: whether one that changes something was meant by the visitor.

Holds: `OriginGuard`, which decides by headers; the token for browsers that send none of
them; `csrf_exempt`, `csrf_protect`.
Imports: floor 0, http, handling, the sessions and origins beside it; signing at the first token.
Never: asks a browser that tells where a request comes from for a token.

The order (SECURITY §2.3): `Sec-Fetch-Site` decides where it is sent, which is by every browser
since 2023; else `Origin`; else a token, if the request carries cookies at all. A request with
credentials of its own, such as `Bearer`, and no cookies was sent by a program, and nobody can forge that.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from ..colours import Operation, either
from ..errors import Forbidden
from ..handling.exchange import Exchange
from ..handling.markers import mark
from ..signing import KEYS, BadSignature, equal
from .origins import Origin, OriginList, origin_of_url, parse_origin
from .sessions.session import Session, session_of

if TYPE_CHECKING:
    from ..signing import Signer

__all__ = ["FIELD", "HEADER", "OriginGuard", "csrf_exempt", "csrf_protect", "csrf_token"]

T = TypeVar("T")

FIELD = "csrf_token"
HEADER = "x-csrf-token"
_MARK = "csrf"
_MOST_SECONDS = 12 * 3600
_OF_BROWSERS = frozenset({"basic", "digest", "negotiate", "ntlm"})


def csrf_exempt(view: T) -> T:
    """Let any site send requests to a function, class or blueprint: for webhooks and public forms."""
    return _marked(view, value=False)


def csrf_protect(view: T) -> T:
    """Demand a token even of a request without cookies, as login pages must: where there is no session yet."""
    return _marked(view, value=True)


def _marked(view: T, *, value: bool) -> T:
    if hasattr(view, "registries"):  # a blueprint: its routes ask it
        view.csrf = value  # type: ignore[attr-defined]
        return view
    function: Any = view
    mark(function, **{_MARK: value})
    return view


class OriginGuard:
    """Refuses a request of another site that would change something.

    Args:
        trusted: Other origins that may: the key `TRUSTED_ORIGINS`.
        site: The canonical origin, from `SITE_URL`.
        is_strict: Whether a request without cookies needs a token too.
    """

    def __init__(self, *, trusted: Iterable[str], site: str | None, is_strict: bool = False) -> None:
        self._trusted = OriginList(trusted, name="TRUSTED_ORIGINS")
        self._site: Origin | None = origin_of_url(site) if site else None
        self._is_strict = is_strict
        mark(self, blocking=False)  # it waits for nothing, and so needs no thread

    def __repr__(self) -> str:
        return f"<OriginGuard{' of a login' if self._is_strict else ''}>"

    def __call__(self, exchange: Exchange) -> None:
        """Decide by the headers, or leave it to the token.

        Raises:
            Forbidden: It came from another site (`security/cross-site`).
        """
        site = exchange.header("sec-fetch-site")
        # PERF: of a browser's requests, every one that is meant ends here.
        if site == "same-origin" or site == "none":
            return
        origin = exchange.header("origin")
        has_cookies = exchange.header("cookie") is not None
        if site:
            self._judge(exchange, self._trusted.allows(origin), f"Sec-Fetch-Site: {site}", has_cookies=has_cookies)
        elif origin is not None:
            self._judge(exchange, self._is_own(exchange, origin), "Origin", has_cookies=has_cookies)
        elif has_cookies or self._is_strict:
            exchange.after_body = demand_token

    def _judge(self, exchange: Exchange, is_trusted: bool, what: str, *, has_cookies: bool) -> None:  # noqa: FBT001
        if is_trusted or (not has_cookies and _has_own_credentials(exchange)):
            return
        raise Forbidden(
            "This request came from another site.",
            code="security/cross-site",
            why=f"Its header {what} says so.",
            hint="If that site may, add its origin to TRUSTED_ORIGINS; for a webhook, put @csrf_exempt on its handler.",
        )

    def _is_own(self, exchange: Exchange, text: str) -> bool:
        origin = parse_origin(text)
        if origin is None:  # "null" too: a sandboxed frame, a file
            return False
        if origin == self._site or self._trusted.allows(origin):
            return True
        request = exchange.request
        own = origin_of_url(f"{request.scheme}://{request.host}")
        # Behind a proxy that nobody told us to trust, our own pages seem to be of plain HTTP.
        return own is not None and (origin == own or origin == origin_of_url(f"https://{request.host}"))


def _has_own_credentials(exchange: Exchange) -> bool:
    """Whether a program put credentials in; those of a dialog browsers send along as they do cookies."""
    scheme, _, rest = (exchange.header("authorization") or "").partition(" ")
    return bool(rest) and scheme.lower() not in _OF_BROWSERS


# The token


def csrf_token(request: Any) -> str:
    """Return a token for a form of this answer; another text each time, so that compression leaks none."""
    binding = session_of(request).binding
    signer = _signer(request)
    if not binding:
        return "a" + signer.sign(_visitor(request))
    secret = signer.fingerprint(binding)
    pad = secrets.token_bytes(len(secret))
    return "s" + base64.urlsafe_b64encode(pad + _mixed(pad, secret)).decode()


def demand_token(exchange: Exchange) -> Operation[None]:
    """Check the token of a request whose headers did not decide.

    Raises:
        Forbidden: It has none, or not its visitor's (`security/no-csrf-token`).
    """
    if exchange.received is None and exchange.endpoint is not None and not exchange.endpoint.streams_body:
        yield from either(exchange.read_body, exchange.aread_body, exchange.endpoint.limits)
    request = exchange.request
    token = exchange.header(HEADER) or _field(request)
    is_right = False
    # Without a key there are no tokens, and what is sent as one is none.
    if token and request.context.app.provided(KEYS):
        session = yield from session_of(request).loading()
        is_right = _is_right(request, session, token)
    if not is_right:
        raise Forbidden(
            "The form is too old, or was not sent from this site. Open it anew, and send it again.",
            code="security/no-csrf-token",
            why="The browser did not say where the request comes from, so it needs the token of its form.",
            hint="{% csrf %} in the form, or the header X-CSRF-Token.",
        )


def _field(request: Any) -> str | None:
    if request.context.received is None:
        return None
    found: str | None = request.form.get(FIELD)
    return found


def _is_right(request: Any, session: Session, token: str) -> bool:
    signer = _signer(request)
    if token[0] == "a":
        try:
            visitor = signer.unsign(token[1:], max_age=_MOST_SECONDS)
        except BadSignature:
            return False
        # A form that was opened before there was a session; after a login it is too late for it.
        return not session.owner and equal(visitor, _visitor(request))
    try:
        raw = base64.urlsafe_b64decode(token[1:])
    except ValueError:
        return False
    middle = len(raw) // 2
    return not session.is_new and signer.is_fingerprint(_mixed(raw[:middle], raw[middle:]), session.binding)


def _mixed(pad: bytes, other: bytes) -> bytes:
    return bytes(one ^ two for one, two in zip(pad, other, strict=False))


def _signer(request: Any) -> Signer:
    signer: Signer = request.context.app.provided(KEYS).signer(("csrf",), feature="CSRF tokens")
    return signer


def _visitor(request: Any) -> str:
    """What ties the token of a visitor without a session to them: a token of the attacker's is not theirs."""
    agent = request.headers.get("user-agent", "")
    try:
        address = ipaddress.ip_address(request.client)
        network = ipaddress.ip_network(f"{address}/{64 if address.version == 6 else 32}", strict=False)
    except ValueError:
        network = None
    return hashlib.sha256(f"{network}\n{agent}".encode("utf-8", "replace")).hexdigest()
