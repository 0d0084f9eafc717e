"""One object, found by the values of the route."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from views_models import Member, Part, Record, Secret

from segue import App, path, re_path
from segue.errors import SetupError, UsageError
from segue.http.request import Request
from segue.templating import TemplateNotFound
from segue.testing import Client
from segue.views import DetailView, View

Clients = Callable[..., Client]
Write = Callable[[str, str], None]


class Profile(DetailView):
    model = Member


@pytest.fixture(autouse=True)
def page(write: Write) -> None:
    write("core/member_detail.html", "{{ object.name }}")


# By key


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/d/1/", 200),
        ("/d/99/", 404),
        ("/d/abc/", 404),
        ("/d/-1/", 404),
        (f"/d/{10**30}/", 404),
        ("/d/%00/", 400),
        ("/d/1%27--/", 404),
    ],
)
def test_an_object_is_found_by_its_key(stored: App, client: Clients, address: str, status: int) -> None:
    stored.add_url_rule("/d/<int:pk>/", view_func=Profile)

    answer = client().get(address)

    assert answer.status_code == status
    assert ("Bob" in answer.text) == (status == 200)


@pytest.mark.parametrize("text", ["abc", "%00", "1%00", "9" * 40, "%ED%A0%80", "１", "%20", "1.5"])
def test_a_text_that_is_no_key_is_not_found(stored: App, client: Clients, text: str) -> None:
    stored.include([re_path(r"^d/(?P<pk>[^/]*)/$", Profile)])

    assert client().get(f"/d/{text}/").status_code in (400, 404)


def test_a_pattern_finds_it_as_a_rule_does(stored: App, client: Clients) -> None:
    stored.include([re_path(r"^profile/(?P<pk>\d+)/$", Profile.as_view())])

    assert client().get("/profile/1/").text == "Bob"


def test_the_key_may_have_another_name(stored: App, client: Clients) -> None:
    stored.add_url_rule("/d/<int:member>/", view_func=Profile.as_view(pk_url_kwarg="member"))

    assert client().get("/d/1/").text == "Bob"


def test_a_key_of_several_columns_is_several_values(stored: App, client: Clients, write: Write) -> None:
    write("part_detail.html", "{{ object.song }} {{ object.number }}")
    Part(song="Saga", number=2).save(using=stored.db)
    stored.add_url_rule("/d/<song>/<int:number>", view_func=DetailView.as_view(model=Part))
    asked = client()

    assert asked.get("/d/Saga/2").text == "Saga 2"
    assert asked.get("/d/Saga/3").status_code == 404


# By slug


def test_a_slug_is_compared_with_the_slug_field(stored: App, client: Clients) -> None:
    class BySlug(Profile):
        slug_field = "username"

    class ByUsername(BySlug):
        slug_url_kwarg = "username"

    stored.include([path("a/<slug>/", BySlug), path("b/<username>/", ByUsername)])
    asked = client()

    assert (asked.get("/a/bob/").text, asked.get("/b/bob/").text) == ("Bob", "Bob")
    assert (asked.get("/a/eve/").status_code, asked.get("/b/%20/").status_code) == (404, 404)


def test_key_and_slug_are_both_compared_where_that_is_said(stored: App, client: Clients) -> None:
    class Both(Profile):
        slug_field = "username"
        query_pk_and_slug = True

    stored.add_url_rule("/both/<int:pk>/<slug>", view_func=Both)
    stored.add_url_rule("/key/<int:pk>/<slug>", "key", view_func=Both.as_view(query_pk_and_slug=False))
    asked = client()

    assert asked.get("/both/1/bob").text == "Bob"
    assert asked.get("/both/1/ann").status_code == 404
    assert asked.get("/key/1/ann").text == "Bob"


# Overridden


def test_get_queryset_narrows(stored: App, client: Clients) -> None:
    class Others(Profile):
        def get_queryset(self) -> Any:
            return super().get_queryset().exclude(username="bob")

    stored.add_url_rule("/d/<int:pk>", view_func=Others)
    asked = client()

    assert (asked.get("/d/1").status_code, asked.get("/d/2").text) == (404, "Ann")


def test_a_queryset_of_the_class_is_asked_anew_for_each_request(stored: App, client: Clients) -> None:
    class Fixed(DetailView):
        queryset = Member.objects.all()

    stored.add_url_rule("/d/<int:pk>", view_func=Fixed)
    asked = client()

    assert asked.get("/d/3").status_code == 404
    Member(username="eve", name="Eve").save(using=stored.db)
    assert asked.get("/d/3").text == "Eve"


def me(self: Any) -> Any:
    return self.request.user


def me_of_a_queryset(self: Any, queryset: Any = None) -> Any:
    return self.request.user


async def me_awaited(self: Any) -> Any:
    return await Member.objects.aget(username="bob")


@pytest.mark.parametrize("method", [me, me_of_a_queryset, me_awaited])
def test_ones_own_page_is_the_users_by_the_models_template(
    stored: App, client: Clients, method: Callable[..., Any]
) -> None:
    stored.request_attribute("user")(lambda request: Member.objects.get(username="bob"))
    stored.add_url_rule("/profile/", view_func=type("Own", (Profile,), {"get_object": method}))

    assert client().get("/profile/").text == "Bob"


class OwnPage(Profile):
    def get_object(self, queryset: Any = None) -> Any:
        return SimpleNamespace(is_anonymous=True, name="nobody")


def test_a_row_that_an_override_does_not_find_is_404_several_are_500(stored: App, client: Clients) -> None:
    class Missing(Profile):
        def get_object(self, queryset: Any = None) -> Any:
            return Member.objects.get(pk=99)

    class AsyncMissing(Profile):
        async def get_object(self, queryset: Any = None) -> Any:
            return await Member.objects.aget(pk=99)

    class Several(Profile):
        def get_object(self, queryset: Any = None) -> Any:
            return Member.objects.get(pk__gte=1)

    stored.include([path("a", Missing), path("b", AsyncMissing), path("c", Several)])
    asked = client()

    assert [asked.get(each).status_code for each in ("/a", "/b", "/c")] == [404, 404, 500]


def test_nobodys_own_page_says_what_is_missing(app: App) -> None:
    with app.test_request_context("/") as request, pytest.raises(UsageError, match="needs a logged-in user") as caught:
        OwnPage.as_view()(request)

    assert caught.value.code == "auth/anonymous-user"
    assert "@login_required above class OwnPage" in caught.value.hint


def test_a_visitor_of_nobodys_own_page_is_told_to_log_in(
    stored: App, client: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    stored.add_url_rule("/profile/", view_func=OwnPage)

    answer = client().get("/profile/")

    assert (answer.status_code, answer.json["code"]) == (401, "auth/anonymous-user")
    assert "needs a logged-in user" in caplog.text


def test_an_async_method_has_twins(stored: App, client: Clients) -> None:
    class Async(Profile):
        async def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
            self.object = await self.aget_object()
            return await self.arender_to_response(self.get_context_data(object=self.object))

    class Again(Profile):
        async def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
            return await super().aget(request, *args, **kwargs)

    stored.include([path("a/<int:pk>", Async), path("b/<int:pk>", Again)])
    asked = client()

    assert (asked.get("/a/1").text, asked.get("/b/1").text) == ("Bob", "Bob")
    assert asked.get("/a/9").status_code == 404


def test_a_def_override_may_wait_below_an_async_method(stored: App, client: Clients) -> None:
    class Mixed(Profile):
        async def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
            return await super().aget(request, *args, **kwargs)

        def get_object(self, queryset: Any = None) -> Any:
            return Member.objects.get(pk=self.kwargs["pk"])

    stored.add_url_rule("/<int:pk>", view_func=Mixed)

    assert client().get("/1").text == "Bob"


@pytest.mark.parametrize("name", ["get_queryset", "get_context_data", "get_template_names", "render_to_response"])
def test_an_async_override_makes_the_view_wait(stored: App, client: Clients, name: str) -> None:
    async def override(self: Any, *args: Any, **kwargs: Any) -> Any:
        return await run(self, *args, **kwargs)

    async def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        twin = getattr(DetailView, f"a{name}", None)
        return await twin(self, *args, **kwargs) if twin else getattr(DetailView, name)(self, *args, **kwargs)

    stored.add_url_rule("/<int:pk>", view_func=type("Async", (Profile,), {name: override}))

    assert client().get("/1").text == "Bob"


def test_def_code_cannot_call_an_async_override(stored: App) -> None:
    class Wrong(Profile):
        def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
            return super().get(request, *args, **kwargs)

        async def get_object(self, queryset: Any = None) -> Any:
            return await self.aget_object(queryset)

    stored.add_url_rule("/<int:pk>", view_func=Wrong)

    with pytest.raises(UsageError, match="get_object\\(\\) of Wrong is async def") as caught:
        stored.test_client().get("/1")

    assert caught.value.code == "views/async-override"


# Templates


def test_no_template_names_the_file_and_every_path(stored: App) -> None:
    class Missing(DetailView):
        model = Member
        template_name_suffix = "_card"

    stored.add_url_rule("/<int:pk>", view_func=Missing)

    with pytest.raises(TemplateNotFound) as caught:
        stored.test_client().get("/1")

    text = str(caught.value)
    assert "core/member_card.html" in text
    assert str(stored.root_path / (stored.template_folder or "") / "core/member_card.html") in text
    assert "segue template new core/member_card.html" in text


def test_without_a_label_the_template_lies_in_no_folder(stored: App, client: Clients, write: Write) -> None:
    write("record_detail.html", "{{ record.title }}")
    stored.add_url_rule("/<int:pk>", view_func=DetailView.as_view(model=Record))

    assert client().get("/1").text == "Indigos"


def test_an_override_of_the_name_works_in_every_descendant(stored: App, client: Clients, write: Write) -> None:
    write("own.html", "own {{ object.name }}")
    write("card.html", "card {{ object.name }}")

    class Own(Profile):
        template_name = "own.html"

    class Below(Own):
        pass

    class Chosen(Own):
        def get_template_names(self) -> list[str]:
            return ["missing.html", "card.html"]

    class BelowChosen(Chosen):
        template_name = "not_asked.html"

    stored.include([path("a/<int:pk>", Below), path("b/<int:pk>", BelowChosen)])
    asked = client()

    assert (asked.get("/a/1").text, asked.get("/b/1").text) == ("own Bob", "card Bob")


def test_a_field_may_name_the_template(stored: App, client: Clients, write: Write) -> None:
    write("Bob", "bob's own")
    stored.add_url_rule("/<int:pk>", view_func=Profile.as_view(template_name_field="name"))
    asked = client()

    assert (asked.get("/1").text, asked.get("/2").text) == ("bob's own", "Ann")


# Context


def test_the_template_sees_object_model_view_and_extras(stored: App, client: Clients, write: Write) -> None:
    write("all.html", "{{ object.name }} {{ member.name }} {{ view.kwargs.pk }} {{ a }} {{ b }} {{ request.path }}")

    class Full(Profile):
        template_name = "all.html"
        extra_context = {"a": 1}

        def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
            return super().get_context_data(**kwargs, b=2)

    stored.add_url_rule("/<int:pk>", view_func=Full)

    assert client().get("/1").text == "Bob Bob 1 1 2 /1"


def test_the_object_may_have_a_name_of_its_own(stored: App, client: Clients, write: Write) -> None:
    write("core/member_detail.html", "{{ person.name }} {{ member is defined }}")
    stored.add_url_rule("/<int:pk>", view_func=Profile.as_view(context_object_name="person"))

    assert client().get("/1").text == "Bob False"


def test_a_fragment_answers_htmx_and_turbo(stored: App, client: Clients, write: Write) -> None:
    write("core/member_detail.html", "<body>{% block rows %}<b>{{ object.name }}</b>{% endblock %}</body>")
    stored.add_url_rule("/<int:pk>", view_func=Profile.as_view(fragment="rows"))
    asked = client()

    whole = asked.get("/1")
    parts = [asked.get("/1", headers=each) for each in ({"hx-request": "true"}, {"turbo-frame": "rows"})]

    assert whole.text == "<body><b>Bob</b></body>"
    assert [part.text for part in parts] == ["<b>Bob</b>"] * 2
    assert parts[0].body in whole.body
    assert all(
        "HX-Request" in each.headers["vary"] and "Turbo-Frame" in each.headers["vary"] for each in [whole, *parts]
    )


# Policies


def test_a_model_with_a_policy_shows_what_the_user_may_see(stored: App, client: Clients, write: Write) -> None:
    write("secret_detail.html", "{{ object.text }}")
    Secret(owner="bob", text="hush").save(using=stored.db)
    stored.request_attribute("user")(lambda request: _user(request.query.get("as")))
    stored.add_url_rule("/s/<int:pk>", view_func=DetailView.as_view(model=Secret))
    stored.add_url_rule("/a/<int:pk>", "async", view_func=type("A", (DetailView,), {"model": Secret, "get": _aget}))
    asked = client()

    assert [asked.get(f"/s/1?as={who}").status_code for who in ("bob", "ann", "nobody")] == [200, 404, 404]
    assert [asked.get(f"/a/1?as={who}").status_code for who in ("bob", "ann", "nobody")] == [200, 404, 404]


async def _aget(self: Any, request: Request, *args: Any, **kwargs: Any) -> Any:
    return await self.aget(request, *args, **kwargs)


def _user(name: str | None) -> Any:
    return SimpleNamespace(name=name, is_anonymous=name == "nobody", has_perm=lambda *_: False)


# Start-up


def _refused(app: App) -> SetupError:
    with pytest.raises(SetupError) as caught:
        app.compile()
    return caught.value


def test_a_route_without_a_key_is_refused_with_the_line_to_write(app: App) -> None:
    app.add_url_rule("/<username>", view_func=Profile)

    error = _refused(app)

    assert error.code == "views/missing-value"
    assert 'slug_url_kwarg = "username"' in error.hint
    assert '@app.get("/<username>")' in error.where


def test_a_value_that_is_not_read_is_refused_with_the_line_to_write(app: App) -> None:
    app.add_url_rule("/<lang>/<int:pk>", view_func=Profile)

    error = _refused(app)

    assert error.code == "views/unread-value"
    assert "It reads `pk`, `slug`." in error.why


def test_a_value_read_in_an_override_is_fine(app: App) -> None:
    class Translated(Profile):
        def get_template_names(self) -> list[str]:
            return [f"{self.kwargs['lang']}.html"]

    app.add_url_rule("/<lang>/<int:pk>", view_func=Translated)

    assert app.compile() is not None


def test_a_slug_field_that_the_model_lacks_is_refused(app: App) -> None:
    app.add_url_rule("/<slug:slug>", view_func=Profile)

    error = _refused(app)

    assert error.code == "views/unknown-field"
    assert "Member.slug" in error.message


def test_a_view_without_a_model_is_refused(app: App) -> None:
    app.add_url_rule("/<int:pk>", view_func=DetailView)

    assert _refused(app).code == "views/no-model"


def test_a_view_that_finds_its_object_itself_needs_no_value(app: App) -> None:
    app.add_url_rule("/", view_func=type("Own", (Profile,), {"get_object": me}))

    assert app.compile() is not None


def test_a_plain_view_finds_nothing_by_itself(app: App) -> None:
    class Plain(View):
        def get(self) -> str:
            return "plain"

    app.add_url_rule("/", view_func=Plain)

    assert app.compile() is not None
