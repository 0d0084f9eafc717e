"""Databases of tests: made once, and each test's changes taken back.

Holds: `own_databases`, an app on databases that are its tests' own; `rolled_back`;
`assert_queries`, `capture_on_commit`.
Imports: the data layer, in what uses it.
Never: touches the databases that the configuration names.
"""

# Facts, rows and models of users are of any type here.
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..app import App
    from ..db.database import Database
    from ..db.urls import DatabaseURL

__all__ = ["Queries", "assert_queries", "capture_on_commit", "emptied", "own_databases", "rolled_back"]


@contextmanager
def own_databases(app: App, *, worker: str = "", reuse: bool = False) -> Generator[None]:
    """Run the block with *app* on databases of its tests' own, with all tables made.

    Each is called `test_` and the name that the configuration has; a SQLite one is a file
    in a temporary folder.

    Args:
        worker: Of several that run at once; stands in the names.
        reuse: Whether databases stay, and are taken again as they are.
    """
    if app.config["DATABASE"] is None:
        yield
        return
    from ..db.database import Database
    from ..db.drivers.provisioning import create_database, drop_database, maintenance_url

    with ExitStack() as stack:
        folder = Path(tempfile.gettempdir()) / "segue-tests"
        if not reuse:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="segue-tests-")))
        folder.mkdir(exist_ok=True)
        urls = {name: _test_url(database.url, folder, worker) for name, database in app.own_databases().items()}
        for url in urls.values():
            server = Database(maintenance_url(url) if url.vendor != "sqlite" else url)
            stack.callback(server.close)
            create_database(url, server.execute, anew=not reuse)
            if not reuse:
                stack.callback(drop_database, url, server.execute)
        stack.enter_context(app.override_config(DATABASE={name: {"url": url} for name, url in urls.items()}))
        for database in app.own_databases().values():
            stack.callback(database.close)
            database.create_all()
        yield


def _test_url(url: DatabaseURL, folder: Path, worker: str) -> DatabaseURL:
    ending = f"_{worker}" if worker else ""
    if url.vendor == "sqlite":
        stem = "memory" if url.is_memory else Path(url.database).stem
        return dataclasses.replace(url, database=str(folder / f"test_{stem}{ending}.db"))
    return dataclasses.replace(url, database=f"test_{url.database}{ending}")


@contextmanager
def rolled_back(app: App) -> Generator[None]:
    """Run the block in a transaction of each database of *app*, and take back what it did.

    Requests that are made in the block, in threads or on loops, are inside as well.
    `on_commit` functions are not called; see `capture_on_commit`.
    """
    with ExitStack() as stack:
        if app.config["DATABASE"] is not None:
            for database in app.own_databases().values():
                stack.enter_context(database.atomic())
                stack.callback(database.set_rollback, True)  # noqa: FBT003  # Django's
        yield


@contextmanager
def emptied(app: App) -> Generator[None]:
    """Run the block with real commits; its tables are dropped and made anew afterwards."""
    try:
        yield
    finally:
        if app.config["DATABASE"] is not None:
            for database in app.own_databases().values():
                database.drop_all()
                database.create_all()


class Queries(Sequence[str]):
    """The statements that a block made, with the lines that made them."""

    def __init__(self) -> None:
        self.statements: list[tuple[str, str]] = []

    def __len__(self) -> int:
        return len(self.statements)

    def __getitem__(self, index: Any) -> Any:
        return [sql for sql, _ in self.statements][index]

    def __str__(self) -> str:
        return "\n".join(f"  {number}. {sql}\n     {place}" for number, (sql, place) in enumerate(self.statements, 1))

    def note(self, prepared: Any, parameters: Sequence[Any], seconds: float) -> None:
        """Remember one statement."""
        from ..db.places import place_of_caller

        self.statements.append((" ".join(prepared.sql.split()), place_of_caller()))


@contextmanager
def assert_queries(count: int) -> Generator[Queries]:
    """Check that the block makes exactly *count* queries; requests in it count too.

    >>> with assert_queries(0) as queries:
    ...     pass
    """
    from ..db.observing import watching

    __tracebackhide__ = True
    queries = Queries()
    with watching(queries.note):
        yield queries
    if len(queries) != count:
        raise AssertionError(f"The block made {len(queries)} queries, not {count}:\n{queries}")


@contextmanager
def capture_on_commit(database: Database | None = None, *, execute: bool = False) -> Generator[list[Callable[[], Any]]]:
    """Collect the functions that the block gives to `on_commit`, inside a test's transaction.

    Args:
        database: `None` is the current one.
        execute: Whether they are called at the end of the block, as a commit would.
    """
    from ..db.current import current_database
    from ..db.transactions import find_transaction
    from ..errors import UsageError

    found: list[Callable[[], Any]] = []
    transaction = find_transaction(current_database(database))
    if transaction is None:
        raise UsageError(
            "capture_on_commit() outside of a transaction.",
            code="testing/no-transaction",
            why="Outside of one, functions given to on_commit() run at once.",
            hint="Use it in a test whose changes are rolled back: with the fixture `segue_app`.",
        )
    before = len(transaction.callbacks)
    yield found
    found.extend(callback.function for callback in transaction.callbacks[before:])
    if execute:
        for function in found:
            function()
