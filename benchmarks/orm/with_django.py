"""Django's models."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from .data import BULK


class Django:
    """Django, configured with this database alone."""

    name = "django"
    is_async = False

    def __init__(self, vendor: str, url: str) -> None:
        import django
        from django.conf import settings

        parts = urlsplit(url)
        database = (
            {"ENGINE": "django.db.backends.sqlite3", "NAME": url}
            if vendor == "sqlite"
            else {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": parts.path[1:],
                "USER": parts.username,
                "HOST": parts.hostname,
                "PORT": parts.port,
                "CONN_MAX_AGE": None,
            }
        )
        settings.configure(
            DATABASES={"default": database}, INSTALLED_APPS=[], DEFAULT_AUTO_FIELD="django.db.models.BigAutoField"
        )
        django.setup()
        from django.db import models

        class Artist(models.Model):
            name = models.CharField(max_length=100)
            country = models.CharField(max_length=40)

            class Meta:
                app_label = "bench"
                db_table = "bench_artist"

        class Record(models.Model):
            title = models.CharField(max_length=200)
            year = models.IntegerField()
            price = models.FloatField()
            artist = models.ForeignKey(Artist, on_delete=models.CASCADE, related_name="records")

            class Meta:
                app_label = "bench"
                db_table = "bench_record"

        class Note(models.Model):
            text = models.CharField(max_length=200)
            count = models.IntegerField()

            class Meta:
                app_label = "bench"
                db_table = "bench_note"

        self.models = models
        self.Artist, self.Record, self.Note = Artist, Record, Note
        self.one: Any = None

    def get(self) -> str:
        return self.Record.objects.get(pk=42).title

    def filtered(self) -> int:
        return len(self.Record.objects.filter(artist=3, id__gt=100).order_by("id")[:20])

    def thousand(self) -> int:
        return len(self.Record.objects.order_by("id")[:1000])

    def values(self) -> int:
        return len(self.Record.objects.order_by("id").values_list("title", flat=True)[:1000])

    def joined(self) -> int:
        rows = self.Record.objects.select_related("artist").filter(year__gt=1950).order_by("id")[:20]
        return len([row.artist.name for row in rows])

    def _prefetched(self, low: int, high: int) -> int:
        found = self.Artist.objects.filter(id__gte=low, id__lte=high).order_by("id").prefetch_related("records")
        return sum(len(artist.records.all()) for artist in found)

    def prefetch_few(self) -> int:
        return self._prefetched(1, 20)

    def prefetch_many(self) -> int:
        return self._prefetched(21, 120)

    def insert(self) -> None:
        self.Note(text="a note", count=5).save()

    def bulk(self) -> int:
        return len(self.Note.objects.bulk_create([self.Note(text=f"note {n}", count=n) for n in range(BULK)]))

    def update(self) -> int:
        if self.one is None:
            self.one = self.Note.objects.get(pk=1)
        self.one.text, self.one.count = "changed", 6
        self.one.save()
        return 1

    def count(self) -> int:
        return self.Record.objects.filter(id__lte=1000).count()

    def grouped(self) -> int:
        models = self.models
        return len(
            self.Record.objects.values("artist_id").annotate(count=models.Count("id"), latest=models.Max("year"))
        )
