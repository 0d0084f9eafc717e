"""The models that the cases are about."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any, TypedDict

from segue import db


class Size(db.TextChoices):
    SMALL = "s", "Small"
    LARGE = "l", "Large"


class Track(TypedDict):
    title: str
    seconds: int


class Musician(db.Model):
    name = db.CharField(max_length=100)
    born = db.DateField(null=True)
    mentor = db.ForeignKey["Musician | None"]("self", on_delete=db.SET_NULL, null=True, related_name="pupils")

    records: db.Reverse[Record]
    pupils: db.Reverse[Musician]


class Tag(db.Model):
    id = db.UUIDField(primary_key=True, default=uuid.uuid4)
    word = db.SlugField(unique=True)


class RecordQuerySet(db.QuerySet["Record"]):
    def recent(self, year: int = 1950) -> RecordQuerySet:
        return self.filter(year__gte=year)

    def best(self) -> Record | None:
        return self.order_by("-rating").first()


class Published(db.Manager["Record"]):
    def get_queryset(self) -> db.QuerySet[Record]:
        return super().get_queryset().filter(is_public=True)

    def newest(self) -> Record:
        return self.latest("made")


class Record(db.Model):
    title = db.CharField(max_length=200)
    notes = db.TextField(null=True)
    year = db.IntegerField(min_value=1900)
    plays = db.BigIntegerField(null=True)
    rating = db.FloatField(default=0.0)
    price = db.DecimalField(max_digits=8, decimal_places=2)
    discount = db.DecimalField(max_digits=8, decimal_places=2, null=True)
    is_public = db.BooleanField(default=False)
    is_remastered = db.BooleanField(null=True)
    released = db.DateField()
    recorded = db.DateField(null=True)
    made = db.DateTimeField(auto_now_add=True)
    changed = db.DateTimeField(null=True)
    starts = db.TimeField(null=True)
    length = db.DurationField(default=timedelta(0))
    token = db.UUIDField(default=uuid.uuid4)
    cover = db.BinaryField(null=True)
    extra = db.JSONField(default=dict)
    tracks = db.JSONField(list[Track])
    first_track = db.JSONField(Track, null=True)
    scores = db.ArrayField(db.IntegerField())
    words = db.ArrayField(db.CharField(max_length=10), null=True)
    size = db.CharField(max_length=1, choices=Size)
    link = db.URLField(null=True)
    contact = db.EmailField()
    leader = db.ForeignKey(Musician, on_delete=db.CASCADE, related_name="records")
    producer = db.ForeignKey(Musician, on_delete=db.SET_NULL, null=True, related_name="+")
    tags = db.ManyToManyField(Tag, related_name="records")

    leader_id: db.Key[int]
    producer_id: db.Key[int | None]
    remarks: db.Reverse[Note]

    objects = RecordQuerySet.as_manager()
    published = Published()
    also = db.Manager.from_queryset(RecordQuerySet)()


class Sleeve(db.Model):
    id: db.Key[int]
    record = db.OneToOneField(Record, on_delete=db.CASCADE)
    spare = db.OneToOneField(Record, on_delete=db.SET_NULL, null=True, related_name="+")
    text = db.CharField(max_length=20)


class Note(db.Model):
    record = db.ForeignKey["Record"]("Record", on_delete=db.CASCADE, related_name="remarks")
    text = db.CharField(max_length=20)


class Shout(db.Model):
    text = db.CharField(max_length=20)

    objects = db.Manager["Shout"]()


class Member(db.Model, db.Can):
    name = db.CharField(max_length=20)


user: Any = None
