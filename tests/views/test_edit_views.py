"""Views around a form: shown, checked, acted on, led on."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from views_models import Member, Record, Secret

from segue import App, forms, path, url_for_lazy
from segue.errors import SetupError
from segue.http.request import Request
from segue.testing import Client
from segue.views import (
    CreateView,
    DeleteView,
    DeletionMixin,
    DetailView,
    FormMixin,
    FormView,
    SingleObjectMixin,
    UpdateView,
    View,
)
from segue.web.messages import get_messages

Clients = Callable[..., Client]
Write = Callable[[str, str], None]
PAGE = "{{ form.errors|length }} {% for each in form %}{{ each.value() or '' }}{% endfor %}"


class Contact(forms.Form):
    name = forms.CharField(max_length=10)


class AsyncContact(Contact):
    async def clean(self) -> Any:
        if self.cleaned_data.get("name") == "taken":
            self.add_error("name", "Taken.")


class SongForm(forms.Form):
    """As much of a form of a model as a view needs."""

    title = forms.CharField(max_length=20)

    def __init__(self, *args: Any, instance: Any = None, **kwargs: Any) -> None:
        self.instance = instance
        initial = {"title": instance.title} if instance is not None else {}
        super().__init__(*args, **{**kwargs, "initial": {**initial, **kwargs.get("initial", {})}})

    def _row(self) -> Any:
        row = self.instance or Record(year=1959, leader_id=1)
        row.title = self.cleaned_data["title"]
        return row

    def save(self) -> Any:
        row = self._row()
        row.save()
        return row

    async def asave(self) -> Any:
        row = self._row()
        await row.asave()
        return row


@pytest.fixture(autouse=True)
def page(write: Write) -> None:
    write("contact.html", PAGE)
    write("record_form.html", PAGE + "{{ object.title if object else 'new' }}{{ record.year if record else '' }}")
    write("record_confirm_delete.html", "Delete {{ object.title }}? {{ form is defined }}")


@pytest.fixture(params=["def", "async"])
def colour(request: pytest.FixtureRequest) -> Callable[[type[Any]], type[Any]]:
    """Make a view async, or leave it."""

    async def get(self: Any, request: Request, *args: Any, **kwargs: Any) -> Any:
        return await self.aget(request, *args, **kwargs)

    async def post(self: Any, request: Request, *args: Any, **kwargs: Any) -> Any:
        return await self.apost(request, *args, **kwargs)

    members = {"get": get, "post": post} if request.param == "async" else {}
    return lambda cls: type(cls.__name__, (cls,), members)


# A form


class Form(FormView):
    form_class = Contact
    template_name = "contact.html"
    success_url = "/thanks"
    initial = {"name": "start"}


def test_a_form_is_shown_with_what_it_starts_with(app: App, client: Clients, colour: Callable[[Any], Any]) -> None:
    app.add_url_rule("/", view_func=colour(Form))

    assert client().get("/").text == "0 start"


def test_a_good_form_leads_on(app: App, client: Clients, colour: Callable[[Any], Any]) -> None:
    app.add_url_rule("/", view_func=colour(Form))

    answer = client().post("/", data={"name": "Duke"}, follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (303, "/thanks")


@pytest.mark.parametrize(("headers", "status"), [({}, 422), ({"turbo-frame": "f"}, 422), ({"hx-request": "true"}, 200)])
def test_a_bad_form_is_shown_again(
    app: App, client: Clients, colour: Callable[[Any], Any], headers: dict[str, str], status: int
) -> None:
    app.add_url_rule("/", view_func=colour(Form))

    answer = client().post("/", data={"name": "x" * 11}, headers=headers)

    assert (answer.status_code, answer.text) == (status, "1 " + "x" * 11)


def test_the_status_of_a_bad_form_is_the_classes(app: App, client: Clients) -> None:
    app.add_url_rule("/", view_func=Form.as_view(invalid_status=200))

    assert client().post("/", data={}).status_code == 200


def test_a_form_that_waits_is_checked_by_an_async_view(app: App, client: Clients) -> None:
    class Waits(Form):
        form_class = AsyncContact

        async def form_valid(self, form: Any) -> Any:
            return f"thanks {form.cleaned_data['name']}"

    app.add_url_rule("/", view_func=Waits)
    asked = client()

    assert asked.post("/", data={"name": "Duke"}).text == "thanks Duke"
    assert asked.post("/", data={"name": "taken"}).status_code == 422


def test_overrides_decide(app: App, client: Clients) -> None:
    class Own(Form):
        prefix = "p"

        def get_initial(self) -> dict[str, Any]:
            return {**super().get_initial(), "name": "own"}

        def form_valid(self, form: Any) -> Any:
            response = super().form_valid(form)
            response.headers["x-name"] = form.cleaned_data["name"]
            return response

        def get_success_url(self) -> str:
            return "/own"

    app.add_url_rule("/", view_func=Own)
    asked = client()
    answer = asked.post("/", data={"p-name": "Duke"}, follow_redirects=False)

    assert asked.get("/").text == "0 own"
    assert (answer.headers["x-name"], answer.headers["location"]) == ("Duke", "/own")


def test_the_next_page_tells_what_was_done(app: App, client: Clients, colour: Callable[[Any], Any]) -> None:
    app.config["SECRET_KEY"] = "0123456789abcdef" * 4
    app.get("/thanks")(lambda request: [str(each) for each in get_messages(request)])
    app.add_url_rule("/", view_func=colour(Form).as_view(success_message="Thanks, {name}."))
    asked = client()

    asked.post("/", data={"name": "Duke"}, follow_redirects=False)

    assert [asked.get("/thanks").json for _ in range(2)] == [["Thanks, Duke."], []]


def test_a_lazy_address_is_made_when_it_is_used(app: App, client: Clients) -> None:
    app.get("/done", endpoint="done")(lambda: "done")
    app.add_url_rule("/", view_func=Form.as_view(success_url=url_for_lazy("done")))

    assert client().post("/", data={"name": "Duke"}, follow_redirects=False).headers["location"] == "/done"


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [(b'{"name": "Duke"}', "application/json", 303), (b"{", "application/json", 400), (b"x", "text/plain", 415)],
)
def test_other_bodies_are_read_or_refused(app: App, client: Clients, body: bytes, kind: str, status: int) -> None:
    app.add_url_rule("/", view_func=Form)

    answer = client().post("/", data=body, headers={"content-type": kind}, follow_redirects=False)

    assert answer.status_code == status


def test_a_form_that_takes_files_may_have_a_body_of_their_size(app: App, client: Clients) -> None:
    class Upload(forms.Form):
        photo = forms.FileField()

    class Sized(Form):
        form_class = Upload

        def form_valid(self, form: Any) -> Any:
            return str(form.cleaned_data["photo"].size)

    app.add_url_rule("/", view_func=Sized)
    app.add_url_rule("/small", "small", view_func=Form)
    asked = client()
    files = {"photo": ("a.txt", b"x" * 3_000_000, "text/plain")}

    assert asked.post("/", files=files).text == "3000000"
    assert asked.post("/small", files=files).status_code == 413


# Objects


class Songs:
    model = Record
    form_class = SongForm
    success_url = "/songs/{id}"


class Create(Songs, CreateView):
    pass


class Update(Songs, UpdateView):
    pass


def test_an_object_is_made(stored: App, client: Clients, colour: Callable[[Any], Any]) -> None:
    stored.add_url_rule("/new", view_func=colour(Create))
    asked = client()

    page = asked.get("/new")
    answer = asked.post("/new", data={"title": "So What"}, follow_redirects=False)

    assert (page.text, answer.headers["location"]) == ("0 new", "/songs/4")
    assert Record.objects.using(stored.db).get(pk=4).title == "So What"
    assert asked.post("/new", data={"title": ""}).status_code == 422


def test_an_object_is_changed(stored: App, client: Clients, colour: Callable[[Any], Any]) -> None:
    stored.add_url_rule("/<int:pk>", view_func=colour(Update))
    asked = client()

    page = asked.get("/1")
    answer = asked.post("/1", data={"title": "Blues"}, follow_redirects=False)

    assert (page.text, answer.headers["location"]) == ("0 IndigosIndigos1958", "/songs/1")
    assert Record.objects.using(stored.db).get(pk=1).title == "Blues"
    assert (asked.get("/9").status_code, asked.post("/9", data={"title": "x"}).status_code) == (404, 404)


def test_a_bad_change_changes_nothing(stored: App, client: Clients, colour: Callable[[Any], Any]) -> None:
    stored.add_url_rule("/<int:pk>", view_func=colour(Update))

    answer = client().post("/1", data={"title": "x" * 21})

    assert answer.status_code == 422
    assert Record.objects.using(stored.db).get(pk=1).title == "Indigos"


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_an_object_is_deleted_after_a_question(
    stored: App, client: Clients, colour: Callable[[Any], Any], method: str
) -> None:
    cls = colour(DeleteView)
    stored.add_url_rule("/<int:pk>", view_func=cls.as_view(model=Record, success_url="/years/{year}"))
    asked = client()

    page = asked.get("/1")
    answer = asked.request(method, "/1", follow_redirects=False)

    assert page.text == "Delete Indigos? True"
    assert (answer.status_code, answer.headers["location"]) == (303, "/years/1958")
    assert not Record.objects.using(stored.db).filter(pk=1).exists()
    assert asked.request(method, "/1", follow_redirects=False).status_code == 404


def test_a_question_may_ask_for_more(stored: App, client: Clients) -> None:
    class Sure(forms.Form):
        sure = forms.BooleanField()

    stored.add_url_rule("/<int:pk>", view_func=DeleteView.as_view(model=Record, form_class=Sure, success_url="/"))
    asked = client()

    assert asked.post("/1", data={}).status_code == 422
    assert asked.request("DELETE", "/1").status_code == 422
    assert Record.objects.using(stored.db).filter(pk=1).exists()
    assert asked.post("/1", data={"sure": "on"}, follow_redirects=False).status_code == 303


def test_deletion_is_a_mixin_too(stored: App, client: Clients) -> None:
    class Gone(DeletionMixin, SingleObjectMixin):
        model = Record
        success_url = "/"

    stored.add_url_rule("/<int:pk>", view_func=Gone)
    asked = client()

    assert asked.get("/1").status_code == 405
    assert asked.delete("/1", follow_redirects=False).status_code == 303


def test_the_address_of_the_object_is_the_next_page(stored: App, client: Clients) -> None:
    class Addressed(Record):
        class Meta:
            proxy = True
            app_label = ""

        def get_absolute_url(self) -> str:
            return f"/records/{self.pk}"

    stored.add_url_rule(
        "/<int:pk>", view_func=Update.as_view(model=Addressed, success_url=None, template_name="record_form.html")
    )

    answer = client().post("/1", data={"title": "x"}, follow_redirects=False)

    assert answer.headers["location"] == "/records/1"


def test_an_attribute_of_the_object_never_leads_out(stored: App, client: Clients) -> None:
    stored.add_url_rule("/<int:pk>", view_func=Update.as_view(success_url="/{title}"))

    answer = client().post("/1", data={"title": "/evil.example"}, follow_redirects=False)

    assert answer.headers["location"] == "/%2Fevil.example"


def test_the_form_of_a_model_is_made_of_its_fields(
    stored: App, client: Clients, write: Write, colour: Callable[[Any], Any]
) -> None:
    write(
        "core/member_form.html",
        "{% for each in form %}{{ each.name }}={{ each.value() or '' }} {% endfor %}{{ form.errors }}",
    )
    options = {"model": Member, "fields": ["username", "name"], "success_url": "/members/{username}"}
    stored.add_url_rule("/new", "new", view_func=colour(CreateView).as_view(**options))
    stored.add_url_rule("/<int:pk>", "edit", view_func=colour(UpdateView).as_view(**options))
    asked = client()

    made = asked.post("/new", data={"username": "eve", "name": "Eve"}, follow_redirects=False)
    taken = asked.post("/new", data={"username": "bob", "name": "Other"})
    changed = asked.post("/3", data={"username": "eva", "name": "Eva"}, follow_redirects=False)

    assert asked.get("/1").text.strip() == "username=bob name=Bob"
    assert (made.status_code, made.headers["location"]) == (303, "/members/eve")
    assert (taken.status_code, "username" in taken.text) == (422, True)
    assert changed.headers["location"] == "/members/eva"
    assert [each.username for each in Member.objects.using(stored.db)] == ["ann", "bob", "eva"]


def test_what_the_form_does_not_have_is_not_written(stored: App, client: Clients) -> None:
    view = UpdateView.as_view(model=Member, fields=["name"], success_url="/", template_name="contact.html")
    stored.add_url_rule("/<int:pk>", view_func=view)

    client().post("/1", data={"name": "Robert", "username": "root"}, follow_redirects=False)

    member = Member.objects.using(stored.db).get(pk=1)
    assert (member.name, member.username) == ("Robert", "bob")


def test_the_model_may_be_that_of_the_form(stored: App, client: Clients, write: Write) -> None:
    write("core/member_form.html", "{{ form.instance.pk }} {{ member.name }}")

    class NameForm(forms.ModelForm):
        class Meta:
            model = Member
            fields = ["name"]

    stored.add_url_rule("/<int:pk>", view_func=UpdateView.as_view(form_class=NameForm, success_url="/"))

    assert client().get("/1").text == "1 Bob"


def test_a_form_beside_an_object(stored: App, client: Clients, write: Write) -> None:
    write("core/member_detail.html", "{{ member.name }} {{ form.errors|length }}")

    class Comment(FormMixin, DetailView):
        model = Member
        form_class = Contact

        def get_success_url(self) -> str:
            return f"/members/{self.object.pk}"

        def post(self, request: Request, *args: Any, **kwargs: Any) -> Any:
            self.object = self.get_object()
            form = self.get_form()
            return self.form_valid(form) if form.is_valid() else self.form_invalid(form)

    stored.add_url_rule("/<int:pk>", view_func=Comment)
    asked = client()

    assert asked.get("/1").text == "Bob 0"
    assert asked.post("/1", data={"name": "x"}, follow_redirects=False).headers["location"] == "/members/1"
    assert asked.post("/1", data={}).text == "Bob 1"


# Policies


@pytest.mark.parametrize(("who", "status"), [("bob", 200), ("ann", 404), (None, 404)])
def test_who_may_not_change_sees_nothing_of_it(
    stored: App, client: Clients, write: Write, who: str | None, status: int
) -> None:
    write("secret_form.html", "{{ object.text }}")
    Secret(owner="bob", text="hush").save(using=stored.db)
    stored.request_attribute("user")(lambda request: _user(who))
    view = UpdateView.as_view(model=Secret, form_class=SecretForm, success_url="/")
    stored.add_url_rule("/<int:pk>", view_func=view)
    asked = client()

    answers = [asked.get("/1"), asked.post("/1", data={}), asked.request("HEAD", "/1")]

    assert [answer.status_code for answer in answers] == [status, 422 if status == 200 else 404, status]
    assert ["hush" in answer.text for answer in answers] == [status == 200, status == 200, False]


@pytest.mark.parametrize(("who", "status"), [("ann", 403), (None, 403), ("maker", 200)])
def test_who_may_not_add_gets_no_form(stored: App, client: Clients, write: Write, who: str | None, status: int) -> None:
    write("secret_form.html", "form")
    stored.request_attribute("user")(lambda request: _user(who))
    stored.add_url_rule("/", view_func=CreateView.as_view(model=Secret, form_class=SecretForm, success_url="/"))
    asked = client()

    assert (asked.get("/").status_code, "form" in asked.get("/").text.split()) == (status, status == 200)
    assert asked.post("/", data={}).status_code == (422 if status == 200 else 403)


class SecretForm(forms.Form):
    text = forms.CharField()

    def __init__(self, *args: Any, instance: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


def _user(name: str | None) -> Any:
    if name is None:
        return None
    return SimpleNamespace(name=name, is_anonymous=False, has_perm=lambda permission, *_: name == "maker")


# Start-up


@pytest.mark.parametrize(
    ("view", "code"),
    [
        (FormView.as_view("a", template_name="a.html", success_url="/"), "views/no-form"),
        (Form.as_view("b", success_url=None), "views/no-success-url"),
        (Create.as_view("c", success_url=None), "views/no-success-url"),
        (CreateView.as_view("d", form_class=SongForm, success_url="/"), "views/no-model"),
        (CreateView.as_view("f", model=Record, success_url="/"), "views/no-form"),
        (CreateView.as_view("g", model=Record, fields=["titel"], success_url="/"), "forms/unknown-model-field"),
        (UpdateView.as_view("e", model=Record, form_class=SongForm, success_url="/"), "views/missing-value"),
    ],
)
def test_a_view_that_lacks_something_is_refused(app: App, view: Any, code: str) -> None:
    app.include([path("x", view)])

    with pytest.raises(SetupError) as caught:
        app.compile()

    assert caught.value.code == code


@pytest.mark.parametrize("cls", [CreateView, DeleteView, FormView, UpdateView])
def test_four_classes_at_most_stand_before_object(cls: type[View]) -> None:
    assert len(cls.__mro__) - 1 <= 4
