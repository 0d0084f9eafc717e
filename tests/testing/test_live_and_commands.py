"""CORE-91: the live server, and commands run in process."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from segue import App
from segue.errors import UsageError
from segue.testing import CliRunner, live_server


def read(url: str) -> str:
    """Fetch by a real connection."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        text: str = answer.read().decode()
        return text


def test_a_live_server_serves_the_very_app_of_the_test(app: App) -> None:
    seen: list[str] = []
    app.get("/")(lambda: seen.append("asked") or "hello")

    with live_server(app) as server:
        text = read(server.url + "/")

    assert (text, seen) == ("hello", ["asked"])
    assert server.host == "127.0.0.1"


def test_a_live_server_runs_start_up_and_shutdown(app: App) -> None:
    log: list[str] = []

    @app.lifespan
    def around() -> Iterator[None]:
        log.append("start")
        yield
        log.append("stop")

    app.get("/")(lambda: "hello")
    with live_server(app) as server:
        read(server.url)
        assert log == ["start"]

    assert log == ["start", "stop"]


def test_a_live_server_that_stopped_takes_no_connections(app: App) -> None:
    app.get("/")(lambda: "hello")
    with live_server(app) as server:
        read(server.url)

    with socket.socket() as probe:
        assert probe.connect_ex((server.host, server.port)) != 0


def test_a_live_server_that_cannot_listen_says_so(app: App) -> None:
    from segue.testing import LiveServer

    server = LiveServer(app)
    server.host = "192.0.2.1"  # an address of no machine (RFC 5737)

    with pytest.raises(UsageError) as caught:
        server.start()

    assert caught.value.code == "testing/server-not-started"


def test_a_start_up_function_that_fails_is_named(app: App) -> None:
    @app.on_startup
    def start() -> None:
        raise ConnectionError("the database is away")

    with pytest.raises(UsageError, match="ConnectionError: the database is away"), live_server(app):
        pass


def test_two_live_servers_stand_side_by_side() -> None:
    apps = [App(f"live_{name}", static_folder=None, template_folder=None) for name in ("a", "b")]
    apps[0].get("/")(lambda: "a")
    apps[1].get("/")(lambda: "b")

    with live_server(apps[0]) as first, live_server(apps[1]) as second:
        texts = read(first.url), read(second.url)

    assert texts == ("a", "b")


# Commands


def test_a_command_of_the_app_runs_with_its_arguments(app: App) -> None:
    @app.command
    def greet(name: str, loud: bool = False) -> None:
        print(f"Hello {name}{'!' if loud else '.'}")

    result = CliRunner(app).invoke(["greet", "Duke", "--loud"])

    assert (result.exit_code, result.output) == (0, "Hello Duke!\n")


def test_a_line_is_split_as_a_shell_splits_it(app: App) -> None:
    app.get("/page")(lambda: "")

    result = CliRunner(app).invoke("routes")

    assert result.exit_code == 0
    assert "/page" in result.output


def test_a_wrong_call_ends_with_code_2(app: App) -> None:
    result = CliRunner(app).invoke(["nonsense"])

    assert result.exit_code == 2
    assert "There is no command 'nonsense'" in result.output


def test_an_error_of_the_command_is_raised_in_the_test(app: App) -> None:
    @app.command
    def fail() -> None:
        raise KeyError("lost")

    with pytest.raises(KeyError, match="lost"):
        CliRunner(app).invoke(["fail"])
