"""The log of requests: one line each, and the logging of a server's processes.

Holds: the formatters, and the `dictConfig` that the servers are given.
Imports: masking.
Never: logs a header; a request cannot write a second line.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast
from urllib.parse import unquote_plus

from ..masking import MASK, is_secret_name
from .refreshing import PREFIX

__all__ = [
    "AccessFormatter",
    "OwnHandler",
    "OwnRequests",
    "PlainFormatter",
    "escaped",
    "logging_config",
    "masked_query",
]

# Control characters, and those that turn or break a line: C0, DEL, C1, line and
# paragraph separators, bidirectional marks. Unpaired surrogates cannot be written.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# An exception may hold megabytes of what a client sent.
_MAX_TRACEBACK = 40_000
_STATUS_COLOURS = {2: "32", 3: "36", 4: "33", 5: "31"}


def escaped(text: str) -> str:
    r"""Return *text* with what could write or turn a line made visible: `\n`, `\x1b`, `\u202e`."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode("ascii"), text)


def masked_query(query: str) -> str:
    """Return a query string with the values of sensitive names replaced.

    >>> masked_query("page=2&api_key=abc")
    'page=2&api_key=***'
    """
    if not query:
        return query
    return "&".join(
        f"{name}={MASK}" if value and is_secret_name(unquote_plus(name)) else f"{name}{equals}{value}"
        for name, equals, value in (part.partition("=") for part in query.split("&"))
    )


class AccessFormatter(logging.Formatter):
    """Writes one request in one line: time, method, path, status, milliseconds, client.

    Args:
        colours: Whether the status is coloured.
    """

    def __init__(self, *, colours: bool = False) -> None:
        super().__init__()
        self._colours = colours

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record whose arguments are the facts of a request."""
        if not isinstance(record.args, Mapping):
            return escaped(record.getMessage())
        facts = cast("Mapping[str, Any]", record.args)
        target = str(facts["path"])
        if facts.get("query_string"):
            target += "?" + masked_query(str(facts["query_string"]))
        status = str(facts["status"])
        colour = _STATUS_COLOURS.get(int(facts["status"]) // 100) if self._colours else None
        shown = f"\x1b[{colour}m{status}\x1b[0m" if colour else status
        clock = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        method, client = escaped(str(facts["method"])), escaped(str(facts["addr"]))
        return f"{clock} {method} {escaped(target)} {shown} {facts['dt_ms']:.1f} ms {client}"


class OwnRequests(logging.Filter):
    """Leaves out what Segue's own script asks for, once a second."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether *record* is a request of the app."""
        return not (isinstance(record.args, Mapping) and str(record.args["path"]).startswith(PREFIX))


class PlainFormatter(logging.Formatter):
    """Writes level, logger and message in one line, then the traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of *record*; only a traceback takes more than one line."""
        name = "" if record.name.startswith("_granian") else f"{record.name}: "
        clock = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        lines = [f"{clock} {record.levelname} {name}{escaped(record.getMessage())}"]
        if record.exc_info:
            text = self.formatException(record.exc_info)
            if len(text) > _MAX_TRACEBACK:
                half = _MAX_TRACEBACK // 2
                text = f"{text[:half]}\n  [{len(text) - 2 * half} characters left out]\n{text[-half:]}"
            lines.append(text)
        if record.stack_info:
            lines.append(self.formatStack(record.stack_info))
        return "\n".join(lines)


class OwnHandler(logging.StreamHandler[Any]):
    """Writes Segue's own records to stderr, unless the app configured logging itself."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write *record* if nothing else would."""
        if not logging.getLogger().handlers:
            super().emit(record)


def logging_config(*, level: str, colours: bool | None = None) -> dict[str, Any]:
    """Return the `dictConfig` of a server: requests to stdout, all else to stderr.

    Args:
        level: Of Segue's own loggers.
        colours: Whether statuses are coloured; `None` asks the terminal.
    """
    coloured = sys.stdout.isatty() if colours is None else colours
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "access": {"()": AccessFormatter, "colours": coloured},
            "plain": {"()": PlainFormatter},
        },
        "filters": {"own": {"()": OwnRequests}},
        "handlers": {
            "access": {
                "class": "logging.StreamHandler",
                "formatter": "access",
                "filters": ["own"],
                "stream": "ext://sys.stdout",
            },
            "plain": {"class": "logging.StreamHandler", "formatter": "plain", "stream": "ext://sys.stderr"},
            "own": {"()": OwnHandler, "formatter": "plain"},
        },
        "loggers": {
            "_granian": {"handlers": ["plain"], "level": "WARNING", "propagate": False},
            "granian.access": {"handlers": ["access"], "level": "INFO", "propagate": False},
            "segue": {"handlers": ["own"], "level": level},
        },
    }
