"""A class answers where a function does: each method an endpoint with a signature of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from segue import App, path
from segue.errors import MethodNotAllowed, SetupError
from segue.handling.markers import mark
from segue.http.request import Request
from segue.testing import Client
from segue.views import MethodView, TemplateView, View

Clients = Callable[..., Client]


class Page(View):
    title = "page"

    def get(self, request: Request) -> dict[str, str]:
        return {"title": self.title}


def by_decorator(app: App) -> None:
    app.route("/x")(Page)


def by_function(app: App) -> None:
    app.add_url_rule("/x", view_func=Page.as_view())


def by_class(app: App) -> None:
    app.add_url_rule("/x", view_func=Page)


def by_table(app: App) -> None:
    app.include([path("x", Page)])


def by_table_of_functions(app: App) -> None:
    app.include([path("x", Page.as_view())])


@pytest.mark.parametrize("register", [by_decorator, by_function, by_class, by_table, by_table_of_functions])
def test_a_class_is_accepted_wherever_a_function_is(app: App, client: Clients, register: Callable[[App], None]) -> None:
    register(app)

    assert client().get("/x").json == {"title": "page"}


def test_as_view_sets_attributes_of_the_instances(app: App, client: Clients) -> None:
    app.add_url_rule("/x", view_func=Page.as_view(title="other"))
    app.add_url_rule("/y", "y", view_func=Page.as_view())

    assert client().get("/x").json == {"title": "other"}
    assert client().get("/y").json == {"title": "page"}


def test_an_endpoint_is_named_as_the_function_would_be(app: App) -> None:
    class UserProfile(View):
        def get(self) -> str:
            return "profile"

    app.route("/a")(UserProfile)
    app.add_url_rule("/b", view_func=UserProfile.as_view("other"))

    assert sorted(app.view_functions) == ["other", "user_profile"]


def test_each_request_has_an_instance_of_its_own(app: App, client: Clients) -> None:
    @app.route("/")
    class Counter(View):
        count = 0

        def get(self) -> dict[str, int]:
            self.count += 1
            return {"count": self.count}

    asked = client()

    assert [asked.get("/").json["count"] for _ in range(2)] == [1, 1]


# Methods


def test_parameters_are_typed_and_injected_as_in_functions(app: App, client: Clients) -> None:
    @app.route("/r/<int:pk>")
    class Both(View):
        def get(self, request: Request, pk: int, page: int = 1) -> dict[str, Any]:
            return {"pk": pk, "page": page, "kwargs": dict(self.kwargs), "path": request.path}

        async def post(self, app: App, pk: int) -> dict[str, Any]:
            return {"app": app.name, "pk": pk, "same": self.request.path}

    asked = client()

    assert asked.get("/r/3?page=4").json == {"pk": 3, "page": 4, "kwargs": {"pk": 3}, "path": "/r/3"}
    assert asked.post("/r/3").json == {"app": "tests_views", "pk": 3, "same": "/r/3"}
    assert asked.get("/r/3?page=x").status_code == 422


def test_a_method_that_names_no_request_reads_the_body_by_self(app: App, client: Clients) -> None:
    @app.route("/")
    class Form(MethodView):
        def post(self) -> dict[str, Any]:
            return {"name": self.request.form["name"]}

    assert client().post("/", data={"name": "Duke"}).json == {"name": "Duke"}


def test_groups_of_a_pattern_are_keywords_or_positions(app: App, client: Clients) -> None:
    from segue import re_path

    class Group(View):
        def get(self, request: Request, *args: Any, **kwargs: Any) -> dict[str, Any]:
            return {"args": args, "kwargs": kwargs, "self": [self.args, self.kwargs]}

    app.include(
        [
            re_path(r"^profile/(?P<pk>\d+)/$", Group.as_view("named")),
            re_path(r"^year/(\d{4})/(\d\d)/$", Group.as_view("unnamed")),
            re_path(r"^more/(\d{4})/$", Group.as_view("more"), {"a": 1}),
        ]
    )
    asked = client()

    assert asked.get("/profile/7/").json == {"args": [], "kwargs": {"pk": "7"}, "self": [[], {"pk": "7"}]}
    assert asked.get("/more/1959/").json["self"] == [["1959"], {"a": 1}]
    assert asked.get("/year/1959/08/").json == {
        "args": ["1959", "08"],
        "kwargs": {},
        "self": [["1959", "08"], {}],
    }


@pytest.mark.parametrize("pieces", ["stream", "astream"])
def test_a_method_may_yield_its_answer(app: App, client: Clients, pieces: str) -> None:
    def stream(self: View) -> Any:
        yield "a"
        yield self.request.path

    async def astream(self: View) -> Any:
        yield "a"
        yield self.request.path

    found = {"stream": stream, "astream": astream}[pieces]
    app.route("/")(type("Pieces", (View,), {"get": found}))

    assert client().get("/").text == "a/"


def test_other_methods_are_405_with_what_is_allowed(app: App, client: Clients) -> None:
    app.route("/")(Page)
    asked = client()

    answer = asked.post("/")
    options = asked.options("/")

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert (options.status_code, options.headers["allow"], options.text) == (204, "GET, HEAD, OPTIONS", "")


def test_head_is_answered_by_get_or_by_its_own(app: App, client: Clients) -> None:
    class Own(View):
        def get(self) -> str:
            return "body"

        def head(self) -> tuple[str, int]:
            return "", 204

    app.route("/")(Page)
    app.route("/own")(Own)
    asked = client()

    assert (asked.head("/").status_code, asked.head("/").body) == (200, b"")
    assert asked.head("/own").status_code == 204


@pytest.mark.parametrize("method", ["SETUP", "DISPATCH", "AS_VIEW", "AGET", "TITLE", "TRACE"])
def test_only_http_methods_reach_an_attribute(app: App, client: Clients, method: str) -> None:
    class Traced(Page):
        def trace(self) -> str:
            return "traced"

    app.route("/")(Traced)

    assert client().request(method, "/").status_code in (400, 405, 501)


def test_methods_of_a_route_are_some_of_the_classes(app: App, client: Clients) -> None:
    class Two(View):
        def get(self) -> str:
            return "got"

        def post(self) -> str:
            return "posted"

    app.get("/")(Two)
    asked = client()

    assert (asked.get("/").status_code, asked.post("/").status_code) == (200, 405)


def test_a_method_that_the_class_lacks_is_refused_at_its_line(app: App) -> None:
    with pytest.raises(SetupError, match="page has no method for POST") as caught:
        app.add_url_rule("/", view_func=Page, methods=["GET", "POST"])

    assert caught.value.code == "routing/bad-methods"


def test_a_made_up_http_method_is_refused(app: App) -> None:
    class Odd(View):
        http_method_names = ("get", "dispatch")

        def get(self) -> str:
            return ""

    with pytest.raises(SetupError, match="'dispatch', which is no HTTP method"):
        app.route("/")(Odd)


# Override points


def test_an_overridden_dispatch_sees_every_request(app: App, client: Clients) -> None:
    @app.route("/r/<int:pk>")
    class Guarded(View):
        def dispatch(self, request: Request, *args: Any, **kwargs: Any) -> Any:
            if "x-key" not in request.headers:
                return "no", 403
            return super().dispatch(request, *args, **kwargs)

        def get(self, pk: int, page: int = 1) -> dict[str, int]:
            return {"pk": pk, "page": page}

    asked = client()

    assert [asked.request(each, "/r/1").status_code for each in ("GET", "POST", "OPTIONS")] == [403, 403, 403]
    assert asked.get("/r/1?page=2", headers={"x-key": "1"}).json == {"pk": 1, "page": 2}
    assert asked.post("/r/1", headers={"x-key": "1"}).headers["allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("waits", ["get", "dispatch"])
def test_dispatch_and_a_method_may_each_wait(app: App, client: Clients, waits: str) -> None:
    class Async(View):
        async def get(self) -> str:
            return "waited"

    class Early(Async):
        def dispatch(self, request: Request, *args: Any, **kwargs: Any) -> Any:
            return "early" if "early" in request.query else super().dispatch(request, *args, **kwargs)

    class Late(View):
        async def dispatch(self, request: Request, *args: Any, **kwargs: Any) -> Any:
            return "early" if "early" in request.query else super().dispatch(request, *args, **kwargs)

        def get(self) -> str:
            return "waited"

    app.add_url_rule("/", view_func={"get": Early, "dispatch": Late}[waits])
    asked = client()

    assert (asked.get("/").text, asked.get("/?early").text) == ("waited", "early")


def test_setup_runs_first(app: App, client: Clients) -> None:
    @app.route("/<name>")
    class Shop(View):
        def setup(self, request: Request, *args: Any, **kwargs: Any) -> None:
            super().setup(request, *args, **kwargs)
            self.shop = self.kwargs["name"].upper()

        def get(self) -> str:
            return self.shop

    assert client().get("/blue").text == "BLUE"


def test_an_own_answer_to_other_methods(app: App, client: Clients) -> None:
    @app.route("/")
    class Polite(Page):
        def http_method_not_allowed(self, request: Request, *args: Any, **kwargs: Any) -> Any:
            return f"no {request.method} here", 405

    assert client().delete("/").text == "no DELETE here"


def test_a_view_is_called_by_hand(app: App) -> None:
    class Echo(View):
        def get(self, request: Request, pk: int) -> tuple[str, int]:
            return request.path, pk

    with app.test_request_context("/somewhere") as request:
        assert Echo.as_view()(request, pk=1) == ("/somewhere", 1)

    with app.test_request_context("/", method="POST") as request, pytest.raises(MethodNotAllowed):
        Echo.as_view()(request, pk=1)


# Gates


def refuse(request: Request) -> Any:
    return "closed", 403


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_gate_of_a_class_holds_for_every_method(app: App, client: Clients, method: str) -> None:
    @app.route("/")
    class Closed(Page):
        def post(self) -> str:
            return "posted"

    mark(Closed, guards=[refuse])

    assert client().request(method, "/").status_code == 403


def test_a_gate_of_a_method_holds_for_it_and_for_head(app: App, client: Clients) -> None:
    class Half(View):
        def get(self) -> str:
            return "secret"

        def post(self) -> str:
            return "posted"

    mark(Half.get, guards=[refuse])
    app.route("/")(Half)
    asked = client()

    denied = asked.head("/")
    assert (asked.get("/").status_code, denied.status_code, denied.body) == (403, 403, b"")
    assert asked.post("/").status_code == 200
    assert "secret" not in asked.options("/").text


def test_gates_of_the_class_its_dispatch_and_its_function_add_up(app: App) -> None:
    order: list[str] = []

    def gate(name: str) -> Callable[[], None]:
        return lambda: order.append(name)

    class Three(View):
        def dispatch(self, request: Request, *args: Any, **kwargs: Any) -> Any:
            return super().dispatch(request, *args, **kwargs)

        def get(self) -> str:
            return "in"

    mark(Three, guards=[gate("class")])
    mark(Three.dispatch, guards=[gate("dispatch")])
    mark(Three.get, guards=[gate("get")])
    app.add_url_rule("/", view_func=mark(Three.as_view(), guards=[gate("function")]))

    app.test_client().get("/")

    assert order == ["class", "function", "dispatch", "get"]


def test_a_decorator_around_as_view_is_called(app: App, client: Clients) -> None:
    from functools import wraps

    def loud(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> str:
            return f"{function(*args, **kwargs)}!"

        return wrapper

    class Echo(View):
        def get(self, pk: int, page: int = 1) -> str:
            return f"{pk} {page} {self.kwargs}"

    app.add_url_rule("/<int:pk>", view_func=loud(Echo.as_view()))

    assert client().get("/3?page=2").text == "3 2 {'pk': 3}!"


# Misspelt attributes


def test_a_misspelt_attribute_names_the_nearest() -> None:
    with pytest.raises(SetupError, match="`template_nam`, which no view reads") as caught:

        class Page(TemplateView):
            template_nam = "page.html"

    assert "Did you mean template_name?" in caught.value.hint


def test_a_misspelt_method_names_the_nearest() -> None:
    with pytest.raises(SetupError) as caught:

        class Page(TemplateView):
            def get_context_datas(self) -> None: ...

    assert "Did you mean get_context_data?" in caught.value.hint


def test_a_misspelt_attribute_of_a_mixin_is_found_where_it_is_used() -> None:
    class Mixin:
        extra_contxt = {"a": 1}

    with pytest.raises(SetupError, match="Mixin has an attribute `extra_contxt`"):
        type("Page", (Mixin, TemplateView), {})


def test_attributes_of_ones_own_are_fine() -> None:
    class Page(TemplateView):
        title = "Page"
        columns = ("a", "b")
        posts = ()
        _template_nam = "x"
        template_nam = "read by a method"

        def get_menu(self) -> str:
            return self.template_nam

    assert Page.title == "Page"


def test_an_option_of_as_view_must_be_an_attribute() -> None:
    with pytest.raises(SetupError, match=r"as_view\(titel=…\): Page has no such attribute") as caught:
        Page.as_view(titel="x")

    assert "Did you mean title?" in caught.value.hint


# Routes that do not fit


def test_a_value_that_no_method_reads_is_found_at_start_up(app: App) -> None:
    app.route("/<lang>")(Page)

    with pytest.raises(SetupError, match="gives `lang`, and Page never reads it") as caught:
        app.compile()

    assert caught.value.code == "views/unread-value"
    assert 'self.kwargs["lang"]' in caught.value.hint


@pytest.mark.parametrize(
    "body",
    [
        "def get(self): return self.kwargs['lang']",
        "def get(self): return self.kwargs.get('lang')",
        "def get(self): return dict(self.kwargs)",
        "def get(self, lang): return lang",
        "def get(self, **kwargs): return kwargs",
        "def get(self): return [self.kwargs[key] for key in ('lang',)]",
    ],
)
def test_a_value_may_be_read_in_many_ways(app: App, body: str) -> None:
    names: dict[str, Any] = {}
    exec(body, names)
    app.route("/<lang>")(type("Page", (View,), {"get": names["get"]}))

    assert app.compile() is not None


def test_reading_another_value_does_not_read_this_one(app: App) -> None:
    class Half(View):
        def get(self) -> str:
            return str(self.kwargs["pk"])

    app.route("/<lang>/<int:pk>")(Half)

    with pytest.raises(SetupError, match="gives `lang`"):
        app.compile()
