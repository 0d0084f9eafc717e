"""X18: kill -9 at twenty points of `segue migrate`; a second run completes, and not a row is lost."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from harness import Options, Verdict, main

POSTGRESQL = os.environ.get("SEGUE_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432")
MYSQL = os.environ.get("SEGUE_TEST_MYSQL", "mysql://root@127.0.0.1:3306")

APP = """
import os
from segue import App, db

app = App(__name__, database=os.environ["SCENARIO_DATABASE"])


class Musician(db.Model):
    name = db.CharField(max_length=50)


class Record(db.Model):
    title = db.CharField(max_length=100)
    number = db.IntegerField()
    leader = db.ForeignKey(Musician, on_delete=db.CASCADE, related_name="records")
"""

SECOND = """
from segue import db
from segue.db import migrations

parents = ["0001_initial"]


def fill(models, records):
    for record in records:
        record.title = record.title.upper()
    models.Record.objects.bulk_update(records, ["title"])


atomic = False
operations = [migrations.run_batches("Record", fill, size=500)]
"""

THIRD = """
from segue import db
from segue.db import migrations

parents = ["0002_fill"]


def count(models):
    models.Record.objects.filter(number__gt=0).update(number=db.F("number") + 1)


operations = [
    migrations.add_column("Record", "size", db.IntegerField(), fill=7),
    migrations.alter_column("Record", "number", db.BigIntegerField()),
    migrations.run_python(count),
    migrations.add_index("Record", db.Index(fields=["size"], name="ix_size")),
    migrations.add_constraint("Record", db.UniqueConstraint(fields=["title"], name="uq_title")),
    migrations.rename_table("Record", "Album"),
]
"""


class Place:
    """A database, filled once, and set back before each kill."""

    def __init__(self, vendor: str, folder: Path, rows: int) -> None:
        self.vendor = vendor
        self.folder = folder
        self.rows = rows
        self.name = f"segue_x18_{os.getpid()}_{secrets.token_hex(3)}"
        server = {"postgresql": POSTGRESQL, "mysql": MYSQL}.get(vendor, "")
        self.url = f"sqlite:///{folder}/club.db" if vendor == "sqlite" else f"{server}/{self.name}"
        self.kept = folder / "filled.db"
        self._admin: Any = None
        if vendor == "postgresql":
            import psycopg

            self._admin = psycopg.connect(f"{POSTGRESQL}/postgres", autocommit=True, connect_timeout=3)
            self._run(f"CREATE DATABASE {self.name}")
        elif vendor == "mysql":
            import pymysql

            parts = urlsplit(MYSQL)
            self._admin = pymysql.connect(
                host=parts.hostname, port=parts.port or 3306, user=parts.username, password=parts.password or "",
                autocommit=True, connect_timeout=3,
            )  # fmt: skip
            self._run(f"CREATE DATABASE {self.name}")

    def _run(self, sql: str) -> None:
        self._admin.cursor().execute(sql)

    def database(self) -> Any:
        from segue.db.database import Database

        return Database(self.url)

    def fill(self) -> None:
        """Migrate to the first migration, add the rows, keep a copy."""
        self.migrate("0001").check_returncode()
        database = self.database()
        with database.atomic():
            database.execute("INSERT INTO musician (id, name) VALUES (1, 'Duke')")
            for begin in range(0, self.rows, 1000):
                values = ", ".join(
                    f"('t{number}', {number}, 1)" for number in range(begin, min(begin + 1000, self.rows))
                )
                database.execute(f"INSERT INTO record (title, number, leader_id) VALUES {values}")
        database.close()
        if self.vendor == "sqlite":
            shutil.copy(self.folder / "club.db", self.kept)
        elif self.vendor == "postgresql":
            self._run(f"CREATE DATABASE {self.name}_kept TEMPLATE {self.name}")
        else:
            self._copy(self.name, f"{self.name}_kept")

    def reset(self) -> None:
        """Bring the filled database back."""
        if self.vendor == "sqlite":
            for each in self.folder.glob("club.db*"):
                each.unlink()
            shutil.copy(self.kept, self.folder / "club.db")
        elif self.vendor == "postgresql":
            self._run(f"DROP DATABASE {self.name} WITH (FORCE)")
            self._run(f"CREATE DATABASE {self.name} TEMPLATE {self.name}_kept")
        else:
            self._run(f"DROP DATABASE {self.name}")
            self._copy(f"{self.name}_kept", self.name)

    def _copy(self, source: str, target: str) -> None:
        self._run(f"CREATE DATABASE {target}")
        self._run("SET foreign_key_checks = 0")
        cursor = self._admin.cursor()
        cursor.execute(f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{source}'")
        for (table,) in cursor.fetchall():
            cursor.execute(f"SHOW CREATE TABLE {source}.{table}")
            self._run(f"USE {target}")
            self._run(cursor.fetchone()[1])
            self._run(f"INSERT INTO {target}.{table} SELECT * FROM {source}.{table}")
        self._run("SET foreign_key_checks = 1")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        environment = {**os.environ, "SCENARIO_DATABASE": self.url, "PYTHONUNBUFFERED": "1"}
        return subprocess.Popen(
            [sys.executable, "-m", "segue", "migrate", "--skip-checks", *arguments],
            cwd=self.folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def migrate(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=280)
        return subprocess.CompletedProcess(process.args, process.returncode, output)

    def seen(self) -> tuple[int, str]:
        """How many rows there are, and the checksum of what is in them."""
        database = self.database()
        sql = "SELECT id, title, number, size, leader_id FROM album ORDER BY id"
        rows = [tuple(row) for row in database.execute(sql)]
        database.close()
        return len(rows), hashlib.sha256(repr(rows).encode()).hexdigest()[:16]

    def drop(self) -> None:
        if self._admin is not None:
            force = " WITH (FORCE)" if self.vendor == "postgresql" else ""
            for name in (self.name, f"{self.name}_kept"):
                self._run(f"DROP DATABASE IF EXISTS {name}{force}")
            self._admin.close()


@contextmanager
def place(vendor: str, rows: int) -> Iterator[Place]:
    with tempfile.TemporaryDirectory(prefix="segue-x18-") as folder:
        root = Path(folder)
        (root / "app.py").write_text(APP)
        here = Place(vendor, root, rows)
        try:
            _make(root, here.url)
            (root / "migrations" / "0002_fill.py").write_text(SECOND)
            (root / "migrations" / "0003_all.py").write_text(THIRD)
            _make(root, here.url, "--resnapshot")
            here.fill()
            yield here
        finally:
            here.drop()


def _make(root: Path, url: str, *options: str) -> None:
    command = [sys.executable, "-m", "segue", "makemigrations", *options]
    environment = {**os.environ, "SCENARIO_DATABASE": url}
    subprocess.run(command, cwd=root, env=environment, capture_output=True, check=True)


def kill_at(here: Place, seconds: float) -> bool:
    """Kill a migration so long after its first line; whether it was still running."""
    process = here.start()
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(seconds)
    is_running = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return is_running


def again(here: Place) -> list[int]:
    """Two more at once: one waits for the other, or both have nothing to do."""
    both = [here.start(), here.start()]
    codes: list[int] = []
    for each in both:
        output, _ = each.communicate(timeout=280)
        codes.append(each.returncode)
        if each.returncode:
            print(output, file=sys.stderr)
    return codes


def rehearse(vendor: str, rows: int, points: int, chance: Callable[[], float]) -> dict[str, Any]:
    with place(vendor, rows) as here:
        here.reset()
        process = here.start()
        assert process.stdout is not None
        process.stdout.readline()
        begun = time.monotonic()
        output, _ = process.communicate(timeout=280)
        length = time.monotonic() - begun
        assert process.returncode == 0, output
        wanted = here.seen()
        killed = completed = equal = 0
        for point in range(points):
            # On a busy machine one run is no measure of the next: one that had ended is done over, sooner.
            for _ in range(10):
                here.reset()
                if kill_at(here, length * (point + chance()) / points):
                    killed += 1
                    break
                length *= 0.8
            completed += again(here) == [0, 0]
            equal += here.seen() == wanted
        return {"points": points, "killed": killed, "completed": completed, "equal": equal, "rows": wanted[0]}


def run(options: Options) -> Verdict:
    """Kill migrations of a filled table, on each database that answers."""
    rows, points = (2_000, 1) if options.quick else (100_000, 20)
    chance = options.chance().random
    figure: dict[str, Any] = {}
    for vendor in ("sqlite", "postgresql", "mysql"):
        try:
            figure[vendor] = rehearse(vendor, rows, points, chance)
        except OSError as error:
            return Verdict({"missing": f"{vendor}: {error}"}, {}, passed=False)
    target = {"killed": points, "completed": points, "equal": points, "rows": rows}
    passed = all(each[name] == wanted for each in figure.values() for name, wanted in target.items())
    return Verdict(figure, target, passed)


if __name__ == "__main__":
    main("X18", run)
