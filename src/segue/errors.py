"""The errors that Segue raises, and the faults and findings it reports.

Holds: `SegueError` and its children, one per *who must act*; `Fault`, one entry
of a `ValidationError`; `Finding`, the result of a check; nearest names; `abort`.
Imports: the standard library only.
Never: formats a text that nobody prints, or knows what a response looks like.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import CodeType, FunctionType
from typing import Any, ClassVar, Literal, NoReturn

__all__ = [
    "NON_FIELD_ERRORS",
    "Answer",
    "BadGateway",
    "BadRequest",
    "Conflict",
    "ContentTooLarge",
    "DatabaseError",
    "FailedDependency",
    "Fault",
    "FieldError",
    "Finding",
    "Forbidden",
    "GatewayTimeout",
    "Gone",
    "HTTPError",
    "HeaderFieldsTooLarge",
    "InternalServerError",
    "LengthRequired",
    "Locked",
    "MethodNotAllowed",
    "MisdirectedRequest",
    "NotAcceptable",
    "NotFound",
    "NotImplementedByServer",
    "PaymentRequired",
    "PreconditionFailed",
    "PreconditionRequired",
    "RangeNotSatisfiable",
    "RequestTimeout",
    "SegueError",
    "ServiceUnavailable",
    "SetupError",
    "TooEarly",
    "TooManyRequests",
    "URITooLong",
    "Unauthorized",
    "UnprocessableContent",
    "UnsupportedMediaType",
    "UpgradeRequired",
    "UsageError",
    "ValidationError",
    "abort",
    "cut",
    "did_you_mean",
    "http_error_for",
    "nearest",
    "place_of",
]

# What concerns no field alone stands under this name where faults are grouped by field.
NON_FIELD_ERRORS = "__all__"


class SegueError(Exception):
    """An error with a stable code, a place in the user's code, and a hint.

    Attributes:
        code: `area/slug`; `segue explain CODE` prints its page.
        message: What happened, in the user's words.
        where: `file:line`, or a route or key, that the user can go to.
        why: The rule that was broken.
        hint: What to type. A property of subclasses where it costs to compute.
        status: The HTTP status suggested if a request ends in this error.
        original_exception: What this one was made from, for those who show errors.
    """

    code: str = "segue/error"
    status: int = 500
    original_exception: BaseException | None = None

    def __init__(
        self, message: str = "", *, code: str | None = None, where: str = "", why: str = "", hint: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
        self.where = where
        self.why = why
        self._hint = hint

    @property
    def hint(self) -> str:
        """What to type to mend it; empty where nothing sensible can be said."""
        return self._hint

    def __str__(self) -> str:
        lines = [f"[{self.code}] {self.message}"]
        for label, text in (("Where", self.where), ("Why", self.why), ("Fix", self.hint)):
            if text:
                lines.append(f"  {label:<6} " + text.replace("\n", "\n         "))
        if len(lines) > 1:
            lines.append(f"  More   segue explain {self.code}")
        return "\n".join(lines)


class SetupError(SegueError):
    """Something the developer declared cannot work. Raised before serving, never a response."""

    code = "app/setup"


class UsageError(SegueError):
    """A call that is wrong at this moment; the hint names the right one."""

    code = "app/usage"


class DatabaseError(SegueError):
    """The database refused or was out of reach; the operator must act."""

    code = "data/database"
    status = 503


class FieldError(SegueError, LookupError):
    """A query names something that its model does not have."""

    code = "data/unknown-name"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an input.

    Attributes:
        path: Where, outermost first: `("body", "items", 0, "price")`.
        code: A stable slug such as `missing`, `type`, `too_small`.
        message: One sentence for a person.
        params: The values the message was made from (limits, choices).
    """

    path: tuple[str | int, ...]
    code: str
    message: str
    params: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def pointer(self) -> str:
        """The path as a JSON Pointer (RFC 6901)."""
        return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in self.path)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: the fields of an error, returned instead of raised.

    Attributes:
        id: Stable, such as `routing.E001`; can be silenced by it.
        level: `error` stops what needs the check; the others are printed.
        message: What is wrong.
        hint: What to type.
        where: `file:line` or the name of the thing.
        tags: Words to choose by, beside the area that the id begins with.
    """

    id: str
    level: Literal["error", "warning", "info"]
    message: str
    hint: str = ""
    where: str = ""
    tags: tuple[str, ...] = ()


class HTTPError(SegueError):
    """An error that is an answer to the client.

    Args:
        detail: Text for the client. It is shown as it stands, in production too.
        headers: Extra headers of the answer.

    >>> Conflict("That seat is taken").status
    409
    """

    code = "http/error"
    status: int = 500
    phrase: ClassVar[str] = "Error"

    def __init__(
        self,
        detail: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        code: str | None = None,
        hint: str = "",
        why: str = "",
        where: str = "",
        status: int | None = None,
    ) -> None:
        super().__init__(detail or self.phrase, code=code, hint=hint, why=why, where=where)
        self.detail = detail
        self.headers: dict[str, str] = dict(headers or {})
        if status is not None:
            self.status = status

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.detail, self.__dict__)


def _rebuild(cls: type[HTTPError], detail: str, state: dict[str, Any]) -> HTTPError:
    error = cls(detail)
    error.__dict__.update(state)
    return error


class ValidationError(SegueError, ValueError):
    """Input that breaks its rules: always a list of `Fault`, however many.

    Besides faults it takes what Django's takes: a text with its code and the values to put
    into it, a list of these, or a mapping from a field's name to any of them.

    Args:
        message: Faults, or what they are made of.
        code: Of the fault that a text makes.
        params: What stands in the text as `%(name)s`.

    >>> ValidationError([Fault(("query", "page"), "type", "A whole number is needed.")]).faults[0].pointer
    '/query/page'
    >>> ValidationError({"age": "That is too young."}).faults[0].path
    ('age',)
    """

    code = "input/invalid"
    status = 422

    def __init__(
        self, message: Any, code: str | None = None, params: Mapping[str, Any] | None = None, *, hint: str = ""
    ) -> None:
        self.faults: list[Fault] = list(_faults_in(message, code or "invalid", params))
        super().__init__("The input is not valid.", hint=hint)

    @property
    def messages(self) -> list[str]:
        """The text of each fault."""
        return [fault.message for fault in self.faults]

    def __iter__(self) -> Iterator[str]:
        return iter(self.messages)

    def __str__(self) -> str:
        return "; ".join(f"{fault.pointer or '/'}: {fault.message}" for fault in self.faults)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.faults,)


def _faults_in(given: Any, code: str, params: Mapping[str, Any] | None) -> Iterator[Fault]:
    """Return the faults that a `ValidationError` was given, in whatever shape."""
    if isinstance(given, Fault):
        yield given
    elif isinstance(given, ValidationError):
        yield from given.faults
    elif isinstance(given, Mapping):
        by_field: Mapping[str, Any] = given  # pyright: ignore[reportUnknownVariableType]  # of any kind
        for name, each in by_field.items():
            start = () if name == NON_FIELD_ERRORS else (name,)
            for fault in _faults_in(each, code, params):
                yield Fault((*start, *fault.path), fault.code, fault.message, fault.params)
    elif isinstance(given, str) or not isinstance(given, Iterable):
        # A text may be lazy, so that it is in the language of whoever reads it, and in the form for its number.
        text = given if getattr(given, "is_lazy", False) else str(given)
        yield Fault((), code, str(text % params if params else text), params or {})
    else:
        for each in tuple[Any, ...](given):  # pyright: ignore[reportUnknownArgumentType]  # of any kind
            yield from _faults_in(each, code, params)


_BY_STATUS: dict[int, type[HTTPError]] = {}


class BadRequest(HTTPError):
    """400: the request is malformed."""

    status = 400
    code = "http/bad-request"
    phrase = "Bad Request"


class Unauthorized(HTTPError):
    """401: who is asking is not known."""

    status = 401
    code = "http/unauthorized"
    phrase = "Unauthorized"


class PaymentRequired(HTTPError):
    """402: payment is needed."""

    status = 402
    code = "http/payment-required"
    phrase = "Payment Required"


class Forbidden(HTTPError):
    """403: known, and not allowed."""

    status = 403
    code = "http/forbidden"
    phrase = "Forbidden"


class NotFound(HTTPError):
    """404: nothing here."""

    status = 404
    code = "http/not-found"
    phrase = "Not Found"


class MethodNotAllowed(HTTPError):
    """405: the resource exists, the method does not.

    Args:
        allowed: The methods that exist; they become the `Allow` header.
    """

    status = 405
    code = "http/method-not-allowed"
    phrase = "Method Not Allowed"

    def __init__(self, detail: str = "", *, allowed: Iterable[str] = (), **options: Any) -> None:
        super().__init__(detail, **options)
        self.allowed: list[str] = sorted(allowed)
        if self.allowed:
            self.headers["Allow"] = ", ".join(self.allowed)


class NotAcceptable(HTTPError):
    """406: no representation that the client accepts."""

    status = 406
    code = "http/not-acceptable"
    phrase = "Not Acceptable"


class RequestTimeout(HTTPError):
    """408: the client took too long to send its request."""

    status = 408
    code = "http/request-timeout"
    phrase = "Request Timeout"


class Conflict(HTTPError):
    """409: the state of the resource forbids it."""

    status = 409
    code = "http/conflict"
    phrase = "Conflict"


class Gone(HTTPError):
    """410: it was here, and is not coming back."""

    status = 410
    code = "http/gone"
    phrase = "Gone"


class LengthRequired(HTTPError):
    """411: a body must say its length."""

    status = 411
    code = "http/length-required"
    phrase = "Length Required"


class PreconditionFailed(HTTPError):
    """412: a condition in the request headers does not hold."""

    status = 412
    code = "http/precondition-failed"
    phrase = "Precondition Failed"


class ContentTooLarge(HTTPError):
    """413: the body is larger than the limit."""

    status = 413
    code = "http/content-too-large"
    phrase = "Content Too Large"


class URITooLong(HTTPError):
    """414: the address is longer than the limit."""

    status = 414
    code = "http/uri-too-long"
    phrase = "URI Too Long"


class UnsupportedMediaType(HTTPError):
    """415: the body has a type that is not read here."""

    status = 415
    code = "http/unsupported-media-type"
    phrase = "Unsupported Media Type"


class RangeNotSatisfiable(HTTPError):
    """416: the asked part is not in the resource."""

    status = 416
    code = "http/range-not-satisfiable"
    phrase = "Range Not Satisfiable"


class MisdirectedRequest(HTTPError):
    """421: this server does not answer for that host."""

    status = 421
    code = "http/misdirected-request"
    phrase = "Misdirected Request"


class UnprocessableContent(HTTPError):
    """422: well formed, but it breaks the rules."""

    status = 422
    code = "http/unprocessable-content"
    phrase = "Unprocessable Content"


class Locked(HTTPError):
    """423: the resource is locked."""

    status = 423
    code = "http/locked"
    phrase = "Locked"


class FailedDependency(HTTPError):
    """424: something it depended on failed."""

    status = 424
    code = "http/failed-dependency"
    phrase = "Failed Dependency"


class TooEarly(HTTPError):
    """425: it might be a replay."""

    status = 425
    code = "http/too-early"
    phrase = "Too Early"


class UpgradeRequired(HTTPError):
    """426: another protocol is needed (a WebSocket route asked by plain HTTP)."""

    status = 426
    code = "http/upgrade-required"
    phrase = "Upgrade Required"


class PreconditionRequired(HTTPError):
    """428: the request must be conditional (RFC 6585)."""

    status = 428
    code = "http/precondition-required"
    phrase = "Precondition Required"


class TooManyRequests(HTTPError):
    """429: slow down (RFC 6585)."""

    status = 429
    code = "http/too-many-requests"
    phrase = "Too Many Requests"


class HeaderFieldsTooLarge(HTTPError):
    """431: the headers are larger than the limit (RFC 6585)."""

    status = 431
    code = "http/header-fields-too-large"
    phrase = "Request Header Fields Too Large"


class InternalServerError(HTTPError):
    """500: an error that nobody took."""

    status = 500
    code = "http/internal-server-error"
    phrase = "Internal Server Error"


class NotImplementedByServer(HTTPError):
    """501: the method is not known here at all."""

    status = 501
    code = "http/not-implemented"
    phrase = "Not Implemented"


class BadGateway(HTTPError):
    """502: the server behind this one answered badly."""

    status = 502
    code = "http/bad-gateway"
    phrase = "Bad Gateway"


class ServiceUnavailable(HTTPError):
    """503: not now; `Retry-After` says when.

    Args:
        retry_after_seconds: Becomes the `Retry-After` header.
    """

    status = 503
    code = "http/service-unavailable"
    phrase = "Service Unavailable"

    def __init__(self, detail: str = "", *, retry_after_seconds: int = 1, **options: Any) -> None:
        super().__init__(detail, **options)
        self.headers.setdefault("Retry-After", str(retry_after_seconds))


class GatewayTimeout(HTTPError):
    """504: the server behind this one did not answer in time."""

    status = 504
    code = "http/gateway-timeout"
    phrase = "Gateway Timeout"


def http_error_for(status: int) -> type[HTTPError] | None:
    """Return the exception class of *status*, or `None` where there is none."""
    if not _BY_STATUS:
        for cls in HTTPError.__subclasses__():
            if cls.__module__ == __name__:
                _BY_STATUS[cls.status] = cls
    return _BY_STATUS.get(status)


class Answer(Exception):
    """Carries a finished response out of any depth; `abort(response)` raises it."""

    def __init__(self, response: Any) -> None:  # Any: floor 0 does not know responses
        super().__init__("a finished response")
        self.response = response


def abort(status: int | Any, detail: str = "", **options: Any) -> NoReturn:
    """Stop the request with a status, or with a finished response.

    Args:
        status: An error status (400 to 599), or anything a handler may return.
        detail: Text for the client, shown as it stands.
        options: `headers`, `code`, `hint`: what the exception class takes.

    Raises:
        HTTPError: The class of that status: `abort(404)` raises `NotFound`.
        UsageError: *status* is a number that is no error status.
    """
    if not isinstance(status, int):
        raise Answer(status)
    cls = http_error_for(status)
    if cls is not None:
        raise cls(detail, **options)
    if not 400 <= status <= 599:
        raise UsageError(
            f"abort({status}): {status} is not an error status.",
            code="http/not-an-error-status",
            hint="Return (body, status) for an answer that is no error; abort() takes 400 to 599.",
        )
    raise HTTPError(detail or "Error", status=status, **options)


def nearest(name: str, candidates: Iterable[str], *, most: int = 3) -> list[str]:
    """Return the candidates that look like *name*, best first, at most *most*.

    Case counts little: `debug` is near `DEBUG`. Names over 80 characters, which
    no one mistypes, are near nothing (the comparison is quadratic).
    """
    import difflib  # only who erred pays for it

    if len(name) > 80:
        return []
    by_key: dict[str, str] = {}
    for candidate in candidates:
        by_key.setdefault(candidate.casefold(), candidate)
    found = difflib.get_close_matches(name.casefold(), list(by_key), n=most, cutoff=0.6)
    return [by_key[key] for key in found]


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """Return "Did you mean x?", or the choices where they are ten or fewer, or nothing."""
    names = sorted(set(candidates))
    found = nearest(name, names)
    if found:
        return f"Did you mean {' or '.join(found)}?"
    return f"Choices: {', '.join(names)}." if 0 < len(names) <= 10 else ""


def cut(value: object, limit: int = 80) -> str:
    """Return `repr(value)` cut to *limit* characters; never raises."""
    try:
        text = repr(value)
    except Exception as error:  # a hostile object must not break an error report
        text = f"<{type(value).__name__}: repr raised {type(error).__name__}>"
    return text if len(text) <= limit else text[: limit - 1] + "…"


def place_of(thing: Callable[..., Any] | type | CodeType) -> str:
    """Return `file:line` of a function, class or code object, or an empty text.

    The line of a decorated function is that of its `def`; only attributes are
    read, no file is opened.
    """
    target: Any = thing
    while hasattr(target, "__wrapped__"):
        target = target.__wrapped__
    target = getattr(target, "__func__", target)
    code = target if isinstance(target, CodeType) else getattr(target, "__code__", None)
    if code is None and isinstance(target, type):
        for member in vars(target).values():
            if isinstance(member, FunctionType):
                return f"{member.__code__.co_filename}:{member.__code__.co_firstlineno}"
    if code is None:
        call = getattr(type(target), "__call__", None)  # noqa: B004  # pyright: ignore[reportUnknownArgumentType]  # of anything
        code = getattr(call, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code is not None else ""
