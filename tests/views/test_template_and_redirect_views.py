"""Views of a template alone, and of a redirect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from views_models import Member

from segue import App, path, url_for_lazy
from segue.errors import SetupError
from segue.http.request import Request
from segue.shortcuts import render_template
from segue.testing import Client
from segue.views import (
    ContextMixin,
    DetailView,
    RedirectView,
    TemplateResponseMixin,
    TemplateView,
    View,
)

Clients = Callable[..., Client]
Write = Callable[[str, str], None]


def test_a_template_sees_the_routes_values_and_the_view(app: App, client: Clients, write: Write) -> None:
    write("hello.html", "{{ name }} {{ view }} {{ view.kwargs.name }} {{ title }}")

    @app.route("/<name>")
    class Hello(TemplateView):
        template_name = "hello.html"
        extra_context = {"title": "<hi>"}

    assert client().get("/duke").text == "duke &lt;Hello&gt; duke &lt;hi&gt;"


def test_the_content_type_is_the_classes(app: App, client: Clients, write: Write) -> None:
    write("robots.txt", "Disallow: {{ path }}")
    app.add_url_rule(
        "/robots.txt",
        view_func=TemplateView.as_view(
            template_name="robots.txt", content_type="text/plain; charset=utf-8", extra_context={"path": "<x>"}
        ),
    )

    answer = client().get("/robots.txt")

    assert (answer.text, answer.content_type) == ("Disallow: <x>", "text/plain; charset=utf-8")


def test_an_override_sets_headers_and_status(app: App, client: Clients, write: Write) -> None:
    write("a.html", "a")

    @app.route("/")
    class Page(TemplateView):
        template_name = "a.html"

        def render_to_response(self, context: Any, **options: Any) -> Any:
            response = super().render_to_response(context, status=203, **options)
            response.headers["x-page"] = "a"
            return response

    answer = client().get("/")

    assert (answer.status_code, answer.headers["x-page"]) == (203, "a")


def test_a_template_view_without_a_template_is_refused(app: App) -> None:
    @app.route("/")
    class AboutUs(TemplateView):
        pass

    with pytest.raises(SetupError, match="AboutUs names no template") as caught:
        app.compile()

    assert caught.value.code == "views/no-template"
    assert 'template_name = "about_us.html"' in caught.value.hint


def test_mixin_names_of_django_combine(app: App, client: Clients, write: Write) -> None:
    write("a.html", "{{ b }}{{ c }}")

    @app.route("/")
    class Mixed(TemplateResponseMixin, ContextMixin, View):
        template_name = "a.html"
        extra_context = {"b": 1}

        def get(self, request: Request) -> Any:
            return self.render_to_response(self.get_context_data(c=2))

    assert client().get("/").text == "12"


# One page in four ways


def test_four_ways_of_one_page_give_the_same_bytes(stored: App, client: Clients, write: Write) -> None:
    write("profile.html", "<h1>{{ object.name }}</h1> {{ request.path.count('/') }}")

    @stored.get("/function/<int:pk>")
    def profile(pk: int) -> Any:
        return render_template("profile.html", object=Member.objects.get_or_404(pk=pk))

    class AsView(View):
        def get(self, pk: int) -> Any:
            return render_template("profile.html", object=Member.objects.get_or_404(pk=pk))

    class AsTemplate(TemplateView):
        template_name = "profile.html"

        def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
            return super().get_context_data(**kwargs, object=Member.objects.get_or_404(pk=self.kwargs["pk"]))

    class AsDetail(DetailView):
        model = Member
        template_name = "profile.html"

    stored.include([path("view/<int:pk>", AsView), path("tmpl/<int:pk>", AsTemplate), path("detl/<int:pk>", AsDetail)])
    asked = client()
    answers = [asked.get(f"/{each}/1") for each in ("function", "view", "tmpl", "detl")]

    assert {answer.body for answer in answers} == {b"<h1>Bob</h1> 2"}
    assert len({tuple(sorted(answer.headers.items())) for answer in answers}) == 1
    assert {asked.get(f"/{each}/9").status_code for each in ("function", "view", "tmpl", "detl")} == {404}


# Redirects


@pytest.mark.parametrize(
    ("options", "location", "status"),
    [
        ({"url": "/new/"}, "/new/", 302),
        ({"url": "/new/", "permanent": True}, "/new/", 301),
        ({"url": "/new/", "query_string": True}, "/new/?a=1", 302),
        ({"url": "/new/?b=2", "query_string": True}, "/new/?b=2&a=1", 302),
        ({"url": "/new/%(name)s/"}, "/new/du%20ke/", 302),
        ({"url": "/100%%/"}, "/100%/", 302),
        ({"pattern_name": "target"}, "/target/du%20ke", 302),
        ({"url": url_for_lazy("target", name="x")}, "/target/x", 302),
        ({"url": "https://other.example/"}, "https://other.example/", 302),
    ],
)
def test_a_redirect_leads_where_the_class_says(
    app: App, client: Clients, options: dict[str, Any], location: str, status: int
) -> None:
    app.get("/target/<name>", endpoint="target")(lambda name: name)
    app.add_url_rule("/old/<name>", view_func=RedirectView.as_view(**options))

    answer = client().get("/old/du%20ke?a=1", follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (status, location)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_a_redirect_answers_every_method(app: App, client: Clients, method: str) -> None:
    app.add_url_rule("/", view_func=RedirectView.as_view(url="/new"))

    assert client().request(method, "/", follow_redirects=False).status_code == 302


def test_a_redirect_to_nowhere_is_gone(app: App, client: Clients) -> None:
    app.add_url_rule("/", view_func=RedirectView)

    assert client().get("/").status_code == 410


@pytest.mark.parametrize("name", ["//evil.example", "/\\evil.example", "https:evil.example"])
def test_a_value_of_the_route_never_leads_out(app: App, client: Clients, name: str) -> None:
    app.add_url_rule("/to/<path:name>", view_func=RedirectView.as_view(url="%(name)s"))

    answer = client().get(f"/to/{name}", follow_redirects=False)

    location = urljoin("http://site.example/to/x", answer.headers.get("location", ""))
    assert (urlsplit(location).netloc, answer.status_code in (302, 400, 404)) == ("site.example", True)


def test_an_overridden_target(app: App, client: Clients) -> None:
    @app.route("/<int:pk>")
    class Counted(RedirectView):
        permanent = True

        async def get_redirect_url(self, *args: Any, **kwargs: Any) -> str:
            return f"/items/{kwargs['pk']}"

    answer = client().get("/3", follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (301, "/items/3")
