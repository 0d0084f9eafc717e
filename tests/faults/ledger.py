"""What the database scenarios share: databases of their own, the ledger app on a server, and a look at its rows."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness import Options, Server
from servers import HERE as INTEGRATION
from servers import SOURCE, free_port, start
from wire import Reply, request

__all__ = ["Cluster", "Load", "address_of", "colours", "on_each", "rows_of", "serving_ledger"]

HERE = Path(__file__).parent
POSTGRESQL = os.environ.get("SEGUE_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432")
MYSQL = os.environ.get("SEGUE_TEST_MYSQL", "mysql://root@127.0.0.1:3306")


def colours(options: Options) -> tuple[str, ...]:
    """The prefixes of the routes that this interface can serve."""
    return ("d",) if options.interface == "wsgi" else ("d", "a")


@contextmanager
def address_of(vendor: str) -> Iterator[str | None]:
    """Yield the address of an empty database, dropped at the end; `None` where its server does not answer."""
    if vendor == "sqlite":
        with tempfile.TemporaryDirectory(prefix="segue-faults-") as folder:
            yield f"sqlite:///{folder}/ledger.db"
        return
    server = POSTGRESQL if vendor == "postgresql" else MYSQL
    name = f"segue_fault_{os.getpid()}_{secrets.token_hex(4)}"
    try:
        execute = _admin(vendor, server)
        execute(f"CREATE DATABASE {name}")
    except Exception:
        yield None
        return
    try:
        yield f"{server}/{name}"
    finally:
        execute(f"DROP DATABASE {name}" + (" WITH (FORCE)" if vendor == "postgresql" else ""))


def _admin(vendor: str, server: str) -> Callable[[str], Any]:
    if vendor == "postgresql":
        import psycopg

        connection: Any = psycopg.connect(f"{server}/postgres", autocommit=True, connect_timeout=3)
        return connection.execute
    from segue.db import Database

    database = Database(f"{server}/mysql")
    return database.execute


def on_each(vendors: tuple[str, ...], run: Callable[[str, str], dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Run a scenario on each database at once; those without a server say so."""

    def one(vendor: str) -> dict[str, Any]:
        with address_of(vendor) as address:
            return {"missing": True} if address is None else run(vendor, address)

    with ThreadPoolExecutor(len(vendors)) as pool:
        return dict(zip(vendors, pool.map(one, vendors), strict=True))


@contextmanager
def serving_ledger(
    options: Options, address: str, *flags: str, served: str = "", **environment: str
) -> Iterator[Server]:
    """Serve the ledger as `segue run --prod` does, on *address*; its tables are made.

    Args:
        served: The address that the app is given, where a proxy stands before the database.
    """
    make_tables(address)
    with tempfile.TemporaryDirectory(prefix="segue-faults-") as folder:
        paths = os.pathsep.join(str(each) for each in (HERE, INTEGRATION, SOURCE))
        server = start(
            f"segue-{options.interface}",
            Path(folder),
            target="ledger_app:app",
            options=list(flags),
            environment={"PYTHONPATH": paths, "DATABASE_URL": served or address, "SECRET_KEY": "k" * 40, **environment},
        )
        try:
            yield server
        finally:
            server.stop()


def make_tables(address: str) -> None:
    """Make the tables of the ledger."""
    from segue.db import Database

    os.environ.setdefault("DATABASE_URL", "sqlite://:memory:")  # for the import alone
    from ledger_app import Entry

    database = Database(address)
    database.create_all(Entry)
    database.close()


def rows_of(address: str) -> Counter[str]:
    """Return how often each key stands in the ledger: twice, if all is well."""
    from ledger_app import Entry

    from segue.db import Database

    database = Database(address)
    found: Counter[str] = Counter(Entry.objects.using(database).values_list("key", flat=True))
    database.close()
    return found


@dataclass
class Answer:
    """One request of a load and what came of it; status 0 is a connection that broke."""

    key: str
    status: int
    begun: float
    seconds: float
    bare: bool


@dataclass
class Load:
    """Clients that write to the ledger, so many requests in a second, until they are told to stop."""

    server: Server
    prefixes: tuple[str, ...]
    per_second: float
    clients: int = 16
    answers: list[Answer] = field(default_factory=list)

    def __enter__(self) -> Load:
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(self.clients)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _work(self, client: int) -> None:
        pause = self.clients / self.per_second
        number = 0
        due = time.monotonic() + pause * client / self.clients
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            # After a time without answers there is no rush to make up for it.
            due = max(due + pause, time.monotonic())
            number += 1
            key = f"{client}-{number}"
            prefix = self.prefixes[number % len(self.prefixes)]
            begun = time.monotonic()
            reply = self._ask(f"/{prefix}/ledger?key={key}")
            status = reply.status if reply is not None else 0
            bare = status == 503 and reply is not None and reply["retry-after"] is None
            self.answers.append(Answer(key, status, begun, time.monotonic() - begun, bare))

    def _ask(self, target: str) -> Reply | None:
        try:
            reply = self.server.one(request("POST", target))
        except (OSError, AssertionError, IndexError, ValueError):
            return None
        return reply if reply.whole else None

    @property
    def statuses(self) -> dict[int, int]:
        """How many answers there were of each status."""
        return dict(Counter(answer.status for answer in self.answers))

    def judge(self, rows: Counter[str]) -> dict[str, int]:
        """Compare what clients were told with what is in the database.

        Returns:
            `lost`: told that it was saved, and it is not; `doubled`; `halves`: one of a pair without the other.
        """
        saved = [answer.key for answer in self.answers if answer.status == 200]
        return {
            "acknowledged": len(saved),
            "lost": sum(key not in rows for key in saved),
            "doubled": sum(count > 2 for count in rows.values()),
            "halves": sum(count == 1 for count in rows.values()),
        }


class Cluster:
    """A PostgreSQL of one's own, to be stopped, frozen and killed."""

    def __init__(self) -> None:
        programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
        if not programs:
            raise FileNotFoundError("initdb of PostgreSQL")
        self._programs = programs[-1].parent
        self._folder = tempfile.TemporaryDirectory(prefix="segue-cluster-")
        self._port = free_port()
        os.chmod(self._folder.name, 0o777)
        self._data = f"{self._folder.name}/data"
        self._run("initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8")
        with open(f"{self._data}/postgresql.conf", "a") as config:
            config.write(
                f"port = {self._port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n"
                "shared_buffers = 16MB\nmax_connections = 100\n"
            )
        self.start()

    @property
    def address(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self._port}/postgres"

    def _run(self, program: str, *arguments: str) -> None:
        as_owner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        command = [*as_owner, str(self._programs / program), *arguments]
        # Not into a pipe: the server would keep it open.
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")

    def start(self) -> None:
        self._run("pg_ctl", "start", "-w", "-D", self._data, "-l", f"{self._data}/log")

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "stop", "-w", "-D", self._data, "-m", mode)

    def pids(self) -> list[int]:
        """The main process and all its children."""
        main = int(Path(f"{self._data}/postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        return [main, *map(int, children)]

    def freeze(self) -> None:
        """Let every process of it stand still, connections open."""
        # The main one first, so that no further child appears.
        for pid in self.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        for pid in self.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def close(self) -> None:
        with suppress(subprocess.CalledProcessError):
            self.stop()
        with suppress(OSError):
            self._folder.cleanup()
