"""Papers of every kind of value, for what comes from outside."""

from __future__ import annotations

from decimal import Decimal

from segue import db


class Owner(db.Model):
    name = db.CharField(max_length=200)
    age = db.IntegerField(null=True)


class Paper(db.Model):
    title = db.CharField(max_length=200)
    pages = db.IntegerField(default=1)
    weight = db.FloatField(default=1.0)
    price = db.DecimalField(max_digits=8, decimal_places=2, default=Decimal(1))
    open = db.BooleanField(default=True)
    at = db.DateTimeField(null=True)
    day = db.DateField(null=True)
    data = db.JSONField(default=dict)
    owner = db.ForeignKey(Owner, on_delete=db.CASCADE, null=True, related_name="papers")


PAPERS = [Owner, Paper]


def fill_papers():
    owner = Owner.objects.create(name="O'Brien")
    for at, title in enumerate(["50% off", "a_b", "back\\slash", "plain", "PLAIN"]):
        Paper.objects.create(title=title, pages=at, owner=owner, data={"a'b": at, 'q"q': 1, "100%": 2, "0": 3})
