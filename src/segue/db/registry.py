"""Which models there are, by the package they stand in.

Holds: one `Registry` for each root package or one-file module.
Imports: the standard library and floor 0.
Never: does anything else when a model is defined; an app asks for what it owns.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakValueDictionary

from ..errors import did_you_mean
from .errors import ModelError

__all__ = ["Registry", "every_model", "label_of", "model_of_label", "registry_for", "registry_of_package"]

_registries: WeakValueDictionary[str, Registry] = WeakValueDictionary()
_kept: list[Registry] = []


class Registry:
    """The models of one root package, or of one function that defines models.

    Attributes:
        name: The package, or `module.function` for local classes.
        conflicts: Pairs of models that claim one label and name.
    """

    def __init__(self, name: str, outer: Registry | None = None) -> None:
        self.name = name
        self.outer = outer
        self.conflicts: list[tuple[Any, Any]] = []
        self._models: dict[tuple[str, str], Any] = {}
        self._waiting: list[Callable[[], bool]] = []
        self.version: int = 0

    def __repr__(self) -> str:
        return f"<Registry {self.name}: {', '.join(model.__name__ for model in self)}>"

    def __iter__(self) -> Iterator[Any]:
        return iter(self._models.values())

    def add(self, model: Any) -> None:
        """Enter *model*; a class of the same module and name replaces the one before."""
        key = model._meta.app_label, model.__name__.lower()
        known = self._models.get(key)
        if known is not None and (known.__module__, known.__qualname__) != (model.__module__, model.__qualname__):
            self.conflicts.append((known, model))
        self._models.pop(key, None)  # what is defined anew comes last, as it stands in the file now
        self._models[key] = model
        self.version += 1
        # Taken out first: resolving may make a model, of a table between, which comes here too.
        waiting, self._waiting = self._waiting, []
        for resolve in waiting:
            self.when_known(resolve)

    def when_known(self, resolve: Callable[[], bool]) -> None:
        """Call *resolve* now, and after each new model until it says yes."""
        if not resolve():
            self._waiting.append(resolve)

    def knows(self, name: str, seeker: Any) -> bool:
        """Tell whether *name* can be found."""
        return self._find(name, seeker) is not None

    def find(self, name: str, seeker: Any) -> Any:
        """Return the model that *name* means where *seeker* stands.

        Args:
            name: `self`, `Musician` or `label.Musician`.
            seeker: The model that asks.

        Raises:
            ModelError: There is none (`data/unknown-model`).
        """
        found = self._find(name, seeker)
        if found is None:
            known = [model.__name__ for model in self]
            raise ModelError(
                f"{seeker.__name__} refers to {name!r}, and there is no such model.",
                code="data/unknown-model",
                why=f"Known in {self.name}: {', '.join(sorted(known)) or 'none'}.",
                hint=did_you_mean(name.rpartition(".")[2], known) or "Import the module that defines it first.",
            )
        return found

    def _find(self, name: str, seeker: Any) -> Any:
        if name == "self":
            return seeker
        label, dot, short = name.rpartition(".")
        short = short.lower()
        if not dot:
            found = self._models.get((seeker._meta.app_label, short))
            if found is not None:
                return found
            several = [model for (_, each), model in self._models.items() if each == short]
            if len(several) == 1:
                return several[0]
        elif (label, short) in self._models:
            return self._models[label, short]
        if self.outer is not None:
            return self.outer._find(name, seeker)
        if dot:
            for registry in list(_registries.values()):
                found = registry._models.get((label, short)) if registry.outer is None else None
                if found is not None:
                    return found
        return None


def model_of_label(label: str, near: Registry | None = None) -> Any:
    """Return the model of `label.model`, in lower case; `None` where there is none, or several.

    Args:
        near: Where it is looked for first.
    """
    app_label, _, name = label.rpartition(".")
    while near is not None:
        found = near._models.get((app_label, name))  # pyright: ignore[reportPrivateUsage]  # of this package
        if found is not None:
            return found
        near = near.outer
    several = {model for each in list(_registries.values()) if (model := each._models.get((app_label, name)))}  # pyright: ignore[reportPrivateUsage]  # of this package
    return several.pop() if len(several) == 1 else None


def registry_of_package(package: str) -> Registry:
    """Return the registry of a root package, made at the first call."""
    found = _registries.get(package)
    if found is None:
        found = _registries[package] = Registry(package)
        _kept.append(found)
    return found


def registry_for(module: str, qualname: str) -> Registry:
    """Return the registry a class enters: its root package's, or its function's."""
    outer = registry_of_package(module.partition(".")[0])
    scope, local, _ = qualname.rpartition(".<locals>.")
    if not local:
        return outer
    key = f"{module}.{scope}"
    found = _registries.get(key)
    if found is None:
        found = _registries[key] = Registry(key, outer)
    return found


def every_model() -> list[Any]:
    """Return the models of all packages, for scripts; those of functions are their own."""
    return [model for registry in _kept for model in registry]


def label_of(module: str) -> str:
    """Return the label of models in *module*: its package's last name; empty in one file.

    A package `models` is one module that has grown: `core/models/people.py` is of `core`, as
    `core/models.py` is.
    """
    loaded = sys.modules.get(module)
    package = module if hasattr(loaded, "__path__") else module.rpartition(".")[0]
    outer, dot, last = package.rpartition(".")
    return outer.rpartition(".")[2] if dot and last == "models" else last
