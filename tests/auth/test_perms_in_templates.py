"""`perms` in templates: what the user may do, in both colours."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from club_with_users import EMAIL

from segue import App, Request, db, render_template_string
from segue.auth import Group, User, login
from segue.errors import UsageError
from segue.testing import Client


class Tape(db.Model):
    """What a one-file app has."""

    title = db.CharField(max_length=100)


@pytest.fixture
def site(make_site: Callable[..., App]) -> App:
    app = make_site()
    app.models = [Tape]

    @app.get("/sync")
    def show(request: Request) -> str:
        return render_template_string(request.query["text"])

    @app.get("/async")
    async def show_async(request: Request, user: User) -> str:
        await user.aget_all_permissions()
        return render_template_string(request.query["text"])

    @app.get("/unloaded")
    async def show_unloaded(request: Request, user: User) -> str:
        return render_template_string(request.query["text"])

    @app.post("/enter")
    def enter(request: Request) -> str:
        login(request, User.objects.get())
        return "in"

    return app


@pytest.fixture
def client(site: App) -> Iterator[Client]:
    """Bob, who is in a group, and in the site."""
    with site.test_client() as client:
        with site.context():
            bob = User.objects.create_user(EMAIL)
            bob.groups.add(Group.objects.create(name="editors", permissions=["change_tape", "auth.view_group"]))
        client.post("/enter")
        yield client


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{{ perms.change_tape }} {{ perms.delete_tape }}", "True False"),
        ("{{ perms.auth.view_group }} {{ perms.auth.add_group }}", "True False"),
        ("{{ 'change_tape' in perms }} {{ 'auth.add_group' in perms }}", "True False"),
        ("{{ 'view_group' in perms.auth }}", "True"),
        ("{% if perms.auth %}some{% endif %} {% if perms.sessions %}{% else %}none{% endif %}", "some none"),
        ("{% if perms.change_tape %}{{ user.email }}{% endif %}", EMAIL),
    ],
)  # fmt: skip
def test_a_template_shows_what_the_user_may_do(client: Client, colour: str, text: str, shown: str) -> None:
    assert client.get(f"/{colour}", query={"text": text}).text == shown


def test_nobody_may_do_anything(site: App) -> None:
    with site.test_client() as client:
        assert client.get("/sync", query={"text": "{{ perms.change_tape }}"}).text == "False"


@pytest.mark.parametrize("text", ["{{ perms.chnage_tape }}", "{{ perms.auth.view_grop }}", "{{ 'view_tap' in perms }}"])
def test_a_permission_that_no_model_has_is_an_error_in_a_template(client: Client, colour: str, text: str) -> None:
    with pytest.raises(UsageError, match="auth/unknown-permission"):
        client.get(f"/{colour}", query={"text": text})


def test_what_was_not_loaded_is_not_read_on_the_event_loop(client: Client) -> None:
    with pytest.raises(UsageError, match="auth/not-loaded") as caught:
        client.get("/unloaded", query={"text": "{{ perms.change_tape }}"})

    assert "await user.aget_all_permissions()" in str(caught.value)
