"""Which file a visitor's path names below a directory, and what type it has."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from .uploads import is_device_name

if TYPE_CHECKING:
    from mimetypes import MimeTypes

__all__ = ["guess_type", "safe_join"]

# A colon is a drive or an alternate data stream; the others never name a served file.
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f\\:*?"<>|\ud800-\udfff]').search
_MAX_PATH = 4096
_MAX_COMPONENT = 255
_MAX_DEPTH = 64


def safe_join(root: Path, untrusted: str, *, dotfiles: bool = False) -> Path | None:
    """Return the real path of *untrusted* below *root*, or `None` where it is not below.

    The rules are the same on every system, so that what is safe here is safe where it
    is deployed: no `..`, no absolute path, drive, stream or device, no NUL, no
    name that ends in a dot, a space or `~`. Only then is the file system asked, once,
    whether a link leads out of *root*. The file need not exist.

    Args:
        dotfiles: Whether names that start with a dot are found.

    >>> safe_join(Path("/srv/static"), "../secret") is None
    True
    """
    if not untrusted or len(untrusted) > _MAX_PATH or _FORBIDDEN(untrusted):
        return None
    parts = untrusted.split("/")
    if len(parts) > _MAX_DEPTH or not all(_is_plain(part, dotfiles=dotfiles) for part in parts):
        return None
    try:
        base = root.resolve()
        found = base.joinpath(*parts).resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links, or a name the system refuses
        return None
    return found if found.is_relative_to(base) and found != base else None


def _is_plain(part: str, *, dotfiles: bool) -> bool:
    return (
        bool(part)
        and part not in (".", "..")
        and (dotfiles or part[0] != ".")
        and part[-1] not in ". ~"
        and len(part.encode("utf-8")) <= _MAX_COMPONENT
        and not is_device_name(part)
    )


@cache
def _types() -> MimeTypes:
    from mimetypes import MimeTypes

    # An own table: the one of the system differs from machine to machine.
    known = MimeTypes()
    for extension, kind in {
        ".avif": "image/avif",
        ".ico": "image/vnd.microsoft.icon",
        ".js": "text/javascript",
        ".json": "application/json",
        ".map": "application/json",
        ".md": "text/markdown",
        ".mjs": "text/javascript",
        ".svg": "image/svg+xml",
        ".wasm": "application/wasm",
        ".webmanifest": "application/manifest+json",
        ".webp": "image/webp",
        ".woff": "font/woff",
        ".woff2": "font/woff2",
        ".xml": "text/xml",
        ".yaml": "application/yaml",
    }.items():
        known.add_type(kind, extension)
    return known


_COMPRESSED = {
    "br": "application/x-brotli",
    "bzip2": "application/x-bzip2",
    "compress": "application/x-compress",
    "gzip": "application/gzip",
    "xz": "application/x-xz",
}


def guess_type(name: str) -> str:
    """Return the content type of a file name, by its last extension; octets where unknown.

    >>> guess_type("app.css"), guess_type("dump.sql.gz")
    ('text/css; charset=utf-8', 'application/gzip')
    """
    base = name.rpartition("/")[2][-255:]
    if "." not in base:
        return "application/octet-stream"
    # "x." keeps the library from taking the name for a URL with a scheme.
    kind, encoding = _types().guess_type(f"x.{base}", strict=True)
    if encoding is not None:
        return _COMPRESSED.get(encoding, "application/octet-stream")
    if kind is None:
        return "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
