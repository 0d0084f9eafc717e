"""The last step of a wizard, sent twice at once by one visitor."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event, Lock
from typing import Any

import pytest

from segue import App, forms
from segue.http.request import Request
from segue.http.response import redirect
from segue.shortcuts import run_sync
from segue.testing import Client
from segue.views import WizardView

# Read now: before a test everything of Segue is taken out of the environment.
REDIS = os.environ.get("SEGUE_TEST_REDIS", "redis://127.0.0.1:6379/0") + "?socket_timeout=5&socket_connect_timeout=5"

Send = Callable[[], Any]


class Name(forms.Form):
    name = forms.CharField(max_length=100)


class Signup(WizardView):
    """Its `done()` goes on once the last step has come in twice, so that both are at work."""

    form_list = (("name", Name), ("end", Name))
    template_name = "wizard.html"
    calls: list[str]
    both: Event
    answer: Callable[[], Any]
    _lock = Lock()
    _seen = 0

    def process_step(self, form: Any) -> None:
        cls = type(self)
        with cls._lock:
            cls._seen += self.steps.current == "end"
            if cls._seen == 2:
                cls.both.set()

    def done(self, form_list: list[Any], **kwargs: Any) -> Any:
        type(self).calls.append(form_list[0].cleaned_data["name"])
        assert type(self).both.wait(10)
        return type(self).answer()


class Async(Signup):
    async def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return await self.aget(request, *args, **kwargs)

    async def post(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return await self.apost(request, *args, **kwargs)

    async def done(self, form_list: list[Any], **kwargs: Any) -> Any:
        return await run_sync(super().done, form_list, **kwargs)


@pytest.fixture(params=["cookie", "database", "cache", "redis"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of session."""
    return str(request.param)


@pytest.fixture(params=[Signup, Async], ids=["def", "async"])
def wizard(request: pytest.FixtureRequest) -> Any:
    """A wizard of each colour, whose calls are its own."""
    members = {"calls": [], "both": Event(), "answer": lambda: redirect("/thanks", 302)}
    return type("Ours", (request.param,), members)


@pytest.fixture
def send(app: App, kind: str, wizard: Any, write: Callable[[str, str], None]) -> Send:
    """Send the last step, as a browser does that has answered the first."""
    name = f"twice_{secrets.token_hex(4)}"  # keeps the sessions in Redis apart
    app.config.update(SECRET_KEY=name * 4, SESSION_STORE=kind, REDIS_URL=REDIS)
    write("wizard.html", "{{ wizard.steps.current }}")
    app.add_url_rule("/", view_func=wizard)
    if kind == "database":
        app.db.create_all()
    browser = Client(app, protocol="wsgi" if not issubclass(wizard, Async) else "asgi", raise_errors=False)
    browser.post("/", data={"wizard_step": "name", "name-name": "Duke"}, follow_redirects=False)
    cookies = dict(browser.cookies)

    def post() -> Any:
        data = {"wizard_step": "end", "end-name": "Ellington"}
        return browser.post("/", data=data, cookies=cookies, follow_redirects=False)

    return post


def twice(send: Send) -> list[Any]:
    with ThreadPoolExecutor(2) as pool:
        sent: list[Future[Any]] = [pool.submit(send), pool.submit(send)]
        return [each.result(30) for each in sent]


def test_done_is_called_once_and_both_are_led_to_the_same_place(send: Send, wizard: Any) -> None:
    answers = twice(send)

    assert wizard.calls == ["Duke"]
    assert [(each.status_code, each.headers["location"]) for each in answers] == [(302, "/thanks")] * 2


def test_where_done_does_not_redirect_the_second_is_told_so(send: Send, wizard: Any) -> None:
    wizard.answer = lambda: "Thanks!"

    answers = twice(send)

    assert wizard.calls == ["Duke"]
    assert sorted(each.status_code for each in answers) == [200, 409]
    assert "sent already" in max(answers, key=lambda each: each.status_code).text


def test_after_done_failed_the_step_can_be_sent_again(send: Send, wizard: Any) -> None:
    wizard.both.set()
    wizard.answer = lambda: 1 / 0
    failed = send()
    wizard.answer = lambda: redirect("/thanks", 302)

    again = send()

    assert (failed.status_code, again.status_code) == (500, 302)
    assert wizard.calls == ["Duke", "Duke"]


@pytest.fixture
def no_shared_cache(app: App) -> None:
    """What two processes have whose caches are in memory: neither sees the other's."""
    app.config["CACHES"] = "dummy://"


@pytest.mark.parametrize("kind", ["database", "redis"], indirect=True)
@pytest.mark.usefixtures("no_shared_cache")
def test_a_session_on_the_server_decides_without_a_cache(kind: str, wizard: Any, send: Send) -> None:
    answers = twice(send)

    assert wizard.calls == ["Duke"]
    assert sorted(each.status_code for each in answers) == [302, 409]
