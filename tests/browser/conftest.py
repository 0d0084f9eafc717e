"""A headless Chromium, the demo site with mail that arrives, and axe, which reads pages as assistive programs do."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

ROOT = Path(__file__).parents[2]
AXE = ROOT / "build" / "axe" / "package" / "axe.min.js"
SCREENSHOTS = ROOT / "build" / "screenshots"
MISSING_IS_FAILURE = os.environ.get("SEGUE_TEST_ALL") == "1"
SIZES = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1280, "height": 900}}


class Postbox:
    """What an SMTP server received."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message: Any = message_from_bytes(envelope.content, policy=policy.default)
        self.messages.append(message)
        return "250 OK"

    def wait_for(self, count: int) -> EmailMessage:
        """Return the last of *count* messages, once it is there."""
        end = time.monotonic() + 20
        while len(self.messages) < count:
            assert time.monotonic() < end, f"{len(self.messages)} of {count} mails arrived"
            time.sleep(0.05)
        return self.messages[count - 1]


@pytest.fixture(scope="session")
def postbox() -> Iterator[Postbox]:
    box = Postbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    box.port = controller.port  # type: ignore[attr-defined]
    yield box
    controller.stop()


def free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def demo(postbox: Postbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the demo site, served from a copy with a database of its own."""
    folder = tmp_path_factory.mktemp("demo")
    shutil.copytree(
        ROOT / "examples" / "club", folder / "club", ignore=shutil.ignore_patterns("*.db*", "__pycache__", ".env")
    )
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SEGUE_")},
        "SECRET_KEY": secrets.token_hex(32),
        "SEGUE_MAIL": f"smtp://127.0.0.1:{postbox.port}",  # type: ignore[attr-defined]
        "SEGUE_SITE_URL": f"http://127.0.0.1:{port}",
    }
    command = [sys.executable, "-m", "segue", "--app", "club"]
    subprocess.run([*command, "migrate"], cwd=folder, env=environment, check=True, capture_output=True, timeout=120)
    process = subprocess.Popen([*command, "run", "--port", str(port)], cwd=folder, env=environment)
    try:
        wait_until_served(f"http://127.0.0.1:{port}/", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def wait_until_served(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            assert process.poll() is None, "the demo did not start"
            assert time.monotonic() < end, "the demo does not answer"
            time.sleep(0.1)
        else:
            return


@pytest.fixture
def chromium() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright, which runs a loop in this thread: for one test, and no longer."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture(params=SIZES)
def size(request: pytest.FixtureRequest) -> str:
    """A phone, then a desktop."""
    return str(request.param)


@pytest.fixture
def page(chromium: Any, size: str) -> Iterator[Any]:
    """A page of a browser without cookies; what a script of it throws fails the test."""
    context = chromium.new_context(viewport=SIZES[size], is_mobile=size == "phone", color_scheme="light")
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
    assert [each for each in errors if "status of 4" not in each] == []


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, which `.ci/run` brings from npm."""
    if not AXE.is_file():
        message = f"needs axe-core: {AXE} is not there; .ci/run brings it"
        if MISSING_IS_FAILURE:
            pytest.fail(message)
        pytest.skip(message)
    return AXE.read_text(encoding="utf-8")


@pytest.fixture
def look(size: str, axe: str) -> Callable[[Any, str], None]:
    """Keep a picture of a page, and let axe find nothing serious on it, in light and in dark."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)

    def keep(page: Any, name: str) -> None:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=SCREENSHOTS / f"{name}-{size}-{scheme}.png", full_page=True)
            page.evaluate(axe)
            found = page.evaluate("axe.run().then(result => result.violations)")
            serious = [each for each in found if each["impact"] in ("serious", "critical")]
            told = [f"{each['id']}: {[node['html'] for node in each['nodes']]}" for each in serious]
            assert told == [], f"{name}, {scheme}"
            width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert width <= 0, f"{name} is {width} pixels wider than the {size}"
        page.emulate_media(color_scheme="light")

    return keep
