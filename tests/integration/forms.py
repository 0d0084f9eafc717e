"""Bodies of forms, well and badly made."""

from __future__ import annotations

__all__ = ["BOUNDARY", "FORM", "JSON", "MULTIPART", "field", "file", "multipart"]

BOUNDARY = b"limit"
MULTIPART = "Content-Type: multipart/form-data; boundary=limit"
FORM = "Content-Type: application/x-www-form-urlencoded"
JSON = "Content-Type: application/json"


def field(name: str, value: bytes, *lines: bytes) -> bytes:
    return part(b'Content-Disposition: form-data; name="%b"' % name.encode(), *lines, value=value)


def file(name: str, filename: bytes, content: bytes, *lines: bytes) -> bytes:
    head = b'Content-Disposition: form-data; name="%b"; filename="%b"' % (name.encode(), filename)
    return part(head, b"Content-Type: application/octet-stream", *lines, value=content)


def part(*lines: bytes, value: bytes) -> bytes:
    return b"--" + BOUNDARY + b"\r\n" + b"\r\n".join(lines) + b"\r\n\r\n" + value + b"\r\n"


def multipart(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--" + BOUNDARY + b"--\r\n"
