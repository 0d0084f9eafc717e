"""`Content-Disposition` for downloads (RFC 6266)."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import quote

from ..errors import UsageError, cut

__all__ = ["content_disposition"]

_UNSAFE = re.compile(r'[^\x20-\x7e]|["%\\/]')
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_MAX_NAME = 255


def content_disposition(kind: Literal["attachment", "inline"] | str, filename: str | None = None) -> str:
    """Return a `Content-Disposition` header that no file name can break out of.

    Args:
        kind: `attachment` is saved, `inline` is shown.
        filename: Under which it is saved. Control characters (also those that turn
            the direction of text) go; slashes become `_`; 255 characters remain.

    >>> print(content_disposition("attachment", "Été.pdf"))
    attachment; filename="_t_.pdf"; filename*=UTF-8''%C3%89t%C3%A9.pdf
    """
    if kind not in ("attachment", "inline"):
        raise UsageError(
            f"{cut(kind)} is no disposition.", code="http/bad-disposition", hint='Use "attachment" or "inline".'
        )
    if filename is None:
        return kind
    name = _CONTROL.sub("", filename[: 4 * _MAX_NAME]).replace("/", "_").replace("\\", "_")[:_MAX_NAME]
    if not name:
        return kind
    plain = _UNSAFE.sub("_", name)
    header = f'{kind}; filename="{plain}"'
    if plain != name:
        # RFC 8187. The plain form above has no `%`: some browsers would decode it.
        header += "; filename*=UTF-8''" + quote(name.encode("utf-8", "replace"), safe="!#$&+.^_`|~")
    return header
