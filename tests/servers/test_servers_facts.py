from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator

from segue import App
from segue.servers.facts import choose_interface, facts_of, in_child


def chosen(app: App) -> tuple[str, str]:
    return choose_interface(app.compile())


def test_def_alone_is_served_by_wsgi(app: App) -> None:
    @app.get("/")
    def index() -> str:
        return ""

    assert chosen(app)[0] == "wsgi"


def test_one_async_handler_makes_it_rsgi_and_is_named(app: App) -> None:
    @app.get("/")
    def index() -> str:
        return ""

    @app.get("/wait")
    async def wait() -> str:
        return ""

    assert chosen(app) == ("rsgi", "wait is async or has an async step")


def test_an_async_hook_makes_it_rsgi(app: App) -> None:
    @app.before_request
    async def look() -> None: ...

    @app.get("/")
    def index() -> str:
        return ""

    assert chosen(app)[0] == "rsgi"


def test_a_generator_makes_it_asgi(app: App) -> None:
    @app.get("/rows")
    def rows() -> Iterator[str]:
        yield "a"

    assert chosen(app)[0] == "asgi"
    assert chosen(app)[1].startswith("rows streams")


def test_an_async_generator_makes_it_asgi(app: App) -> None:
    @app.get("/rows")
    async def rows() -> AsyncIterator[str]:
        yield "a"

    assert chosen(app)[0] == "asgi"


def test_a_body_read_as_a_stream_makes_it_rsgi(app: App) -> None:
    @app.post("/upload", stream=True)
    def upload() -> str:
        return ""

    assert chosen(app)[0] == "rsgi"


def test_trusted_proxies_make_it_rsgi() -> None:
    app = App("behind", config={"TRUSTED_PROXIES": ["10.0.0.0/8"]}, static_folder=None)

    @app.get("/")
    def index() -> str:
        return ""

    assert chosen(app)[0] == "rsgi"


def test_the_facts_are_those_of_the_configuration() -> None:
    app = App("known", config={"PORT": 9001, "WORKERS": 3, "DEBUG": True}, static_folder=None)

    facts = facts_of(app)

    assert (facts.port, facts.workers, facts.host, facts.debug) == (9001, 3, "127.0.0.1", True)
    assert facts.debug_source == "App(config=…)"


def raising() -> None:
    raise KeyError("gone")


def ending() -> None:
    os._exit(7)


def test_a_function_in_a_child_answers_from_another_process() -> None:
    outcome = in_child(os.getpid)

    assert outcome.value not in (None, os.getpid())


def test_an_error_in_a_child_comes_back_as_its_text() -> None:
    outcome = in_child(raising)

    assert outcome.value is None
    assert "KeyError: 'gone'" in outcome.problem


def test_a_child_that_ends_says_with_which_code() -> None:
    assert "exit code 7" in in_child(ending).problem
