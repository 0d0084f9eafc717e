"""SITES-48, J13: the headers that make browsers careful, their nonces, and what changes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from segue import App, Blueprint, Request, Response, redirect, render_template, render_template_string, stream_template
from segue.errors import SetupError, UsageError
from segue.web import Security, security_headers

Clients = Callable[..., Any]
POLICY = "content-security-policy"
TRIAL = "content-security-policy-report-only"
PAGE = '<script nonce="{{ csp_nonce }}">1</script>'


def nonces(response: Any) -> list[str]:
    """The nonces of the policy, then those of the body."""
    return re.findall(r"'nonce-(\w+)'", response.headers.get(POLICY, "")) + re.findall(r'nonce="(\w+)"', response.text)


@pytest.fixture
def site(tmp_path: Path) -> App:
    """An app with templates, in both colours, and pages that never ask for a nonce."""
    templates = tmp_path / "templates"
    templates.mkdir()
    (templates / "page.html").write_text(PAGE, encoding="utf-8")
    (templates / "404.html").write_text(f"not here {PAGE}", encoding="utf-8")
    (templates / "500.html").write_text(f"broken {PAGE}", encoding="utf-8")
    app = App("site", static_folder=None, template_folder=str(templates))

    @app.get("/sync")
    def sync() -> str:
        return render_template("page.html")

    @app.get("/async")
    async def asynchronous() -> str:
        return render_template("page.html")

    @app.get("/stream")
    def stream() -> Response:
        return stream_template("page.html")

    @app.get("/request")
    def by_request(request: Request) -> str:
        return f'<style nonce="{request.csp_nonce}"></style>'

    @app.get("/broken")
    def broken() -> str:
        raise RuntimeError

    @app.get("/plain")
    def plain() -> str:
        return "<p>plain</p>"

    return app


@pytest.mark.parametrize(
    ("path", "status"),
    [("/sync", 200), ("/async", 200), ("/stream", 200), ("/request", 200), ("/nowhere", 404), ("/broken", 500)],
)
def test_the_nonce_of_the_header_is_that_of_the_page(site: App, client: Clients, path: str, status: int) -> None:
    response = client(app=site).get(path, headers={"accept": "text/html"})

    found = nonces(response)

    assert response.status_code == status
    assert len(found) == 3
    assert len(set(found)) == 1
    assert re.fullmatch(r"[0-9a-f]{32}", found[0])


def test_every_response_has_a_nonce_of_its_own(site: App, client: Clients) -> None:
    here = client(app=site)

    found = {nonces(here.get("/sync"))[0] for _ in range(5)}

    assert len(found) == 5


def test_a_page_that_never_asks_has_the_constant_policy(site: App, client: Clients) -> None:
    here = client(app=site)
    here.get("/sync")

    policy = here.get("/plain").headers[POLICY]

    assert "nonce" not in policy
    assert "script-src 'self';" in policy


def test_the_nonce_stands_in_scripts_and_styles_alone(site: App, client: Clients) -> None:
    directives = client(app=site).get("/sync").headers[POLICY].split("; ")

    assert [each.partition(" ")[0] for each in directives if "nonce" in each] == ["script-src", "style-src"]


def test_a_nonce_asked_for_twice_is_one(app: App, client: Clients) -> None:
    app.get("/")(lambda request: f"{request.csp_nonce}{request.csp_nonce}")

    text = client().get("/").text

    assert text[:32] == text[32:]


def test_a_response_that_is_returned_again_has_a_fresh_nonce(app: App, client: Clients) -> None:
    shared = Response("<p>")

    @app.get("/")
    def index(request: Request) -> Response:
        assert request.csp_nonce
        return shared

    here = client()

    assert nonces(here.get("/"))[0] != nonces(here.get("/"))[0]


def test_a_response_keeps_a_policy_of_its_own(app: App, client: Clients) -> None:
    app.get("/")(lambda request: (f"{request.csp_nonce}", {"Content-Security-Policy": "default-src 'none'"}))

    assert client().get("/").headers[POLICY] == "default-src 'none'"


def test_what_is_no_page_has_no_nonce(app: App, client: Clients) -> None:
    app.get("/")(lambda request: {"nonce": request.csp_nonce})

    assert client().get("/").headers[POLICY] == "default-src 'none'; frame-ancestors 'none'; sandbox"


def test_a_stream_that_asks_too_late_is_told(app: App, protocol: str) -> None:
    late: list[str] = []

    @app.get("/")
    def index(request: Request) -> Response:
        def chunks() -> Iterator[str]:
            try:
                yield request.csp_nonce
            except UsageError as error:
                late.append(error.code)
                yield "late"

        from segue import stream

        return stream(chunks())

    app.test_client(protocol=protocol).get("/")

    assert late == ["security/late-nonce"]


def test_a_template_outside_a_request_has_an_empty_nonce(app: App) -> None:
    with app.context():
        assert render_template_string(PAGE + "{% if csp_nonce %}!{% endif %}") == '<script nonce="">1</script>'


# 304


def test_a_304_leaves_the_policy_that_a_browser_keeps(app: App, client: Clients) -> None:
    app.get("/")(lambda: Response("", 304))

    headers = client().get("/").headers

    assert POLICY not in headers
    assert headers["x-content-type-options"] == "nosniff"


# All kinds of responses


@pytest.mark.parametrize("path", ["/page", "/json", "/redirect", "/file", "/nowhere", "/broken"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_every_kind_of_response_has_them(app: App, client: Clients, tmp_path: Path, path: str, method: str) -> None:
    (tmp_path / "a.css").write_text("p {}", encoding="utf-8")
    app.static_folder = str(tmp_path)
    app.get("/page")(lambda: "<p>")
    app.get("/json")(lambda: {"a": 1})
    app.get("/redirect")(lambda: redirect("/page"))
    app.get("/broken")(lambda: 1 / 0)

    headers = client().request(method, path.replace("/file", "/static/a.css")).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "strict-origin-when-cross-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in headers[POLICY]


# Security()


def headers_of(app: App, security: Security | None = None, **options: Any) -> Any:
    """The headers of a page of *app*."""
    if security is not None:
        app.register(security)
    app.get("/")(lambda: "<p>")
    return app.test_client(**options).get("/").headers


@pytest.mark.parametrize(
    ("security", "name", "value"),
    [
        (Security(referrer_policy="no-referrer"), "referrer-policy", "no-referrer"),
        (Security(opener_policy="unsafe-none"), "cross-origin-opener-policy", "unsafe-none"),
        (Security(resource_policy="cross-origin"), "cross-origin-resource-policy", "cross-origin"),
        (Security(frame_options="SAMEORIGIN"), "x-frame-options", "SAMEORIGIN"),
        (Security(frame_options=None), "x-frame-options", None),
        (Security(referrer_policy=None), "referrer-policy", None),
        (Security(permissions_policy=None), "permissions-policy", None),
        (
            Security(permissions_policy={"camera": "self https://a.example", "usb": "*", "microphone": None}),
            "permissions-policy",
            'camera=(self "https://a.example"), geolocation=(), browsing-topics=(), usb=*',
        ),
    ],
)
def test_a_header_is_changed_or_left_out(app: App, security: Security, name: str, value: str | None) -> None:
    assert headers_of(app, security).get(name) == value


def test_without_arguments_nothing_changes(app: App) -> None:
    other = App("other", static_folder=None, template_folder=None)

    assert headers_of(app, Security()) == headers_of(other)


def test_directives_are_added_replaced_and_removed(app: App) -> None:
    security = Security(csp={"img-src": ["'self'", "https://img.example.com"], "font-src": "data:", "base-uri": None})

    policy = headers_of(app, security)[POLICY]

    assert "img-src 'self' https://img.example.com;" in policy
    assert "font-src data:" in policy
    assert "base-uri" not in policy


def test_it_changes_what_the_configuration_says(app: App) -> None:
    app.config["CSP"] = {"img-src": "https://a.example", "font-src": "data:"}

    policy = headers_of(app, Security(csp={"img-src": "https://b.example"}))[POLICY]

    assert "img-src https://b.example;" in policy
    assert "font-src data:" in policy


def test_a_policy_is_tried_beside_the_one_that_holds(app: App) -> None:
    headers = headers_of(app, Security(csp_report_only={"img-src": "'none'", "report-uri": "/csp"}))

    assert "img-src 'self' data:" in headers[POLICY]
    assert "img-src 'none'" in headers[TRIAL]
    assert headers[TRIAL].endswith("report-uri /csp")


def test_a_policy_may_only_be_reported(app: App, client: Clients) -> None:
    app.register(Security(csp=None, csp_report_only={}))
    app.get("/")(lambda request: f'<p nonce="{request.csp_nonce}">')

    headers = client().get("/").headers

    assert POLICY not in headers
    assert re.search(r"script-src 'self' 'nonce-\w{32}'", headers[TRIAL])


@pytest.mark.parametrize(("option", "ancestors"), [("SAMEORIGIN", "'self'"), ("DENY", "'none'")])
def test_framing_is_said_in_both_headers(app: App, option: Any, ancestors: str) -> None:
    assert f"frame-ancestors {ancestors}" in headers_of(app, Security(frame_options=option))[POLICY]


@pytest.mark.parametrize(
    ("csp", "directive"),
    [
        ({"script-src": "'none'"}, "script-src 'nonce-"),
        ({"script-src": None}, "script-src 'self' 'nonce-"),
        ({"script-src": "'self' 'unsafe-inline'"}, "script-src 'self' 'unsafe-inline';"),
        ({"script-src": "'strict-dynamic' 'unsafe-inline'"}, "script-src 'strict-dynamic' 'unsafe-inline' 'nonce-"),
        ({"style-src-elem": "'self'"}, "style-src-elem 'self' 'nonce-"),
    ],
)
def test_a_nonce_goes_where_it_allows_something(app: App, csp: Any, directive: str) -> None:
    app.register(Security(csp=csp))
    app.get("/")(lambda request: request.csp_nonce)

    assert directive in app.test_client().get("/").headers[POLICY]


def test_a_nonce_restricts_nothing_that_was_free(app: App) -> None:
    app.register(Security(csp={"script-src": None, "default-src": None}))
    app.get("/")(lambda request: request.csp_nonce)

    assert "script-src" not in app.test_client().get("/").headers[POLICY]


@pytest.mark.parametrize(
    "options",
    [
        {"csp": {"img-src": "'self'; script-src *"}},
        {"csp": {"img-src": "'self', *"}},
        {"csp": {"img-src": "'self'\r\nX-Evil: 1"}},
        {"csp": {"img-src": "'self'\n"}},
        {"csp": {"img-src; script-src": "*"}},
        {"csp": {"img-scr": "*"}},
        {"csp": {"script-src": "self"}},
        {"csp": {"script-src": ["'self'", "unsafe-inline"]}},
        {"csp_report_only": {"img-src": "a;b"}},
        {"csp": {"img-src": "https://é.example"}},
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused_where_it_is_written(options: Any) -> None:
    with pytest.raises(SetupError) as caught:
        Security(**options)

    assert caught.value.code == "security/bad-csp"
    assert Path(__file__).name in caught.value.where


@pytest.mark.parametrize(
    "options",
    [
        {"referrer_policy": "no-referer"},
        {"referrer_policy": "no-referrer\r\nX-Evil: 1"},
        {"opener_policy": "same-site"},
        {"resource_policy": "*"},
        {"frame_options": "ALLOW-FROM https://a.example"},
        {"permissions_policy": {"camera": "self); microphone=(*"}},
        {"permissions_policy": {"Camera": "self"}},
        {"permissions_policy": {"camera": 'self "x"'}},
        {"permissions_policy": {"camera": "self,\n"}},
        {"hsts_seconds": -1},
        {"hsts_preload": True, "hsts_subdomains": False},
        {"hsts_preload": True, "hsts_seconds": 3600},
        {"https_exempt": ["health"]},
    ],
)
def test_a_value_that_no_browser_knows_is_refused_where_it_is_written(options: Any) -> None:
    with pytest.raises(SetupError) as caught:
        Security(**options)

    assert caught.value.code == "security/bad-header"
    assert Path(__file__).name in caught.value.where


def test_the_nearest_directive_is_named() -> None:
    with pytest.raises(SetupError) as caught:
        Security(csp={"img-scr": "*"})

    assert "img-src" in caught.value.hint


def test_the_configuration_key_is_checked_too(app: App) -> None:
    app.config["CSP"] = {"script-src": "self"}

    with pytest.raises(SetupError) as caught:
        app.compile()

    assert caught.value.where == "the configuration key CSP"


# HTTPS


@pytest.mark.parametrize(
    ("security", "value"),
    [
        (Security(), "max-age=31536000; includeSubDomains"),
        (Security(hsts_preload=True), "max-age=31536000; includeSubDomains; preload"),
        (Security(hsts_seconds=60, hsts_subdomains=False), "max-age=60"),
        (Security(hsts_seconds=None), None),
    ],
)
def test_browsers_are_told_to_come_by_https(app: App, security: Security, value: str | None) -> None:
    app.config["SITE_URL"] = "https://www.example.com"

    headers = headers_of(app, security, base_url="https://www.example.com")

    assert headers.get("strict-transport-security") == value


@pytest.mark.parametrize("site", [None, "http://www.example.com", "https://localhost:8000"])
def test_a_site_without_https_says_nothing_of_it(app: App, site: str | None) -> None:
    app.config["SITE_URL"] = site
    app.config["ALLOWED_HOSTS"] = ["localhost"]

    headers = headers_of(app, Security())

    assert "strict-transport-security" not in headers
    assert "upgrade-insecure-requests" not in headers[POLICY]


@pytest.fixture
def secure(app: App) -> App:
    """A site that redirects to HTTPS, behind a proxy on this machine."""
    app.config.from_mapping(SITE_URL="https://www.example.com", TRUSTED_PROXIES=["127.0.0.1"])
    app.register(Security(https_redirect=True))
    app.route("/a", methods=["GET", "POST"])(lambda: "<p>")
    app.get("/livez")(lambda: "ok")
    return app


@pytest.mark.parametrize(("method", "status"), [("GET", 301), ("HEAD", 301), ("POST", 308)])
def test_http_is_redirected_to_https(secure: App, client: Clients, method: str, status: int) -> None:
    response = client(app=secure, base_url="http://www.example.com").request(method, "/a?b=%2F")

    assert response.status_code == status
    assert response.headers["location"] == "https://www.example.com/a?b=%2F"


@pytest.mark.parametrize(
    ("base", "path", "headers"),
    [
        ("https://www.example.com", "/a", {}),
        ("http://www.example.com", "/livez", {}),
        ("http://www.example.com", "/a", {"x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.1"}),
    ],
)
def test_what_came_by_https_or_is_exempt_is_answered(secure: App, base: str, path: str, headers: Any) -> None:
    response = secure.test_client(base_url=base).get(path, headers=headers)

    assert response.status_code == 200


def test_what_a_stranger_says_of_https_is_not_believed(secure: App) -> None:
    secure.config["TRUSTED_PROXIES"] = []

    response = secure.test_client(base_url="http://www.example.com").get("/a", headers={"x-forwarded-proto": "https"})

    assert response.status_code == 301


def test_another_host_of_the_site_is_kept(secure: App) -> None:
    secure.config["ALLOWED_HOSTS"] = [".example.com"]

    response = secure.test_client(base_url="http://blog.example.com:8000").get("/a")

    assert response.headers["location"] == "https://blog.example.com/a"


def test_where_any_host_is_allowed_the_sites_own_is_meant(secure: App) -> None:
    secure.config["ALLOWED_HOSTS"] = ["*"]

    response = secure.test_client(base_url="http://evil.test").get("/a")

    assert response.headers["location"] == "https://www.example.com/a"


def test_in_development_nothing_is_redirected(secure: App) -> None:
    secure.config["DEBUG"] = True

    assert secure.test_client().get("/a").status_code == 200


# One view, one blueprint


@pytest.mark.parametrize("order", ["mark inside", "mark outside"])
def test_a_view_changes_its_own_headers(app: App, client: Clients, order: str) -> None:
    marked = security_headers(frame_options="SAMEORIGIN", csp={"img-src": "*"})

    def view() -> str:
        return "<p>"

    app.get("/own")(marked(view)) if order == "mark inside" else marked(app.get("/own")(view))
    app.get("/")(lambda: "<p>")
    here = client()

    own, others = here.get("/own").headers, here.get("/").headers

    assert (own["x-frame-options"], others["x-frame-options"]) == ("SAMEORIGIN", "DENY")
    assert "img-src *" in own[POLICY]
    assert "frame-ancestors 'self'" in own[POLICY]
    assert "img-src *" not in others[POLICY]


@pytest.mark.parametrize("result", ["text", "response", "stream", "json"])
def test_whatever_a_view_returns_has_its_headers(app: App, client: Clients, result: str) -> None:
    results = {"text": "<p>", "response": Response("<p>"), "json": {}, "stream": iter(["<p>"])}
    app.get("/")(security_headers(resource_policy="cross-origin")(lambda: results[result]))

    assert client().get("/").headers["cross-origin-resource-policy"] == "cross-origin"


def test_the_errors_of_a_view_have_its_headers(app: App, client: Clients) -> None:
    app.get("/")(security_headers(referrer_policy="no-referrer")(lambda: 1 / 0))
    app.errorhandler(500)(lambda error: "<p>broken")

    response = client().get("/")

    assert (response.status_code, response.headers["referrer-policy"]) == (500, "no-referrer")


def test_a_blueprint_changes_those_of_its_views_and_a_view_of_it_again(app: App, client: Clients) -> None:
    embed = security_headers(frame_options=None, referrer_policy="origin")(Blueprint("embed", __name__, prefix="/e"))
    embed.get("/a")(lambda: "<p>")
    embed.get("/b")(security_headers(referrer_policy="no-referrer")(lambda: "<p>"))
    app.register(embed)
    here = client()

    first, second = here.get("/e/a").headers, here.get("/e/b").headers

    assert (first.get("x-frame-options"), first["referrer-policy"]) == (None, "origin")
    assert (second.get("x-frame-options"), second["referrer-policy"]) == (None, "no-referrer")
    assert "frame-ancestors" not in first[POLICY]


def test_a_view_begins_with_what_the_app_says(app: App) -> None:
    app.register(Security(csp={"font-src": "data:"}))
    app.get("/own")(security_headers(csp={"img-src": "*"})(lambda request: request.csp_nonce))

    policy = app.test_client().get("/own").headers[POLICY]

    assert "font-src data:" in policy
    assert "img-src *" in policy
    assert "'nonce-" in policy


def test_a_bad_value_of_a_view_is_refused_at_its_line() -> None:
    with pytest.raises(SetupError) as caught:
        security_headers(csp={"img-src": "a;b"})

    assert Path(__file__).name in caught.value.where
