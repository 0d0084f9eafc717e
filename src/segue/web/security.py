"""`Security`: other constant headers than the default ones, and HTTPS for everyone.

Holds: the battery, and the mark that changes the headers of one view or blueprint.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, Unpack

from ..errors import SetupError, cut
from ..handling.markers import mark, marks_of
from ..http.hosts import parse_host
from ..http.request import Request
from ..http.response import Response
from ..places import caller_place
from ..typing import Setup
from .csp import Sources
from .headers import HEADER_CHANGES, FrameOptions, HeaderChanges, checked, is_https_site
from .origins import origin_of_url

__all__ = ["Security", "changes_of", "security_headers"]

T = TypeVar("T")

_YEAR = 31_536_000
_PRELOAD_SECONDS = 31_536_000  # what hstspreload.org asks for
_MARK = "security_headers"


@dataclass(frozen=True, slots=True)
class Security:
    """Changes the security headers of all responses: `app.register(Security(…))`.

    What is left out stays as it is without this battery. `None` sends no such header.

    Args:
        csp: Directives of the content security policy to add, replace or remove (`None`).
        csp_report_only: A second policy, made of the first in the same way, which browsers
            report and do not enforce. With `csp=None` there is only this one.
        hsts_seconds: For how long browsers come by HTTPS only, once `SITE_URL` is https.
        hsts_subdomains: Whether that holds for all names below, too.
        hsts_preload: Whether browsers may have it built in. It is hard to take back.
        referrer_policy: How much of an address other sites are told.
        opener_policy: Which windows share a process with a page (COOP).
        resource_policy: Which sites may embed a response (CORP).
        frame_options: Who may frame a page: nobody, or this site.
        permissions_policy: Features of the browser, and the origins that may use them,
            apart by spaces: `self`, an origin, `*`, or nothing for nobody.
        https_redirect: Whether a request by HTTP is redirected, once `SITE_URL` is https.
        https_exempt: Paths that are answered by HTTP too, as health checks ask for them.

    Raises:
        SetupError: A value that cannot be sent or that no browser knows.

    >>> Security(frame_options="SAMEORIGIN", csp={"img-src": "'self' https://img.example.com"}).hsts_seconds
    31536000
    """

    csp: Mapping[str, Sources] | None = field(default_factory=dict[str, Sources])
    csp_report_only: Mapping[str, Sources] | None = None
    hsts_seconds: int | None = _YEAR
    hsts_subdomains: bool = True
    hsts_preload: bool = False
    referrer_policy: str | None = "strict-origin-when-cross-origin"
    opener_policy: str | None = "same-origin"
    resource_policy: str | None = "same-origin"
    frame_options: FrameOptions = "DENY"
    permissions_policy: Mapping[str, str | None] | None = field(default_factory=dict[str, "str | None"])
    https_redirect: bool = False
    https_exempt: Sequence[str] = ("/livez", "/readyz")
    place: str = field(default_factory=caller_place, repr=False, compare=False)

    def __post_init__(self) -> None:
        checked(self.changes(), where=self.place)
        if self.hsts_seconds is not None and self.hsts_seconds < 0:
            raise self._bad_hsts(f"hsts_seconds is {self.hsts_seconds}.", "hsts_seconds=31_536_000")
        if self.hsts_preload and not (self.hsts_subdomains and (self.hsts_seconds or 0) >= _PRELOAD_SECONDS):
            raise self._bad_hsts(
                "hsts_preload asks for more than is said.",
                "Security(hsts_preload=True), with hsts_subdomains on and hsts_seconds of a year or more.",
            )
        for path in self.https_exempt:
            if not path.startswith("/"):
                raise SetupError(
                    f"https_exempt holds {cut(path)}, which is no path.",
                    code="security/bad-header",
                    where=self.place,
                    hint=f'https_exempt=["/{path}"]',
                )

    def _bad_hsts(self, message: str, hint: str) -> SetupError:
        return SetupError(
            message,
            code="security/bad-header",
            where=self.place,
            why="Strict-Transport-Security is a number of seconds from now; lists of browsers take a year or more.",
            hint=hint,
        )

    def changes(self) -> HeaderChanges:
        """Return what it changes in the headers."""
        changes = HeaderChanges(
            csp=self.csp,
            csp_report_only=self.csp_report_only,
            referrer_policy=self.referrer_policy,
            opener_policy=self.opener_policy,
            resource_policy=self.resource_policy,
            permissions_policy=self.permissions_policy,
        )
        if self.frame_options != "DENY":  # else the policy of `CSP` may name others
            changes["frame_options"] = self.frame_options
        return changes

    def transport(self) -> tuple[int | None, bool, bool]:
        """Return what browsers are told of HTTPS: seconds, names below, preload."""
        return self.hsts_seconds, self.hsts_subdomains, self.hsts_preload

    def install(self, setup: Setup) -> None:
        """Change the headers of the app, and redirect to HTTPS if that is wanted."""
        setup.provide(HEADER_CHANGES, self)
        if self.https_redirect:
            setup.guard(mark(self._redirect, blocking=False))

    @property
    def _redirect(self) -> Callable[[Request], Response | None]:
        exempt = frozenset(self.https_exempt)

        def redirect_to_https(request: Request) -> Response | None:
            if request.is_secure or request.path in exempt:
                return None
            config = request.app.config
            if config["DEBUG"] or not is_https_site(config):
                return None
            # 308 keeps method and body; GET and HEAD have what every client knows.
            status = 301 if request.method in ("GET", "HEAD") else 308
            return Response(b"", status, {"location": _secure_url(request, config)})

        return redirect_to_https


def _secure_url(request: Request, config: Mapping[str, Any]) -> str:
    site = origin_of_url(config["SITE_URL"])
    host, _ = parse_host(request.host)
    # Several hosts are told apart only where they are listed; its port is that of HTTP.
    is_listed = bool(config["ALLOWED_HOSTS"]) and "*" not in config["ALLOWED_HOSTS"]
    assert site is not None
    begin = f"https://{host}" if is_listed and host != site.host else str(site)
    return begin + request.full_path


def security_headers(**changes: Unpack[HeaderChanges]) -> Callable[[T], T]:
    """Change the security headers of a view, or of all views of a blueprint.

    It sets a mark, so its place among decorators does not matter. For a blueprint:
    `embed = security_headers(frame_options=None)(Blueprint("embed", __name__))`.

    Args:
        changes: As for `Security`, beginning with what the app, or the blueprint, has.

    Raises:
        SetupError: A value that cannot be sent or that no browser knows.
    """
    place = caller_place()
    checked(changes, where=place)

    def decorate(thing: T) -> T:
        target: Any = thing
        mark(target, **{_MARK: (changes, place)})
        return thing

    return decorate


def changes_of(thing: Any) -> tuple[HeaderChanges, str] | None:
    """Return what `security_headers` said of a view or a blueprint, and where."""
    found: tuple[HeaderChanges, str] | None = marks_of(thing).get(_MARK)
    return found
