"""Create club.Concert, and 4 more.

Made on 2026-11-24 21:14 UTC.
"""

from segue import db
from segue.db import migrations

parents = []

operations = [
    migrations.create_table(
        "club.Concert",
        fields={
            "id": db.BigAutoField(),
            "title": db.CharField(max_length=200),
            "starts": db.DateTimeField(db_index=True),
            "seats": db.PositiveIntegerField(),
            "price": db.DecimalField(max_digits=6, decimal_places=2),
        },
        table="club_concert",
    ),
    migrations.create_table(
        "club.Member",
        fields={
            "id": db.BigAutoField(),
            "name": db.CharField(max_length=100),
            "since": db.IntegerField(),
        },
        table="club_member",
    ),
    migrations.create_table(
        "club.Musician",
        fields={
            "id": db.BigAutoField(),
            "name": db.CharField(max_length=100),
            "slug": db.SlugField(max_length=50, unique=True),
            "instrument": db.CharField(max_length=60, db_index=True),
            "born": db.DateField(),
            "about": db.TextField(),
        },
        table="club_musician",
    ),
    migrations.create_table(
        "club.Record",
        fields={
            "id": db.BigAutoField(),
            "title": db.CharField(max_length=200),
            "leader": db.ForeignKey("club.musician", on_delete=db.CASCADE, related_name="records"),
            "year": db.IntegerField(),
            "label": db.CharField(max_length=100),
        },
        table="club_record",
    ),
    migrations.add_column(
        "club.Concert",
        "musicians",
        db.ManyToManyField("club.musician", related_name="concerts"),
    ),
]
