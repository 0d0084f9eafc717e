"""From a path to what answers it, and back.

Holds: rules and their converters, the compiled matcher, reversing.
Imports: errors, regexes.
Never: knows an app, a request or a handler; a target is opaque here.
"""

from .converters import CONVERTERS, NO_MATCH, Converter
from .matching import WEBSOCKET
from .reversing import BuildError
from .router import Match, NotAllowed, Redirect, Router, RouteTable
from .rules import Parameter, Rule, parse_rule

__all__ = [
    "CONVERTERS",
    "NO_MATCH",
    "WEBSOCKET",
    "BuildError",
    "Converter",
    "Match",
    "NotAllowed",
    "Parameter",
    "Redirect",
    "RouteTable",
    "Router",
    "Rule",
    "parse_rule",
]
