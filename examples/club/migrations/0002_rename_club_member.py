"""Rename club.Member to club.Friend.

Made on 2026-11-25 04:39 UTC.
"""

from segue.db import migrations

parents = ["0001_initial"]

operations = [
    migrations.rename_table("club.Member", "club.Friend"),
]
