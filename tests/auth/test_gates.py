"""Gates before handlers: who is let in, and what each client is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from club_with_users import EMAIL, PASSWORD, Visitor, add_sync

from segue import App, Blueprint, Request, clock
from segue.auth import (
    Auth,
    LoginRequiredMixin,
    PermissionRequiredMixin,
    User,
    UserPassesTestMixin,
    fresh_login_required,
    login_not_required,
    login_required,
    permission_required,
    user_passes_test,
)
from segue.errors import SetupError
from segue.testing import Client
from segue.views import View


def is_staff(user: Any) -> bool:
    """A test of a user."""
    return bool(user.is_staff)


async def ais_staff(user: Any) -> bool:
    """The same in the other colour."""
    return bool(user.is_staff)


class Page(View):
    """A page of a class."""

    def get(self) -> str:
        return "page"

    def post(self) -> str:
        return "posted"


class MixedPage(LoginRequiredMixin, Page):
    """Gated by a mixin."""


class GroupPage(PermissionRequiredMixin, Page):
    """Gated by a permission."""

    permission_required = "auth.view_group"


class OtherGroupPage(GroupPage):
    """Gated by another permission than the class above."""

    permission_required = "auth.add_group"


class PageWithTest(UserPassesTestMixin, View):
    """Gated by a test of its own."""

    def test_func(self) -> bool:
        return bool(self.request.user.is_staff) and self.kwargs == {"pk": 7}

    def get(self, pk: int) -> str:
        return f"page {pk}"


class AsyncPageWithTest(UserPassesTestMixin, View):
    """The same in the other colour."""

    async def test_func(self) -> bool:
        return bool((await self.request.auser()).is_staff)

    async def get(self, pk: int) -> str:
        return f"page {pk}"


def gated_site(make_site: Callable[..., App], **auth: Any) -> App:
    """A site whose handlers have every kind of gate."""
    app = make_site(auth=Auth(user=User, **auth))
    add_sync(app)
    login_not_required(app.registries.routes[0].view)

    @app.get("/open")
    @login_not_required
    def open_page() -> str:
        return "open"

    @app.route("/plain", methods=["GET", "POST"])
    @login_required
    def plain() -> str:
        return "in"

    # Its place among decorators does not matter.
    @login_required
    @app.get("/async")
    async def waiting() -> str:
        return "in"

    @app.post("/body")
    @login_required
    def body(request: Request) -> str:
        return request.text

    @app.get("/elsewhere")
    @login_required(login_url="/door", redirect_field_name="back")
    def elsewhere() -> str:
        return "in"

    app.get("/class")(login_required(type("Gated", (Page,), {})))
    app.get("/mixin")(MixedPage)
    app.get("/group")(GroupPage)
    app.get("/other-group")(OtherGroupPage)
    app.get("/tested/<int:pk>")(PageWithTest)
    app.get("/atested/<int:pk>")(AsyncPageWithTest)

    @app.get("/perm")
    @permission_required("auth.view_group")
    def perm() -> str:
        return "in"

    @app.get("/aperm")
    @permission_required(["auth.view_group", "auth.add_group"])
    async def aperm() -> str:
        return "in"

    @app.get("/raising")
    @permission_required("auth.view_group", raise_exception=True)
    def raising() -> str:
        return "in"

    app.get("/staff")(user_passes_test(is_staff)(lambda: "in"))
    app.get("/astaff", endpoint="astaff")(user_passes_test(ais_staff)(lambda: "in"))

    @app.get("/fresh")
    @fresh_login_required
    async def fresh() -> str:
        return "in"

    members = Blueprint("members", __name__, login_required=True, static_folder=None, template_folder=None)
    members.get("/")(lambda: "members")
    members.get("/open", endpoint="open")(login_not_required(lambda: "open"))
    app.register(members, prefix="/members")
    board = Blueprint("board", __name__, static_folder=None, template_folder=None)
    board.get("/")(lambda: "board")
    login_required(board)
    permission_required("auth.delete_group")(board)
    app.register(board, prefix="/board")
    return app


@pytest.fixture
def site(make_site: Callable[..., App]) -> App:
    return gated_site(make_site)


@pytest.fixture
def visitor(site: App) -> Iterator[Visitor]:
    with Visitor(site, protocol="asgi", raise_errors=False) as opened, site.context():
        User.objects.create_user(EMAIL, password=PASSWORD)
        yield opened


GATED = ["/plain", "/async", "/class", "/mixin", "/members/", "/board/", "/perm", "/aperm", "/group", "/staff"]
GATED += ["/astaff", "/tested/7", "/atested/7", "/fresh"]


@pytest.mark.parametrize("protocol", ["rsgi", "asgi", "wsgi"])
@pytest.mark.parametrize("path", ["/plain", "/async"])
def test_a_browser_is_sent_to_the_login_and_back(site: App, protocol: str, path: str) -> None:
    with Client(site, protocol=protocol) as client:
        answer = client.get(f"{path}?page=2&q=a/b")

    assert answer.status_code == 302
    assert answer.headers["location"] == f"/accounts/login?next={path}%3Fpage%3D2%26q%3Da/b"


@pytest.mark.parametrize("path", GATED)
def test_nobody_passes_a_gate(visitor: Visitor, path: str) -> None:
    answer = visitor.get(path)

    assert (answer.status_code, answer.headers["location"]) == (302, f"/accounts/login?next={path}")


@pytest.mark.parametrize("path", ["/plain", "/async", "/class", "/mixin", "/members/", "/fresh"])
def test_who_is_logged_in_passes(visitor: Visitor, path: str) -> None:
    visitor.log_in()

    assert visitor.get(path).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{"accept": "application/json"}, {"content-type": "application/json"}, {"x-requested-with": "XMLHttpRequest"}],
)
def test_a_program_is_told_by_401(visitor: Visitor, headers: dict[str, str]) -> None:
    answer = visitor.get("/plain", headers=headers)

    assert answer.status_code == 401
    assert answer.json["code"] == "auth/login-needed"


def test_htmx_is_told_to_load_the_login_and_come_back_to_the_page(visitor: Visitor) -> None:
    headers = {"hx-request": "true", "hx-current-url": "http://localhost/shelf?page=2"}

    answer = visitor.get("/plain", headers=headers)

    assert answer.headers["hx-redirect"] == "/accounts/login?next=/shelf%3Fpage%3D2"


@pytest.mark.parametrize(
    ("referer", "location"),
    [
        ("http://localhost/form?x=1", "/accounts/login?next=/form%3Fx%3D1"),
        ("https://evil.example/form", "/accounts/login"),
        ("http://localhost//evil.example", "/accounts/login"),
        ("http://localhost/" + "x" * 3000, "/accounts/login"),
        ("http://[", "/accounts/login"),
        ("", "/accounts/login"),
    ],
)
def test_after_a_post_the_login_leads_to_the_form(visitor: Visitor, referer: str, location: str) -> None:
    answer = visitor.post("/plain", headers={"referer": referer})

    assert (answer.status_code, answer.headers["location"]) == (303, location)


def test_the_way_back_is_a_path_of_this_site(visitor: Visitor) -> None:
    answer = visitor.get("/members/?next=//evil.example")

    assert answer.headers["location"].startswith("/accounts/login?next=/members/")


def test_a_body_is_not_read_for_nobody(visitor: Visitor) -> None:
    answer = visitor.post("/body", data=b"x" * 3_000_000)

    assert answer.status_code == 303  # not 413


def test_a_gate_may_have_another_login(visitor: Visitor) -> None:
    assert visitor.get("/elsewhere").headers["location"] == "/door?back=/elsewhere"


def test_the_login_may_be_an_endpoint(site: App) -> None:
    with site.override_config(LOGIN_URL="open_page"), Client(site) as client:
        assert client.get("/plain").headers["location"] == "/open?next=/plain"


def test_open_pages_of_a_closed_blueprint_are_open(visitor: Visitor) -> None:
    assert visitor.get("/members/open").text == "open"


def test_a_site_that_is_closed_by_default_has_open_pages(make_site: Callable[..., App]) -> None:
    app = gated_site(make_site, login_required=True)
    with Client(app, raise_errors=False) as client:
        assert client.get("/open").text == "open"
        assert client.get("/sync/who").status_code == 302
        assert client.get("/members/open").text == "open"
        assert client.get("/missing").status_code == 404


# Permissions


@pytest.mark.parametrize(
    "path", ["/perm", "/aperm", "/raising", "/staff", "/astaff", "/group", "/other-group", "/board/"]
)
def test_who_may_not_is_told_403(visitor: Visitor, path: str) -> None:
    visitor.log_in()

    assert visitor.get(path).status_code == 403


@pytest.mark.parametrize("path", ["/tested/7", "/atested/7"])
def test_a_view_is_asked_by_its_own_test(visitor: Visitor, path: str) -> None:
    visitor.log_in()
    before = visitor.get(path).status_code
    User.objects.update(is_staff=True)

    assert (before, visitor.get(path).text) == (403, "page 7")


@pytest.mark.parametrize("path", ["/perm", "/raising", "/group"])
def test_who_may_passes(visitor: Visitor, path: str) -> None:
    User.objects.update(user_permissions=["auth.view_group"])
    visitor.log_in()

    assert visitor.get(path).status_code == 200


def test_all_of_several_permissions_are_needed(visitor: Visitor) -> None:
    User.objects.update(user_permissions=["auth.view_group"])
    visitor.log_in()
    one = visitor.get("/aperm").status_code
    User.objects.update(user_permissions=["auth.view_group", "auth.add_group"])

    assert (one, visitor.get("/aperm").status_code) == (403, 200)


def test_a_permission_of_a_derived_class_takes_the_place_of_the_one_above(visitor: Visitor) -> None:
    User.objects.update(user_permissions=["auth.add_group"])
    visitor.log_in()

    assert (visitor.get("/other-group").status_code, visitor.get("/group").status_code) == (200, 403)


def test_nobody_is_told_403_where_the_gate_says_so(visitor: Visitor) -> None:
    assert visitor.get("/raising").status_code == 403


def test_a_misspelt_permission_stops_the_start(make_site: Callable[..., App]) -> None:
    app = make_site()
    app.get("/")(permission_required("auth.veiw_group")(lambda: "in"))

    with pytest.raises(SetupError, match=r"auth\.veiw_group") as caught:
        app.compile()
    assert "auth.view_group" in caught.value.hint


# A stolen session


def test_a_login_is_fresh_for_ten_minutes(visitor: Visitor) -> None:
    visitor.log_in()
    answers = [visitor.get("/fresh").status_code]
    with clock.moved(599):
        answers.append(visitor.get("/fresh").status_code)
    with clock.moved(601):
        answers.append(visitor.get("/fresh").status_code)
        visitor.log_in()
        answers.append(visitor.get("/fresh").status_code)

    assert answers == [200, 200, 302, 200]


def test_a_program_is_told_that_its_login_is_not_fresh(visitor: Visitor) -> None:
    visitor.log_in()

    with clock.moved(601):
        answer = visitor.get("/fresh", headers={"accept": "application/json"})

    assert (answer.status_code, answer.json["code"]) == (401, "auth/fresh-login-needed")


# Without Auth


@pytest.mark.parametrize("gated", [login_required, login_required(login_url="/door")])
def test_a_gate_without_users_stops_the_start(app: App, gated: Any) -> None:
    app.get("/")(gated(lambda: "in"))

    with pytest.raises(SetupError, match="auth/not-registered"):
        app.compile()


def test_a_closed_blueprint_without_users_stops_the_start(app: App) -> None:
    members = Blueprint("members", __name__, login_required=True, static_folder=None, template_folder=None)
    members.get("/")(lambda: "members")
    app.register(members)

    with pytest.raises(SetupError, match="auth/not-registered"):
        app.compile()


def test_a_parameter_of_users_without_auth_is_told_where_users_come_from(app: App) -> None:
    @app.get("/")
    def index(user: User) -> str:
        return user.email

    with pytest.raises(SetupError, match=r"app\.register\(Auth\("):
        app.compile()
