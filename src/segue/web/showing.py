"""Values as an error page may show them: short, harmless, without secrets.

Holds `show`, which never raises, never returns more than it is allowed to, and masks by
name and by type; `hide`, which takes known secrets out of a text.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, cast

from ..masking import MASK, is_secret_name, mask

__all__ = ["LIMIT", "hide", "mask_source", "show"]

LIMIT = 600

_MOST_ITEMS = 20
_MOST_TEXT = 300
_DEPTH = 3
_MIN_SECRET = 6
_DICT_REPR: object = vars(dict)["__repr__"]

# `Authorization: Bearer …` and the like inside of texts.
_SCHEME = re.compile(r"\b(Bearer|Basic|Digest|Token)\s+[\w.~+/=-]{4,}", re.IGNORECASE)
_QUOTED_PAIR = re.compile(r"(?<![\w.-])(['\"]?)([\w.-]++)\1(\s*+[:=]\s*+)(b?)(['\"])((?:\\.|(?!\5).)*+)\5")
# A type that says what it holds: SecretStr, Password, AccessToken, Credentials.
_SECRET_TYPE = re.compile(r"secret|password|passwd|token|credential|privatekey|apikey", re.IGNORECASE)
# `Token` of contextvars or of a parser is none of these.
_HARMLESS = frozenset({"contextvars", "_contextvars", "builtins", "jinja2.lexer", "tokenize"})


def show(value: object, name: str = "", limit: int = LIMIT) -> str:
    """Return *value* as text of at most *limit* characters; a secret *name* masks it whole.

    >>> show({"user": "ella", "password": "scat"})
    "{'user': 'ella', 'password': ***}"
    """
    try:
        text = MASK if _is_masked(name, value) else _shown(value, _DEPTH)
    except BaseException as error:  # a hostile object must not break the page
        if isinstance(error, KeyboardInterrupt):
            raise
        text = f"<{type(value).__name__}: repr raised {type(error).__name__}>"
    return text if len(text) <= limit else text[: limit - 1] + "…"


def hide(text: str, secrets: Iterable[str]) -> str:
    """Return *text* without *secrets*, wherever they stand in it."""
    for secret in sorted({each for each in secrets if len(each) >= _MIN_SECRET}, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def mask_source(line: str) -> str:
    """Return a line of source without the literals that it gives to secret names."""
    return _QUOTED_PAIR.sub(_mask_pair, line)


def _is_masked(name: str, value: object) -> bool:
    if value is None or isinstance(value, bool):
        return False  # that a secret is missing is no secret
    return bool(name) and is_secret_name(name) and not callable(value)


def _shown(value: object, depth: int) -> str:
    kind = type(value)
    shown = _BY_TYPE.get(kind)
    if shown is not None:
        return shown(value, depth)
    if isinstance(value, os._Environ):  # pyright: ignore[reportPrivateUsage]  # the process environment
        return f"<environment of {len(cast('Mapping[str, str]', value))}>"
    if _SECRET_TYPE.search(kind.__name__) and kind.__module__ not in _HARMLESS and not isinstance(value, type):
        return f"<{kind.__name__} {MASK}>"
    plain: Any = value
    if isinstance(value, BaseException) and kind.__repr__ is BaseException.__repr__:
        # An exception with a text of 100 MB stands in the locals of every frame that handled it.
        return f"{kind.__name__}({', '.join(_shown(each, depth - 1) for each in value.args[:_MOST_ITEMS])})"
    if isinstance(value, Mapping) and _has_plain_repr(kind):
        return _table(plain, depth)
    return _cleaned(repr(plain))


def _has_plain_repr(kind: type[Any]) -> bool:
    own = cast("dict[str, object]", vars(kind)).get("__repr__")
    return own in (None, _DICT_REPR)


def _text(value: Any, depth: int) -> str:
    if len(value) > _MOST_TEXT:
        return f"{_cleaned(repr(value[:_MOST_TEXT]))}… ({len(value)})"
    return _cleaned(repr(value))


def _cleaned(text: str) -> str:
    # Cut first: a repr of 100 MB must not be searched.
    text = text[: LIMIT * 4]
    text = _QUOTED_PAIR.sub(_mask_pair, text)
    return str(mask("", _SCHEME.sub(rf"\1 {MASK}", text)))


def _mask_pair(found: re.Match[str]) -> str:
    quote, name, equals = found[1], found[2], found[3]
    return f"{quote}{name}{quote}{equals}{MASK}" if is_secret_name(name) else found[0]


def _table(value: Mapping[Any, Any], depth: int) -> str:
    opaque = _server_object(value)
    if opaque:
        return opaque
    if depth <= 0:
        return "{…}"
    parts = [f"{_shown(key, 0)}: {_item(key, each, depth)}" for key, each in islice(value.items(), _MOST_ITEMS)]
    return "{" + ", ".join(parts) + _more(len(value)) + "}"


def _server_object(value: Mapping[Any, Any]) -> str:
    """The WSGI environ and the ASGI scope are never shown: they hold headers, and more."""
    if "wsgi.input" in value or "wsgi.version" in value or ("REQUEST_METHOD" in value and "SERVER_NAME" in value):
        return f"<WSGI environ of {len(value)}>"
    if "asgi" in value or ("type" in value and "headers" in value and "path" in value):
        return f"<ASGI scope of {len(value)}>"
    return ""


def _item(key: Any, value: Any, depth: int) -> str:
    name = key.decode("latin-1") if isinstance(key, bytes) else key if isinstance(key, str) else ""
    return MASK if _is_masked(name, value) else _shown(value, depth - 1)


def _sequence(opening: str, closing: str) -> Callable[[Any, int], str]:
    def shown(value: Any, depth: int) -> str:
        if depth <= 0:
            return f"{opening}…{closing}"
        if opening == "(" and len(value) == 2 and isinstance(value[0], str | bytes):
            # A header field, a pair of a form: the first names the second.
            return f"({_shown(value[0], 0)}, {_item(value[0], value[1], depth)})"
        parts = [_shown(each, depth - 1) for each in islice(value, _MOST_ITEMS)]
        end = "," if opening == "(" and len(parts) == 1 else _more(len(value))
        return f"{opening}{', '.join(parts)}{end}{closing}"

    return shown


def _more(count: int) -> str:
    return f", … ({count})" if count > _MOST_ITEMS else ""


_BY_TYPE: dict[type, Callable[[Any, int], str]] = {
    str: _text,
    bytes: _text,
    bytearray: _text,
    dict: _table,
    list: _sequence("[", "]"),
    tuple: _sequence("(", ")"),
    set: _sequence("{", "}"),
    frozenset: _sequence("frozenset({", "})"),
    int: lambda value, _: str(value) if abs(value) < 10**40 else f"<int of {value.bit_length()} bits>",
}
