"""SITES-49, G06, G07: which other sites may read what a site answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from segue import App, Blueprint, Response, abort
from segue.errors import SetupError
from segue.web import Compression, Cors

Clients = Callable[..., Any]
ALLOWED = "access-control-allow-origin"


def preflight(
    client: Any, path: str = "/", *, origin: str = "https://a.example", method: str = "GET", **more: str
) -> Any:
    """Ask whether a request may be sent."""
    headers = {"origin": origin, "access-control-request-method": method}
    headers |= {f"access-control-request-{name.replace('_', '-')}": value for name, value in more.items()}
    return client.options(path, headers=headers)


@pytest.fixture
def site(app: App) -> App:
    """A site that lets two origins read it, with cookies."""
    app.register(
        Cors(
            origins=["https://a.example", "https://*.b.example"],
            methods=["GET", "PUT"],
            headers=["X-Token"],
            credentials=True,
            expose=["X-Total"],
            max_age=timedelta(minutes=5),
        )
    )
    app.route("/", methods=["GET", "PUT", "POST"])(lambda: "<p>")
    return app


@pytest.mark.parametrize(
    ("origin", "method", "headers", "status"),
    [
        ("https://a.example", "GET", "", 204),
        ("https://a.example", "PUT", "x-token", 204),
        ("https://a.example", "PUT", "X-Token, Accept", 204),
        ("https://x.b.example", "GET", "", 204),
        ("https://a.example", "POST", "", 403),
        ("https://a.example", "DELETE", "", 403),
        ("https://a.example", "get", "", 403),
        ("https://a.example", "GET", "x-other", 403),
        ("https://a.example", "GET", "x-token, x-other", 403),
        ("https://a.example", "GET", "x-token," * 1000, 403),
        ("https://b.example", "GET", "", 403),
        ("https://x.y.b.example", "GET", "", 403),
        ("http://a.example", "GET", "", 403),
        ("https://a.example:8443", "GET", "", 403),
        ("https://a.example.evil.test", "GET", "", 403),
        ("https://axexample", "GET", "", 403),
        ("https://A.example", "GET", "", 403),
        ("null", "GET", "", 403),
        ("*", "GET", "", 403),
        ("https://*.b.example", "GET", "", 403),
    ],
)
def test_a_preflight_is_granted_or_refused(
    site: App, client: Clients, origin: str, method: str, headers: str, status: int
) -> None:
    response = preflight(client(app=site), origin=origin, method=method, headers=headers)

    assert response.status_code == status
    assert response.headers.get(ALLOWED) == (origin if status == 204 else None)
    assert response.headers["vary"].startswith("Origin")


def test_a_granted_preflight_says_everything(site: App, client: Clients) -> None:
    headers = preflight(client(app=site)).headers

    assert headers["access-control-allow-methods"] == "GET, PUT"
    assert headers["access-control-allow-headers"] == "X-Token"
    assert headers["access-control-allow-credentials"] == "true"
    assert headers["access-control-max-age"] == "300"


def test_private_networks_stay_closed(site: App, client: Clients) -> None:
    response = preflight(client(app=site), private_network="true")

    assert "access-control-allow-private-network" not in response.headers


def test_an_answer_may_be_read_by_an_origin_on_the_list(site: App, client: Clients) -> None:
    headers = client(app=site).get("/", headers={"origin": "https://a.example"}).headers

    assert headers[ALLOWED] == "https://a.example"
    assert headers["access-control-allow-credentials"] == "true"
    assert headers["access-control-expose-headers"] == "X-Total"
    assert headers["vary"] == "Origin"


@pytest.mark.parametrize("origin", [None, "null", "https://evil.test", "https://a.example, https://evil.test"])
def test_others_are_told_nothing_and_caches_keep_them_apart(site: App, client: Clients, origin: str | None) -> None:
    response = client(app=site).get("/", headers={} if origin is None else {"origin": origin})

    assert response.status_code == 200
    assert [name for name in response.headers if name.startswith("access-control-")] == []
    assert response.headers["vary"] == "Origin"


@pytest.mark.parametrize("path", ["/nowhere", "/refused"])
def test_an_error_may_be_read_too(site: App, client: Clients, path: str) -> None:
    site.get("/refused")(lambda: abort(409, "taken"))

    response = client(app=site).get(path, headers={"origin": "https://a.example"})

    assert response.status_code in (404, 409)
    assert response.headers[ALLOWED] == "https://a.example"


def test_a_preflight_meets_no_guard_and_no_middleware(site: App, client: Clients) -> None:
    met: list[str] = []

    @site.middleware
    def login(request: Any) -> Any:
        met.append("middleware")
        yield

    @site.guard
    def guard() -> Any:
        met.append("guard")
        abort(401)

    status = preflight(client(app=site)).status_code

    assert (status, met) == (204, [])


def test_an_options_request_that_is_no_preflight_goes_its_way(site: App, client: Clients) -> None:
    response = client(app=site).options("/", headers={"origin": "https://a.example"})

    assert response.headers["allow"] == "GET, HEAD, OPTIONS, POST, PUT"


def test_everybody_may_read_what_is_open_to_all(app: App, client: Clients) -> None:
    app.register(Cors(origins="*"))
    app.get("/")(lambda: "<p>")

    response = client().get("/", headers={"origin": "https://any.example"})

    assert response.headers[ALLOWED] == "*"
    assert "access-control-allow-credentials" not in response.headers
    assert response.headers["vary"] == "Origin"


def test_a_response_that_is_returned_again_tells_nobody_of_the_last(site: App, client: Clients) -> None:
    shared = Response("<p>")
    site.get("/shared")(lambda: shared)
    here = client(app=site)

    first = here.get("/shared", headers={"origin": "https://a.example"}).headers
    second = here.get("/shared", headers={"origin": "https://evil.test"}).headers

    assert (first.get(ALLOWED), second.get(ALLOWED)) == ("https://a.example", None)


def test_it_stands_beside_other_middleware(site: App, client: Clients) -> None:
    site.register(Compression(minimum_bytes=1))

    response = client(app=site).get("/", headers={"origin": "https://a.example", "accept-encoding": "gzip"})

    assert response.headers["vary"] == "Accept-Encoding, Origin"
    assert response.headers[ALLOWED] == "https://a.example"


# Blueprints


@pytest.fixture
def parts(app: App) -> App:
    """An app whose blueprint has a list of its own."""
    api = Blueprint("api", __name__, prefix="/api")
    api.register(Cors(origins=["https://api.example"]))
    inner = Blueprint("inner", __name__, prefix="/inner")
    inner.put("/")(lambda: {"a": 1})
    api.register(inner)
    api.get("/<int:pk>")(lambda pk: {"pk": pk})
    app.register(api)
    app.get("/")(lambda: "<p>")
    return app


@pytest.mark.parametrize(
    ("path", "method", "status"), [("/api/1", "GET", 204), ("/api/inner/", "PUT", 204), ("/api/1", "DELETE", 204)]
)
def test_a_blueprint_has_a_list_of_its_own(parts: App, client: Clients, path: str, method: str, status: int) -> None:
    parts.register(Cors(origins=["https://a.example"]))
    here = client(app=parts)

    origin = "https://api.example" if method != "DELETE" else "https://a.example"

    assert preflight(here, path, origin=origin, method=method).status_code == status


def test_the_list_of_a_blueprint_goes_before_that_of_the_app(parts: App, client: Clients) -> None:
    parts.register(Cors(origins=["https://a.example"]))
    here = client(app=parts)

    inside = here.get("/api/1", headers={"origin": "https://a.example"}).headers
    outside = here.get("/", headers={"origin": "https://a.example"}).headers

    assert (inside.get(ALLOWED), outside.get(ALLOWED)) == (None, "https://a.example")


def test_what_has_no_list_is_left_alone(parts: App, client: Clients) -> None:
    response = client(app=parts).get("/", headers={"origin": "https://api.example"})

    assert ALLOWED not in response.headers
    assert "vary" not in response.headers


def test_a_blueprint_takes_no_battery_that_is_for_whole_apps() -> None:
    with pytest.raises(SetupError) as caught:
        Blueprint("api", __name__).register(Compression())

    assert caught.value.code == "app/not-registrable"
    assert "app.register(Compression(…))" in caught.value.hint


# What is refused


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"origins": "*", "credentials": True}, "security/cors-for-all"),
        ({"origins": ["*"], "credentials": True}, "security/cors-for-all"),
        ({"origins": ["*", "https://a.example"]}, "security/cors-for-all"),
        ({"origins": ["null"]}, "security/bad-origin"),
        ({"origins": ["https://.*example"]}, "security/bad-origin"),
        ({"origins": ["https://a.example/"]}, "security/bad-origin"),
        ({"origins": ["https://a.example"], "methods": ["get"]}, "security/bad-cors"),
        ({"origins": ["https://a.example"], "headers": ["*"]}, "security/bad-cors"),
        ({"origins": ["https://a.example"], "headers": ["X\r\nY"]}, "security/bad-cors"),
        ({"origins": ["https://a.example"], "expose": ["a,b"]}, "security/bad-cors"),
        ({"origins": ["https://a.example"], "max_age": -1}, "security/bad-cors"),
        ({"origins": ["https://a.example"], "max_age": timedelta(days=2)}, "security/bad-cors"),
    ],
)
def test_what_cannot_be_meant_is_refused_where_it_is_written(options: Any, code: str) -> None:
    with pytest.raises(SetupError) as caught:
        Cors(**options)

    assert caught.value.code == code


def test_the_line_is_named() -> None:
    with pytest.raises(SetupError) as caught:
        Cors(origins="*", credentials=True)

    assert Path(__file__).name in caught.value.where


def test_two_for_the_same_routes_are_refused(app: App) -> None:
    app.register(Cors(origins=["https://a.example"]))
    app.register(Cors(origins=["https://b.example"]))

    with pytest.raises(SetupError) as caught:
        app.compile()

    assert caught.value.code == "security/bad-cors"
