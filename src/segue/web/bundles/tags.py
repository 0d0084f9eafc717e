"""The tags that load a chunk: style sheets, the script, and what the script loads at once."""

from __future__ import annotations

from collections.abc import Callable

from markupsafe import Markup, escape

from .manifests import Bundle, Chunk

__all__ = ["chunk_tags", "script_tag", "style_tag"]


def script_tag(url: str, nonce: str = "") -> Markup:
    """Return the tag of a script, which is a module."""
    return Markup('<script type="module" src="{}"{}></script>').format(url, _nonce(nonce))


def style_tag(url: str, nonce: str = "") -> Markup:
    """Return the tag of a style sheet."""
    return Markup('<link rel="stylesheet" href="{}"{}>').format(url, _nonce(nonce))


def chunk_tags(bundle: Bundle, name: str, url_of: Callable[[str], str], nonce: str = "") -> list[Markup]:
    """Return the tags of the chunk *name*, in the order in which a browser should meet them."""
    chunks = bundle.reached(name)
    sheets = dict.fromkeys(file for chunk in chunks for file in chunk.styles)
    found = [style_tag(url_of(file), nonce) for file in sheets]
    first, *others = chunks
    found.append(_tag(first, url_of, nonce))
    found += [_preload(url_of(chunk.file), nonce) for chunk in others if not chunk.file.endswith(".css")]
    return found


def _tag(chunk: Chunk, url_of: Callable[[str], str], nonce: str) -> Markup:
    make = style_tag if chunk.file.endswith(".css") else script_tag
    return make(url_of(chunk.file), nonce)


def _preload(url: str, nonce: str) -> Markup:
    return Markup('<link rel="modulepreload" href="{}"{}>').format(url, _nonce(nonce))


def _nonce(nonce: str) -> Markup:
    return Markup(' nonce="{}"').format(escape(nonce)) if nonce else Markup()
