"""The table in which routes are collected, and the router that is compiled from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ..errors import SetupError
from .converters import CONVERTERS, NO_MATCH, Converter
from .matching import WEBSOCKET, Hit, HostPattern, Tree
from .reversing import Reverser, quote_path
from .rules import Rule, rule_regex

__all__ = ["Match", "NotAllowed", "Redirect", "RouteTable", "Router"]


@dataclass(frozen=True, slots=True)
class Match:
    """A route that answers.

    Attributes:
        target: What was added with the rule.
        values: What the converters made, in the order of `rule.values`.
    """

    target: Any  # Any: opaque here
    values: tuple[Any, ...]
    rule: Rule

    @property
    def parameters(self) -> dict[str, Any]:
        """The values by name, with the rule's defaults."""
        names = self.rule.value_names
        named = {name: value for name, value in zip(names, self.values, strict=True) if name is not None}
        return {**self.rule.defaults, **named}


@dataclass(frozen=True, slots=True)
class Redirect:
    """The path with the slash that its rule declares, percent-encoded; the query is the caller's."""

    location: str
    status: int = 308


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """The path exists, the method does not.

    Attributes:
        allowed: What the `Allow` header should say; empty if only WebSockets are answered.
        websocket: Whether a WebSocket route has this path.
    """

    allowed: frozenset[str]
    websocket: bool = False


class RouteTable:
    """Collects rules and their targets; `compile` makes the router.

    Args:
        converters: Beside the built-in ones, by the names that rules give them.
        server_name: What stands behind a `subdomain`.
    """

    def __init__(
        self, converters: Mapping[str, type[Converter]] | None = None, *, server_name: str | None = None
    ) -> None:
        self.converters: Mapping[str, type[Converter]] = MappingProxyType({**CONVERTERS, **(converters or {})})
        self.server_name = server_name
        self._entries: list[tuple[Rule, Any, frozenset[str]]] = []

    def __repr__(self) -> str:
        return f"<RouteTable, {len(self._entries)} entries>"

    def rule(
        self,
        path: str,
        *,
        endpoint: str,
        methods: Iterable[str] = ("GET",),
        host: str | None = None,
        subdomain: str | None = None,
        defaults: Mapping[str, Any] | None = None,
        strict_slashes: bool = True,
        websocket: bool = False,
        is_regex: bool = False,
        prefix: str = "",
        place: str = "",
    ) -> Rule:
        """Return the rule of a route, read with this table's converters.

        Args:
            path: With *is_regex* a regular expression, for below *prefix*.
            subdomain: Short for a host below the server's name.
            websocket: Whether it answers WebSockets instead of methods.

        Raises:
            SetupError: `routing/bad-rule`, `routing/unknown-converter`, or a subdomain of
                nothing (`routing/no-server-name`).
        """
        if subdomain is not None and host is None:
            if not self.server_name:
                raise SetupError(
                    f"The route {path!r} has the subdomain {subdomain!r}, and the server has no name.",
                    code="routing/no-server-name",
                    where=place,
                    hint=f'Set SERVER_NAME, or give the whole host: host="{subdomain}.example.com".',
                )
            server = self.server_name.partition(":")[0]
            host = f"{subdomain}.{server}" if subdomain else server
        if is_regex and prefix.strip("/"):
            from ..regexes import strip_anchors

            path = f"{rule_regex(prefix.strip('/'))}/{strip_anchors(path)}"
        return Rule(
            path,
            endpoint,
            frozenset() if websocket else frozenset(method.upper() for method in methods),
            host,
            defaults or {},
            strict_slashes,
            websocket,
            is_regex,
            place,
            self.converters,
        )

    def add(self, rule: Rule, target: Any, *, methods: Iterable[str] | None = None) -> None:
        """Let *target* answer *rule*, or only some *methods* of it."""
        own = frozenset({WEBSOCKET}) if rule.websocket else frozenset(methods or rule.methods)
        self._entries.append((rule, target, own))

    def compile(self) -> Router:
        """Return the router of what was added so far.

        Raises:
            SetupError: Two rules match the same (`routing/duplicate-rule`).
        """
        trees: dict[str | None, Tree] = {None: Tree()}
        hosts: list[tuple[HostPattern, Tree]] = []
        for rule, target, methods in self._entries:
            key = _host_key(rule)
            if key not in trees:
                trees[key] = Tree()
                hosts.append((HostPattern(rule.host_parts), trees[key]))
            trees[key].leaf_of(rule).add(rule, target, sorted(methods))
        for rule, target, methods in self._entries:
            trees[_host_key(rule)].add_slash(rule, target, methods)
        for tree in trees.values():
            tree.seal()
        hosts.sort(key=lambda entry: entry[0].precedence)
        return Router(tuple(dict.fromkeys(rule for rule, _, _ in self._entries)), trees[None], hosts)


def _host_key(rule: Rule) -> str | None:
    if not rule.host:
        return None
    return "".join(part if isinstance(part, str) else f"<{part.key}>" for part in rule.host_parts)


class Router:
    """Finds what answers a path, and the URL of an endpoint. Never changes; safe in all threads.

    Attributes:
        static: Methods tables of the paths without parameters that no host rule concerns.
            A path that is here may still be answered by another rule for other methods.
        rules: Every rule, in the order of registration.
        has_hosts: Whether any rule has a host.
        find: Returns the methods table and the values of the best rule with parameters for a
            path, or `None`. The table may lack the method, and other rules have it: then
            `resolve` says.
    """

    __slots__ = ("_default", "_hosts", "_reverser", "find", "has_hosts", "rules", "static")

    def __init__(self, rules: tuple[Rule, ...], default: Tree, hosts: Sequence[tuple[HostPattern, Tree]]) -> None:
        self.rules: tuple[Rule, ...] = rules
        self.has_hosts: bool = bool(hosts)
        self._default = default
        self.find: Callable[[str], Hit | None] = default.first  # PERF: one call less than a method
        self._hosts = tuple(hosts)
        self._reverser = Reverser(rules)
        self.static: dict[str, dict[str, Any]] = {
            path: leaf.table
            for path, leaf in default.static.items()
            if not any(True for _, tree in hosts for _ in tree.every(path))
        }

    def __repr__(self) -> str:
        return f"<Router, {len(self.rules)} rules>"

    def find_for_host(self, host: str, path: str) -> Hit | None:
        """Return the methods table and the values of the best rule, static ones included."""
        for tree, given in self._trees(host):
            leaf = tree.static.get(path)
            if leaf is not None:
                return leaf.table, given
            found = tree.first(path)
            if found is not None:
                return found[0], given + found[1]
        return None

    def resolve(self, method: str, path: str, host: str = "") -> Match | Redirect | NotAllowed | None:
        """Return the complete answer for a request; for WebSockets the method is `WEBSOCKET`.

        A less specific rule answers the methods that a more specific one lacks.
        HEAD is answered by GET's target; OPTIONS that no rule has is `NotAllowed`,
        whose methods are the answer.
        """
        allowed: set[str] = set()
        for tree, given in self._trees(host):
            for leaf, values in tree.every(path):
                if method in leaf.table:
                    return Match(leaf.table[method], given + values, leaf.rules[method])
                if method in leaf.slashes:
                    return Redirect(quote_path(path + "/"))
                allowed |= leaf.table.keys() | leaf.slashes.keys()
        if path.startswith("/") and not path.endswith("/"):
            for tree, _ in self._trees(host):
                for leaf, _ in tree.by_regex(path + "/"):
                    if method in leaf.rules and leaf.rules[method].strict_slashes:
                        return Redirect(quote_path(path + "/"))
        if not allowed or method == WEBSOCKET:
            return None
        methods = allowed - {WEBSOCKET}
        return NotAllowed(frozenset(methods | {"OPTIONS"} if methods else ()), WEBSOCKET in allowed)

    def _trees(self, host: str) -> Iterator[tuple[Tree, tuple[Any, ...]]]:
        if self._hosts:
            bare = host.partition(":")[0].rstrip(".").lower()
            for pattern, tree in self._hosts:
                values = pattern.match(bare)
                if values is not NO_MATCH:
                    yield tree, values
        yield self._default, ()

    def url_for(
        self,
        endpoint: str,
        values: Mapping[str, Any] | None = None,
        *,
        args: Sequence[Any] = (),
        anchor: str | None = None,
    ) -> str:
        """Return the path of an endpoint, percent-encoded, with what is no parameter as the query.

        Args:
            values: By name; `None` is as if it were not given, a list repeats its name in the query.
            args: For groups without names, or for the parameters in their order.
            anchor: What stands behind the `#`.

        Raises:
            BuildError: A `LookupError`: `routing/unknown-endpoint`, `routing/missing-parameter`
                or `routing/bad-value`.
        """
        return self._reverser.build(endpoint, values or {}, args, anchor)[1]

    def host_for(self, endpoint: str, values: Mapping[str, Any] | None = None, *, args: Sequence[Any] = ()) -> str:
        """Return the host that the URL of an endpoint needs, or an empty text if any will do."""
        return self._reverser.build(endpoint, values or {}, args)[0]
