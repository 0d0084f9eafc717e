"""The files of style and script that widgets need.

Holds: `Media`, and `media_of`, which reads the class `Media` inside a widget or form.
Imports: the context, and the app's static files where one is running.
Never: reads a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any, ClassVar

from markupsafe import Markup, escape

from ..context import find_current

__all__ = ["Media", "media_of"]


class Media:
    """Files of style and script, each once, in an order that suits everybody who named them.

    Args:
        css: For each medium (`all`, `print`) its files.
        js: Files of script.

    >>> print(Media(js=["/a.js"]) + Media(js=["/a.js", "/b.js"]))
    <script src="/a.js"></script>
    <script src="/b.js"></script>
    """

    def __init__(self, *, css: Mapping[str, Sequence[Any]] | None = None, js: Sequence[Any] = ()) -> None:
        self._css_lists: list[dict[str, list[Any]]] = (
            [{name: list(files) for name, files in css.items()}] if css else []
        )
        self._js_lists: list[list[Any]] = [list(js)] if js else []

    def __repr__(self) -> str:
        return f"Media(css={self.css!r}, js={self.js!r})"

    def __add__(self, other: Media) -> Media:
        together = Media()
        together._css_lists = [*self._css_lists, *[each for each in other._css_lists if each not in self._css_lists]]
        together._js_lists = [*self._js_lists, *[each for each in other._js_lists if each not in self._js_lists]]
        return together

    def __bool__(self) -> bool:
        return bool(self._css_lists or self._js_lists)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Media) and (self.css, self.js) == (other.css, other.js)

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # compared by what it holds, which may be unhashable

    def __getitem__(self, kind: str) -> Media:
        part = Media()
        if kind == "css":
            part._css_lists = self._css_lists
        elif kind == "js":
            part._js_lists = self._js_lists
        return part

    @property
    def css(self) -> dict[str, list[Any]]:
        """The files of style, by medium."""
        media = dict.fromkeys(medium for each in self._css_lists for medium in each)
        return {medium: _merged(each[medium] for each in self._css_lists if medium in each) for medium in sorted(media)}

    @property
    def js(self) -> list[Any]:
        """The files of script."""
        return _merged(self._js_lists)

    def render(self) -> Markup:
        """Return the tags of all files."""
        return Markup("\n").join([*self.render_css(), *self.render_js()])

    __html__ = render

    def __str__(self) -> str:
        return str(self.render())

    def render_css(self) -> list[Markup]:
        """Return the tags of the files of style."""
        return [
            _as_tag(file) or Markup('<link href="{}" media="{}" rel="stylesheet">').format(address_of(file), medium)
            for medium, files in self.css.items()
            for file in files
        ]

    def render_js(self) -> list[Markup]:
        """Return the tags of the files of script."""
        return [_as_tag(file) or Markup('<script src="{}"></script>').format(address_of(file)) for file in self.js]


def address_of(file: Any) -> str:
    """Return the URL of a file: as it is where it is one, else that of the app's static file."""
    name = str(file)
    if name.startswith(("http://", "https://", "/")):
        return name
    if find_current() is None:
        return f"/static/{name}"
    from ..rendering import static_url  # it loads Jinja2

    return static_url(name)


def _as_tag(file: Any) -> Markup | None:
    return escape(file) if hasattr(file, "__html__") else None


def _merged(lists: Iterable[list[Any]]) -> list[Any]:
    """Return all items, each once, in the order that each list has them."""
    given = [each for each in lists if each]
    if len(given) < 2:
        return [item for each in given for item in each]
    sorter: TopologicalSorter[Any] = TopologicalSorter()
    for files in given:
        for number, file in enumerate(files):
            sorter.add(file, *files[number - 1 : number])
    try:
        return list(sorter.static_order())
    except CycleError:  # two disagree: whoever came first decides
        return list(dict.fromkeys(item for each in given for item in each))


def media_of(owner: type) -> Media:
    """Return what the classes `Media` of *owner* and those above it name.

    `extend = False` in one leaves out what stands above it; `extend = ["js"]` keeps that kind.
    """
    found = Media()
    for parent in reversed(owner.__bases__):
        if parent is not object:
            found = found + media_of(parent)
    definition: Any = vars(owner).get("Media")
    if definition is None:
        return found
    extend: Any = getattr(definition, "extend", True)
    if extend is not True:
        kinds: Iterable[str] = extend or ()
        found = sum((found[kind] for kind in kinds), Media())
    return found + Media(css=getattr(definition, "css", None), js=getattr(definition, "js", ()))
