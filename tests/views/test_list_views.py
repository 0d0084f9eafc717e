"""Rows of a model: which, in which order, on which page."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from views_models import Member, Record, Secret

from segue import App, path
from segue.errors import SetupError
from segue.http.request import Request
from segue.testing import Client, assert_queries
from segue.views import DetailView, ListView, SingleObjectMixin

Clients = Callable[..., Client]
Write = Callable[[str, str], None]

ROWS = "{% for each in object_list %}{{ each.title }} {% endfor %}"


class Records(ListView):
    model = Record


class AsyncRecords(Records):
    async def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return await super().aget(request, *args, **kwargs)


@pytest.fixture(params=[Records, AsyncRecords], ids=["def", "async"])
def view(request: pytest.FixtureRequest) -> type[Records]:
    """The same view in both colours."""
    found: type[Records] = request.param
    return found


@pytest.fixture(autouse=True)
def page(write: Write) -> None:
    write("record_list.html", ROWS)


def test_all_rows_are_shown(stored: App, client: Clients, view: type[Records]) -> None:
    stored.add_url_rule("/", view_func=view)

    assert client().get("/").text == "Duets Indigos Live "


@pytest.mark.parametrize(
    ("ordering", "shown"), [("-title", "Live Indigos Duets "), (["-year", "title"], "Duets Live Indigos ")]
)
def test_rows_come_in_the_order_that_is_said(stored: App, client: Clients, ordering: Any, shown: str) -> None:
    stored.add_url_rule("/", view_func=Records.as_view(ordering=ordering))

    assert client().get("/").text == shown


def test_a_value_of_the_route_narrows(stored: App, client: Clients) -> None:
    class OfYear(Records):
        def get_queryset(self) -> Any:
            return super().get_queryset().filter(year=self.kwargs["year"])

    stored.add_url_rule("/<int:year>", view_func=OfYear)

    assert client().get("/1962").text == "Duets Live "


def test_a_list_of_anything_will_do(stored: App, client: Clients) -> None:
    rows = [SimpleNamespace(title=title) for title in "abc"]
    stored.add_url_rule("/", view_func=ListView.as_view(queryset=rows, template_name="record_list.html", paginate_by=2))

    assert client().get("/?page=2").text == "c "


def test_the_template_sees_the_rows_by_the_models_name(stored: App, client: Clients, write: Write) -> None:
    write("record_list.html", "{{ record_list|length }} {{ rows is defined }} {{ is_paginated }} {{ paginator }}")
    stored.add_url_rule("/a", "a", view_func=Records.as_view())
    stored.add_url_rule("/b", "b", view_func=Records.as_view(context_object_name="rows", template_name="rows.html"))
    write("rows.html", "{{ rows|length }} {{ record_list is defined }}")
    asked = client()

    assert (asked.get("/a").text, asked.get("/b").text) == ("3 False False None", "3 False")


def test_a_label_is_the_folder_of_the_template(stored: App, client: Clients, write: Write) -> None:
    write("core/member_list.html", "{% for each in member_list %}{{ each.name }} {% endfor %}")
    stored.add_url_rule("/", view_func=ListView.as_view(model=Member))

    assert client().get("/").text == "Ann Bob "


# Pages


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", "Duets Indigos |1/2 True True"),
        ("?page=2", "Live |2/2 True False"),
        ("?page=last", "Live |2/2 True False"),
    ],
)
def test_pages_are_numbered(
    stored: App, client: Clients, write: Write, view: type[Records], query: str, shown: str
) -> None:
    write(
        "record_list.html",
        ROWS + "|{{ page_obj.number }}/{{ paginator.num_pages }} {{ is_paginated }} {{ page_obj.has_next }}",
    )
    stored.add_url_rule("/", view_func=view.as_view(paginate_by=2))

    with assert_queries(2):
        assert client().get(f"/{query}").text == shown


@pytest.mark.parametrize("page", ["0", "3", "-1", "x", "1.5", "LAST", "9" * 20, "9" * 400, "%F0%9D%9F%8F"])
def test_a_page_that_is_not_there_is_404(stored: App, client: Clients, view: type[Records], page: str) -> None:
    stored.add_url_rule("/", view_func=view.as_view(paginate_by=2))

    answer = client().get(f"/?page={page}")

    assert (answer.status_code, "9" * 20 in answer.text) == (404, False)


def test_the_page_may_come_from_the_route_by_another_name(stored: App, client: Clients) -> None:
    stored.add_url_rule("/p<int:seite>", view_func=Records.as_view(paginate_by=1, page_kwarg="seite"))
    asked = client()

    assert (asked.get("/p3").text, asked.get("/p4").status_code) == ("Live ", 404)


def test_orphans_stay_with_the_page_before(stored: App, client: Clients) -> None:
    stored.add_url_rule("/", view_func=Records.as_view(paginate_by=2, paginate_orphans=1))

    assert client().get("/").text == "Duets Indigos Live "


def test_the_elided_range_is_at_hand(stored: App, client: Clients, write: Write, view: type[Records]) -> None:
    write("record_list.html", "{{ paginator.get_elided_page_range(page_obj.number)|join(' ') }}")
    stored.add_url_rule("/", view_func=view.as_view(paginate_by=1))

    assert client().get("/").text == "1 2 3"


def test_a_page_without_rows_is_a_page_or_404(app: App, client: Clients, view: type[Records]) -> None:
    app.db.create_all()
    app.add_url_rule("/a", "a", view_func=view.as_view())
    app.add_url_rule("/b", "b", view_func=view.as_view(allow_empty=False))
    app.add_url_rule("/c", "c", view_func=view.as_view(allow_empty=False, paginate_by=2))
    asked = client()

    assert [asked.get(each).status_code for each in ("/a", "/b", "/c")] == [200, 404, 404]


# Fragments and policies


def test_a_fragment_is_that_part_of_the_page(stored: App, client: Clients, write: Write) -> None:
    write("record_list.html", "<table>{% block rows %}" + ROWS + "{% endblock %}</table>")

    @stored.route("/")
    class Table(Records):
        fragment = "rows"

    asked = client()
    whole, part = asked.get("/"), asked.get("/", headers={"hx-request": "true"})

    assert part.body == whole.body.removeprefix(b"<table>").removesuffix(b"</table>") != b""
    assert asked.get("/", headers={"hx-request": "true", "hx-boosted": "true"}).body == whole.body


def test_a_list_hides_rows_the_policy_hides(stored: App, client: Clients, write: Write) -> None:
    write("secret_list.html", "{% for each in object_list %}{{ each.text }} {% endfor %}")
    Secret.objects.using(stored.db).bulk_create([Secret(owner="bob", text="hush"), Secret(owner="ann", text="psst")])
    stored.request_attribute("user")(lambda request: SimpleNamespace(name="ann", has_perm=lambda *_: False))
    stored.include(
        [
            path("a", ListView.as_view(model=Secret)),
            path("b", ListView.as_view(queryset=Secret.objects.order_by("text"), paginate_by=1), name="b"),
        ]
    )
    asked = client()

    assert (asked.get("/a").text, asked.get("/b").text, asked.get("/b?page=2").status_code) == ("psst ", "psst ", 404)


def test_nobody_sees_no_rows_of_a_policy(stored: App, client: Clients, write: Write) -> None:
    write("secret_list.html", "{{ object_list|length }}")
    Secret(owner="", text="hush").save(using=stored.db)
    stored.add_url_rule("/", view_func=ListView.as_view(model=Secret))

    assert client().get("/").text == "0"


# Together with others


def test_the_rows_of_one_object(stored: App, client: Clients, write: Write) -> None:
    write("member_records.html", "{{ member.name }}: " + ROWS)

    class OfMember(SingleObjectMixin, ListView):
        template_name = "member_records.html"
        paginate_by = 2

        def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
            self.object = self.get_object(queryset=Member.objects.all())
            return super().get(request, *args, **kwargs)

        def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
            return super().get_context_data(**kwargs, member=self.object)

        def get_queryset(self) -> Any:
            return self.object.records.all()

    stored.add_url_rule("/<int:pk>", view_func=OfMember)
    asked = client()

    assert (asked.get("/1").text, asked.get("/2").text) == ("Bob: Duets Indigos ", "Ann: ")


@pytest.mark.parametrize("cls", [DetailView, ListView, SingleObjectMixin])
def test_four_classes_at_most_stand_before_object(cls: type) -> None:
    assert len(cls.__mro__) - 1 <= 4


# Start-up


def test_a_list_without_rows_is_refused(app: App) -> None:
    app.add_url_rule("/", view_func=ListView)

    with pytest.raises(SetupError) as caught:
        app.compile()

    assert caught.value.code == "views/no-model"


def test_a_value_that_narrows_nothing_is_refused(app: App) -> None:
    app.add_url_rule("/<int:year>/<int:page>", view_func=Records.as_view(paginate_by=2))

    with pytest.raises(SetupError, match="gives `year`, and Records never reads it") as caught:
        app.compile()

    assert 'filter(…=self.kwargs["year"])' in caught.value.hint
