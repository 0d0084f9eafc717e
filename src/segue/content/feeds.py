"""Feeds: what is new, for readers of RSS 2.0 and Atom.

Holds: `Feed`, a view to derive from, with Django's names; `Enclosure`, a file of an entry.
What an attribute says for all items, a method of that name may say for each.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Any, ClassVar, Literal

from .. import clock
from ..errors import SetupError, did_you_mean
from ..http.request import Request
from ..http.response import Response
from ..places import caller_place
from .feedxml import Author, Channel, Enclosure, Entry, atom, rss
from .links import absolute, link_of
from .visible import has_policy, user_of, visible

__all__ = ["Enclosure", "Feed"]


class Feed:
    """A feed: derive, say `title`, `link` and `items()`, and add it as a route.

    `@app.get("/records.xml") class RecordFeed(Feed): …`, or `path("records.xml", RecordFeed())`.
    Items of a model with policies are those that the reader may see. Texts are plain; a
    description that is `Markup` is HTML.

    Attributes:
        feed_type: `rss` or `atom`.
        title, link, description: Of the feed; each may be a method of what `get_object` returns.
        subtitle: Atom's word for `description`.
        language, categories, feed_copyright, ttl, author_name, author_email, author_link: likewise.
        item_…: Of each item; each may be a method of the item.
    """

    feed_type: ClassVar[Literal["rss", "atom"]] = "rss"

    title: Any = None
    link: Any = None
    description: Any = None
    subtitle: Any = None
    language: Any = None
    categories: Any = ()
    feed_copyright: Any = None
    feed_guid: Any = None
    feed_url: Any = None
    ttl: Any = None
    author_name: Any = None
    author_email: Any = None
    author_link: Any = None

    item_description: Any = None
    item_guid: Any = None
    item_guid_is_permalink: Any = None
    item_author_name: Any = None
    item_author_email: Any = None
    item_author_link: Any = None
    item_pubdate: Any = None
    item_updateddate: Any = None
    item_categories: Any = ()
    item_comments: Any = None
    item_copyright: Any = None
    item_enclosures: Any = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        known = [name for name in dir(Feed) if not name.startswith("_")]
        for name in vars(cls):
            if name.startswith(("item_", "feed_", "author_")) and name not in known:
                raise SetupError(
                    f"A feed asks for no {name!r}, which {cls.__name__} has.",
                    code="content/unknown-name",
                    where=caller_place(),
                    hint=did_you_mean(name, known) or "Begin the names of your own with an underscore.",
                )
        if cls.feed_type not in ("rss", "atom"):
            raise SetupError(
                f"{cls.__name__}.feed_type is {cls.feed_type!r}.",
                code="content/bad-value",
                where=caller_place(),
                hint='feed_type = "rss", or feed_type = "atom"',
            )

    def __init__(self) -> None:
        for name in ("title", "link"):
            if getattr(self, name) is None:
                raise _incomplete(self, name, f'{name} = "{"/records/" if name == "link" else "New records"}"')
        if type(self).items is Feed.items:
            raise _incomplete(self, "items()", 'def items(self): return Record.objects.order_by("-year")[:20]')

    @classmethod
    def as_view(cls) -> Callable[..., Response]:
        """Return the handler."""
        feed = cls()

        def view(request: Request, **kwargs: Any) -> Response:
            return feed(request, **kwargs)

        view.__name__ = view.__qualname__ = cls.__name__
        view.__doc__ = cls.__doc__
        view.__module__ = cls.__module__
        return view

    def __call__(self, request: Request, **kwargs: Any) -> Response:
        """Answer a request."""
        obj = self.get_object(request, **kwargs)
        rows = self._of("items", obj)
        is_personal = has_policy(rows)
        entries = [self._entry(request, item) for item in visible(rows, user_of(request) if is_personal else None)]
        channel = self._channel(request, obj, entries)
        body, content_type = (atom if self.feed_type == "atom" else rss)(channel, entries)
        response = Response(body, content_type=content_type)
        if is_personal:
            # What one may see another may not; a shared cache must not keep it.
            response.headers["cache-control"] = "private, no-cache"
        return response

    # To override

    def get_object(self, request: Request, **kwargs: Any) -> Any:
        """Return what the feed is about, by the values of the route; `None` where it is the whole site."""
        return None

    def items(self) -> Any:
        """Return what is in the feed: a queryset, or a list; takes what `get_object` returned, if it wants."""
        return ()

    def item_title(self, item: Any) -> Any:
        """Return the title of an item."""
        return str(item)

    def item_link(self, item: Any) -> Any:
        """Return the address of an item: its `get_absolute_url()`."""
        return link_of(item, what=type(self).__name__, attribute="item_link")

    # Reading what was said

    def _of(self, name: str, thing: Any) -> Any:
        value = getattr(self, name)
        if not callable(value):
            return value
        cls: Any = type(self)  # Any: mypy does not take a class for hashable
        return value(thing) if _takes_one(cls, name) else value()

    def _channel(self, request: Request, obj: Any, entries: Sequence[Entry]) -> Channel:
        def said(name: str) -> Any:
            return self._of(name, obj)

        own = absolute(request, said("feed_url") or request.root_path + request.path)
        link = absolute(request, said("link"))
        moments = [each for entry in entries for each in (entry.updated, entry.published) if each is not None]
        return Channel(
            title=said("title"),
            link=link,
            description=said("description") or said("subtitle") or "",
            url=own,
            guid=said("feed_guid") or link,
            updated=max(moments, default=clock.today()),
            language=said("language"),
            categories=tuple(said("categories") or ()),
            copyright=said("feed_copyright"),
            ttl=said("ttl"),
            author=_author(request, said("author_name"), said("author_email"), said("author_link")),
        )

    def _entry(self, request: Request, item: Any) -> Entry:
        def said(name: str) -> Any:
            return self._of(f"item_{name}", item)

        link = absolute(request, said("link"))
        guid = said("guid")
        is_permalink = said("guid_is_permalink")
        return Entry(
            title=said("title"),
            link=link,
            description=said("description"),
            guid=link if guid is None else str(guid),
            is_permalink=guid is None if is_permalink is None else bool(is_permalink),
            published=_moment(said("pubdate")),
            updated=_moment(said("updateddate")),
            author=_author(request, said("author_name"), said("author_email"), said("author_link")),
            categories=tuple(said("categories") or ()),
            comments=None if said("comments") is None else absolute(request, said("comments")),
            copyright=said("copyright"),
            enclosures=tuple(_enclosures(request, said("enclosures") or ())),
        )


@cache
def _takes_one(cls: Any, name: str) -> bool:
    """Whether a method of a class wants what it is about; asked once, because it is called for every item."""
    method = getattr(cls, name)
    parameters = list(inspect.signature(method).parameters.values())
    if not isinstance(inspect.getattr_static(cls, name), staticmethod | classmethod):
        parameters = parameters[1:]
    kinds = (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.VAR_POSITIONAL,
    )
    return any(each.kind in kinds for each in parameters)


def _author(request: Request, name: Any, email: Any, link: Any) -> Author | None:
    if name is None and email is None:
        return None
    return Author(name, email, None if link is None else absolute(request, link))


def _enclosures(request: Request, given: Iterable[Enclosure]) -> Iterable[Enclosure]:
    for each in given:
        yield Enclosure(absolute(request, each.url), each.length, each.mime_type)


def _moment(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime.combine(value, time(), UTC) if isinstance(value, date) else None


def _incomplete(feed: Feed, name: str, hint: str) -> SetupError:
    cls = type(feed)
    return SetupError(
        f"{cls.__name__} does not say its {name}.",
        code="content/incomplete",
        where=f"class {cls.__qualname__} of {cls.__module__}",
        why="A feed needs a title, a link to what it is about, and items.",
        hint=hint,
    )
