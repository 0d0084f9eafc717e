"""The content security policy: what a page may load, run and send to.

Holds: the default directives, the reading of changes to them, their text, and the
places of a nonce in it. Everything here happens at start-up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from ..errors import SetupError, cut, did_you_mean

__all__ = ["DATA_POLICY", "PAGE_POLICY", "Directives", "Sources", "nonce_parts", "policy_text", "read_directives"]

Sources: TypeAlias = str | Sequence[str] | None
Directives: TypeAlias = Mapping[str, str]

PAGE_POLICY: Directives = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
DATA_POLICY: Directives = {"default-src": "'none'", "frame-ancestors": "'none'", "sandbox": ""}

_KNOWN = frozenset(
    [
        "base-uri",
        "child-src",
        "connect-src",
        "default-src",
        "fenced-frame-src",
        "font-src",
        "form-action",
        "frame-ancestors",
        "frame-src",
        "img-src",
        "manifest-src",
        "media-src",
        "object-src",
        "report-to",
        "report-uri",
        "require-trusted-types-for",
        "sandbox",
        "script-src",
        "script-src-attr",
        "script-src-elem",
        "style-src",
        "style-src-attr",
        "style-src-elem",
        "trusted-types",
        "upgrade-insecure-requests",
        "webrtc",
        "worker-src",
    ]
)
# Without quotes these are the names of hosts.
_KEYWORDS = frozenset(
    [
        "self",
        "none",
        "unsafe-inline",
        "unsafe-eval",
        "unsafe-hashes",
        "strict-dynamic",
        "report-sample",
        "wasm-unsafe-eval",
        "inline-speculation-rules",
    ]
)
_KEYWORDS_TAKEN = re.compile(r".*-src(-attr|-elem)?|base-uri|form-action|frame-ancestors").fullmatch
_WITH_NONCE = ("script-src", "script-src-elem", "style-src", "style-src-elem")
_UNSENDABLE = re.compile(r"[^\x20-\x7e]|[;,]").search


def read_directives(changes: Mapping[str, Sources], *, where: str) -> dict[str, str | None]:
    """Return *changes* with the sources of each directive as one text; `None` removes it.

    Raises:
        SetupError: An unknown directive, or a value that would end it (`security/bad-csp`).
    """
    read: dict[str, str | None] = {}
    for name, sources in changes.items():
        if name not in _KNOWN:
            raise _bad(
                f"The content security policy has no directive {cut(name)}.",
                where,
                "Browsers ignore a directive that they do not know, so it would restrict nothing.",
                did_you_mean(str(name), _KNOWN) or "The directives are those of CSP level 3, in lower case.",
            )
        read[name] = None if sources is None else _one_text(name, sources, where)
    return read


def _one_text(name: str, sources: str | Sequence[str], where: str) -> str:
    text = sources if isinstance(sources, str) else " ".join(sources)
    if _UNSENDABLE(text):
        raise _bad(
            f"The content security policy for {name!r} holds a separator.",
            where,
            "`;` and `,` would begin another directive or another policy; a line break, another header.",
            'Give each directive a key of its own: CSP = {"img-src": "\'self\' https://img.example.com"}',
        )
    words = text.split()
    bare = [word for word in words if word in _KEYWORDS] if _KEYWORDS_TAKEN(name) else []
    if bare:
        raise _bad(
            f"The content security policy for {name!r} says {bare[0]} without quotes.",
            where,
            f"So it is the name of a host, {bare[0]}.",
            f"\"'{bare[0]}'\"",
        )
    return " ".join(words)


def _bad(message: str, where: str, why: str, hint: str) -> SetupError:
    return SetupError(message, code="security/bad-csp", where=where, why=why, hint=hint)


def policy_text(directives: Directives) -> str:
    """Return the value of the header."""
    return "; ".join(f"{name} {value}".strip() for name, value in directives.items())


def nonce_parts(directives: Directives) -> tuple[str, ...]:
    """Return the text of the policy, cut where a nonce belongs.

    A directive that allows everything inline is left: a nonce would take that back
    (CSP3 §6.7.3.2), and break what the page relies on.
    """
    text = dict(directives)
    for name in _WITH_NONCE:
        fallback = text.get("default-src") if name in ("script-src", "style-src") else None
        sources = text.get(name, fallback)
        if sources is None:
            continue  # nothing restricts it
        words = [word for word in sources.split() if word != "'none'"]
        if "'unsafe-inline'" in words and "'strict-dynamic'" not in words:
            continue
        text[name] = " ".join([*words, f"'nonce-{_MARK}'"])
    return tuple(policy_text(text).split(_MARK))


_MARK = "\0"
