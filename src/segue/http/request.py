"""The request: what the client sent, parsed when first touched, never changed.

Holds `Request` and `RequestSource`, the Protocol through which an adapter feeds it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from ..context import State
from ..errors import BadRequest, UnsupportedMediaType, UsageError
from .bodies import ContentType, parse_content_type
from .cookies import parse_cookies
from .headers import RequestHeaders
from .intake import Body
from .json import decode_json
from .limits import Limits
from .multidict import MultiDict
from .proxies import Peer
from .query import parse_query
from .signed import SIGNED_COOKIES, seconds_of

if TYPE_CHECKING:
    from .forms import FormData
    from .uploads import UploadFile

__all__ = ["Request", "RequestSource"]


class RequestSource(Protocol):
    """What an adapter's exchange tells of a request. Header names come in lower case."""

    @property
    def app(self) -> Any:
        """The compiled app."""
        ...

    @property
    def state(self) -> State:
        """What users carry along."""
        ...

    @property
    def received(self) -> Body | None:
        """What was read of the body."""
        ...

    @property
    def endpoint(self) -> Any:
        """What answers."""
        ...

    @property
    def method(self) -> str:
        """The method, upper case."""
        ...

    @property
    def path(self) -> str:
        """The decoded path, below the mount point."""
        ...

    @property
    def query_string(self) -> str:
        """What stands behind the `?`, as sent."""
        ...

    @property
    def root_path(self) -> str:
        """Where the app is mounted: empty, or starting with a slash."""
        ...

    @property
    def http_version(self) -> str:
        """`1.0`, `1.1` or `2`."""
        ...

    @property
    def path_params(self) -> Mapping[str, Any]:
        """The values of the route, by name."""
        ...

    @property
    def csp_nonce(self) -> str:
        """The nonce of the response's content security policy."""
        ...

    def header_pairs(self) -> list[tuple[str, str]]:
        """Every header field in order, hygiene done."""
        ...

    def peer(self, headers: RequestHeaders) -> Peer:
        """Who asks, by which scheme and host, after the trusted proxies."""
        ...

    def open_stream(self) -> Any:
        """The chunks of the body, for a route that reads them itself."""
        ...


class Request:
    """One HTTP request. Immutable; what users carry along goes on `state`.

    Attributes:
        method: Upper case.
        path: Decoded, below the mount point.
        path_params: What the route's converters made, by name.
        query: The query parameters; `query["q"]` is the first value.
        headers: Case-insensitive.
        cookies: By name.
        content_type: Of the body, parsed.
        body: The body as bytes. It was read before the handler ran.
        form: The fields of an urlencoded or multipart body.
        files: The files of a multipart body.
        state: A free place for values of this request.
    """

    __slots__ = (
        "_form",
        "_peer",
        "_source",
        "content_type",
        "cookies",
        "headers",
        "method",
        "path",
        "path_params",
        "query",
        "query_string",
        "root_path",
    )

    method: str
    path: str
    path_params: Mapping[str, Any]
    query: MultiDict[str]
    query_string: str
    root_path: str
    headers: RequestHeaders
    cookies: Mapping[str, str]
    content_type: ContentType
    _source: RequestSource
    _peer: Peer
    _form: FormData

    def __init__(self, source: RequestSource) -> None:
        _set(self, "_source", source)

    def __setattr__(self, name: str, value: object) -> None:
        raise UsageError(
            f"A request does not change: request.{name} cannot be set.",
            code="http/request-is-read-only",
            hint=f"Keep your own values on request.state.{name}.",
        )

    def __getattr__(self, name: str) -> Any:
        # Reached once per slot: what was never set is parsed now and kept.
        parse = _PARSERS.get(name)
        if parse is not None:
            value = parse(self)
        else:
            value = self._source.app.request_attribute(self, name)
        if name in _SLOTS:
            _set(self, name, value)
        return value

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.path}>"

    # What is known without parsing

    @property
    def app(self) -> Any:
        """The app that answers."""
        return self._source.app.app

    @property
    def context(self) -> RequestSource:
        """The context that all steps of this request share."""
        return self._source

    @property
    def state(self) -> State:
        """A free place for values of this request; all steps and templates see it."""
        return self._source.state

    @property
    def route(self) -> Any:
        """The matched rule, or `None` where none matched."""
        endpoint = self._source.endpoint
        return endpoint.rule if endpoint is not None else None

    @property
    def endpoint(self) -> str | None:
        """The name of the matched endpoint."""
        rule = self.route
        return rule.endpoint if rule is not None else None

    @property
    def http_version(self) -> str:
        """`1.0`, `1.1` or `2`."""
        return self._source.http_version

    @property
    def csp_nonce(self) -> str:
        """A fresh random text: a `<script nonce=…>` or `<style nonce=…>` that has it is let run.

        Asking for it puts it into the content security policy of this response.
        """
        return self._source.csp_nonce

    # Where it came from

    @property
    def client(self) -> str:
        """The address of the client: the peer's, or what a trusted proxy says."""
        return self._peer.client

    @property
    def scheme(self) -> str:
        """`http` or `https`, as the client sees it."""
        return self._peer.scheme

    @property
    def host(self) -> str:
        """The checked host, with its port where the client sent one."""
        return self._peer.host

    @property
    def is_secure(self) -> bool:
        """Whether the client speaks TLS, to us or to a trusted proxy."""
        return self._peer.scheme == "https"

    @property
    def url(self) -> str:
        """The whole address, percent-encoded."""
        query = f"?{self.query_string}" if self.query_string else ""
        return f"{self.base_url}{query}"

    @property
    def base_url(self) -> str:
        """The address without its query."""
        return f"{self.scheme}://{self.host}{quote(self.root_path + self.path, safe=_PATH_SAFE)}"

    @property
    def full_path(self) -> str:
        """Path and query as a link of this site, percent-encoded."""
        query = f"?{self.query_string}" if self.query_string else ""
        return quote(self.root_path + self.path, safe=_PATH_SAFE) + query

    # The body

    @property
    def body(self) -> bytes:
        """The body as bytes; empty where there is none.

        Raises:
            UsageError: It was not read (`http/body-not-read`), or it was a form
                with files, which are on disk (`http/body-is-a-form`).
        """
        body = self._read_body()
        if body is None:
            return b""
        if body.data is None:
            if body.spool is not None:
                data: bytes = body.spool.open().read()
                return data
            raise UsageError(
                "The body was a multipart form; it was parsed while it came in.",
                code="http/body-is-a-form",
                hint="Read request.form and request.files.",
            )
        return bytes(body.data)

    def _read_body(self) -> Any:
        body = self._source.received
        if body is None and self._has_body():
            raise UsageError(
                "The body of this request was not read.",
                code="http/body-not-read",
                why="A body is read only if a step names `request` or a body parameter; "
                "this route has stream=True, or none does.",
                hint="Add a `request` parameter to the handler, or read request.stream().",
            )
        return body

    def _has_body(self) -> bool:
        headers = self.headers
        return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers

    @property
    def text(self) -> str:
        """The body as text, by its charset (UTF-8 unless it says otherwise).

        Raises:
            BadRequest: It is not in that charset.
        """
        charset = self.content_type.charset or "utf-8"
        try:
            return self.body.decode(charset)
        except (UnicodeDecodeError, LookupError):
            raise BadRequest("The body is not text in its declared charset.", code="http/bad-encoding") from None

    @property
    def json(self) -> Any:
        """The body decoded from JSON.

        Raises:
            UnsupportedMediaType: Its type is neither `application/json` nor `+json`.
            BadRequest: It is not JSON.
        """
        if not self.content_type.is_json:
            raise UnsupportedMediaType("A JSON body is needed.", code="http/not-json")
        body = self._read_body()
        return decode_json(self.body, body.limits if body is not None else Limits())

    @property
    def form(self) -> MultiDict[str]:
        """The fields of an urlencoded or multipart body; empty for others."""
        return self._form.fields

    @property
    def files(self) -> MultiDict[UploadFile]:
        """The files of a multipart body, by field name."""
        return self._form.files

    @property
    def data(self) -> Any:
        """The body by its own type: decoded JSON, form fields, or text.

        Raises:
            UnsupportedMediaType: A type that is none of these.
        """
        kind = self.content_type
        if kind.is_json:
            return self.json
        if kind.mime in ("application/x-www-form-urlencoded", "multipart/form-data"):
            return self.form
        if kind.mime.startswith("text/"):
            return self.text
        if not self.body:
            return {}
        raise UnsupportedMediaType("A body of this type is not parsed.")

    def stream(self) -> Any:
        """Return the chunks of the body as they come: for routes with `stream=True`.

        An iterator in a `def` handler, an async iterator in an `async def` one.
        """
        return self._source.open_stream()

    def get_signed_cookie(
        self, name: str, default: Any = None, *, max_age: float | timedelta | None = None, salt: str = ""
    ) -> Any:
        """Return the value of a cookie that `set_signed_cookie` made, or *default*.

        It is *default* where the cookie is absent, was changed, belongs to another name or
        salt, or is older than the age it was set with.

        Args:
            max_age: Take none that is older than this, in seconds or as a span.
            salt: As it was set with.

        Raises:
            UsageError: The app has no key to verify with (`signing/no-key`).
        """
        signer = self._source.app.provided(SIGNED_COOKIES)
        return signer.read(name, self.cookies.get(name), default, salt=salt, max_age=seconds_of(max_age))

    # Negotiation

    def accepts(self, *types: str) -> str | None:
        """Return the one of *types* that the client likes best, or `None`."""
        from .negotiation import best

        return best(self.headers.get("accept", "*/*"), types)

    @property
    def prefers_json(self) -> bool:
        """Whether the client would rather have JSON than HTML."""
        from .negotiation import prefers_json

        return prefers_json(self.headers.get("accept", ""))

    @property
    def is_fragment(self) -> bool:
        """Whether a part of a page is asked for (htmx, Turbo frames)."""
        headers = self.headers
        return (headers.get("hx-request") == "true" and headers.get("hx-boosted") != "true") or "turbo-frame" in headers


_set = object.__setattr__
_SLOTS = frozenset(Request.__slots__)
_PATH_SAFE = "/:@!$&'()*+,;=~-._"


def _form_of(request: Request) -> FormData:
    from .forms import FormData, parse_urlencoded  # their weight is for forms

    empty = FormData(MultiDict([]), MultiDict([]))
    body = request._read_body()  # pyright: ignore[reportPrivateUsage]
    if body is None:
        return empty
    if body.form is not None:
        form: FormData = body.form
        return form
    kind = request.content_type
    if kind.mime != "application/x-www-form-urlencoded":
        return empty
    pairs = parse_urlencoded(request.body, body.limits, kind.charset or "utf-8")
    return FormData(MultiDict(pairs), MultiDict([]))


_PARSERS: dict[str, Callable[[Any], Any]] = {
    "method": lambda request: request._source.method,
    "path": lambda request: request._source.path,
    "root_path": lambda request: request._source.root_path,
    "query_string": lambda request: request._source.query_string,
    "path_params": lambda request: request._source.path_params,
    "query": lambda request: MultiDict(parse_query(request.query_string)),
    "headers": lambda request: RequestHeaders(request._source.header_pairs()),
    "cookies": lambda request: parse_cookies(request.headers.get("cookie", "")),
    "content_type": lambda request: parse_content_type(request.headers.get("content-type", "")),
    "_peer": lambda request: request._source.peer(request.headers),
    "_form": _form_of,
}
