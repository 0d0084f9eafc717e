"""The bodies that a test sends: JSON, forms, files, raw pieces."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode

import msgspec

from ..errors import UsageError

__all__ = ["Body", "make_body"]


@dataclass(frozen=True, slots=True)
class Body:
    """A body in the pieces it is to arrive in; none at all is no body."""

    chunks: tuple[bytes, ...] = ()
    content_type: str = ""

    @property
    def length(self) -> int:
        """All bytes."""
        return sum(map(len, self.chunks))


def make_body(options: Mapping[str, Any]) -> Body:
    """Return the body that the options of a request describe.

    Raises:
        UsageError: They describe two (`testing/two-bodies`), or files beside a raw body
            (`testing/files-need-a-form`).
    """
    given = [name for name in ("json", "data", "chunks") if name in options]
    if "files" in options and "data" not in options:
        given.append("files")
    if len(given) > 1:
        raise UsageError(
            f"A request has one body, and {' and '.join(f'{name}=' for name in given)} describe two.",
            code="testing/two-bodies",
            hint="Pass one of them; fields beside files= are data=.",
        )
    body = _described(options)
    kind = options.get("content_type", body.content_type)
    return Body(body.chunks, kind)


def _described(options: Mapping[str, Any]) -> Body:
    if "chunks" in options:
        return Body(tuple(options["chunks"]))
    if "json" in options:
        return Body((msgspec.json.encode(options["json"]),), "application/json")
    data = options.get("data")
    if "files" in options:
        if isinstance(data, bytes | str):
            raise UsageError(
                "files= makes a form, and data= is not fields but a raw body.",
                code="testing/files-need-a-form",
                hint='data={"name": "value"}, files={…}',
            )
        return _multipart(_pairs(data or {}), options["files"])
    if data is None:
        return Body()
    if isinstance(data, bytes):
        return Body((data,), "application/octet-stream")
    if isinstance(data, str):
        return Body((data.encode(),), "text/plain; charset=utf-8")
    return Body((urlencode(list(_pairs(data))).encode("ascii"),), "application/x-www-form-urlencoded")


def _pairs(data: Any) -> Iterator[tuple[str, Any]]:
    items = cast("Iterable[tuple[str, Any]]", data.items() if isinstance(data, Mapping) else data)
    for name, value in items:
        for each in _several(value, list, tuple):
            yield name, each


def _several(value: Any, *kinds: type) -> list[Any]:
    return list(cast("Iterable[Any]", value)) if isinstance(value, kinds) else [value]


def _multipart(pairs: Iterable[tuple[str, Any]], files: Mapping[str, Any]) -> Body:
    boundary = secrets.token_hex(12)
    parts: list[bytes] = []
    for name, value in pairs:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"\r\n\r\n'
        parts.append(head.encode() + (value if isinstance(value, bytes) else str(value).encode()) + b"\r\n")
    for name, value in files.items():
        for filename, content, kind in map(_file, _several(value, list)):
            head = (
                f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"; '
                f'filename="{_quoted(filename)}"\r\nContent-Type: {kind}\r\n\r\n'
            )
            parts.append(head.encode() + content + b"\r\n")
    parts.append(f"--{boundary}--\r\n".encode())
    return Body((b"".join(parts),), f"multipart/form-data; boundary={boundary}")


def _quoted(name: str) -> str:
    """Escape a name as browsers do (HTML, multipart/form-data encoding algorithm)."""
    return name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")


def _file(value: Any) -> tuple[str, bytes, str]:
    if not isinstance(value, tuple):
        value = (getattr(value, "name", None) or "file", value)
    name, content, *kind = cast("tuple[Any, ...]", value)
    if hasattr(content, "read"):
        content = content.read()
    if isinstance(content, str):
        content = content.encode()
    return str(name).rpartition("/")[2], content, kind[0] if kind else "application/octet-stream"
