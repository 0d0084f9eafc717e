"""Headers that protect less than the default ones, and origins that may read too much."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ...errors import Finding
from ...web.headers import HEADER_CHANGES, HeaderPolicy, default_policy, is_https_site

if TYPE_CHECKING:
    from ...app import App

__all__ = ["check_headers"]

_MONTH = 30 * 86_400
# What anybody can put a script at.
_ANYWHERE = frozenset({"*", "http:", "https:", "data:", "blob:", "filesystem:"})


def check_headers(app: App) -> Iterator[Finding]:
    """Yield what is wrong with the security headers of the whole app, and with its `Cors`."""
    security = app.provided_values.get(HEADER_CHANGES)
    where = security.place if security is not None else app.config.explain("CSP").source
    policy = default_policy(app.config, security)
    for number, level, message, hint in [*_policies(policy), *_others(policy, app.config)]:
        yield Finding(f"deploy.{number}", level, message, hint, where)
    for part in app.parts:
        for thing in part.registries.things:
            if type(thing).__module__ == "segue.web.cors":
                yield from _origins(thing)


Found = tuple[str, Any, str, str]


def _policies(policy: HeaderPolicy) -> Iterator[Found]:
    csp = policy.csp
    if csp is None:
        hint = "Leave csp=None out once the reports are quiet."
        yield "W020", "warning", "No content security policy is enforced.", hint
        return
    scripts = _sources(csp, "script-src")
    if scripts is None:
        yield "E020", "error", "The content security policy lets any script run.", '"script-src": "\'self\'"'
    else:
        yield from _scripts(scripts)
    styles = _sources(csp, "style-src") or frozenset()
    if "'unsafe-inline'" in styles:
        hint = '<style nonce="{{ csp_nonce }}">'
        yield "W021", "warning", "style-src has 'unsafe-inline': what is injected can dress up the page.", hint
    if "default-src" not in csp or _ANYWHERE & {*csp["default-src"].split()}:
        message = "default-src is missing or open: what no other directive names is loaded from anywhere."
        yield "W022", "warning", message, '"default-src": "\'self\'"'
    if _sources(csp, "object-src") != frozenset({"'none'"}):
        yield "W023", "warning", "object-src is not 'none': plug-ins run what they like.", '"object-src": "\'none\'"'
    if "base-uri" not in csp:
        message = "base-uri is missing: an injected <base> sends every relative link elsewhere."
        yield "W024", "warning", message, '"base-uri": "\'none\'"'
    if "form-action" not in csp or _ANYWHERE & {*csp["form-action"].split()}:
        message = "form-action is missing or open: an injected form can send what is typed anywhere."
        yield "W025", "warning", message, '"form-action": "\'self\'"'


def _scripts(scripts: frozenset[str]) -> Iterator[Found]:
    if "'unsafe-inline'" in scripts and "'strict-dynamic'" not in scripts:
        hint = '<script nonce="{{ csp_nonce }}">'
        yield "E021", "error", "script-src has 'unsafe-inline': what is injected into a page runs.", hint
    if "'unsafe-eval'" in scripts:
        hint = "Replace what needs eval()."
        yield "E022", "error", "script-src has 'unsafe-eval': texts become programs.", hint
    anywhere = sorted(scripts & _ANYWHERE)
    if anywhere and "'strict-dynamic'" not in scripts:
        message = f"script-src has {anywhere[0]}: scripts are loaded from wherever somebody put one."
        yield "E023", "error", message, '"script-src": "\'self\' https://cdn.example.com"'


def _sources(csp: Mapping[str, str], name: str) -> frozenset[str] | None:
    text = csp.get(name, csp.get("default-src"))
    return None if text is None else frozenset(text.split())


def _others(policy: HeaderPolicy, config: Mapping[str, Any]) -> Iterator[Found]:
    common = policy.common
    if is_https_site(config):
        hsts = common.get("strict-transport-security")
        if hsts is None:
            message = "Browsers are not told to come by HTTPS only."
            yield "E024", "error", message, "Leave hsts_seconds=None out."
        elif _max_age(hsts) < _MONTH:
            message = f"Browsers come by HTTPS only for {_max_age(hsts)} seconds."
            yield "W026", "warning", message, "Leave hsts_seconds out: it is a year."
    if "x-frame-options" not in common and "frame-ancestors" not in (policy.csp or {}):
        message = "Any site may frame the pages, and lay its own over them (clickjacking)."
        yield "E025", "error", message, 'frame_options="DENY", and @security_headers(frame_options=None) where needed.'
    if common.get("referrer-policy") in (None, "unsafe-url", "no-referrer-when-downgrade"):
        message = "Other sites are told whole addresses, with what stands in their queries."
        yield "W027", "warning", message, 'referrer_policy="strict-origin-when-cross-origin"'
    if common.get("cross-origin-opener-policy") in (None, "unsafe-none"):
        message = "Windows of other sites can reach into those of this one."
        yield "W028", "warning", message, 'opener_policy="same-origin-allow-popups"'
    if common.get("cross-origin-resource-policy") in (None, "cross-origin"):
        message = "Any site may embed every response."
        yield "W029", "warning", message, '@security_headers(resource_policy="cross-origin") where needed.'


def _max_age(hsts: str) -> int:
    return int(hsts.partition(";")[0].removeprefix("max-age="))


def _origins(cors: Any) -> Iterator[Finding]:
    origins = [cors.origins] if isinstance(cors.origins, str) else cors.origins
    for origin in origins:
        if origin.startswith("http://"):
            message = f"Cors lets {origin} read answers: whoever is on the way can, too."
            level: Any = "error"
            yield Finding("deploy.E026", level, message, origin.replace("http://", "https://", 1), cors.place)
        elif "*." in origin and cors.credentials:
            message = f"Cors lets any site below {origin} read what is shown to a visitor who is logged in."
            yield Finding("deploy.W030", "warning", message, "Name the sites that do.", cors.place)
