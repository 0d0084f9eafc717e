"""CORE-2, CORE-14, CORE-91 and SECURITY Q13: nothing of one request, app or test reaches another."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from segue import App, Request, current_app
from segue.context import current, find_current
from segue.testing import AsyncClient, Client

MIXED = 10_000
PROTOCOLS: Any = ["asgi", "rsgi", "wsgi"]


@pytest.fixture
def echoing(app: App) -> App:
    """An app that carries who asked through hook, state, thread and handler, in both colours."""

    @app.before_request
    def remember(request: Request) -> None:
        request.state.who = request.query["who"]

    @app.get("/sync")
    def plain(request: Request) -> Any:
        own = current()
        return {"who": request.state.who, "same": own.request is request, "app": current_app().name}

    @app.get("/async")
    async def coroutine(request: Request) -> Any:
        await asyncio.sleep(0)
        own = current()
        await asyncio.sleep(0)
        return {"who": request.state.who, "same": own.request is request, "app": current_app().name}

    return app


def leaks(asked: list[str], answers: list[Any], name: str) -> list[Any]:
    """What does not echo what was asked."""
    return [
        (who, got) for who, got in zip(asked, answers, strict=True) if got != {"who": who, "same": True, "app": name}
    ]


def split(count: int) -> tuple[list[str], list[str]]:
    return [f"thread-{number}" for number in range(count)], [f"task-{number}" for number in range(count)]


@pytest.mark.slow
def test_ten_thousand_mixed_requests_never_see_each_others_state(echoing: App) -> None:
    by_threads, by_tasks = split(MIXED // 2)
    clients = [Client(echoing, protocol=each) for each in PROTOCOLS]
    task_clients = [AsyncClient(echoing, protocol=each) for each in PROTOCOLS]
    paths = ["/sync", "/async"]

    def ask(number: int) -> Any:
        return clients[number % 3].get(paths[number % 2], query={"who": by_threads[number]}).json

    async def aask(number: int, gate: asyncio.Semaphore) -> Any:
        async with gate:
            client = task_clients[number % 3]
            return (await client.get(paths[number % 2], query={"who": by_tasks[number]})).json

    async def ask_all() -> list[Any]:
        gate = asyncio.Semaphore(100)
        return await asyncio.gather(*(aask(number, gate) for number in range(len(by_tasks))))

    with ThreadPoolExecutor(16) as pool:
        pending = [pool.submit(ask, number) for number in range(len(by_threads))]
        from_tasks = asyncio.run(ask_all())
        from_threads = [each.result() for each in pending]

    assert leaks(by_threads, from_threads, echoing.name) == []
    assert leaks(by_tasks, from_tasks, echoing.name) == []
    assert find_current() is None


async def test_a_hundred_requests_at_once_keep_their_state_apart(echoing: App, protocol: str) -> None:
    names = [str(number) for number in range(100)]
    client = AsyncClient(echoing, protocol=protocol)

    answers = await asyncio.gather(*(client.get("/async", query={"who": name}) for name in names))

    assert leaks(names, [answer.json for answer in answers], echoing.name) == []


def make_app(name: str, most: int) -> App:
    """One of two apps that share nothing."""
    app = App(name, config={"MAX_FILES": most}, static_folder=None, template_folder=None)

    @app.get("/")
    def show() -> Any:
        return {"app": current_app().name, "most": current_app().config["MAX_FILES"]}

    app.get(f"/{name}", endpoint="own")(lambda: name)
    return app


def test_two_apps_in_threads_each_see_their_own(protocol: str) -> None:
    apps = {"one": make_app("one", 1), "two": make_app("two", 2)}
    clients = {name: Client(app, protocol=protocol) for name, app in apps.items()}
    names = ["one", "two"] * 100

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda name: clients[name].get("/").json, names))

    expected = {"one": {"app": "one", "most": 1}, "two": {"app": "two", "most": 2}}
    assert [got for name, got in zip(names, answers, strict=True) if got != expected[name]] == []
    assert (clients["one"].get("/two").status_code, clients["two"].get("/two").status_code) == (404, 200)


async def test_two_apps_in_tasks_each_see_their_own(protocol: str) -> None:
    apps = {"one": make_app("one", 1), "two": make_app("two", 2)}
    clients = {name: AsyncClient(app, protocol=protocol) for name, app in apps.items()}
    names = ["one", "two"] * 50

    answers = await asyncio.gather(*(clients[name].get("/") for name in names))

    assert [answer.json["app"] for answer in answers] == names


def test_templates_and_errors_of_requests_at_once_are_noted_apart(app: App) -> None:
    meeting = threading.Barrier(2, timeout=10)

    @app.get("/<name>")
    def page(name: str) -> Any:
        meeting.wait()
        from segue import render_template_string

        return render_template_string("{{ name }}", name=name)

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda name: Client(app).get(f"/{name}"), ["duke", "ella"]))

    assert [answer.context["name"] for answer in answers] == ["duke", "ella"]


# Overrides


@contextmanager
def failing(overriding: Callable[[], Any]) -> Iterator[None]:
    """Enter *overriding*, and fail in it as a test fails."""
    with contextlib.suppress(AssertionError), overriding():
        yield
        raise AssertionError("on purpose")


def test_an_overridden_configuration_comes_back_after_a_failure() -> None:
    app = make_app("one", 1)
    client = Client(app)

    with failing(lambda: app.override_config(MAX_FILES=7)):
        inside = client.get("/").json["most"]

    assert inside == 7
    assert client.get("/").json["most"] == app.config["MAX_FILES"] == 1


def test_overrides_nest_and_come_back_one_by_one() -> None:
    app = make_app("one", 1)
    client = Client(app)
    seen: list[int] = []

    with app.override_config(MAX_FILES=2):
        with app.override_config(MAX_FILES=3):
            seen.append(client.get("/").json["most"])
        seen.append(client.get("/").json["most"])
    seen.append(client.get("/").json["most"])

    assert seen == [3, 2, 1]


def test_an_override_of_one_app_does_not_touch_another() -> None:
    one, two = make_app("one", 1), make_app("two", 2)

    with one.override_config(MAX_FILES=9):
        other = Client(two).get("/").json

    assert other == {"app": "two", "most": 2}
