"""A feed as XML: RSS 2.0 and Atom (RFC 4287), of one set of values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from typing import Any

from .xml import document, element, group

__all__ = ["Author", "Channel", "Enclosure", "Entry", "atom", "rss"]


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote something."""

    name: Any
    email: Any
    link: str | None


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file that belongs to an entry, such as a recording.

    Attributes:
        url: Its address, or its path on this site.
        length: In bytes.
        mime_type: Such as `audio/mpeg`.
    """

    url: str
    length: int
    mime_type: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One item, with absolute addresses and aware moments."""

    title: Any
    link: str
    description: Any
    guid: str
    is_permalink: bool
    published: datetime | None
    updated: datetime | None
    author: Author | None
    categories: tuple[Any, ...]
    comments: str | None
    copyright: Any
    enclosures: tuple[Enclosure, ...]


@dataclass(frozen=True, slots=True)
class Channel:
    """The feed itself; `url` is its own address."""

    title: Any
    link: str
    description: Any
    url: str
    guid: str
    updated: datetime
    language: Any
    categories: tuple[Any, ...]
    copyright: Any
    ttl: Any
    author: Author | None


# RSS


def rss(channel: Channel, entries: Sequence[Entry]) -> tuple[bytes, str]:
    """Return the document of RSS 2.0, and its content type."""
    spaces = {
        "version": "2.0",
        "xmlns:atom": "http://www.w3.org/2005/Atom",
        "xmlns:dc": "http://purl.org/dc/elements/1.1/",
    }
    inside = [*_rss_head(channel), *(group("item", _rss_item(entry)) for entry in entries)]
    return document(group("rss", [group("channel", inside)], spaces)), "application/rss+xml; charset=utf-8"


def _rss_head(channel: Channel) -> Iterator[str]:
    yield element("title", channel.title)
    yield element("link", channel.link)
    yield element("description", channel.description)
    yield element("atom:link", rel="self", type="application/rss+xml", href=channel.url)
    for name, value in (("language", channel.language), ("copyright", channel.copyright)):
        if value is not None:
            yield element(name, value)
    yield element("lastBuildDate", _mail_date(channel.updated))
    yield from (element("category", each) for each in channel.categories)
    if channel.ttl is not None:
        yield element("ttl", channel.ttl)


def _rss_item(entry: Entry) -> Iterator[str]:
    yield element("title", entry.title)
    yield element("link", entry.link)
    if entry.description is not None:
        yield element("description", _as_html(entry.description))
    yield from _rss_author(entry.author)
    if entry.published is not None:
        yield element("pubDate", _mail_date(entry.published))
    yield element("guid", entry.guid, isPermaLink="true" if entry.is_permalink else "false")
    if entry.comments is not None:
        yield element("comments", entry.comments)
    yield from (element("category", each) for each in entry.categories)
    for each in entry.enclosures[:1]:  # RSS has one
        yield element("enclosure", url=each.url, length=each.length, type=each.mime_type)


def _rss_author(author: Author | None) -> Iterator[str]:
    if author is None:
        return
    if author.email is not None:
        yield element("author", f"{author.email} ({author.name})" if author.name is not None else author.email)
    else:
        yield element("dc:creator", author.name)  # RSS's own author is a mail address


def _is_html(text: object) -> bool:
    return hasattr(text, "__html__")


def _as_html(text: Any) -> str:
    # Readers take a description of RSS for HTML. Text that was not said to be some stays text.
    return str(text.__html__()) if _is_html(text) else escape(str(text), quote=False)


def _mail_date(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC))


# Atom


def atom(channel: Channel, entries: Sequence[Entry]) -> tuple[bytes, str]:
    """Return the document of Atom, and its content type."""
    space = {"xmlns": "http://www.w3.org/2005/Atom", "xml:lang": channel.language}
    inside = [*_atom_head(channel), *(group("entry", _atom_entry(entry, channel)) for entry in entries)]
    return document(group("feed", inside, space)), "application/atom+xml; charset=utf-8"


def _atom_head(channel: Channel) -> Iterator[str]:
    yield element("title", channel.title)
    if channel.description:
        yield element("subtitle", channel.description)
    yield element("link", rel="alternate", href=channel.link)
    yield element("link", rel="self", href=channel.url)
    yield element("id", channel.guid)
    yield element("updated", _date(channel.updated))
    yield _atom_author(channel.author or Author(channel.title, None, None))
    yield from (element("category", term=each) for each in channel.categories)
    if channel.copyright is not None:
        yield element("rights", channel.copyright)


def _atom_entry(entry: Entry, channel: Channel) -> Iterator[str]:
    yield element("title", entry.title)
    yield element("link", rel="alternate", href=entry.link)
    yield element("id", entry.guid)
    yield element("updated", _date(entry.updated or entry.published or channel.updated))
    if entry.published is not None:
        yield element("published", _date(entry.published))
    if entry.author is not None:
        yield _atom_author(entry.author)
    if entry.description is not None:
        yield element("summary", entry.description, type="html" if _is_html(entry.description) else "text")
    yield from (element("category", term=each) for each in entry.categories)
    if entry.comments is not None:
        yield element("link", rel="replies", href=entry.comments)
    if entry.copyright is not None:
        yield element("rights", entry.copyright)
    for each in entry.enclosures:
        yield element("link", rel="enclosure", href=each.url, length=each.length, type=each.mime_type)


def _atom_author(author: Author) -> str:
    inside = [element("name", author.name if author.name is not None else author.email)]
    if author.email is not None:
        inside.append(element("email", author.email))
    if author.link is not None:
        inside.append(element("uri", author.link))
    return group("author", inside)


def _date(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
