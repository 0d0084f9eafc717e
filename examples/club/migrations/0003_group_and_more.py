"""Create auth.Group, and 7 more.

Made on 2026-11-25 04:39 UTC.
"""

from segue import db
from segue.db import functions, migrations

parents = ["0002_rename_club_member"]

operations = [
    migrations.create_table(
        "auth.Group",
        fields={
            "id": db.BigAutoField(),
            "name": db.CharField(max_length=150, unique=True),
            "permissions": db.JSONField(default=list),
        },
        table="auth_group",
    ),
    migrations.create_table(
        "auth.MailedToken",
        fields={
            "digest": db.CharField(max_length=64, primary_key=True),
            "purpose": db.CharField(max_length=30),
            "owner": db.CharField(max_length=64, db_index=True),
            "address": db.CharField(max_length=254, default=""),
            "fingerprint": db.CharField(max_length=64),
            "expires_at": db.DateTimeField(db_index=True),
        },
        table="auth_mailed_token",
    ),
    migrations.create_table(
        "auth.RememberedLogin",
        fields={
            "series": db.CharField(max_length=32, primary_key=True),
            "token": db.CharField(max_length=64),
            "previous": db.CharField(max_length=64, default=""),
            "owner": db.CharField(max_length=64, db_index=True),
            "backend": db.CharField(max_length=255),
            "bond": db.BinaryField(),
            "created": db.DateTimeField(),
            "used": db.DateTimeField(),
            "expires": db.DateTimeField(db_index=True),
        },
        table="auth_remembered_login",
    ),
    migrations.create_table(
        "auth.SecondFactor",
        fields={
            "owner": db.CharField(max_length=64, primary_key=True),
            "secret": db.CharField(max_length=64),
            "last_used": db.BigIntegerField(null=True, default=None),
            "recovery": db.JSONField(default=list),
            "confirmed_at": db.DateTimeField(null=True, default=None),
        },
        table="auth_second_factor",
    ),
    migrations.create_table(
        "club.Member",
        fields={
            "id": db.BigAutoField(),
            "password": db.CharField(max_length=512),
            "last_login": db.DateTimeField(null=True),
            "email": db.EmailField(max_length=254),
            "username": db.CharField(max_length=150, null=True, default=None),
            "first_name": db.CharField(max_length=150),
            "last_name": db.CharField(max_length=150),
            "is_staff": db.BooleanField(default=False),
            "is_superuser": db.BooleanField(default=False),
            "is_active": db.BooleanField(default=True),
            "date_joined": db.DateTimeField(default=migrations.reference("segue.clock:today")),
            "user_permissions": db.JSONField(default=list),
            "instrument": db.CharField(max_length=60),
        },
        table="club_member",
        constraints=[
            db.UniqueConstraint(functions.Lower(db.F("email")), name="club_member_email"),
            db.UniqueConstraint(functions.Lower(db.F("username")), name="club_member_username"),
        ],
    ),
    migrations.create_table(
        "club.Reservation",
        fields={
            "id": db.BigAutoField(),
            "concert": db.ForeignKey("club.concert", on_delete=db.CASCADE, related_name="reservations"),
            "member": db.ForeignKey("club.member", on_delete=db.CASCADE, related_name="reservations"),
            "seats": db.PositiveIntegerField(),
        },
        table="club_reservation",
        constraints=[db.UniqueConstraint(db.F("concert"), db.F("member"), name="one_reservation")],
    ),
    migrations.create_table(
        "sessions.SessionRow",
        fields={
            "key": db.CharField(max_length=64, primary_key=True),
            "data": db.BinaryField(),
            "created": db.DateTimeField(),
            "seen": db.DateTimeField(),
            "expires": db.DateTimeField(db_index=True),
            "version": db.IntegerField(default=0),
            "owner": db.CharField(max_length=64, default="", db_index=True),
        },
        table="session",
    ),
    migrations.add_column("club.Member", "groups", db.ManyToManyField("auth.group", related_name="+")),
]
