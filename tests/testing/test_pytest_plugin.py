"""CORE-91: the fixtures of the pytest plugin, in a project of their own."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]

APP = """
from segue import App

app = App(__name__, static_folder=None, template_folder=None)


@app.get("/")
def index():
    return {"limit": app.config["MAX_FILES"]}
"""

TESTS = """
import asyncio
import urllib.request

import pytest
from segue import current_app

looped = []


def test_the_app_is_found_and_current(segue_app, client):
    assert current_app() is segue_app
    assert client.get("/").json == {"limit": 100}


async def test_an_async_test_runs_on_a_loop(async_client):
    looped.append(asyncio.get_running_loop())
    assert (await async_client.get("/")).json == {"limit": 100}


class TestMethods:
    async def test_a_method_can_be_async_too(self, async_client):
        assert (await async_client.get("/")).status_code == 200


def test_the_server_is_real(live_server):
    assert urllib.request.urlopen(live_server.url).read() == b'{"limit":100}'


def test_1_an_override_in_a_failing_test(client, override_config):
    override_config(MAX_FILES=1)
    assert client.get("/").json == {"limit": 100}, "fails on purpose"


def test_2_the_override_is_undone(client):
    assert client.get("/").json == {"limit": 100}


async def test_a_failing_async_test_fails():
    assert False, "on purpose"
"""


@pytest.mark.slow
@pytest.mark.parametrize("named", ["", "segue_app = site:app"])
def test_the_fixtures_serve_a_project(pytester: pytest.Pytester, named: str) -> None:
    pytester.makepyfile(**{"site_app" if named else "app": APP, "test_site": TESTS})
    pytester.makeini(f"[pytest]\n{named.replace('site:', 'site_app:')}\n")

    result = pytester.runpytest_subprocess("-p", "no:randomly", "-p", "no:cacheprovider", "-q")

    result.assert_outcomes(passed=5, failed=2)
    result.stdout.fnmatch_lines(["*fails on purpose*", "*on purpose*"])


@pytest.mark.slow
def test_a_project_without_an_app_is_told_so(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_site="def test_it(client): pass")

    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-q")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*cli/no-app*"])


@pytest.mark.slow
def test_the_plugin_loads_nothing_of_segue_by_itself() -> None:
    script = (
        "import sys, segue.testing.plugin; "
        "print(*sorted(name for name in sys.modules if name.partition('.')[0] == 'segue'))"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "segue segue.testing segue.testing.plugin"


def test_every_public_name_of_testing_resolves() -> None:
    import segue.testing

    assert {name for name in segue.testing.__all__ if hasattr(segue.testing, name)} == set(segue.testing.__all__)
    assert dir(segue.testing) == sorted(segue.testing.__all__)
    with pytest.raises(AttributeError, match="clientt"):
        segue.testing.clientt
