"""The page for developers: what happened, where, with source, locals, request and hint.

Loaded only when an error is shown in development. It is shown only to a loopback peer
that asked for a localhost host: another machine, or a page of another site that found
its way here by DNS rebinding, gets the production answer.
"""

from __future__ import annotations

import linecache
import re
import secrets
import sys
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import FrameType, TracebackType

from markupsafe import Markup

from ..masking import mask
from ..errors import HTTPError, SegueError, ValidationError, cut
from ..handling.exchange import Exchange
from ..http.hosts import parse_host
from ..http.response import Response

__all__ = ["DebugFrame", "debug_response", "frames_of", "is_local"]

_CONTEXT_LINES = 5
_MAX_VALUE = 400
_MAX_LOCALS = 60


@dataclass(frozen=True, slots=True)
class DebugFrame:
    """One level of a traceback, with what can be shown of it."""

    file: str
    line: int
    function: str
    source: list[tuple[int, str]]
    locals: list[tuple[str, str]]
    is_own: bool

    @property
    def place(self) -> str:
        """`file:line`."""
        return f"{self.file}:{self.line}"


def is_local(exchange: Exchange) -> bool:
    """Whether the peer is this machine and asked for one of its own names."""
    request = exchange.request
    try:
        host, _ = parse_host(request.headers.get("host", ""))
    except Exception:  # a malformed host is not ours
        return False
    client = request.client
    peer_is_local = client.startswith("127.") or client in ("::1", "::ffff:127.0.0.1")
    return peer_is_local and (host in ("localhost", "127.0.0.1", "[::1]") or host.endswith(".localhost"))


def frames_of(error: BaseException) -> list[DebugFrame]:
    """Return the frames of a traceback, outermost first, secrets masked."""
    found: list[DebugFrame] = []
    current: TracebackType | None = error.__traceback__
    while current is not None and len(found) < 100:
        found.append(_frame(current.tb_frame, current.tb_lineno))
        current = current.tb_next
    return found


def _frame(frame: FrameType, line: int) -> DebugFrame:
    file = frame.f_code.co_filename
    first = max(1, line - _CONTEXT_LINES)
    source = [
        (number, linecache.getline(file, number).rstrip("\n"))
        for number in range(first, line + _CONTEXT_LINES + 1)
        if linecache.getline(file, number)
    ]
    values = [
        (name, str(mask(name, _shown(value))))
        for name, value in list(frame.f_locals.items())[:_MAX_LOCALS]
        if not name.startswith("__")
    ]
    own = "/segue/" not in file and not file.startswith((sys.prefix, sys.base_prefix, "<"))
    return DebugFrame(file, line, frame.f_code.co_qualname, source, values, own)


def _shown(value: object) -> str:
    """A value as text: masked inside mappings, never raising, never huge."""
    if isinstance(value, Mapping) and len(value) <= 100:
        try:
            value = {key: mask(str(key), each) for key, each in value.items()}
        except Exception:  # a hostile mapping must not break the page
            return f"<{type(value).__name__}>"
    if isinstance(value, str | bytes | list | tuple | set) and len(value) > 10_000:
        return f"<{type(value).__name__} of {len(value)}>"
    return cut(value, _MAX_VALUE)


def debug_response(exchange: Exchange, error: BaseException) -> Response | None:
    """Return the page, or `None` for whoever may not see it."""
    if not is_local(exchange):
        return None
    cause = getattr(error, "original_exception", None) or error
    status = error.status if isinstance(error, HTTPError | ValidationError) else 500
    nonce = secrets.token_urlsafe(16)
    response = Response(_page(exchange, cause, status, nonce), status)
    response.headers["content-security-policy"] = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; frame-ancestors 'none'; base-uri 'none'"
    )
    response.headers["cache-control"] = "no-store"
    return response


def _page(exchange: Exchange, error: BaseException, status: int, nonce: str) -> str:
    kind = type(error).__name__
    message = error.message if isinstance(error, SegueError) else _text(error)
    sections: list[Markup] = []
    if isinstance(error, SegueError):
        sections.append(_advice(error))
    if isinstance(error, ValidationError):
        rows = [(fault.pointer or "/", f"{fault.code}: {fault.message}") for fault in error.faults]
        sections.append(_table("Faults", rows))
    if status == 404:
        near = exchange.app.router.explain(exchange.method, exchange.path)
        sections.append(_listing("Routes that come near", near))
    if status >= 500:
        sections.append(_traceback(error))
    sections.append(_request(exchange))
    body = Markup("").join(sections)
    return Markup(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>{kind}: {short}</title>'
        '<style nonce="{nonce}">{css}</style></head><body><header><p>{status} · {method} {path}</p>'
        "<h1>{kind}</h1><p class=message>{message}</p></header><main>{body}</main>"
        "<footer>This page is shown because DEBUG is on and you are on this machine.</footer></body></html>"
    ).format(
        kind=kind,
        short=message[:80],
        nonce=nonce,
        css=Markup(_CSS),
        status=status,
        method=exchange.method,
        path=exchange.path,
        message=message,
        body=body,
    )


def _text(error: BaseException) -> str:
    try:
        return str(error)[:2000]
    except Exception:  # an exception whose text raises is still shown
        return "(its text cannot be shown)"


def _advice(error: SegueError) -> Markup:
    rows = [("Code", error.code), ("Where", error.where), ("Why", error.why), ("Fix", error.hint)]
    shown = [(label, text) for label, text in rows if text]
    return _table("What to do", [*shown, ("More", f"segue explain {error.code}")])


def _table(title: str, rows: Iterable[tuple[str, object]]) -> Markup:
    lines = Markup("").join(
        Markup("<tr><th>{}</th><td><pre>{}</pre></td></tr>").format(name, value) for name, value in rows
    )
    return Markup("<section><h2>{}</h2><div class=wide><table>{}</table></div></section>").format(title, lines)


def _listing(title: str, lines: Iterable[str]) -> Markup:
    items = Markup("").join(Markup("<li><code>{}</code></li>").format(line) for line in lines)
    return Markup("<section><h2>{}</h2><ul>{}</ul></section>").format(title, items)


def _traceback(error: BaseException) -> Markup:
    frames = frames_of(error)
    last_own = max((index for index, frame in enumerate(frames) if frame.is_own), default=len(frames) - 1)
    blocks: list[Markup] = []
    for index, frame in enumerate(frames):
        source = Markup("\n").join(
            Markup("<mark>{:>5}  {}</mark>" if number == frame.line else "{:>5}  {}").format(number, line)
            for number, line in frame.source
        )
        values = Markup("").join(
            Markup("<tr><th>{}</th><td><pre>{}</pre></td></tr>").format(name, value) for name, value in frame.locals
        )
        blocks.append(
            Markup(
                "<details{open}{own}><summary><code>{place}</code> in <b>{function}</b></summary>"
                "<pre class=source>{source}</pre>{values}</details>"
            ).format(
                open=Markup(" open") if index == last_own else "",
                own=Markup(" class=own") if frame.is_own else "",
                place=frame.place,
                function=frame.function,
                source=source,
                values=Markup("<div class=wide><table>{}</table></div>").format(values) if values else "",
            )
        )
    plain = "".join(traceback.format_exception_only(type(error), error))[:2000]
    return Markup("<section><h2>Traceback</h2>{}<pre>{}</pre></section>").format(Markup("").join(blocks), plain)


def _request(exchange: Exchange) -> Markup:
    request = exchange.request
    rows: list[tuple[str, object]] = [("method", request.method), ("path", request.path)]
    if request.endpoint:
        rows.append(("endpoint", request.endpoint))
    rows += [(f"query.{name}", mask(name, cut(value, _MAX_VALUE))) for name, value in request.query.items()]
    rows += [(f"path.{name}", mask(name, cut(value))) for name, value in request.path_params.items()]
    if exchange.received is not None and request.content_type.mime == "application/x-www-form-urlencoded":
        rows += [(f"form.{name}", mask(name, cut(value, _MAX_VALUE))) for name, value in request.form.items()]
    rows += [(name, mask(name, value)) for name, value in request.headers.items()]
    return _table("Request", rows)


_CSS = re.sub(
    r"\s*\n\s*",
    "",
    """
    :root{color-scheme:light dark;--bg:#fbfaf8;--ink:#22201d;--soft:#6c665e;--line:#ddd7ce;--mark:#ffe3b3;--own:#8a3b12}
    @media (prefers-color-scheme:dark){
    :root{--bg:#1b1a18;--ink:#ece7df;--soft:#a59d92;--line:#3a3733;--mark:#5a3d10;--own:#ffb27a}}
    *{box-sizing:border-box}
    body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
    header,main,footer{max-width:70rem;margin:0 auto;padding:1rem 1.25rem}
    header p{margin:0;color:var(--soft)}h1{margin:.2rem 0;font-size:1.6rem;overflow-wrap:anywhere}
    .message{color:var(--ink)!important;font-size:1.1rem;white-space:pre-wrap;overflow-wrap:anywhere}
    h2{font-size:1.05rem;border-bottom:1px solid var(--line);padding-bottom:.3rem;margin-top:2rem}
    .wide{overflow-x:auto}table{border-collapse:collapse;width:100%}
    th{text-align:left;vertical-align:top;padding:.15rem 1rem .15rem 0;color:var(--soft);
    font-weight:500;white-space:nowrap}
    pre,code{font:13px/1.5 ui-monospace,monospace}td pre{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}
    details{border:1px solid var(--line);border-radius:6px;margin:.5rem 0;padding:.4rem .7rem}
    details.own summary{color:var(--own)}summary{cursor:pointer;overflow-wrap:anywhere}
    .source{overflow-x:auto}mark{background:var(--mark);color:inherit;display:inline-block;min-width:100%}
    footer{color:var(--soft);font-size:.9rem}
    """,
)
