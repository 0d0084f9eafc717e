"""`segue run` as a process: development, production, signals."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

APP = """
from segue import App
app = App(__name__)
@app.get("/")
def index(): return "one"
"""
SLOW = (
    APP
    + """
import time
@app.get("/slow")
def slow():
    open("started", "w").close()
    time.sleep(0.7)
    return "finished"
@app.on_startup
def hello(): open("begun", "a").write("x")
@app.on_shutdown
def bye(): open("ended", "a").write("x")
"""
)
PRODUCTION = {"SEGUE_SITE_URL": "http://127.0.0.1"}
Serve = Callable[..., Any]


def touch(path: Path, text: str) -> None:
    path.write_text(text)


def test_development_serves_with_debug_on_and_logs_each_request(serve: Serve) -> None:
    served = serve(APP + "@app.get('/debug')\ndef debug(): return str(app.debug)\n")

    served.wait_for_answer("one")
    status = served.get("/debug?api_key=secret&page=2")

    assert status == (200, "True")
    served.wait_for_output(f"is served at http://127.0.0.1:{served.port} (development)")
    served.wait_for_output("GET /debug?api_key=***&page=2 200 ")
    assert "secret" not in served.output


def test_a_change_of_code_is_served_without_a_refused_request(serve: Serve, tmp_path: Path) -> None:
    served = serve(APP)
    served.wait_for_answer("one")
    statuses: list[int] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            try:
                statuses.append(served.get("/")[0])
            except ConnectionRefusedError:
                statuses.append(0)
            except OSError:
                continue  # the worker that was ending had taken the connection

    asking = threading.Thread(target=ask)
    asking.start()
    touch(tmp_path / "app.py", APP.replace("one", "two"))
    served.wait_for_answer("two")
    done.set()
    asking.join()

    assert set(statuses) == {200}
    assert "Restarting: app.py." in served.output


def test_a_change_of_the_same_length_in_the_same_second_is_served(serve: Serve, tmp_path: Path) -> None:
    served = serve("from part import TEXT\n" + APP.replace('"one"', "TEXT"), PYTHONDONTWRITEBYTECODE="")
    touch(tmp_path / "part.py", "TEXT = '1'\n")
    served.wait_for_answer("1")
    stamp = os.stat(tmp_path / "part.py").st_mtime

    touch(tmp_path / "part.py", "TEXT = '2'\n")
    os.utime(tmp_path / "part.py", (stamp, stamp))

    served.wait_for_answer("2")


def test_a_syntax_error_is_shown_and_the_server_survives_it(serve: Serve, tmp_path: Path) -> None:
    served = serve(APP)
    served.wait_for_answer("one")

    touch(tmp_path / "app.py", APP + "def broken(:\n")
    served.wait_for_answer("SyntaxError")
    status, page = served.get()
    touch(tmp_path / "app.py", APP.replace("one", "mended"))
    served.wait_for_answer("mended")

    assert status == 503
    assert "app.py:6" in page
    assert "app.py:6" in served.output
    assert served.process.poll() is None


def test_a_project_that_is_broken_at_the_start_is_served_once_it_is_mended(serve: Serve, tmp_path: Path) -> None:
    served = serve("import nothing_like_it\n")

    served.wait_for_answer("ModuleNotFoundError")
    touch(tmp_path / "app.py", APP)

    served.wait_for_answer("one")


def test_a_change_of_configuration_restarts(serve: Serve, tmp_path: Path) -> None:
    touch(tmp_path / "site.json", '{"GREETING": "first"}')
    served = serve(
        "from segue import App\napp = App(__name__, config='site.json')\napp.config.declare('GREETING', '')\n"
        "@app.get('/')\ndef index(): return app.config['GREETING']\n"
    )
    served.wait_for_answer("first")

    touch(tmp_path / "site.json", '{"GREETING": "second"}')

    served.wait_for_answer("second")


def test_a_file_that_the_app_writes_does_not_restart_it(serve: Serve, tmp_path: Path) -> None:
    served = serve(APP)
    served.wait_for_answer("one")

    touch(tmp_path / "data.json", "{}")
    touch(tmp_path / "app.py", APP.replace("one", "two"))
    served.wait_for_answer("two")

    assert "data.json" not in served.output


def test_a_change_of_a_template_is_served(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    touch(tmp_path / "templates" / "page.html", "before")
    served = serve(
        APP.replace('"one"', 'render_template("page.html")').replace("import App", "import App, render_template")
    )
    served.wait_for_answer("before")

    touch(tmp_path / "templates" / "page.html", "after it")

    served.wait_for_answer("after it")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_group_ends_with_0_and_no_complaint(serve: Serve, number: int) -> None:
    served = serve(APP)
    served.wait_for_answer("one")

    os.killpg(served.process.pid, number)

    assert served.end(number) == 0
    assert "Unexpected" not in served.output


@pytest.mark.parametrize("interface", ["wsgi", "rsgi", "asgi"])
def test_a_request_in_flight_is_finished_before_the_end(serve: Serve, tmp_path: Path, interface: str) -> None:
    served = serve(SLOW, "--prod", "--interface", interface, **PRODUCTION)
    served.wait_for_answer("one")
    answers: list[Any] = []
    asking = threading.Thread(target=lambda: answers.append(served.get("/slow")))
    asking.start()
    served.wait_until((tmp_path / "started").exists)
    code = served.end()
    asking.join()

    assert answers == [(200, "finished")]
    assert code == 0
    assert (tmp_path / "begun").read_text() == "x"
    assert (tmp_path / "ended").read_text() == "x"


def test_uvicorn_serves_and_ends_like_granian(serve: Serve, tmp_path: Path) -> None:
    served = serve(SLOW, "--prod", "--server", "uvicorn", "--access-log", **PRODUCTION)

    served.wait_for_answer("one")
    served.get("/?token=secret")

    assert served.end() == 0
    assert "GET /?token=*** 200 " in served.output
    assert "Interface: asgi (uvicorn speaks no other)." in served.output
    assert (tmp_path / "ended").read_text() == "x"


def test_sighup_replaces_the_workers_and_serves_the_new_code(serve: Serve, tmp_path: Path) -> None:
    served = serve(APP, "--prod", **PRODUCTION)
    served.wait_for_answer("one")

    touch(tmp_path / "app.py", APP.replace("one", "three"))
    served.process.send_signal(signal.SIGHUP)

    served.wait_for_answer("three")
    assert "The workers are replaced one by one." in served.output


def test_a_killed_worker_is_replaced(serve: Serve) -> None:
    served = serve(APP.replace('"one"', "str(__import__('os').getpid())"), "--prod", **PRODUCTION)
    served.wait_for_answer("")
    first = ""
    while not first:
        first = served.find()[1]

    os.kill(int(first), signal.SIGKILL)
    second = first
    while second in ("", first):
        second = served.find()[1]

    assert second.isdigit()


def test_production_says_which_interface_and_why(serve: Serve) -> None:
    served = serve(APP, "--prod", **PRODUCTION)

    served.wait_for_answer("one")

    assert "Interface: wsgi (every step of every endpoint is def, and nothing streams)." in served.output


def test_production_refuses_debug(serve: Serve) -> None:
    served = serve(APP, "--prod", SEGUE_DEBUG="1", **PRODUCTION)

    assert served.process.wait(20) == 1
    served.wait_for_output("[security/debug-in-production]")
    served.wait_for_output("variable SEGUE_DEBUG")


def test_a_failing_check_stops_the_start_unless_skipped(serve: Serve) -> None:
    app = APP + "from segue import Finding\n@app.check\ndef shop(): yield Finding('shop.E1', 'error', 'no currency')\n"

    stopped = serve(app)
    code = stopped.process.wait(20)
    served = serve(app, "--skip-checks")
    served.wait_for_answer("one")

    assert code == 1
    stopped.wait_for_output("[shop.E1] no currency")


def test_debug_on_a_public_address_is_a_warning(serve: Serve) -> None:
    served = serve(APP, "--host", "0.0.0.0")

    served.wait_for_answer("one")

    served.wait_for_output("debug is on, and 0.0.0.0 can be reached from other machines")


def test_a_port_in_use_says_so(serve: Serve, free_port: int) -> None:
    with socket.create_server(("127.0.0.1", free_port)):
        served = serve(APP)

        assert served.process.wait(20) == 1
        served.wait_for_output("[servers/cannot-listen]")


def test_a_unix_socket_serves_and_one_left_behind_is_no_hindrance(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "site.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    served = serve(APP, "--prod", "--uds", str(path), **PRODUCTION)
    served.wait_for_output("Started worker-1")

    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        answer = client.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 200")
    assert served.end() == 0
    assert not path.exists()


def test_python_app_py_becomes_segue_run(serve: Serve, free_port: int) -> None:
    text = APP + f"print('imported as', __name__)\napp.run(port={free_port}, reload=False)\n"
    served = serve(text, before=("app.py",))

    served.wait_for_answer("one")

    # The program ends at the call; the file is then imported by its own name, where the call does nothing.
    assert served.output.count("imported as __main__") == 1
    assert "imported as app" in served.output


def test_the_server_header_has_no_version(serve: Serve) -> None:
    served = serve(APP, "--prod", **PRODUCTION)
    served.wait_for_answer("one")
    connection = HTTPConnection("127.0.0.1", served.port, timeout=10)
    connection.request("GET", "/")
    headers = connection.getresponse().headers
    connection.close()

    assert not any(sign.isdigit() for sign in headers.get("server", ""))
    assert "x-powered-by" not in headers


@pytest.mark.needs("openssl")
def test_tls_is_served_with_a_certificate_and_its_key(serve: Serve, tmp_path: Path) -> None:
    words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -keyout key.pem -out cert.pem"
    subprocess.run(["openssl", *words.split()], cwd=tmp_path, check=True, capture_output=True)
    served = serve(APP, "--prod", "--ssl-certificate", "cert.pem", "--ssl-keyfile", "key.pem", **PRODUCTION)
    served.wait_for_output("Started worker-1")
    context = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
    context.check_hostname = False

    connection = HTTPSConnection("127.0.0.1", served.port, timeout=10, context=context)
    connection.request("GET", "/")
    answer = connection.getresponse().read()
    connection.close()

    assert answer == b"one"
    assert f"https://127.0.0.1:{served.port}" in served.output


def test_a_handler_that_does_not_end_is_cut_at_the_kill_timeout(serve: Serve, tmp_path: Path) -> None:
    endless = SLOW.replace("time.sleep(0.7)", "time.sleep(60)")
    served = serve(endless, "--prod", "--workers-kill-timeout", "1", **PRODUCTION)
    served.wait_for_answer("one")
    asking = threading.Thread(target=served.find, args=("/slow",))
    asking.start()
    served.wait_until((tmp_path / "started").exists)

    code = served.end()
    asking.join()

    assert code == 0
    assert "refused to gracefully stop" in served.output


def test_pages_reload_themselves_even_from_an_app_that_was_broken(serve: Serve, tmp_path: Path) -> None:
    page = APP.replace('"one"', '"<body>one</body>"')
    served = serve(page, "--refresh")
    served.wait_for_answer("/.segue/refresh.js")
    first = served.get("/.segue/stamp")

    touch(tmp_path / "app.py", page + "def broken(:\n")
    served.wait_for_answer("SyntaxError")
    broken = served.get("/.segue/stamp")
    touch(tmp_path / "app.py", page)
    served.wait_for_answer("one")
    mended = served.get("/.segue/stamp")

    assert len({first, broken, mended}) == 3
    assert "stamp" not in served.output
