"""Writing XML: elements whose texts and attributes cannot break out of them.

Holds: `element`, `document`. Texts are escaped, never put into CDATA, so `]]>` is no end of
anything; characters that XML 1.0 does not have (§2.2) are left out. Nothing here reads XML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

__all__ = ["document", "element", "group"]

_NO_CHARACTERS = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_WHITESPACE = re.compile("[\t\n\r]")


def element(name: str, text: object = None, **attributes: object) -> str:
    """Return one element; without *text* it is empty. Attributes that are `None` are left out.

    >>> element("link", href='https://example.com/?a="1"&b')
    '<link href="https://example.com/?a=&quot;1&quot;&amp;b"/>'
    """
    head = f"<{name}{_attributes(attributes)}"
    return f"{head}/>" if text is None else f"{head}>{_escaped(text)}</{name}>"


def group(name: str, children: Iterable[str], attributes: Mapping[str, object] | None = None) -> str:
    """Return an element of elements."""
    return f"<{name}{_attributes(attributes or {})}>{''.join(children)}</{name}>"


def document(root: str) -> bytes:
    """Return the document of a root element."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{root}\n'.encode()


def _attributes(values: Mapping[str, object]) -> str:
    return "".join(
        f' {name}="{_WHITESPACE.sub(" ", _escaped(value))}"' for name, value in values.items() if value is not None
    )


def _escaped(value: object) -> str:
    text = _NO_CHARACTERS.sub("", str(value))
    for character, reference in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#39;")):
        text = text.replace(character, reference)
    return text
