"""The rows of the table: which requests each is made of, and what must come back."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle

from benchmarks.load import Answer, LoadError, build_request, fetch

from .content import GREETING, MESSAGE, RECORDS

__all__ = ["ROWS", "Ask", "Row"]

_PATHS = 5_000
_FIRST_ITEM = 10_000
_ITEM = {"name": "Blue Train", "price": 12.5, "tags": ["jazz", "1958", "mono"]}
_JSON = (("Content-Type", "application/json"),)


@dataclass(frozen=True, slots=True)
class Ask:
    """One request, without the port it goes to."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def to_bytes(self, port: int) -> bytes:
        """Build the request for the server at *port*."""
        return build_request(self.method, self.target, port=port, headers=self.headers, body=self.body)


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of request.

    Args:
        asks: The requests, sent in turn.
        expect: What the answer to one of them must say; raises `LoadError` where not.
        refused: Requests that validation must refuse with 400, 404 or 422.
    """

    name: str
    title: str
    asks: tuple[Ask, ...]
    expect: Callable[[Ask, Answer], None]
    refused: tuple[Ask, ...] = ()

    def requests(self, port: int) -> Iterator[bytes]:
        """The requests for the server at *port*, in turn, without an end."""
        return cycle([ask.to_bytes(port) for ask in self.asks])

    def check(self, port: int) -> None:
        """Ask the server some of the row's requests and check every answer.

        Raises:
            LoadError: An answer is not what it must be.
        """
        for ask in (self.asks[0], self.asks[len(self.asks) // 2], self.asks[-1]):
            answer = fetch(ask.to_bytes(port), port=port)
            try:
                _must(answer.status == 200, f"status {answer.status}")
                self.expect(ask, answer)
            except (LoadError, ValueError, KeyError) as error:
                raise LoadError(
                    f"{self.name}: {ask.method} {ask.target} was answered wrongly ({error!r}): {answer}"
                ) from error
        for ask in self.refused:
            answer = fetch(ask.to_bytes(port), port=port)
            if answer.status not in (400, 404, 422):
                raise LoadError(f"{self.name}: {ask.target} {ask.body!r} must be refused: {answer}")


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise LoadError(otherwise)


def _says_greeting(ask: Ask, answer: Answer) -> None:
    _must(answer.headers["content-type"].startswith("text/plain"), "not text/plain")
    _must(answer.body == GREETING.encode(), "not the greeting")


def _json_of(answer: Answer) -> object:
    _must(answer.headers["content-type"].startswith("application/json"), "not JSON")
    return json.loads(answer.body)


def _says_message(ask: Ask, answer: Answer) -> None:
    _must(_json_of(answer) == MESSAGE, "not the message")


def _says_item(ask: Ask, answer: Answer) -> None:
    _must(_json_of(answer) == {"id": int(ask.target.rpartition("/")[2])}, "not the item asked for")


def _says_search(ask: Ask, answer: Answer) -> None:
    page = int(ask.target.partition("page=")[2])
    _must(_json_of(answer) == {"q": "blue train", "page": page}, "not what was searched")


def _says_created(ask: Ask, answer: Answer) -> None:
    _must(_json_of(answer) == json.loads(ask.body), "not what was sent")


def _shows_records(ask: Ask, answer: Answer) -> None:
    _must(answer.headers["content-type"].startswith("text/html"), "not HTML")
    text = answer.body.decode()
    cells = [html.unescape(cell) for cell in re.findall(r"<td>(.*?)</td>", text)]
    wanted = [str(value) for record in RECORDS for value in (record.title, record.leader, record.year)]
    _must(cells == wanted, "not the twelve records")
    _must("Blue &lt;Train&gt;" in text, "not escaped")
    _must("<h1>Twelve records</h1>" in text, "no heading")


def _ask_item(**changes: object) -> Ask:
    return Ask("POST", "/items", _JSON, json.dumps({**_ITEM, **changes}).encode())


ROWS = {
    row.name: row
    for row in (
        Row("plain", "plain text", (Ask("GET", "/plain"),), _says_greeting),
        Row("json", "JSON", (Ask("GET", "/json"),), _says_message),
        Row(
            "path",
            "integer path parameter",
            tuple(Ask("GET", f"/items/{number}") for number in range(_FIRST_ITEM, _FIRST_ITEM + _PATHS)),
            _says_item,
            refused=(Ask("GET", "/items/twelve"),),
        ),
        Row(
            "query",
            "validated query",
            tuple(Ask("GET", f"/search?q=blue+train&page={number}") for number in range(100, 1_000)),
            _says_search,
            refused=(
                Ask("GET", "/search?q=blue+train&page=x"),
                Ask("GET", "/search?q=blue+train&page=0"),
                Ask("GET", "/search?page=1"),
            ),
        ),
        Row(
            "body",
            "validated JSON body",
            (_ask_item(),),
            _says_created,
            refused=(_ask_item(price="dear"), _ask_item(name=""), Ask("POST", "/items", _JSON, b'{"name": "x"')),
        ),
        Row("page", "template page of 12 rows", (Ask("GET", "/page"),), _shows_records),
    )
}
