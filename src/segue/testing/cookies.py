"""The cookies of a test client: kept and sent by the rules of a browser.

Paths, domains, `Secure` and expiry are judged by the standard library's jar; here is
only the mapping that tests look at, and the form in which Segue writes values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping
from email.message import Message
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request

from ..http.cookies import dump_cookie, parse_cookies

__all__ = ["Cookies", "read_set_cookie"]


def read_set_cookie(header: str) -> tuple[str, str] | None:
    """Return name and value of a `Set-Cookie` header, or `None` where it is none."""
    found = parse_cookies(header.partition(";")[0])
    return next(iter(found.items()), None)


class _Policy(DefaultCookiePolicy):
    """Browsers send `Secure` cookies to this machine without TLS, too."""

    def return_ok_secure(self, cookie: Cookie, request: Any) -> bool:
        host = urlsplit(str(request.full_url)).hostname or ""
        is_own = host in ("localhost", "127.0.0.1", "::1") or host.endswith(".localhost")
        return is_own or bool(super().return_ok_secure(cookie, request))


class _Answer:
    """What the jar asks of a response: its headers."""

    def __init__(self, headers: Iterable[str]) -> None:
        self._message = Message()
        for value in headers:
            self._message.add_header("Set-Cookie", value)

    def info(self) -> Message:
        return self._message


def _needs_tls(name: str) -> bool:
    """Whether browsers take a cookie of this name over TLS alone (RFC 6265bis §4.1.3)."""
    return name.lower().startswith(("__host-", "__secure-"))


class Cookies(MutableMapping[str, str]):
    """Cookies by name, as the client would send them.

    A cookie that is set here goes to the client's own host and every path.

    >>> cookies = Cookies("http://localhost")
    >>> cookies["theme"] = "dark"
    >>> cookies.header("http://localhost/settings")
    'theme=dark'
    """

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._jar = CookieJar(_Policy())

    def __repr__(self) -> str:
        return f"<Cookies {', '.join(self)}>"

    def __getitem__(self, name: str) -> str:
        for cookie in self._jar:
            if cookie.name == name:
                return parse_cookies(f"{name}={cookie.value or ''}").get(name, "")
        raise KeyError(name)

    def __setitem__(self, name: str, value: str) -> None:
        self.keep(self._base_url, [dump_cookie(name, str(value), samesite=None, secure=_needs_tls(name))])

    def __delitem__(self, name: str) -> None:
        found = [cookie for cookie in self._jar if cookie.name == name]
        if not found:
            raise KeyError(name)
        for cookie in found:
            self._jar.clear(cookie.domain, cookie.path, cookie.name)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(cookie.name for cookie in self._jar))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def keep(self, url: str, headers: Iterable[str]) -> None:
        """Take the `Set-Cookie` headers of an answer from *url*."""
        answer: Any = _Answer(headers)
        self._jar.extract_cookies(answer, Request(url))

    def header(self, url: str, extra: Iterable[tuple[str, str]] = ()) -> str:
        """Return the `Cookie` header for *url*; *extra* go with this request alone."""
        request = Request(url)
        self._jar.add_cookie_header(request)
        own = str(request.get_header("Cookie") or "")
        pairs: dict[str, str] = {}
        for part in filter(None, own.split("; ")):
            name, _, value = part.partition("=")
            pairs[name] = value
        for name, value in extra:
            # With a prefix of browsers' own a cookie must be written with flags; only its value is sent.
            written = dump_cookie(name, str(value), samesite=None, secure=_needs_tls(name))
            pairs[name] = written.partition("=")[2].partition("; ")[0]
        return "; ".join(f"{name}={value}" for name, value in pairs.items())
