"""From a path to what answers it, and back.

Holds: rules and their converters, Django-style tables, the compiled matcher, reversing.
Imports: errors.
Never: knows an app, a request or a handler; a target is opaque here.
"""

from .converters import CONVERTERS, NO_MATCH, Converter
from .entries import Include, RouteEntry, flatten, include, path, re_path
from .matching import WEBSOCKET
from .regexes import lint_regex
from .reversing import BuildError
from .router import Match, NotAllowed, Redirect, Router, RouteTable
from .rules import Parameter, Rule, parse_rule

__all__ = [
    "CONVERTERS",
    "NO_MATCH",
    "WEBSOCKET",
    "BuildError",
    "Converter",
    "Include",
    "Match",
    "NotAllowed",
    "Parameter",
    "Redirect",
    "RouteEntry",
    "RouteTable",
    "Router",
    "Rule",
    "flatten",
    "include",
    "lint_regex",
    "parse_rule",
    "path",
    "re_path",
]
