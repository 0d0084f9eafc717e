"""Features that installed packages bring: the entry points `segue.blueprints`.

Holds: `Feature`, their listing, and their loading by name.
Imports: the standard library, `errors` and `blueprint`.
Never: loads a feature that nobody asked for, or registers one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from .blueprint import Blueprint
from .errors import SetupError, did_you_mean
from .places import caller_place

__all__ = ["Feature", "installed_features", "load_feature"]

_GROUP = "segue.blueprints"


@dataclass(frozen=True, slots=True)
class Feature:
    """A blueprint or battery of an installed package.

    Attributes:
        name: What `app.register` takes.
        package: The distribution, as pip knows it.
        target: `module:attribute`: a blueprint, a battery, or what makes one.
    """

    name: str
    package: str
    version: str
    target: str

    def is_among(self, things: Iterable[Any]) -> bool:
        """Whether one of *things* is this feature, or was made by it; imports nothing."""
        module_name, _, path = self.target.partition(":")
        found: Any = sys.modules.get(module_name)
        if found is None:
            return False  # what was not even imported cannot have been registered
        for attribute in path.split(".") if path else ():
            found = getattr(found, attribute, None)
        if isinstance(found, type) or _is_thing(found):
            return any(each is found or type(each) is found for each in things)
        return any(type(each).__module__ == module_name for each in things)


def installed_features() -> list[Feature]:
    """Return the features of all installed packages, by name; none is loaded."""
    return sorted((_feature_of(point) for point in entry_points(group=_GROUP)), key=lambda each: each.name)


def load_feature(name: str) -> Any:
    """Return the blueprint or battery that an installed package calls *name*.

    Raises:
        SetupError: There is none (`app/unknown-feature`), there are two
            (`app/ambiguous-feature`), or it cannot be loaded (`app/broken-feature`).
    """
    points = list(entry_points(group=_GROUP))
    found = [point for point in points if point.name == name]
    if not found:
        raise SetupError(
            f"No installed package brings a feature called {name!r}.",
            code="app/unknown-feature",
            where=caller_place(),
            why="A name is looked up among the entry points segue.blueprints of installed packages.",
            hint=did_you_mean(name, [point.name for point in points])
            or f"Install the package, or register the object itself: app.register({name})",
        )
    if len(found) > 1:
        raise SetupError(
            f"Two installed packages bring a feature called {name!r}: {', '.join(map(_package_of, found))}.",
            code="app/ambiguous-feature",
            where=caller_place(),
            hint="Import the one that is meant, and register the object itself.",
        )
    return _load(found[0])


def _load(point: EntryPoint) -> Any:
    try:
        loaded = point.load()
        if not _is_thing(loaded) and callable(loaded):
            loaded = loaded()
    except Exception as error:
        module, _, attribute = point.value.partition(":")
        raise SetupError(
            f"The feature {point.name!r} of {_package_of(point)} cannot be loaded: {type(error).__name__}: {error}",
            code="app/broken-feature",
            where=caller_place(),
            why=f"It is {point.value}, which is imported, and called without arguments if it is a class or function.",
            hint=f"from {module} import {attribute or '…'}\napp.register({attribute or '…'})",
        ) from error
    return loaded


def _is_thing(value: Any) -> bool:
    """Whether *value* can be registered as it is."""
    return isinstance(value, Blueprint) or (hasattr(value, "install") and not isinstance(value, type))


def _feature_of(point: EntryPoint) -> Feature:
    version = point.dist.metadata["Version"] or "" if point.dist is not None else ""
    return Feature(point.name, _package_of(point), version, point.value.partition(" [")[0])


def _package_of(point: EntryPoint) -> str:
    # An installation that lost its metadata has neither name nor version.
    return point.dist.metadata["Name"] or "?" if point.dist is not None else "?"
