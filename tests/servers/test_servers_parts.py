"""What the servers are made of, without starting one."""

from __future__ import annotations

import asyncio
import pickle
import socket
from pathlib import Path
from typing import Any

import pytest
from watchfiles import Change

from segue import App
from segue.errors import SetupError, UsageError
from segue.servers.access import AccessFormatter
from segue.servers.granian import demand_address
from segue.servers.launch import exec_run, main_target, run_flags
from segue.servers.loading import BrokenApp, WorkerTarget
from segue.servers.options import ServeOptions
from segue.servers.reporting import error_text, last_line, place_text
from segue.servers.uvicorn import LoggedApp, demand_installed
from segue.servers.watching import filter_for, watched_paths


def ask(application: Any, *, client: str = "127.0.0.1", host: bytes = b"localhost:8000") -> tuple[int, str]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [(b"host", host)],
        "client": (client, 1), "scheme": "http", "http_version": "1.1", "raw_path": b"/",
    }  # fmt: skip
    asyncio.run(application(scope, receive, send))
    return sent[0]["status"], sent[1]["body"].decode()


# Changes


@pytest.mark.parametrize("name", ["app.py", "site.toml", "site.yaml", ".env", ".env.local", "chosen.json"])
def test_code_and_configuration_restart(name: str) -> None:
    assert filter_for(["chosen.json"])()(Change.modified, f"/project/{name}")


@pytest.mark.parametrize(
    "name", ["data.json", "page.html", "club.db", "app.pyc", "__pycache__/a.py", ".git/a.py", ".venv/a.py"]
)
def test_data_templates_and_what_is_made_do_not_restart(name: str) -> None:
    assert not filter_for(["chosen.json"])()(Change.modified, f"/project/{name}")


def test_two_filters_share_nothing() -> None:
    first, second = filter_for(["a.json"]), filter_for(["b.json"])

    first()(Change.modified, "/project/a.json")

    assert list(first.changed) == ["/project/a.json"]
    assert not second.changed
    assert not second()(Change.modified, "/project/a.json")


def test_the_byte_code_of_a_changed_module_is_removed(tmp_path: Path) -> None:
    (tmp_path / "__pycache__").mkdir()
    import importlib.util

    stale = Path(importlib.util.cache_from_source(str(tmp_path / "a.py")))
    stale.write_bytes(b"old")

    filter_for([])()(Change.modified, str(tmp_path / "a.py"))

    assert not stale.exists()


def test_installed_packages_and_folders_inside_are_not_watched_again(tmp_path: Path) -> None:
    inside, beside, installed = tmp_path / "a" / "b", tmp_path / "c", tmp_path / "site-packages" / "d"
    for each in (inside, beside, installed):
        each.mkdir(parents=True)

    assert watched_paths(tmp_path / "a", [str(inside), str(beside), str(installed)]) == [tmp_path / "a", beside]


# An app that cannot be imported


def test_a_broken_app_shows_why_to_this_machine_only() -> None:
    broken = BrokenApp("SyntaxError: here")

    assert ask(broken)[0] == 503
    assert "SyntaxError: here" in ask(broken)[1]
    assert "SyntaxError" not in ask(broken, client="10.0.0.7")[1]
    assert "SyntaxError" not in ask(broken, host=b"rebound.example.com")[1]
    assert "SyntaxError" not in ask(broken, client="not an address")[1]


def test_a_worker_target_that_survives_answers_for_what_fails(capsys: pytest.CaptureFixture[str]) -> None:
    def load() -> App:
        raise SyntaxError("invalid syntax", ("/project/app.py", 3, 1, "def ("))

    application = WorkerTarget(load, "asgi", survives=True)()

    assert isinstance(application, BrokenApp)
    assert "/project/app.py" in capsys.readouterr().err


def test_a_worker_target_in_production_fails() -> None:
    def load() -> App:
        raise KeyError("gone")

    with pytest.raises(KeyError):
        WorkerTarget(load, "asgi")()


def made() -> App:
    return App("made", config={"DEBUG": True}, static_folder=None)


def test_a_worker_target_can_be_sent_to_another_process() -> None:
    target = pickle.loads(pickle.dumps(WorkerTarget(made, "asgi")))

    assert isinstance(target(), App)


# Addresses


def test_a_port_that_is_listened_on_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(SetupError, match="in use") as caught:
        demand_address("127.0.0.1", other.getsockname()[1], None)

    assert caught.value.code == "servers/cannot-listen"


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(SetupError) as caught:
        demand_address("192.0.2.1", 0, None)

    assert caught.value.code == "servers/cannot-listen"


def test_a_living_unix_socket_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()

        with pytest.raises(SetupError, match="unix:"):
            demand_address("", 0, path)

    assert path.exists()


def test_a_dead_unix_socket_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))

    demand_address("", 0, path)

    assert not path.exists()


def test_a_file_in_the_place_of_a_unix_socket_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("mine")

    with pytest.raises(SetupError):
        demand_address("", 0, path)

    assert path.read_text() == "mine"


def test_an_ipv6_address_stands_in_brackets() -> None:
    assert ServeOptions(host="::1", port=80).address == "http://[::1]:80"


# app.run()


def test_the_options_of_app_run_are_those_of_segue_run() -> None:
    flags = run_flags({"port": 9000, "debug": False, "prod": True, "workers": 2, "uds": None, "skip_checks": False})

    assert flags == ["--port", "9000", "--no-debug", "--prod", "--workers", "2"]


def test_an_unknown_option_of_app_run_suggests_one() -> None:
    with pytest.raises(UsageError, match="Did you mean port") as caught:
        run_flags({"prt": 1})

    assert caught.value.code == "servers/unknown-option"


def test_the_target_of_a_program_is_its_file(tmp_path: Path, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "site.py").touch()

    assert main_target(app, {"__file__": str(tmp_path / "site.py"), "app": app}) == "site.py"


def test_of_two_apps_the_one_that_runs_is_named(tmp_path: Path, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "site.py").touch()

    assert main_target(app, {"__file__": "site.py", "other": App("x"), "mine": app}) == "site.py:mine"


def test_app_run_in_an_imported_file_does_nothing(app: App) -> None:
    assert exec_run(app, {"port": 1}) is None  # type: ignore[func-returns-value]  # that it returns is the point


# Errors and uvicorn


def test_the_text_of_an_error_begins_at_the_users_code(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("def fail():\n    1 / 0\n")
    names: dict[str, Any] = {}
    exec(compile(file.read_text(), str(file), "exec"), names)

    with pytest.raises(ZeroDivisionError) as caught:
        names["fail"]()

    assert "mine.py" in error_text(caught.value)
    assert place_text(caught.value) == f"{file}:2"
    assert last_line(caught.value) == "ZeroDivisionError: division by zero"


def test_the_last_line_of_our_own_error_has_its_code() -> None:
    assert last_line(SetupError("No.", code="a/b")) == "SetupError: [a/b] No."


def test_a_server_that_is_not_installed_says_what_to_install() -> None:
    with pytest.raises(SetupError, match=r"pip install .segue\[nothing_like_it\]"):
        demand_installed("nothing_like_it")


def test_requests_under_uvicorn_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "granian.access")

    ask(LoggedApp(BrokenApp("")))

    assert AccessFormatter().format(caplog.records[0]).split()[1:4] == ["GET", "/", "503"]
