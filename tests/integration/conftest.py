"""Fixtures of the tests against real servers: each is started once, when first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from servers import INTERFACES, Server, make_root, start
from verdicts import CANNOT


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Call the hostile matrices slow, but for the interface that `segue run` serves by."""
    for item in items:
        parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        interface = parameters.get("server") or parameters.get("behind_proxy")
        if interface in ("asgi", "wsgi") and item.path.stem.startswith(("test_hostile_", "test_http_framing")):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folders that the hostile app serves."""
    return make_root(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="session")
def serve(root: Path) -> Iterator[Callable[..., Server]]:
    """Start a server of a kind, or return the one that runs."""
    running: dict[tuple[str, str], Server] = {}
    failed: dict[tuple[str, str], str] = {}

    def get(kind: str, target: str = "hostile_app:app") -> Server:
        if (kind, target) in failed:
            pytest.fail(failed[kind, target])
        if (kind, target) not in running:
            options = ["--access-log"] if kind.startswith("segue-") else []
            try:
                running[kind, target] = start(kind, root, target=target, options=options)
            except RuntimeError as error:
                failed[kind, target] = str(error)
                raise
        return running[kind, target]

    yield get
    for each in running.values():
        each.process.terminate()
    for each in running.values():
        each.stop()


@pytest.fixture(params=INTERFACES)
def server(request: pytest.FixtureRequest, serve: Callable[..., Server]) -> Iterator[Server]:
    """The hostile app in production under each interface; unharmed after every test."""
    running = serve(f"segue-{request.param}")

    yield running

    assert running.get("/pid").json == {"pid": running.pid}


@pytest.fixture(params=INTERFACES)
def behind_proxy(request: pytest.FixtureRequest, serve: Callable[..., Server]) -> Server:
    """The same behind a proxy on this machine that it trusts."""
    return serve(f"segue-{request.param}", "hostile_app:proxied")


@pytest.fixture(params=["d", "a"])
def colour(request: pytest.FixtureRequest) -> str:
    """`def` handlers and `async def` ones: the first part of their paths."""
    return str(request.param)


@pytest.fixture
def impossible(request: pytest.FixtureRequest, server: Server) -> Callable[[str], None]:
    """Say that the test is of a row; it must fail under an interface that cannot do it."""

    def mark(row: str) -> None:
        reason = CANNOT.get((row, server.interface))
        if reason is not None:
            request.applymarker(pytest.mark.xfail(reason=reason, strict=True))

    return mark
