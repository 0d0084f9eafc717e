"""A stream that a forked process has of its parent: it stays the parent's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from segue.db.database import Database

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

BEGIN = f"""
import contextlib, os, sys
sys.path.insert(0, {str(Path(__file__).parents[2] / "src")!r})
from segue.db.database import Database
from segue.db.steps import Prepared
database = Database(sys.argv[1])
with contextlib.ExitStack() as around:
    if sys.argv[2] == "inside":
        around.enter_context(database.atomic())
    stream = database.stream(Prepared("SELECT n FROM numbers ORDER BY n"), (), 2)
    count = len(next(stream))
    child = os.fork()
    if not child:
"""
END = """
        os._exit(database.statistics()["threads"]["idle"])
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(status, count + sum(len(rows) for rows in stream))
"""


@pytest.mark.parametrize("place", ["inside", "outside"])
@pytest.mark.parametrize("end", ["stream.close()", "del stream"])
def test_a_forked_child_that_ends_a_stream_leaves_it_to_its_parent(
    database: Database, database_url: str, place: str, end: str
) -> None:
    database.execute("CREATE TABLE numbers (n INTEGER PRIMARY KEY)")
    database.execute("INSERT INTO numbers (n) VALUES (:n)", [{"n": n} for n in range(10)])
    script = f"{BEGIN}        {end}{END}"

    command = [sys.executable, "-c", script, database_url, place]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert done.stdout == "0 10\n", done.stderr
