"""What both test clients do before and after the call itself.

Holds `Caller`: it builds the requests, keeps the cookies, and says where redirects lead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterable, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, TypedDict
from urllib.parse import quote, urlencode, urljoin, urlsplit

from ..errors import SegueError, UsageError, did_you_mean
from ..protocols import ASGIAdapter, RSGIAdapter, WSGIAdapter
from .bodies import Body, make_body
from .cookies import Cookies
from .recording import Record, listen
from .responses import TestResponse
from .transports import Answer, Call

if TYPE_CHECKING:
    from ..app import App

__all__ = ["Caller", "Protocol", "RequestOptions"]

Protocol = Literal["asgi", "rsgi", "wsgi"]

_MOST_REDIRECTS = 20


class RequestOptions(TypedDict, total=False):
    """What every request method takes.

    Attributes:
        query: Query parameters, added to those of the path.
        json: A value to send as JSON.
        data: Form fields (a mapping or pairs), or a raw body (text, bytes).
        files: Files of a form: name → content, or (filename, content[, content type]),
            or a list of these; with `data=` for the fields beside them.
        headers: Added to the client's own.
        cookies: For this request alone.
        chunks: A raw body in the pieces it is to arrive in.
        content_type: Instead of the one that follows from the body.
        follow_redirects: Whether to go on to where a 3xx leads, within the app's hosts.
        client: The address the request comes from.
        disconnect: Set it, and the client is gone.
    """

    query: Mapping[str, Any]
    json: Any
    data: Any
    files: Mapping[str, Any]
    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    chunks: Iterable[bytes]
    content_type: str
    follow_redirects: bool
    client: str
    disconnect: asyncio.Event


Exchanges = Generator[Call, tuple[Answer, Record], TestResponse]


class Caller:
    """Everything but calling.

    Attributes:
        headers: Sent with each request to the client's own origin.
        cookies: A mapping; set one, or look at what answers have set.
    """

    def __init__(
        self,
        app: App,
        *,
        protocol: Protocol = "asgi",
        base_url: str = "http://localhost",
        headers: Mapping[str, str] | None = None,
        raise_errors: bool = True,
        same_site: bool = True,
    ) -> None:
        if app._compiled is None:  # pyright: ignore[reportPrivateUsage]
            app.testing = True
        self.app = app
        self.protocol: Protocol = protocol
        self.base_url: str = base_url.rstrip("/")
        self.headers: dict[str, str] = dict(headers or {})
        self.cookies: Cookies = Cookies(self.base_url)
        self.raise_errors = raise_errors
        self._same_site = same_site
        self._adapter: Any = None
        self._adapted: Any = None
        self._entering = Lock()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.app.name!r} by {self.protocol}>"

    def _entry(self) -> Any:
        # One adapter for all threads: it counts what is in flight.
        with self._entering:
            compiled = self.app.compile()
            if self._adapted is not compiled:
                adapters: dict[str, Any] = {"asgi": ASGIAdapter, "rsgi": RSGIAdapter, "wsgi": WSGIAdapter}
                listen(compiled.signals)
                self._adapter, self._adapted = adapters[self.protocol](compiled), compiled
            return self._adapter

    def _raise(self, record: Record) -> None:
        if record.errors and self.raise_errors:
            raise record.errors[0]

    def _exchange(self, method: str, path: str, options: RequestOptions) -> Exchanges:
        """Yield calls, receive answers, return the last response."""
        history: list[TestResponse] = []
        body = _checked_body(options)
        url = self._url(path, options)
        headers = _lower(options.get("headers", {}))
        cookies = dict(options.get("cookies", {}))
        while True:
            call = self._call(method, url, headers, cookies, body, options)
            answer, record = yield call
            response = TestResponse(answer, url, list(history), record)
            self.cookies.keep(url, response.headers.getlist("set-cookie"))
            target = _redirect_target(response)
            if not options.get("follow_redirects") or target is None or not self._answers_for(target):
                return response
            if len(history) >= _MOST_REDIRECTS:
                raise UsageError(
                    f"More than {_MOST_REDIRECTS} redirects.",
                    code="testing/redirect-loop",
                    why=f"The last one led from {url} to {target}.",
                    hint="Leave follow_redirects away, and look at response.location.",
                )
            history.append(response)
            if _origin(target) != _origin(url):
                # What was meant for one site is not shown to another.
                headers = {name: headers[name] for name in headers if name not in ("authorization", "cookie")}
                cookies = {}
            if response.status_code == 303 or (response.status_code in (301, 302) and method.upper() == "POST"):
                method = method if method.upper() == "HEAD" else "GET"
                body = Body()
                headers = {name: headers[name] for name in headers if not name.startswith("content-")}
            url = target

    def first_call(self, method: str, path: str, options: RequestOptions) -> tuple[str, Call]:
        """Return the address and the call of a request that follows no redirects."""
        body = _checked_body(options)
        url = self._url(path, options)
        headers = _lower(options.get("headers", {}))
        return url, self._call(method, url, headers, dict(options.get("cookies", {})), body, options)

    def _url(self, path: str, options: RequestOptions) -> str:
        if "query" in options:
            path += ("&" if "?" in path else "?") + urlencode(options["query"], doseq=True)
        path = path.partition("#")[0]
        if not path.isascii():
            path = quote(path, safe="/?&=%:;,+@!$'()*~#[]")
        return path if path.startswith(("http://", "https://")) else self.base_url + path

    def _answers_for(self, url: str) -> bool:
        """Whether *url* is of this app: others it cannot reach."""
        host = urlsplit(url).netloc
        try:
            return host == urlsplit(self.base_url).netloc or self.app.compile().hosts.allows(host)
        except SegueError:
            return False

    def _call(
        self,
        method: str,
        url: str,
        own_headers: Mapping[str, str],
        own_cookies: Mapping[str, str],
        body: Body,
        options: RequestOptions,
    ) -> Call:
        scheme, _, rest = url.partition("://")
        host, slash, path = rest.partition("/")
        headers = {"host": host, "user-agent": "segue-test"}
        is_home = _origin(url) == _origin(self.base_url)
        for name, value in _lower(self.headers).items():
            if is_home or name not in ("authorization", "cookie"):
                headers[name] = value
        if body.chunks:
            headers["content-length"] = str(body.length)
        if body.content_type:
            headers["content-type"] = body.content_type
        if self._same_site and method.upper() not in ("GET", "HEAD", "OPTIONS") and "origin" not in own_headers:
            headers["sec-fetch-site"] = "same-origin"
        headers.update(own_headers)
        cookies = self.cookies.header(url, own_cookies.items())
        if cookies and "cookie" not in headers:
            headers["cookie"] = cookies
        return Call(
            method.upper(),
            slash + path,
            list(headers.items()),
            list(body.chunks),
            scheme=scheme,
            client=options.get("client", "127.0.0.1"),
            disconnect=options.get("disconnect"),
        )


def _checked_body(options: RequestOptions) -> Body:
    for name in options:
        if name not in RequestOptions.__annotations__:
            raise UsageError(
                f"A request takes no {name!r}.",
                code="testing/unknown-option",
                hint=did_you_mean(name, RequestOptions.__annotations__),
            )
    return make_body(options)


def _redirect_target(response: TestResponse) -> str | None:
    if not response.location or response.status_code not in (301, 302, 303, 307, 308):
        return None
    return urljoin(response.url, response.location).partition("#")[0]


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
