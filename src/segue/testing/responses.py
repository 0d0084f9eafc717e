"""What a test client gives back."""

from __future__ import annotations

from typing import Any

import msgspec

from ..http.headers import Headers
from .cookies import read_set_cookie
from .recording import Record
from .transports import Answer

__all__ = ["ResponseHead", "TestResponse"]


class ResponseHead:
    """Status and headers of an answer.

    Attributes:
        status_code: The status.
        headers: Case-insensitive; `getlist` for repeated ones.
        url: Where it came from: scheme, host, path and query.
    """

    def __init__(self, answer: Answer, url: str) -> None:
        self.status_code: int = answer.status
        self.headers: Headers = Headers([])
        self.headers.pairs = [(name.lower(), value) for name, value in answer.headers]
        self.url = url

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.status_code} {self.content_type or '-'}>"

    @property
    def status(self) -> int:
        """The status."""
        return self.status_code

    @property
    def content_type(self) -> str:
        """The `Content-Type` header."""
        return self.headers.get("content-type") or ""

    @property
    def location(self) -> str:
        """The `Location` header."""
        return self.headers.get("location") or ""

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that this answer sets."""
        found = [read_set_cookie(value) for value in self.headers.getlist("set-cookie")]
        return dict(each for each in found if each is not None)

    @property
    def charset(self) -> str:
        """In which the body is text; UTF-8 where nothing is said."""
        return self.content_type.partition("charset=")[2].partition(";")[0].strip('" ') or "utf-8"


class TestResponse(ResponseHead):
    """A whole answer of the app.

    Attributes:
        body: All bytes.
        chunks: The pieces that were sent.
        history: The redirects that led here.
        templates: The names of the templates that the handler rendered, in order; not
            those that they extend or include.
        context: The values given to these templates; of one name the last.
    """

    __test__ = False

    def __init__(self, answer: Answer, url: str, history: list[TestResponse], record: Record) -> None:
        super().__init__(answer, url)
        self.chunks: list[bytes] = answer.chunks
        self.body: bytes = b"".join(answer.chunks)
        self.history = history
        self.templates: list[str] = record.templates
        self.context: dict[str, Any] = record.context

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode(self.charset)

    @property
    def json(self) -> Any:
        """The body decoded from JSON."""
        return msgspec.json.decode(self.body)
