"""One form over several pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from views_models import Member

from segue import App, forms
from segue.errors import SetupError, UsageError
from segue.http.request import Request
from segue.testing import Client
from segue.views import WizardView

Clients = Callable[..., Client]
Write = Callable[[str, str], None]
Colour = Callable[[type[Any]], type[Any]]

PAGE = (
    "{{ wizard.steps.step1 }}/{{ wizard.steps.count }} {{ wizard.steps.current }}:"
    "{% for each in form %} {{ each.name }}={{ each.value() or '' }}{% endfor %}"
    "{% if form.errors %} {{ form.errors.as_json() }}{% endif %}"
)


class Name(forms.Form):
    name = forms.CharField(max_length=100)
    company = forms.BooleanField(required=False)


class Company(forms.Form):
    title = forms.CharField(max_length=100)


class Finish(forms.Form):
    password = forms.CharField(widget=forms.PasswordInput)
    note = forms.CharField(required=False)


class Story(forms.Form):
    text = forms.CharField(widget=forms.Textarea)


def is_company(wizard: WizardView) -> bool:
    return bool((wizard.get_cleaned_data_for_step("name") or {}).get("company"))


class Signup(WizardView):
    form_list = (("name", Name), ("company", Company), ("finish", Finish))
    condition_dict = {"company": is_company}
    template_name = "wizard.html"

    def done(self, form_list: list[Any], **kwargs: Any) -> Any:
        return {step: form.cleaned_data for step, form in kwargs["form_dict"].items()}


@pytest.fixture(autouse=True)
def site(app: App, write: Write) -> None:
    app.config["SECRET_KEY"] = "0123456789abcdef" * 4
    write("wizard.html", PAGE)
    app.get("/session")(lambda request: dict(request.session))


@pytest.fixture(params=["def", "async"])
def colour(request: pytest.FixtureRequest) -> Colour:
    """Make a view async, or leave it."""

    async def get(self: Any, request: Request, *args: Any, **kwargs: Any) -> Any:
        return await self.aget(request, *args, **kwargs)

    async def post(self: Any, request: Request, *args: Any, **kwargs: Any) -> Any:
        return await self.apost(request, *args, **kwargs)

    members = {"get": get, "post": post} if request.param == "async" else {}
    return lambda cls: type(cls.__name__, (cls,), members)


@pytest.fixture(params=["one address", "an address each"])
def asked(request: pytest.FixtureRequest, app: App, client: Clients, colour: Colour) -> Any:
    """A visitor of the wizard: `asked.get(step)`, `asked.post(step, data)`."""
    has_addresses = request.param == "an address each"
    app.add_url_rule("/signup/<slug:step>" if has_addresses else "/signup", view_func=colour(Signup))

    class Visitor:
        browser = client()

        def get(self, step: str = "name") -> Any:
            return self.browser.get(f"/signup/{step}" if has_addresses else "/signup")

        def post(self, step: str, **data: Any) -> Any:
            url = f"/signup/{step}" if has_addresses else "/signup"
            return self.browser.post(url, data=data | {"wizard_step": step}, follow_redirects=True)

    return Visitor()


# The way through


def test_steps_follow_one_another_and_end_with_all_of_them(asked: Any) -> None:
    first = asked.get()
    second = asked.post("name", **{"name-name": "Duke"})
    end = asked.post("finish", **{"finish-password": "so what", "finish-note": "x"})

    assert first.text == "1/2 name: name= company="
    assert second.text == "2/2 finish: password= note="
    assert end.json == {
        "name": {"name": "Duke", "company": False},
        "finish": {"password": "so what", "note": "x"},
    }


def test_going_back_keeps_what_was_answered_and_what_was_begun(asked: Any) -> None:
    asked.post("name", **{"name-name": "Duke"})

    back = asked.post("finish", **{"finish-note": "half", "wizard_goto_step": "name"})
    on = asked.post("name", **{"name-name": "Ella"})

    assert back.text == "1/2 name: name=Duke company="
    assert on.text == "2/2 finish: password= note=half"


def test_a_bad_answer_is_shown_again_and_not_kept(asked: Any) -> None:
    answer = asked.post("name", **{"name-name": "x" * 101})

    assert answer.status_code == 422
    assert "at most 100" in answer.text
    assert asked.browser.get("/session").json == {}


def test_a_condition_decides_whether_a_step_is_taken(asked: Any) -> None:
    answer = asked.post("name", **{"name-name": "Duke", "name-company": "on"})

    assert answer.text == "2/3 company: title="


def test_what_was_answered_is_forgotten_in_the_end(asked: Any) -> None:
    asked.post("name", **{"name-name": "Duke"})
    asked.post("finish", **{"finish-password": "so what"})

    again = asked.post("finish", **{"finish-password": "so what"})

    assert again.text == "1/2 name: name= company="
    assert asked.browser.get("/session").json == {}


def test_a_step_cannot_be_skipped(asked: Any) -> None:
    answer = asked.post("finish", **{"finish-password": "so what"})

    assert answer.text == "1/2 name: name= company="


@pytest.mark.parametrize("data", [{}, {"wizard_goto_step": "name"}])
def test_a_step_that_there_is_not_is_not_found(asked: Any, data: dict[str, str]) -> None:
    assert asked.post("nmae", **data).status_code == 404


@pytest.mark.parametrize("target", ["nmae", "company", "", "0"])
def test_a_way_to_a_step_that_there_is_not_is_not_found(asked: Any, target: str) -> None:
    assert asked.post("name", wizard_goto_step=target).status_code == 404


def test_a_good_step_is_answered_by_a_redirect(app: App, client: Clients, colour: Colour) -> None:
    app.add_url_rule("/signup/<slug:step>", view_func=colour(Signup))

    answer = client().post("/signup/name", data={"name-name": "Duke"}, follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (303, "/signup/finish")


def test_the_address_of_a_later_step_leads_to_the_one_that_is_open(app: App, client: Clients) -> None:
    app.add_url_rule("/signup/<slug:step>", view_func=Signup)
    browser = client()

    answer = browser.get("/signup/finish", follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (303, "/signup/name")
    assert browser.get("/signup/nothing").status_code == 404


def test_an_address_without_a_step_leads_to_where_the_visitor_was(app: App, client: Clients) -> None:
    app.add_url_rule("/signup/<slug:step>", "step", view_func=Signup)
    app.add_url_rule("/signup", "start", view_func=Signup.as_view(url_name="step"))
    browser = client()
    browser.post("/signup/name", data={"name-name": "Duke"})

    assert browser.get("/signup", follow_redirects=False).headers["location"] == "/signup/finish"


def test_steps_without_names_are_numbered(app: App, client: Clients) -> None:
    app.add_url_rule("/", view_func=Signup.as_view(form_list=[Name, Finish], condition_dict={}))
    browser = client()

    answer = browser.post("/", data={"wizard_step": "0", "0-name": "Duke"}, follow_redirects=True)

    assert answer.text == "2/2 1: password= note="
    assert browser.post("/", data={"wizard_step": "2"}).status_code == 404


def test_the_page_says_which_step_it_is_of(app: App, client: Clients, write: Write) -> None:
    write("wizard.html", "{{ wizard.management_form }}{{ wizard.steps.prev }} {{ wizard.steps.next }}")
    app.add_url_rule("/", view_func=Signup)

    assert client().get("/").text == '<input type="hidden" name="wizard_step" value="name">None finish'


# What is checked again


def test_an_answer_that_is_wrong_by_now_is_asked_again(app: App, client: Clients, colour: Colour) -> None:
    taken: set[str] = set()

    class Free(forms.Form):
        name = forms.CharField()

        def clean_name(self) -> Any:
            if self.cleaned_data["name"] in taken:
                raise forms.ValidationError("Taken meanwhile.")
            return self.cleaned_data["name"]

    app.add_url_rule("/<slug:step>", view_func=colour(Signup).as_view(form_list=[Free, Finish], condition_dict={}))
    browser = client()
    browser.post("/0", data={"0-name": "duke"})
    taken.add("duke")

    answer = browser.post("/1", data={"1-password": "so what"}, follow_redirects=True)

    assert answer.text.startswith("1/2 0: name=duke ")
    assert "Taken meanwhile." in answer.text


def test_async_forms_and_conditions_are_waited_for(app: App, client: Clients) -> None:
    class Waits(Name):
        async def clean(self) -> Any:
            if self.cleaned_data.get("name") == "taken":
                self.add_error("name", "Taken.")

    async def is_duke(wizard: WizardView) -> bool:
        found = await wizard.aget_cleaned_data_for_step("name")
        return bool(found and found["name"] == "Duke")

    class Async(Signup):
        form_list = (("name", Waits), ("company", Company), ("finish", Finish))
        condition_dict = {"company": is_duke}

        async def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
            return await self.aget(request, *args, **kwargs)

        async def post(self, request: Request, *args: Any, **kwargs: Any) -> Any:
            return await self.apost(request, *args, **kwargs)

        async def done(self, form_list: list[Any], **kwargs: Any) -> Any:
            return await self.aget_all_cleaned_data()

    app.add_url_rule("/<slug:step>", view_func=Async)
    browser = client()

    assert browser.post("/name", data={"name-name": "taken"}).status_code == 422
    assert browser.post("/name", data={"name-name": "Duke"}, follow_redirects=True).text == "2/3 company: title="
    browser.post("/company", data={"company-title": "Orchestra"})
    assert browser.post("/finish", data={"finish-password": "x"}).json == {
        "name": "Duke",
        "company": False,
        "title": "Orchestra",
        "password": "x",
        "note": "",
    }


def test_an_async_condition_of_a_def_wizard_says_what_to_write(app: App) -> None:
    async def never(wizard: WizardView) -> bool:
        return False

    app.add_url_rule("/", view_func=Signup.as_view(condition_dict={"company": never}))

    with pytest.raises(UsageError, match="never\\(\\) is async def"):
        app.test_client().get("/")


# What is not kept


def test_a_password_never_reaches_the_session(app: App, client: Clients) -> None:
    class Short(Signup):
        session_key = "signup"

        def done(self, form_list: list[Any], **kwargs: Any) -> Any:
            return kwargs["form_dict"]["finish"].cleaned_data["password"]

    app.add_url_rule("/", view_func=Short)
    browser = client()
    browser.post("/", data={"wizard_step": "name", "name-name": "Duke"})

    left = {"wizard_step": "finish", "wizard_goto_step": "name", "finish-password": "so what", "finish-note": "n"}
    browser.post("/", data=left)

    kept = browser.get("/session").text
    assert "finish-note" in kept
    assert "password" not in kept
    assert "so what" not in kept
    assert browser.post("/", data={"wizard_step": "finish", "finish-password": "so what"}).text == "so what"


class Upload(forms.Form):
    photo = forms.FileField()


class Both(forms.Form):
    words = forms.MultiValueField(
        fields=(forms.CharField(), forms.CharField()),
        widget=forms.MultiWidget([forms.TextInput, forms.PasswordInput]),
    )


class MemberName(forms.ModelForm):
    class Meta:
        model = Member
        fields = ["name"]


@pytest.mark.parametrize(
    "form", [Finish, Upload, Both, forms.formset_factory(Upload)], ids=["password", "file", "part", "formset"]
)
def test_passwords_and_files_belong_into_the_last_step(app: App, form: Any) -> None:
    app.add_url_rule("/", view_func=Signup.as_view(form_list=[form, Name], condition_dict={}))

    with pytest.raises(SetupError, match="which no session keeps") as raised:
        app.compile()

    assert raised.value.code == "views/not-kept"


def test_a_file_of_the_last_step_goes_straight_to_the_end(app: App, client: Clients) -> None:
    class Uploads(Signup):
        def done(self, form_list: list[Any], **kwargs: Any) -> Any:
            return str(form_list[-1].cleaned_data["photo"].size)

    app.add_url_rule("/", view_func=Uploads.as_view(form_list=[Name, Upload], condition_dict={}))
    browser = client()
    browser.post("/", data={"wizard_step": "0", "0-name": "Duke"})

    answer = browser.post("/", data={"wizard_step": "1"}, files={"1-photo": ("a.txt", b"x" * 3_000_000, "text/plain")})

    assert answer.text == "3000000"


def test_only_what_the_fields_ask_for_is_kept(app: App, client: Clients) -> None:
    app.add_url_rule("/", view_func=Signup)
    browser = client()

    browser.post("/", data={"wizard_step": "name", "name-name": "Duke", "name-extra": "y" * 500, "other": "z"})

    kept = browser.get("/session").json
    assert [each["sent"] for each in kept.values()] == [{"name": {"name-name": ["Duke"]}}]


@pytest.mark.parametrize(("length", "status"), [(1_500, 303), (2_500, 422), (900_000, 422)])
def test_more_than_a_session_holds_is_refused_in_the_form(
    app: App, client: Clients, colour: Colour, length: int, status: int
) -> None:
    app.add_url_rule("/", view_func=colour(Signup).as_view(form_list=[Story, Finish], condition_dict={}))
    browser = client()

    answer = browser.post("/", data={"wizard_step": "0", "0-text": "x" * length}, follow_redirects=False)

    assert answer.status_code == status
    assert len(browser.get("/session").text) < 4_096


def test_several_forms_may_be_a_step(app: App, client: Clients) -> None:
    several = forms.formset_factory(Company, extra=2)
    app.add_url_rule("/", view_func=Signup.as_view(form_list=[several, Finish], condition_dict={}))
    browser = client()
    sent = {"0-TOTAL_FORMS": "2", "0-INITIAL_FORMS": "0", "0-0-title": "A", "0-1-title": "B"}

    browser.post("/", data={**sent, "wizard_step": "0"})
    answer = browser.post("/", data={"wizard_step": "1", "1-password": "x"})

    assert answer.json["0"] == [{"title": "A"}, {"title": "B"}]


def test_the_object_of_a_step_is_saved_in_the_end(stored: App, client: Clients, colour: Colour) -> None:
    bob = Member.objects.using(stored.db).get(username="bob")

    class Saves(Signup):
        form_list = (MemberName, Name)
        condition_dict: dict[str, Any] = {}
        instance_dict = {"0": bob}

        def done(self, form_list: list[Any], **kwargs: Any) -> Any:
            form_list[0].save()
            return "saved"

    stored.add_url_rule("/", view_func=colour(Saves))
    browser = client()

    assert browser.get("/").text == "1/2 0: name=Bob"
    browser.post("/", data={"wizard_step": "0", "0-name": "Robert"})
    assert Member.objects.using(stored.db).get(username="bob").name == "Bob"
    browser.post("/", data={"wizard_step": "1", "1-name": "x"})
    assert Member.objects.using(stored.db).get(username="bob").name == "Robert"


# What start-up finds


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"form_list": []}, "has no steps"),
        ({"form_list": [("a/b", Name)]}, "'a/b' is no name"),
        ({"form_list": [("a", Name), ("a", Company)]}, "'a' is no name"),
        ({"initial_dict": {"nmae": {}}}, "'nmae'"),
        ({"condition_dict": {"compnay": True}}, "'compnay'"),
    ],
)
def test_a_wizard_that_cannot_be_stops_the_start(app: App, options: dict[str, Any], said: str) -> None:
    app.add_url_rule("/", view_func=Signup.as_view(**options))

    with pytest.raises(SetupError, match=said) as raised:
        app.compile()

    assert raised.value.code == "views/bad-wizard"


def test_a_wizard_without_an_end_stops_the_start(app: App) -> None:
    app.add_url_rule("/", view_func=WizardView.as_view(form_list=[Name], template_name="wizard.html"))

    with pytest.raises(SetupError, match="what to do in the end"):
        app.compile()
