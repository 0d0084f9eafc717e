"""A real standby of PostgreSQL: it says itself how far it is.

The test runs servers of its own: a primary, and a standby whose replay is stopped and resumed.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from segue import db
from segue.db.current import connect, disconnect
from segue.db.database import Database
from segue.db.sessions import this_session

MISSING_IS_FAILURE = os.environ.get("SEGUE_TEST_ALL") == "1"


class Gauge(db.Model):
    value = db.IntegerField()


def ask(database: Database, sql: str) -> Any:
    """Run SQL past Segue; return the first value."""
    with psycopg.connect(str(database.url), autocommit=True) as connection:
        row = connection.execute(sql).fetchone()  # type: ignore[call-overload]
    return row and row[0]


class Cluster(NamedTuple):
    """A primary whose copy can be held back."""

    primary: Database
    standby: Database

    def hold(self) -> None:
        """Let the copy stay as it is."""
        ask(self.standby, "SELECT pg_wal_replay_pause()")

    def resume(self) -> None:
        """Let the copy follow, and wait until it has."""
        ask(self.standby, "SELECT pg_wal_replay_resume()")
        self.follow()

    def follow(self) -> None:
        """Wait until the copy has everything."""
        reached = ask(self.primary, "SELECT pg_current_wal_insert_lsn()::text")
        for _ in range(200):
            if ask(self.standby, f"SELECT pg_last_wal_replay_lsn() >= '{reached}'::pg_lsn"):
                return
            time.sleep(0.02)  # of another process nothing else can be awaited
        pytest.fail("the standby does not follow")


def programs() -> Path | None:
    """Return the folder of PostgreSQL's own programs."""
    places = [Path(each).parent for each in (shutil.which("pg_basebackup"), shutil.which("pg_ctl")) if each]
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    names = ("initdb", "pg_ctl", "pg_basebackup")
    return next((place for place in places if all((place / name).exists() for name in names)), None)


def free_port() -> int:
    """Return a port that nobody has."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Servers:
    """The programs of PostgreSQL, run by a user who may."""

    def __init__(self, folder: Path, bin_folder: Path) -> None:
        self.folder = folder
        self._bin = bin_folder
        self._as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self._as:
            shutil.chown(folder, "postgres")
        self._started: list[Path] = []

    def run(self, name: str, *words: Any) -> None:
        """Run a program to its end."""
        command = [*self._as, str(self._bin / name), *map(str, words)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder)

    def start(self, data: Path, port: int) -> Database:
        """Start a server; return its database."""
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        self.run("pg_ctl", "-D", data, "-w", "-t", 30, "-o", options, "-l", self.folder / f"{port}.log", "start")
        self._started.append(data)
        return Database(f"postgresql://postgres@127.0.0.1:{port}/postgres")

    def stop(self) -> None:
        """Stop what was started."""
        for data in reversed(self._started):
            self.run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")


@pytest.fixture(scope="module")
def servers_of_its_own() -> Iterator[Cluster]:
    """A primary and its standby."""
    place = programs()
    may_run = os.geteuid() != 0 or (shutil.which("runuser") and "postgres" in {each.pw_name for each in pwd.getpwall()})
    if place is None or not may_run:
        if MISSING_IS_FAILURE:
            pytest.fail("needs initdb and pg_basebackup")
        pytest.skip("needs initdb and pg_basebackup, which are not installed")
    folder = Path(tempfile.mkdtemp(prefix="segue-standby-"))
    folder.chmod(0o711)
    servers = Servers(folder, place)
    try:
        main, copy = folder / "main", folder / "copy"
        ports = free_port(), free_port()
        servers.run("initdb", "-D", main, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8")
        primary = servers.start(main, ports[0])
        servers.run(
            "pg_basebackup", "-h", "127.0.0.1", "-p", ports[0], "-U", "postgres", "-D", copy, "-R", "-c", "fast"
        )
        standby = servers.start(copy, ports[1])
        cluster = Cluster(connect(primary.url), standby)
        cluster.primary.create_all(Gauge)
        cluster.primary.add_replica(standby)
        yield cluster
        disconnect()
        standby.close()
    finally:
        servers.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def cluster(servers_of_its_own: Cluster) -> Iterator[Cluster]:
    """The same, with one gauge that both know."""
    primary = servers_of_its_own.primary
    primary.execute(Gauge.table.delete())
    Gauge.objects.create(value=1)
    servers_of_its_own.follow()
    this_session().marks.clear()
    yield servers_of_its_own
    servers_of_its_own.resume()


class Clock:
    """A clock that moves at each look, so that the copy is asked each time."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.03
        return self.now


async def read(both: Any) -> int:
    """Return what the gauge says."""
    return int((await both.call(Gauge.objects.get)).value)


@pytest.mark.slow
async def test_a_standby_that_lags_is_not_asked_until_it_has_the_write(cluster: Cluster, both: Any) -> None:
    cluster.primary.replicas.clock = Clock()  # type: ignore[union-attr]
    cluster.hold()

    await both.call(Gauge.objects.update, value=2)
    while_it_lags = [await read(both) for _ in range(3)]
    is_marked = cluster.primary.replicas.choose() is None  # type: ignore[union-attr]
    cluster.resume()
    then = await read(both)

    assert while_it_lags == [2, 2, 2]
    assert is_marked
    assert then == 2
    assert cluster.primary.replicas.choose() is cluster.standby  # type: ignore[union-attr]


@pytest.mark.slow
async def test_another_session_reads_the_standby_as_it_is(cluster: Cluster, both: Any) -> None:
    cluster.hold()
    await both.call(Gauge.objects.update, value=3)
    this_session().marks.clear()

    assert await read(both) == 1


@pytest.mark.slow
async def test_a_write_in_a_transaction_is_awaited_from_its_commit(cluster: Cluster, both: Any) -> None:
    cluster.primary.replicas.clock = Clock()  # type: ignore[union-attr]

    async with both.atomic(cluster.primary):
        await both.call(Gauge.objects.update, value=4)
        cluster.hold()

    assert await read(both) == 4


@pytest.mark.slow
async def test_a_standby_refuses_no_read_of_the_model_layer(cluster: Cluster, both: Any) -> None:
    assert await both.call(Gauge.objects.count) == 1
    assert await both.call(Gauge.objects.aggregate, total=db.Sum("value")) == {"total": 1}
    assert (await both.call(Gauge.objects.first)).value == 1
