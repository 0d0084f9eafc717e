"""CORE-88: the page of an error in a real browser: its script, its policy, its cookie."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from segue import App
from segue.testing import live_server
from segue.web.console import Debugger

pytestmark = [pytest.mark.slow, pytest.mark.needs("chromium")]


class Browser:
    """One page of a headless Chromium, driven by its debugging protocol."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._count = 0

    def call(self, method: str, **params: Any) -> Any:
        self._count += 1
        self._socket.send(json.dumps({"id": self._count, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv(timeout=30))
            if message.get("id") == self._count:
                return message["result"]

    def wait_for_event(self, name: str) -> None:
        while json.loads(self._socket.recv(timeout=30)).get("method") != name:
            pass

    def open(self, url: str) -> None:
        self.call("Page.enable")
        self._socket.send(json.dumps({"id": 0, "method": "Page.navigate", "params": {"url": url}}))
        self.wait_for_event("Page.loadEventFired")

    def evaluate(self, script: str) -> Any:
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        return answer["result"].get("value")


@pytest.fixture
def browser() -> Iterator[Browser]:
    """A page of a browser that starts empty and ends with the test."""
    folder = Path(tempfile.mkdtemp(prefix="segue-browser-"))
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    command += ["--remote-debugging-port=0", "--no-first-run", f"--user-data-dir={folder}", "about:blank"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        line = next(line for line in process.stderr if "DevTools listening" in line)
        port = line.partition("127.0.0.1:")[2].partition("/")[0]
        pages = _pages(port)
        with connect(pages[0]["webSocketDebuggerUrl"], max_size=None) as socket:
            yield Browser(socket)
    finally:
        process.terminate()
        process.wait(20)
        if process.stderr is not None:
            process.stderr.close()
        shutil.rmtree(folder, ignore_errors=True)


def _pages(port: str) -> list[dict[str, Any]]:
    import urllib.request

    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=20) as answer:
        return [each for each in json.load(answer) if each["type"] == "page"]


TYPE = """
(async () => {
  const box = document.querySelector("details[open] .console");
  const input = box.querySelector("textarea");
  const before = box.querySelector("output").textContent.length;
  input.value = %s;
  box.querySelector("form").requestSubmit();
  for (let turn = 0; turn < 2500; turn++) {
    await new Promise((done) => setTimeout(done, 10));
    const text = box.querySelector("output").textContent.slice(before);
    if (text.includes(%s)) return text;
  }
  return box.querySelector("output").textContent;
})()
"""


def typed(browser: Browser, text: str, awaited: str) -> str:
    """Type *text* into the console of the open frame, and return what appears once *awaited* does."""
    return str(browser.evaluate(TYPE % (json.dumps(text), json.dumps(awaited))))


def test_a_browser_unlocks_the_console_and_runs_python(browser: Browser) -> None:
    app = App("browsed", config={"DEBUG": True, "DEBUGGER": True}, static_folder=None, template_folder=None)
    console = app.register(Debugger())

    @app.get("/")
    def index() -> Any:
        instrument = "<b>piano</b>"
        raise LookupError(instrument)

    with live_server(app) as server:
        browser.open(server.url + "/")
        asked = typed(browser, "instrument", "PIN")
        wrong = typed(browser, "000", "not the PIN")
        right = typed(browser, console.pin, "piano")
        failed = typed(browser, "1 / 0", "ZeroDivisionError")
        bold = browser.evaluate("document.querySelectorAll('output b').length")

    assert "PIN" in asked
    assert "This is not the PIN" in wrong
    assert "'<b>piano</b>'" in right
    assert "ZeroDivisionError: division by zero" in failed
    assert bold == 0
