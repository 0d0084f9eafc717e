"""CORE-46: `def` and `async def`, threads and loops."""

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any

import pytest

from segue import App, Depends, Request, Response, current_app, render_template_string, run_sync, url_for
from segue.context import current
from segue.handling.markers import mark

LOOPS = ["asgi", "rsgi"]


def thread_name() -> str:
    return threading.current_thread().name


def runs_on_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


@pytest.mark.parametrize("protocol", LOOPS)
async def test_async_def_runs_on_the_loop_and_def_in_a_thread(app: App, protocol: str) -> None:
    here = threading.get_ident()
    app.get("/def")(lambda: [threading.get_ident(), runs_on_a_loop()])

    @app.get("/async")
    async def coroutine() -> list[Any]:
        return [threading.get_ident(), runs_on_a_loop()]

    browser = app.async_client(protocol=protocol)
    plain, coroutine_answer = (await browser.get("/def")).json, (await browser.get("/async")).json

    assert plain[0] != here
    assert plain[1] is False
    assert coroutine_answer == [here, True]


def test_under_wsgi_def_runs_in_the_thread_of_the_request(app: App) -> None:
    app.get("/def")(lambda: [threading.get_ident()])

    @app.get("/async")
    async def coroutine() -> list[Any]:
        return [threading.get_ident(), await run_sync(threading.get_ident)]

    browser = app.test_client(protocol="wsgi")
    plain, mixed = browser.get("/def").json, browser.get("/async").json

    assert plain == [threading.get_ident()]
    assert mixed[0] != threading.get_ident()
    assert mixed[1] == threading.get_ident()


@pytest.mark.parametrize("protocol", LOOPS)
async def test_a_def_that_waits_does_not_delay_an_async_def(app: App, protocol: str) -> None:
    entered, release = threading.Event(), threading.Event()

    @app.get("/slow")
    def slow() -> str:
        entered.set()
        assert release.wait(10)
        return "slow"

    @app.get("/quick")
    async def quick() -> str:
        return "quick"

    browser = app.async_client(protocol=protocol)
    waiting = asyncio.ensure_future(browser.get("/slow"))
    await asyncio.to_thread(entered.wait, 10)

    answer = await browser.get("/quick")
    was_waiting = not waiting.done()
    release.set()

    assert answer.text == "quick"
    assert was_waiting
    assert (await waiting).text == "slow"


@pytest.mark.parametrize("protocol", LOOPS)
async def test_waiting_steps_of_a_coroutine_endpoint_do_not_block_the_loop(app: App, protocol: str) -> None:
    entered, release = threading.Event(), threading.Event()

    def slow() -> str:
        entered.set()
        assert release.wait(10)
        return "made"

    @app.get("/slow")
    async def mixed(made: Annotated[str, Depends(slow)]) -> str:
        return made

    @app.get("/quick")
    async def quick() -> str:
        return "quick"

    browser = app.async_client(protocol=protocol)
    waiting = asyncio.ensure_future(browser.get("/slow"))
    await asyncio.to_thread(entered.wait, 10)

    answer = await browser.get("/quick")
    release.set()

    assert answer.text == "quick"
    assert (await waiting).text == "made"


@pytest.mark.parametrize("protocol", LOOPS)
async def test_a_def_generator_is_streamed_without_blocking_the_loop(app: App, protocol: str) -> None:
    entered, release = threading.Event(), threading.Event()

    @app.get("/slow")
    def slow() -> Iterator[str]:
        yield "one "
        entered.set()
        assert release.wait(10)
        yield "two"

    @app.get("/quick")
    async def quick() -> str:
        return "quick"

    browser = app.async_client(protocol=protocol)
    waiting = asyncio.ensure_future(browser.get("/slow"))
    await asyncio.to_thread(entered.wait, 10)

    answer = await browser.get("/quick")
    release.set()

    assert answer.text == "quick"
    assert (await waiting).text == "one two"


@pytest.mark.parametrize("protocol", LOOPS)
async def test_adjacent_def_steps_share_one_thread_hop(app: App, protocol: str) -> None:
    seen: list[int] = []
    kept = threading.local()

    def first() -> int:
        kept.value = "from the first"
        seen.append(threading.get_ident())
        return 1

    def second(one: Annotated[int, Depends(first)]) -> str:
        seen.append(threading.get_ident())
        return str(kept.value)

    @app.get("/")
    async def mixed(found: Annotated[str, Depends(second)]) -> str:
        return found

    answer = await app.async_client(protocol=protocol).get("/")

    assert answer.text == "from the first"
    assert len(set(seen)) == 1
    assert seen[0] != threading.get_ident()


@pytest.mark.parametrize("protocol", LOOPS)
async def test_a_step_marked_as_not_blocking_runs_on_the_loop(app: App, protocol: str) -> None:
    @app.before_request
    def waits(request: Request) -> None:
        request.state.waits = threading.get_ident()

    def quick(request: Request) -> None:
        request.state.quick = threading.get_ident()

    app.before_request(mark(quick, blocking=False))

    @app.get("/")
    async def show(request: Request) -> list[int]:
        return [request.state.waits, request.state.quick]

    waits_in, quick_in = (await app.async_client(protocol=protocol).get("/")).json

    assert waits_in != threading.get_ident()
    assert quick_in == threading.get_ident()


@pytest.mark.parametrize("protocol", LOOPS)
async def test_a_handler_marked_as_not_blocking_runs_on_the_loop(app: App, protocol: str) -> None:
    def quick() -> list[int]:
        return [threading.get_ident()]

    app.get("/")(mark(quick, blocking=False))

    answer = await app.async_client(protocol=protocol).get("/")

    assert answer.json == [threading.get_ident()]


# What is carried across the hops


@pytest.fixture
def own_context() -> Callable[[Callable[[], Any]], Any]:
    """Call a function in a copy of this context: under WSGI requests run in it, and may change it."""
    return contextvars.copy_context().run


LANGUAGE: contextvars.ContextVar[str] = contextvars.ContextVar("language", default="none")


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_context_variables_set_by_a_hook_reach_the_handler(
    app: App, client: Callable[..., Any], own_context: Callable[..., Any], colour: str
) -> None:
    @app.before_request
    def choose() -> None:
        LANGUAGE.set("de")

    async def coroutine() -> list[str]:
        return [LANGUAGE.get(), await run_sync(LANGUAGE.get)]

    def plain() -> list[str]:
        return [LANGUAGE.get(), LANGUAGE.get()]

    app.get("/")(plain if colour == "def" else coroutine)

    assert own_context(lambda: client().get("/").json) == ["de", "de"]


def test_context_variables_set_on_the_loop_reach_a_thread(
    app: App, client: Callable[..., Any], own_context: Callable[..., Any]
) -> None:
    @app.before_request
    async def choose() -> None:
        LANGUAGE.set("fr")

    def in_a_thread() -> str:
        return LANGUAGE.get()

    @app.get("/")
    async def show(seen: Annotated[str, Depends(in_a_thread)]) -> list[str]:
        LANGUAGE.set("it")
        return [seen, LANGUAGE.get(), await run_sync(LANGUAGE.get)]

    assert own_context(lambda: client().get("/").json) == ["fr", "it", "it"]


@pytest.mark.parametrize("protocol", LOOPS)
@pytest.mark.parametrize("colour", ["def", "async def"])
async def test_context_variables_of_one_request_do_not_reach_the_next(app: App, protocol: str, colour: str) -> None:
    def plain() -> str:
        before = LANGUAGE.get()
        LANGUAGE.set("left behind")
        return before

    async def coroutine() -> str:
        return plain()

    app.get("/")(plain if colour == "def" else coroutine)
    browser = app.async_client(protocol=protocol)

    answers = [(await browser.get("/")).text for _ in range(3)]

    assert answers == ["none", "none", "none"]


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_the_context_of_the_request_is_known_after_every_hop(app: App, client: Callable[..., Any], colour: str) -> None:
    def everything() -> list[Any]:
        return [
            current_app() is app,
            url_for("here"),
            current().request.path,
            str(render_template_string("{{ request.method }}")),
        ]

    async def coroutine() -> list[Any]:
        return [everything(), await run_sync(everything), await asyncio.to_thread(everything)]

    def plain() -> list[Any]:
        return [everything()] * 3

    app.get("/here", endpoint="here")(plain if colour == "def" else coroutine)

    assert client().get("/here").json == [[True, "/here", "/here", "GET"]] * 3


def test_run_sync_returns_and_raises_what_the_function_does(app: App, client: Callable[..., Any]) -> None:
    def divide(one: int, other: int = 1) -> float:
        return one / other

    @app.get("/")
    async def show() -> list[Any]:
        try:
            await run_sync(divide, 1, other=0)
        except ZeroDivisionError as error:
            return [await run_sync(divide, 6, other=3), type(error).__name__]
        return []

    assert client().get("/").json == [2.0, "ZeroDivisionError"]


def test_run_sync_runs_outside_the_loops_thread(app: App, client: Callable[..., Any]) -> None:
    @app.get("/")
    async def show() -> list[bool]:
        return [runs_on_a_loop(), await run_sync(runs_on_a_loop)]

    assert client().get("/").json == [True, False]


async def test_run_sync_works_in_a_block_of_context(app: App) -> None:
    with app.context():
        found = await run_sync(current_app)

    assert found is app


# Dependencies in the other colour


@pytest.mark.parametrize("handler", ["def", "async def"])
@pytest.mark.parametrize("dependency", ["def", "async def", "generator", "async generator"])
def test_a_dependency_of_any_colour_serves_a_handler_of_any(
    app: App, client: Callable[..., Any], handler: str, dependency: str
) -> None:
    log: list[str] = []

    def plain(request: Request) -> str:
        return request.path

    async def coroutine(request: Request) -> str:
        return request.path

    def generator(request: Request) -> Iterator[str]:
        yield request.path
        log.append("closed")

    async def agenerator(request: Request) -> AsyncIterator[str]:
        yield request.path
        log.append("closed")

    make = {"def": plain, "async def": coroutine, "generator": generator, "async generator": agenerator}[dependency]

    def show(found: Annotated[str, Depends(make)]) -> str:
        return found

    async def ashow(found: Annotated[str, Depends(make)]) -> str:
        return found

    app.get("/x")(show if handler == "def" else ashow)

    assert client().get("/x").text == "/x"
    assert log == (["closed"] if "generator" in dependency else [])


@pytest.mark.parametrize("handler", ["def", "async def"])
def test_a_hook_of_the_other_colour_runs_around_a_handler(app: App, client: Callable[..., Any], handler: str) -> None:
    log: list[str] = []

    @app.before_request
    def plain_before() -> None:
        log.append("def before")

    @app.before_request
    async def coroutine_before() -> None:
        log.append("async before")

    @app.after_request
    def plain_after(response: Response) -> None:
        log.append("def after")

    @app.after_request
    async def coroutine_after(response: Response) -> None:
        log.append("async after")

    def show() -> str:
        log.append("handler")
        return ""

    async def ashow() -> str:
        log.append("handler")
        return ""

    app.get("/")(show if handler == "def" else ashow)

    client().get("/")

    assert log == ["def before", "async before", "handler", "async after", "def after"]


# stream=True


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_a_streaming_route_reads_its_body_itself(app: App, client: Callable[..., Any], colour: str) -> None:
    def plain(request: Request) -> list[int]:
        return [len(chunk) for chunk in request.stream() if chunk]

    async def coroutine(request: Request) -> list[int]:
        return [len(chunk) async for chunk in request.stream() if chunk]

    app.post("/", stream=True)(plain if colour == "def" else coroutine)

    answer = client().post("/", chunks=[b"x" * 1000, b"y" * 500])

    assert sum(answer.json) == 1500


def test_the_body_of_a_streaming_route_is_not_read_beforehand(app: App) -> None:
    read_by_the_handler = asyncio.Event()
    pieces = [b"one", b"two"]
    log: list[str] = []

    @app.post("/", stream=True)
    async def show(request: Request) -> str:
        log.append("handler")
        return b"".join([chunk async for chunk in request.stream()]).decode()

    app.testing = True
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        log.append("read")
        if not pieces:
            await read_by_the_handler.wait()
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "path": "/", "raw_path": b"/",
        "query_string": b"", "root_path": "", "client": ("127.0.0.1", 5),
        "headers": [(b"host", b"localhost"), (b"content-length", b"6")],
    }  # fmt: skip

    asyncio.run(app(scope, receive, send))

    assert log == ["handler", "read", "read"]
    assert sent[1]["body"] == b"onetwo"
