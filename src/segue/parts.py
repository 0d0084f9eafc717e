"""The parts of an app: itself, and every installed copy of a blueprint.

Holds: `Part`, and the order of the parts with what may be wrong in it.
Imports: errors and blueprint.
Never: looks into what a part has registered.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .blueprint import Blueprint, Registration, Registries, Scaffold
from .errors import SetupError, did_you_mean

__all__ = ["Part", "parts_of", "static_folders"]


@dataclass(frozen=True, slots=True)
class Part:
    """The app, or one installed copy of a blueprint.

    Attributes:
        name: `None` for the app; dotted for nested blueprints.
        chain: The parts around it and itself, outermost first, the app excluded.
    """

    name: str | None
    scaffold: Scaffold
    prefix: str
    host: str | None
    chain: tuple[Part, ...] = ()
    place: str = ""

    @property
    def registries(self) -> Registries:
        """What its decorators collected."""
        return self.scaffold.registries

    @property
    def static_folder(self) -> Path | None:
        """Its folder of static files, where it is there."""
        folder = self.scaffold.static_folder
        if folder is None or not (self.scaffold.root_path / folder).is_dir():
            return None
        return self.scaffold.root_path / folder

    @property
    def scopes(self) -> tuple[str, ...]:
        """The names of the blueprints it is in, innermost first."""
        return tuple(part.name for part in reversed(self.chain) if part.name is not None)

    def nearest(self, name: str, *said: Any, default: Any = None) -> Any:
        """Return the first of *said* that is not `None`, else what the innermost blueprint says by *name*."""
        around = (getattr(part.scaffold, name, None) for part in reversed(self.chain))
        return next((each for each in (*said, *around) if each is not None), default)


def parts_of(app: Scaffold, registrations: Iterable[Registration]) -> list[Part]:
    """Return the app and every installed blueprint, in the order of registration.

    Raises:
        SetupError: Two of one name, one that is missing, or a circle.
    """
    parts = [Part(None, app, "", None)]
    for registration in registrations:
        parts.extend(_nested(registration, "", "", None, (), ()))
    by_name: dict[str, Part] = {}
    for part in parts[1:]:
        assert part.name is not None
        if part.name in by_name:
            raise SetupError(
                f"Two blueprints are called {part.name!r}.",
                code="app/registered-twice",
                where=f"{by_name[part.name].place}\n{part.place}",
                hint=f'Give the second copy a name: app.register(blueprint, name="{part.name}_2", prefix=…)',
            )
        by_name[part.name] = part
    for part in parts[1:]:
        for needed in part.scaffold.requires if isinstance(part.scaffold, Blueprint) else ():
            if needed not in by_name:
                raise SetupError(
                    f"The blueprint {part.name!r} requires {needed!r}, which is not registered.",
                    code="app/missing-blueprint",
                    where=part.place,
                    hint=f"app.register({needed}) {did_you_mean(needed, by_name)}".strip(),
                )
    _refuse_circles({part.name or "": part for part in parts[1:]})
    return parts


def static_folders(parts: Iterable[Part]) -> list[tuple[str, Path]]:
    """Return the folders of static files that are there, each with the prefix of its blueprint's addresses."""
    found: list[tuple[str, Path]] = []
    for part in parts:
        folder = part.static_folder
        if folder is not None:
            found.append(("" if part.name is None else f"{part.name}/", folder))
    return found


def _nested(
    registration: Registration,
    name: str,
    prefix: str,
    host: str | None,
    chain: tuple[Part, ...],
    seen: tuple[Blueprint, ...],
) -> Iterator[Part]:
    blueprint = registration.blueprint
    if blueprint in seen:
        names = " → ".join(each.name for each in [*seen[seen.index(blueprint) :], blueprint])
        raise SetupError(
            f"Blueprints contain each other: {names}.",
            code="app/blueprint-cycle",
            where=registration.place,
            hint="Register one of them on the app instead.",
        )
    own = registration.name or blueprint.name
    full = f"{name}.{own}" if name else own
    begin = registration.prefix if registration.prefix is not None else blueprint.prefix
    part = Part(
        full,
        blueprint,
        prefix + begin.rstrip("/"),
        registration.host or blueprint.host or host,
        place=registration.place,
    )
    part = dataclasses.replace(part, chain=(*chain, part))
    yield part
    for child in blueprint.children:
        yield from _nested(child, full, part.prefix, part.host, part.chain, (*seen, blueprint))


def _refuse_circles(parts: Mapping[str, Part]) -> None:
    def walk(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            raise SetupError(
                f"Blueprints require each other: {' → '.join([*path[path.index(name) :], name])}.",
                code="app/blueprint-cycle",
                where=parts[name].place,
                hint="Take one of the `requires` away.",
            )
        scaffold = parts[name].scaffold
        for needed in scaffold.requires if isinstance(scaffold, Blueprint) else ():
            walk(needed, (*path, name))

    for name in parts:
        walk(name, ())
