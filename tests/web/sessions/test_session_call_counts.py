"""What a request pays for its session is guarded by counting calls.

A number that rises is work that every such request pays from then on. Raise it here only with
the reason in the commit; lower it whenever it falls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from segue import App, Session
from segue.protocols import WSGIAdapter
from segue.testing import Client

pytestmark = pytest.mark.internal

CallsOf = Callable[[Callable[[], Any]], int]
NAME = "__Host-session"

# Python functions of one request by WSGI that reads its session.
MOST = {"cookie": 137, "database": 144}


@pytest.fixture(params=["cookie", "database"])
def store(request: pytest.FixtureRequest) -> str:
    """Each store in turn."""
    return str(request.param)


@pytest.fixture
def shop(store: str) -> Iterator[App]:
    """An app that reads a session."""
    config = {"SECRET_KEY": "f2c0d7c1b4e14c3f9a3b7d55e1a0c9de", "SESSION_STORE": store, "ALLOWED_HOSTS": ["localhost"]}
    app = App("counted", database="sqlite:///:memory:", config=config, static_folder=None, template_folder=None)

    @app.get("/put")
    def put(session: Session) -> str:
        session["shelf"] = "left"
        return "put"

    @app.get("/read")
    def read(session: Session) -> str:
        return str(session["shelf"])

    with app.context():
        app.db.create_all()
    yield app
    app.db.close()


def test_calls_of_a_request_that_reads_its_session(shop: App, store: str, calls_of: CallsOf) -> None:
    visitor = Client(shop, base_url="https://localhost")
    visitor.get("/put")
    adapter = WSGIAdapter(shop.compile())
    environ = {
        "PATH_INFO": "/read",
        "REQUEST_METHOD": "GET",
        "HTTP_HOST": "localhost",
        "HTTP_COOKIE": f"{NAME}={visitor.cookies[NAME]}",
    }
    answers = [b"".join(adapter(environ, lambda status, headers: None)) for _ in range(2)]

    calls = calls_of(lambda: adapter(environ, lambda status, headers: None))

    assert answers == [b"left", b"left"]
    assert calls <= MOST[store]
