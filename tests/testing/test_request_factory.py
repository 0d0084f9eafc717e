"""CORE-91: requests for functions that take one."""

from __future__ import annotations

import pytest

from segue import App, Request
from segue.errors import UsageError
from segue.testing import RequestFactory, request_context


def test_a_made_request_has_path_query_headers_and_cookies(app: App) -> None:
    request = RequestFactory(app).get(
        "/caf%C3%A9", query={"q": "a b"}, headers={"X-A": "1"}, cookies={"c": "2"}, client="10.0.0.7"
    )

    assert isinstance(request, Request)
    assert (request.method, request.path, request.query["q"]) == ("GET", "/café", "a b")
    assert (request.headers["x-a"], request.cookies["c"], request.client) == ("1", "2", "10.0.0.7")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_made_request_has_its_body(app: App, method: str) -> None:
    request: Request = getattr(RequestFactory(app), method)("/", json={"a": 1})

    assert (request.method, request.json) == (method.upper(), {"a": 1})


def test_a_made_request_knows_its_route(app: App) -> None:
    app.get("/u/<int:pk>", endpoint="user")(lambda pk: str(pk))

    request = RequestFactory(app).get("/u/7")

    assert (request.endpoint, dict(request.path_params)) == ("user", {"pk": 7})


def test_a_form_with_files_is_parsed(app: App) -> None:
    request = RequestFactory(app).post("/", data={"a": "1"}, files={"f": ("f.txt", b"text")})

    assert request.form["a"] == "1"
    assert request.files["f"].filename == "f.txt"


def test_requests_of_one_factory_share_nothing(app: App) -> None:
    factory = RequestFactory(app)
    first, second = factory.get("/"), factory.get("/")

    first.state.name = "Duke"

    assert "name" not in second.state


def test_a_request_context_makes_the_request_current(app: App) -> None:
    with request_context(app, "/x", method="POST", data={"a": "1"}) as request:
        assert request.context.app.app is app
        assert request.form["a"] == "1"


def test_an_unknown_option_is_an_error_here_too(app: App) -> None:
    with pytest.raises(UsageError, match="jsn"):
        RequestFactory(app).get("/", jsn=1)  # type: ignore[call-arg]
