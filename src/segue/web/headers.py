"""The headers that every response carries, made once at start-up.

Two sets: for pages, and for everything else (JSON, media, errors as problems). The
values are those of the security policy (docs/reference/headers.md); `Security()`
changes them for the app, `@security_headers` for a view or a blueprint, and a response
that sets one itself keeps its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, TypeAlias, TypedDict

from ..context import Key
from ..errors import SetupError, cut, did_you_mean
from ..handling.results import Blocks
from .csp import DATA_POLICY, PAGE_POLICY, Directives, Sources, nonce_parts, policy_text, read_directives

__all__ = [
    "HEADER_CHANGES",
    "FrameOptions",
    "HeaderChanges",
    "HeaderPolicy",
    "checked",
    "default_policy",
    "is_https_site",
]

FrameOptions: TypeAlias = Literal["DENY", "SAMEORIGIN"] | None

POLICY = "content-security-policy"
TRIAL = "content-security-policy-report-only"

_PERMISSIONS = {"camera": "", "microphone": "", "geolocation": "", "browsing-topics": ""}
_COMMON: Mapping[str, str] = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "strict-origin-when-cross-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
    "permissions-policy": "",
    "x-permitted-cross-domain-policies": "none",
}
_CHOICES: Mapping[str, tuple[str, frozenset[str]]] = {
    "referrer_policy": (
        "referrer-policy",
        frozenset(
            [
                "no-referrer",
                "no-referrer-when-downgrade",
                "origin",
                "origin-when-cross-origin",
                "same-origin",
                "strict-origin",
                "strict-origin-when-cross-origin",
                "unsafe-url",
            ]
        ),
    ),
    "opener_policy": (
        "cross-origin-opener-policy",
        frozenset({"same-origin", "same-origin-allow-popups", "noopener-allow-popups", "unsafe-none"}),
    ),
    "resource_policy": ("cross-origin-resource-policy", frozenset({"same-origin", "same-site", "cross-origin"})),
    "frame_options": ("x-frame-options", frozenset({"DENY", "SAMEORIGIN"})),
}
_ANCESTORS = {"DENY": "'none'", "SAMEORIGIN": "'self'"}
_FEATURE = re.compile(r"[a-z][a-z0-9-]*").fullmatch
_UNSENDABLE = re.compile(r'[^\x20-\x7e]|[;,"()]').search


class HeaderChanges(TypedDict, total=False):
    """What `Security` and `@security_headers` can change; `None` sends no such header.

    Attributes:
        csp: Directives to add, replace or remove (`None`).
        csp_report_only: The same for a second policy, which browsers report and do not enforce.
        referrer_policy: How much of an address other sites are told.
        opener_policy: Which windows share a process with a page (COOP).
        resource_policy: Which sites may embed a response (CORP).
        frame_options: Who may frame a page; the policy's `frame-ancestors` goes with it.
        permissions_policy: Features of the browser, and the origins that may use them.
    """

    csp: Mapping[str, Sources] | None
    csp_report_only: Mapping[str, Sources] | None
    referrer_policy: str | None
    opener_policy: str | None
    resource_policy: str | None
    frame_options: FrameOptions
    permissions_policy: Mapping[str, str | None] | None


class Changing(Protocol):
    """What changes the headers of a whole app: `Security`, which is loaded where it is registered."""

    @property
    def place(self) -> str:
        """Where it was made."""
        ...

    def changes(self) -> HeaderChanges:
        """Return what it changes."""
        ...

    def transport(self) -> tuple[int | None, bool, bool]:
        """Return what browsers are told of HTTPS: seconds, names below, preload."""
        ...


HEADER_CHANGES: Key[Changing] = Key("security headers")


def checked(changes: HeaderChanges, *, where: str) -> HeaderChanges:
    """Return *changes* once every value of them can be sent and means something.

    Raises:
        SetupError: One does not (`security/bad-csp`, `security/bad-header`).
    """
    for directives in (changes.get("csp"), changes.get("csp_report_only")):
        if directives is not None:
            read_directives(directives, where=where)
    for option, (header, choices) in _CHOICES.items():
        value: Any = changes.get(option)
        if value is not None and value not in choices:
            raise _bad_header(
                f"{option} is {cut(value)}, which {header} does not know.",
                where,
                f"Browsers ignore a value that they do not know. The values are {', '.join(sorted(choices))}.",
                did_you_mean(str(value), choices) or f'{option}="{sorted(choices)[0]}"',
            )
    for feature, allowed in (changes.get("permissions_policy") or {}).items():
        if not _FEATURE(feature) or (allowed is not None and _UNSENDABLE(allowed)):
            raise _bad_header(
                f"permissions_policy holds {cut(feature)}: {cut(allowed)}, which cannot be sent.",
                where,
                "A feature is a word in lower case; who may use it are origins and `self`, apart by spaces.",
                'permissions_policy={"geolocation": "self https://maps.example.com", "camera": ""}',
            )
    return changes


def _bad_header(message: str, where: str, why: str, hint: str) -> SetupError:
    return SetupError(message, code="security/bad-header", where=where, why=why, hint=hint)


@dataclass(frozen=True, slots=True)
class HeaderPolicy:
    """The constant headers of an app, a blueprint or a view, before they are written out.

    Attributes:
        csp: The policy of pages; `None` sends none.
        csp_report_only: A second one on trial.
        data_csp: The policy of everything else.
        common: The other headers; those that are not sent are not in it.
        permissions: Features of the browser and who may use them.
    """

    csp: Directives | None
    csp_report_only: Directives | None
    data_csp: Directives
    common: Mapping[str, str]
    permissions: Mapping[str, str]

    def changed(self, changes: HeaderChanges, *, where: str = "") -> HeaderPolicy:
        """Return this policy with *changes*, which were `checked`."""
        policy = self
        if "csp" in changes:
            policy = replace(policy, csp=_changed(policy.csp or PAGE_POLICY, changes["csp"], where))
        if "frame_options" in changes:
            policy = policy._framed(changes["frame_options"], changes.get("csp") or {})
        if "csp_report_only" in changes:
            base = policy.csp or PAGE_POLICY
            policy = replace(policy, csp_report_only=_changed(base, changes["csp_report_only"], where))
        common = dict(policy.common)
        for option, (header, _) in _CHOICES.items():
            if option in changes:
                _put(common, header, changes.get(option))
        permissions = dict(policy.permissions)
        if "permissions_policy" in changes:
            given = changes["permissions_policy"]
            permissions = {} if given is None else permissions
            for feature, allowed in (given or {}).items():
                _put(permissions, feature, allowed)
        return replace(policy, common=common, permissions=permissions)

    def _framed(self, option: FrameOptions, said: Mapping[str, Sources]) -> HeaderPolicy:
        # Where a policy has frame-ancestors, browsers do not look at X-Frame-Options.
        ancestors = _ANCESTORS.get(option or "")
        data_csp = dict(self.data_csp)
        _put(data_csp, "frame-ancestors", ancestors)
        csp = None if self.csp is None else dict(self.csp)
        if csp is not None and "frame-ancestors" not in said:
            _put(csp, "frame-ancestors", ancestors)
        return replace(self, csp=csp, data_csp=data_csp)

    def upgraded(self, max_age: int | None, *, subdomains: bool = True, preload: bool = False) -> HeaderPolicy:
        """Return this policy for a site that is served by HTTPS only.

        Args:
            max_age: For how many seconds browsers come by HTTPS only; `None` does not say so.
        """
        common = dict(self.common)
        if max_age is not None:
            words = [f"max-age={max_age}", *["includeSubDomains"] * subdomains, *["preload"] * preload]
            common["strict-transport-security"] = "; ".join(words)
        upgrade = {"upgrade-insecure-requests": ""}
        return replace(
            self,
            csp=None if self.csp is None else {**self.csp, **upgrade},
            common=common,
        )

    def blocks(self) -> Blocks:
        """Write the headers out, as responses carry them."""
        common = {**self.common}
        common["permissions-policy"] = ", ".join(
            f"{feature}={_allow_list(allowed)}" for feature, allowed in self.permissions.items()
        )
        if not self.permissions:
            del common["permissions-policy"]
        policies = [(POLICY, self.csp), (TRIAL, self.csp_report_only)]
        found = [(name, directives) for name, directives in policies if directives]
        page = {name: policy_text(directives) for name, directives in found}
        return Blocks.of(
            {**page, **common},
            {POLICY: policy_text(self.data_csp), **common},
            bare=common,
            policies=[(name, nonce_parts(directives)) for name, directives in found],
        )


def default_policy(config: Mapping[str, Any], changes: Changing | None = None) -> HeaderPolicy:
    """Return the constant headers of an app.

    Args:
        config: Its `SITE_URL` decides about HTTPS, its `CSP` changes the policy.
        changes: What `Security` changes, if it is registered.

    Raises:
        SetupError: `CSP` holds a value that cannot be sent.
    """
    policy = HeaderPolicy(PAGE_POLICY, None, DATA_POLICY, _COMMON, _PERMISSIONS)
    if config["CSP"]:
        given: Mapping[str, Sources] = config["CSP"]
        policy = policy.changed({"csp": given}, where="the configuration key CSP")
    if changes is not None:
        policy = policy.changed(changes.changes(), where=changes.place)
    if is_https_site(config):
        max_age, subdomains, preload = (31_536_000, True, False) if changes is None else changes.transport()
        policy = policy.upgraded(max_age, subdomains=subdomains, preload=preload)
    return policy


def is_https_site(config: Mapping[str, Any]) -> bool:
    """Whether `SITE_URL` says that visitors come by HTTPS, to another machine than this."""
    if not config["SITE_URL"]:
        return False
    from .origins import origin_of_url  # for sites that have an address

    origin = origin_of_url(config["SITE_URL"])
    return origin is not None and origin.scheme == "https" and origin.host != "localhost"


def _changed(base: Directives, changes: Mapping[str, Sources] | None, where: str) -> Directives | None:
    if changes is None:
        return None
    directives = dict(base)
    for name, value in read_directives(changes, where=where).items():
        _put(directives, name, value)
    return directives


def _put(fields: dict[str, str], name: str, value: Any) -> None:
    if value is None:
        fields.pop(name, None)
    else:
        fields[name] = value


def _allow_list(allowed: str) -> str:
    if allowed.strip() == "*":
        return "*"
    return "(" + " ".join(each if each == "self" else f'"{each}"' for each in allowed.split()) + ")"
