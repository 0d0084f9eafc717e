"""The page for developers: what happened, where, with source, locals, request and hint.

Loaded only when an error is shown in development. It is shown only to a loopback peer
that asked for a localhost host, and not through a proxy: another machine, or a page of
another site that found its way here by DNS rebinding, gets the production answer.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from markupsafe import Markup

from ..context import Key
from ..errors import HTTPError, SegueError, ValidationError
from ..handling.exchange import Exchange
from ..http.response import Response
from .advice import explain
from .assets import SCRIPT, STYLE
from .frames import DebugFrame, Excerpt, Link, chain_of, excerpt_of, is_own, short_path
from .problems import is_local
from .showing import hide, mask_source, show

__all__ = ["CONSOLE", "DebugFrame", "debug_response", "error_page", "is_local"]

# What the console provides of itself, where it is installed: `web.console.Console`.
CONSOLE: Key[Any] = Key("debugger console")

# Locals stop once a page has so many characters; source and messages have limits of their own.
_MAX_LOCALS = 250_000
_MAX_MESSAGE = 4_000
_MAX_BODY = 20_000


def debug_response(exchange: Exchange, error: BaseException) -> Response | None:
    """Return the page, or `None` for whoever may not see it."""
    if not is_local(exchange):
        return None
    cause = getattr(error, "original_exception", None) or error
    status = error.status if isinstance(error, HTTPError | ValidationError) else 500
    console = exchange.app.values.get(CONSOLE)
    kept = console.keep(exchange, cause) if console is not None and _has_frames(cause, status) else None
    return error_page(exchange, cause, status, kept)


def error_page(exchange: Exchange, error: BaseException, status: int, kept: Any = None) -> Response:
    """Return the page of *error*.

    Args:
        kept: What the console knows it by: its frames can be asked. `None` without console.
    """
    nonce = secrets.token_urlsafe(16)
    page = _Page(exchange, error, status, kept).text(nonce)
    response = Response(hide(page, _known_secrets(exchange)), status)
    script = f"script-src 'nonce-{nonce}'; connect-src 'self'; " if kept is not None else ""
    response.headers["content-security-policy"] = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; {script}"
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
    response.headers["cache-control"] = "no-store"
    response.headers["referrer-policy"] = "no-referrer"
    return response


def _has_frames(error: BaseException, status: int) -> bool:
    """Whether the traceback says something: of an answer such as 404 it does not."""
    is_answer = isinstance(error, HTTPError | ValidationError) and status < 500
    return not is_answer and error.__traceback__ is not None


def _known_secrets(exchange: Exchange) -> Iterator[str]:
    """The secrets of the configuration, so that they show nowhere, under no name."""
    config = exchange.app.app.config
    for name, option in config.options.items():
        if not option.secret:
            continue
        try:
            value = config[name]
        except Exception:  # a missing or broken key is not what this page is about
            continue
        yield from _texts(value)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if isinstance(value, Mapping):
        value = list(cast("Mapping[str, Any]", value).values())
    if isinstance(value, list | tuple):
        for each in cast("list[Any]", value):
            yield from _texts(each)
    elif isinstance(value, str):
        if "://" in value:
            yield urlsplit(value).password or ""
        else:
            yield value


class _Page:
    """One page in the making; it counts what it has shown of locals."""

    def __init__(self, exchange: Exchange, error: BaseException, status: int, kept: Any) -> None:
        self.exchange = exchange
        self.error = error
        self.status = status
        self.kept = kept
        self._spent = 0
        self._index = 0
        self._values: dict[int, list[tuple[str, str]]] = {}

    def text(self, nonce: str) -> str:
        kind = type(self.error).__name__
        message = _message(self.error)
        return Markup(
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<meta name="robots" content="noindex"><title>{kind}: {short}</title>'
            '<style nonce="{nonce}">{style}</style></head><body{console}>'
            '<header><p class="line"><b>{status}</b> {method} <code>{path}</code></p>'
            '<h1>{kind}</h1><pre class="message">{message}</pre></header><main>{body}</main>'
            "<footer>This page is shown because DEBUG is on and you are at this machine. "
            "Nobody else sees it.</footer>{script}</body></html>"
        ).format(
            kind=kind,
            short=message.partition("\n")[0][:80],
            nonce=nonce,
            style=Markup(STYLE),
            console=self._console_attributes(),
            status=self.status,
            method=self.exchange.method,
            path=self.exchange.path[:500],
            message=message,
            body=Markup("").join(self._sections()),
            script=Markup('<script nonce="{}">{}</script>').format(nonce, Markup(SCRIPT)) if self.kept else "",
        )

    def _console_attributes(self) -> Markup:
        if self.kept is None:
            return Markup("")
        return Markup(' data-console="{}" data-error="{}" data-secret="{}"').format(
            self.kept.prefix, self.kept.number, self.kept.secret
        )

    def _sections(self) -> Iterator[Markup]:
        error = self.error
        if isinstance(error, SegueError):
            yield _advice(error)
        if isinstance(error, ValidationError):
            rows = [(fault.pointer or "/", f"{fault.code}: {fault.message}") for fault in error.faults]
            yield _table("Faults", rows)
        if self.status in (404, 405):
            yield self._routes()
        links: Iterable[Link] = chain_of(error) if _has_frames(error, self.status) else ()
        for link in links if self.kept is None else self.kept.links:
            yield self._link(link)
        yield self._request()

    # The traceback

    def _link(self, link: Link) -> Markup:
        title = (
            Markup("Traceback")
            if not link.relation
            else Markup("{}: {}").format(link.relation, type(link.error).__name__)
        )
        message = Markup('<pre class="message">{}</pre>').format(_message(link.error)) if link.relation else ""
        notes = Markup("").join(Markup('<p class="note">{}</p>').format(note) for note in _notes(link.error))
        place = self._place_of(link)
        last_own = max((index for index, each in enumerate(link.frames) if each.is_own), default=len(link.frames) - 1)
        blocks: list[Markup] = []
        position = 0
        for own, group in groupby(link.frames, key=lambda each: each.is_own):
            run = list(group)
            shown = [self._frame(each, is_open=position + at == last_own) for at, each in enumerate(run)]
            position += len(run)
            if own or len(run) == 1 or position - len(run) <= last_own < position:
                blocks += shown
            else:
                blocks.append(_folded(run, shown))
        return Markup("<section><h2>{}</h2>{}{}{}{}</section>").format(
            title, message, notes, place, Markup("").join(blocks)
        )

    def _place_of(self, link: Link) -> Markup:
        """The source that an error names itself, where no frame is there: a template's syntax."""
        error = link.error
        file, line = getattr(error, "filename", None), getattr(error, "lineno", None)
        if not (isinstance(file, str) and isinstance(line, int)):
            file, _, number = getattr(error, "where", "").rpartition(":")
            line = int(number) if number.isascii() and number.isdigit() else 0
        if not file or not line or not Path(file).is_file() or any(each.file == file for each in link.frames):
            return Markup("")
        excerpt = excerpt_of(file, line)
        return Markup('<div class="frame own"><p class="place"><code>{}:{}</code></p>{}</div>').format(
            short_path(file), line, _source(excerpt)
        )

    def _frame(self, frame: DebugFrame, *, is_open: bool) -> Markup:
        index = self._index
        self._index += 1
        function = frame.function
        inside = Markup("{}{}{}").format(
            _source(frame.excerpt),
            self._locals(frame),
            Markup('<div class="console" data-frame="{}" hidden></div>').format(index) if self.kept else "",
        )
        return Markup(
            '<details class="frame{own}"{open}><summary><code>{place}</code> <b>{function}</b></summary>'
            "{inside}</details>"
        ).format(
            own=" own" if frame.is_own else "",
            open=Markup(" open") if is_open else "",
            place=frame.place,
            function=function,
            inside=inside,
        )

    def _locals(self, frame: DebugFrame) -> Markup:
        if self._spent > _MAX_LOCALS:
            return Markup('<p class="note">The values are left out: this page is long already.</p>')
        # A frame stands in each exception of a chain that passed it; its values are made once.
        rows = self._values.get(id(frame.frame))
        if rows is None:
            rows = self._values[id(frame.frame)] = frame.locals
        self._spent += sum(len(name) + len(value) for name, value in rows)
        return Markup('<div class="wide"><table>{}</table></div>').format(_rows(rows)) if rows else Markup("")

    # What surrounds it

    def _routes(self) -> Markup:
        near = explain(self.exchange.app.router.rules, self.exchange.method, self.exchange.path)
        if not near:
            near = ["No route comes near. `segue routes` lists them all."]
        items = Markup("").join(Markup("<li>{}</li>").format(line) for line in near)
        return Markup("<section><h2>Routes that come near</h2><ul>{}</ul></section>").format(items)

    def _request(self) -> Markup:
        exchange = self.exchange
        rows: list[tuple[str, object]] = [("method", exchange.method), ("path", exchange.path[:500])]
        for part in (_endpoint, _path_params, _query, _body, _headers):
            try:
                rows += part(exchange)
            except Exception as error:  # what cannot be parsed may be the very error that is shown
                rows.append((part.__name__.strip("_"), f"cannot be shown: {type(error).__name__}"))
        return _table("Request", rows)


def _endpoint(exchange: Exchange) -> list[tuple[str, object]]:
    rule = exchange.request.route
    return [("route", f"{rule} → {rule.endpoint}")] if rule is not None else []


def _path_params(exchange: Exchange) -> list[tuple[str, object]]:
    return [(f"path.{name}", show(value, name)) for name, value in exchange.path_params.items()]


def _query(exchange: Exchange) -> list[tuple[str, object]]:
    return [(f"query.{name}"[:80], show(value, name)) for name, value in list(exchange.request.query.items())[:40]]


def _headers(exchange: Exchange) -> list[tuple[str, object]]:
    return [(name, _plain(value, name)) for name, value in exchange.request.headers.items()]


def _body(exchange: Exchange) -> list[tuple[str, object]]:
    request = exchange.request
    if exchange.received is None:
        return []
    kind = request.content_type
    if kind.mime in ("application/x-www-form-urlencoded", "multipart/form-data"):
        fields = [(f"form.{name}"[:80], show(value, name)) for name, value in list(request.form.items())[:40]]
        return [*fields, *((f"files.{name}"[:80], show(file)) for name, file in list(request.files.items())[:40])]
    if kind.is_json and len(request.body) <= _MAX_BODY:
        return [("json", show(request.json))]
    return [("body", f"{len(request.body)} bytes")] if request.body else []


def _plain(value: str, name: str) -> str:
    """A header as it is, not in quotes, unless it is masked."""
    shown = show(value, name)
    return value if shown == repr(value) else shown.strip("'")


def _message(error: BaseException) -> str:
    try:
        text = error.message if isinstance(error, SegueError) else str(error)
    except BaseException as raised:  # an exception whose text raises is still shown
        if isinstance(raised, KeyboardInterrupt):
            raise
        return f"(its text cannot be shown: str() raised {type(raised).__name__})"
    return text if len(text) <= _MAX_MESSAGE else text[:_MAX_MESSAGE] + "…"


def _notes(error: BaseException) -> list[str]:
    notes: Any = getattr(error, "__notes__", ())
    texts = cast("list[object]", notes if isinstance(notes, list) else [])
    return [each[:_MAX_MESSAGE] for each in texts if isinstance(each, str)][:10]


def _advice(error: SegueError) -> Markup:
    rows = [("Where", error.where), ("Why", error.why), ("Fix", error.hint)]
    shown = [(label, text[:_MAX_MESSAGE]) for label, text in rows if text]
    return _table("What to do", [*shown, ("More", f"segue explain {error.code}")], kind="advice")


def _rows(rows: Iterable[tuple[str, object]]) -> Markup:
    return Markup("").join(
        Markup("<tr><th>{}</th><td><pre>{}</pre></td></tr>").format(name, value) for name, value in rows
    )


def _table(title: str, rows: Iterable[tuple[str, object]], *, kind: str = "") -> Markup:
    return Markup('<section class="{}"><h2>{}</h2><div class="wide"><table>{}</table></div></section>').format(
        kind, title, _rows(rows)
    )


def _source(excerpt: Excerpt) -> Markup:
    if not excerpt.lines:
        return Markup('<p class="note">The source cannot be read.</p>')
    rows: list[Markup] = []
    for number, source in excerpt.lines:
        line = mask_source(source)
        if number != excerpt.line:
            rows.append(Markup("<i>{:>5}</i>  {}\n").format(number, line))
            continue
        text = Markup.escape(line)
        if line == source and excerpt.span is not None and line[slice(*excerpt.span)].strip() not in ("", line.strip()):
            start, end = excerpt.span
            text = Markup("{}<u>{}</u>{}").format(line[:start], line[start:end], line[end:])
        rows.append(Markup("<mark><i>{:>5}</i>  {}</mark>").format(number, text))
    return Markup('<pre class="source">{}</pre>').format(Markup("").join(rows))


def _folded(run: list[DebugFrame], shown: list[Markup]) -> Markup:
    names = dict.fromkeys(_package(each.file) for each in run)
    return Markup('<details class="folded"><summary>{} frames of {}</summary>{}</details>').format(
        len(run), ", ".join(names), Markup("").join(shown)
    )


def _package(file: str) -> str:
    """The name of the library that a file is of."""
    for marker in ("/site-packages/", "/dist-packages/", "/lib/python"):
        _, found, rest = file.rpartition(marker)
        if found:
            parts = rest.split("/")
            return "Python" if marker == "/lib/python" else parts[0].removesuffix(".py")
    return "segue" if not is_own(file) and "/segue/" in file else "code made at run time"
