"""The story of a site with profiles, point by point: it grows as the tutorial's ninth and tenth chapter do."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from segue import App, Blueprint, Request, db, messages, path, re_path, render_template
from segue.auth import AbstractUser, Auth, get_user_model, login_required
from segue.errors import SegueError
from segue.forms import ModelForm
from segue.testing import Client
from segue.views import DetailView, UpdateView

KEY = "f2c0d7c1b4e14c3f9a3b7d55e1a0c9de"
PASSWORD = "correct horse battery"
DETAIL = "<h1>{{ object.get_full_name }}</h1>"


class MyUser(AbstractUser):
    instrument = db.CharField(max_length=20, blank=True)

    class Meta:
        app_label = "core"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "templates"


@pytest.fixture
def write(folder: Path) -> Callable[[str, str], None]:
    def make(name: str, text: str) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)

    return make


@pytest.fixture
def app(tmp_path: Path, folder: Path) -> Iterator[App]:
    """A site with users, and no page of its own yet."""
    folder.mkdir()
    app = App(
        "core",
        database=f"sqlite:///{tmp_path}/core.db",
        config={"SECRET_KEY": KEY},
        template_folder=str(folder),
        static_folder=None,
    )
    app.register(Auth(user=MyUser), prefix="/accounts")
    yield app
    app.db.close()


@pytest.fixture
def visit(app: App) -> Callable[[], Client]:
    """Start the site, where Bob has an account, and return a browser; call it once the routes stand."""

    def start() -> Client:
        client = app.test_client()
        client.__enter__()
        with app.context():
            MyUser.objects.create_user(
                "bob@example.org", password=PASSWORD, username="bob", first_name="Bob <b>", last_name="Dylan"
            )
        return client

    return start


def log_in(client: Client, **fields: str) -> Any:
    data = {"username": "bob@example.org", "password": PASSWORD, **fields}
    return client.post("/accounts/login", data=data, follow_redirects=True)


def by_function(request: Request, pk: int) -> Any:
    return render_template("core/myuser_detail.html", object=MyUser.objects.get_or_404(pk=pk))


async def by_coroutine(request: Request, pk: int) -> Any:
    return render_template("core/myuser_detail.html", object=await MyUser.objects.aget_or_404(pk=pk))


def by_keywords(request: Request, **kwargs: Any) -> Any:
    return by_function(request, int(kwargs["pk"]))


def by_position(request: Request, pk: str) -> Any:
    return by_function(request, int(pk))


class UserProfile(DetailView):
    model = MyUser


@pytest.mark.parametrize(
    "route",
    [
        path("profile/<int:pk>", by_function),
        path("profile/<int:pk>", by_coroutine),
        path("profile/<int:pk>", UserProfile),
        path("profile/<int:pk>", UserProfile.as_view()),
        re_path(r"^profile/(?P<pk>\d+)$", by_keywords),
        re_path(r"^profile/(\d+)$", by_position),
        re_path(r"^profile/(?P<pk>\d+)$", UserProfile.as_view()),
    ],
    ids=["def", "async def", "class", "as_view", "regex, **kwargs", "regex, position", "regex, as_view"],
)
def test_1_a_page_about_a_user_is_a_function_or_a_class(
    app: App, visit: Callable[[], Client], write: Callable[[str, str], None], route: Any
) -> None:
    write("core/myuser_detail.html", DETAIL)
    app.include([route])
    client = visit()

    assert client.get("/profile/1").text == "<h1>Bob &lt;b&gt; Dylan</h1>"
    assert client.get("/profile/99").status_code == 404


def test_1_the_user_model_is_that_of_the_site(app: App, visit: Callable[[], Client]) -> None:
    visit()

    with app.context():
        assert get_user_model() is MyUser


def test_2_without_a_template_the_error_names_it_and_where_it_was_looked_for(
    app: App, visit: Callable[[], Client], folder: Path
) -> None:
    app.include([path("profile/<int:pk>", UserProfile)])
    client = visit()

    with pytest.raises(SegueError) as caught:
        client.get("/profile/1")

    told = str(caught.value)
    assert all(text in told for text in ("core/myuser_detail.html", str(folder), "segue template"))


@pytest.mark.parametrize(("name", "keyword"), [("slug", {}), ("username", {"slug_url_kwarg": "username"})])
def test_3_a_user_is_found_by_name(
    app: App, visit: Callable[[], Client], write: Callable[[str, str], None], name: str, keyword: dict[str, str]
) -> None:
    write("core/myuser_detail.html", DETAIL)
    view = UserProfile.as_view(slug_field="username", **keyword)
    app.include([re_path(rf"^profile/(?P<{name}>\w+)$", view)])

    assert "Bob" in visit().get("/profile/bob").text


@pytest.mark.parametrize(
    ("rule", "named"), [("/profile/<int:pk>/<colour>", "colour"), ("/profile", "pk")], ids=["never read", "missing"]
)
def test_3_a_route_and_a_view_that_do_not_fit_stop_the_start(app: App, rule: str, named: str) -> None:
    app.add_url_rule(rule, view_func=UserProfile)

    with pytest.raises(SegueError) as caught:
        app.compile()

    assert named in str(caught.value)
    assert "Fix" in str(caught.value)


class OwnProfile(DetailView):
    model = MyUser

    def get_object(self) -> Any:
        return self.request.user


def _own_function(request: Request) -> Any:
    return render_template("core/myuser_detail.html", object=request.user)


@pytest.mark.parametrize("kind", ["function", "class", "blueprint"])
def test_4_ones_own_page_asks_for_a_login_and_leads_back(
    app: App, visit: Callable[[], Client], write: Callable[[str, str], None], kind: str
) -> None:
    write("core/myuser_detail.html", DETAIL)
    if kind == "blueprint":
        blueprint = Blueprint("own", __name__, login_required=True)
        blueprint.add_url_rule("/profile", view_func=OwnProfile)
        app.register(blueprint)
    else:
        view = _own_function if kind == "function" else type("Own", (OwnProfile,), {})
        app.add_url_rule("/profile", view_func=login_required(view))
    client = visit()

    asked = client.get("/profile")
    done = log_in(client, next="/profile")

    assert asked.headers["location"] == "/accounts/login?next=/profile"
    assert done.text == "<h1>Bob &lt;b&gt; Dylan</h1>"


def test_4_without_a_login_the_error_says_what_is_missing(
    app: App, visit: Callable[[], Client], caplog: pytest.LogCaptureFixture
) -> None:
    app.add_url_rule("/profile", view_func=OwnProfile)
    client = visit()

    with caplog.at_level(logging.WARNING):
        answer = client.get("/profile")

    assert answer.status_code == 401
    assert "needs a logged-in user" in caplog.text


class ProfileForm(ModelForm):
    class Meta:
        model = MyUser
        fields = ("first_name", "instrument")


class EditProfile(UpdateView):
    form_class = ProfileForm
    template_name = "core/myuser_form.html"
    success_url = "/profile/edit"

    def get_object(self) -> Any:
        return self.request.user

    def form_valid(self, form: Any) -> Any:
        messages.success(self.request, "Your profile is saved.")
        return super().form_valid(form)


def test_5_a_profile_is_edited_by_a_form_of_the_model(
    app: App, visit: Callable[[], Client], write: Callable[[str, str], None]
) -> None:
    write("core/myuser_form.html", "{% for each in messages %}{{ each }}{% endfor %}<form>{% csrf %}{{ form }}</form>")
    app.add_url_rule("/profile/edit", view_func=login_required(EditProfile))
    client = visit()
    log_in(client)

    refused = client.post("/profile/edit", data={"first_name": "Robert", "instrument": "a" * 21})
    saved = client.post("/profile/edit", data={"first_name": "Robert", "instrument": "guitar", "is_superuser": "on"})
    shown, again = client.get("/profile/edit").text, client.get("/profile/edit").text

    assert refused.status_code == 422
    assert all(text in refused.text for text in ('aria-invalid="true"', "a" * 21, 'value="Robert"'))
    assert (saved.status_code, saved.headers["location"]) == (303, "/profile/edit")
    assert ("Your profile is saved." in shown, "Your profile is saved." in again) == (True, False)
    with app.context():
        bob = MyUser.objects.get()
        assert (bob.first_name, bob.instrument, bob.is_superuser) == ("Robert", "guitar", False)


def test_6_a_misspelt_attribute_of_a_view_stops_the_start(app: App) -> None:
    def define() -> None:
        class Misspelt(DetailView):
            model = MyUser
            template_nam = "core/user.html"

        app.add_url_rule("/profile/<int:pk>", view_func=Misspelt)
        app.compile()

    with pytest.raises(SegueError) as caught:
        define()

    assert "template_name" in str(caught.value)


@pytest.mark.parametrize(
    ("options", "nearest"), [({"field": ("first_name",)}, "fields"), ({"fields": ("first_nam",)}, "first_name")]
)
def test_6_a_misspelt_option_of_a_form_is_an_error_where_it_stands(options: dict[str, Any], nearest: str) -> None:
    with pytest.raises(SegueError) as caught:
        type("Misspelt", (ModelForm,), {"Meta": type("Meta", (), {"model": MyUser, **options})})

    assert nearest in str(caught.value)
