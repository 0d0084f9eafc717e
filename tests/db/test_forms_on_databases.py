"""Forms of models and formsets on every database: what is refused is refused before it gets there."""

from __future__ import annotations

from typing import Any

import pytest

from segue import db, forms
from segue.db.database import Database


class Artist(db.Model):
    name = db.CharField(max_length=20, unique=True)


class Album(db.Model):
    title = db.CharField(max_length=20)
    price = db.DecimalField(max_digits=5, decimal_places=2, default=0)
    tracks = db.IntegerField(default=1)
    notes = db.JSONField(null=True)
    artist = db.ForeignKey(Artist, on_delete=db.CASCADE, related_name="albums")
    is_featured = db.BooleanField(default=False)


class AlbumForm(forms.ModelForm):
    class Meta:
        model = Album
        fields = ["title", "price", "tracks", "notes", "artist"]


class ArtistForm(forms.ModelForm):
    class Meta:
        model = Artist
        fields = ["name"]


@pytest.fixture
def artist(database: Database) -> Artist:
    database.create_all(Artist, Album)
    return Artist.objects.create(name="Duke")


def good(artist: Artist, /, **changed: Any) -> dict[str, Any]:
    return {"title": "Indigos", "price": "9.99", "tracks": "10", "notes": '{"a": [1]}', "artist": artist.pk} | changed


def test_a_good_form_is_saved_and_read_back(artist: Artist) -> None:
    form = AlbumForm(good(artist, title="Café ☃ 𝄞"))

    assert form.is_valid()
    form.save()

    album = Album.objects.get()
    assert (album.title, str(album.price), album.notes) == ("Café ☃ 𝄞", "9.99", {"a": [1]})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("title", "x" * 21),
        ("title", "a\0b"),
        ("title", "\ud800"),
        ("price", "1E+1000000"),
        ("price", "nan"),
        ("price", "1000.00"),
        ("tracks", "9" * 19),
        ("tracks", "2147483648"),
        ("tracks", "1_0"),
        ("notes", '"\\u0000"'),
        ("notes", "1e999"),
        ("notes", '{"a": "\\ud800"}'),
        ("artist", "999999"),
        ("artist", "9" * 40),
        ("artist", "1 OR 1=1"),
        ("artist", ["1", "2"]),
        ("artist", "\0"),
    ],
)
def test_a_bad_value_is_an_error_of_its_field(artist: Artist, name: str, value: Any) -> None:
    form = AlbumForm(good(artist, **{name: value}))

    assert not form.is_valid()
    assert list(form.errors) == [name]
    assert Album.objects.count() == 0


@pytest.mark.parametrize(
    "extra",
    [
        {"is_featured": "on"},
        {"id": "77"},
        {"pk": "77"},
        {"artist__name": "Stolen"},
        {"__class__": "x"},
        {"IS_FEATURED": "on"},
        {"is_featured ": "on"},
    ],
)
def test_what_is_not_listed_is_not_written(artist: Artist, extra: dict[str, str]) -> None:
    form = AlbumForm({**good(artist), **extra})

    form.save() if form.is_valid() else pytest.fail(str(form.errors))

    album = Album.objects.select_related("artist").get()
    assert (album.is_featured, album.artist.name, album.pk == 77) == (False, "Duke", False)


def test_a_unique_value_that_is_taken_is_an_error_of_its_field(artist: Artist) -> None:
    form = ArtistForm({"name": "Duke"})

    assert not form.is_valid()
    assert list(form.errors) == ["name"]


Albums = forms.inlineformset_factory(Artist, Album, fields=["title"], extra=1, can_delete=True)


@pytest.mark.parametrize("key", ["theirs", "999999", "x", "9" * 40, "1\0", ""])
@pytest.mark.parametrize("row", [{"title": "Stolen"}, {"title": "Stolen", "DELETE": "on"}])
def test_a_row_of_another_is_untouched(artist: Artist, key: str, row: dict[str, str]) -> None:
    other = Artist.objects.create(name="Other")
    theirs = Album.objects.create(title="Theirs", artist=other)
    sent = {
        "albums-TOTAL_FORMS": "1",
        "albums-INITIAL_FORMS": "1",
        "albums-0-id": theirs.pk if key == "theirs" else key,
    }
    formset = Albums({**sent, **{f"albums-0-{name}": value for name, value in row.items()}}, instance=artist)

    assert not formset.is_valid()
    assert [each.title for each in Album.objects.all()] == ["Theirs"]


def test_one_row_is_changed_one_deleted_and_one_added(artist: Artist) -> None:
    first = Album.objects.create(title="First", artist=artist)
    second = Album.objects.create(title="Second", artist=artist)
    formset = Albums(
        {
            "albums-TOTAL_FORMS": "3",
            "albums-INITIAL_FORMS": "2",
            "albums-0-id": first.pk,
            "albums-0-title": "Changed",
            "albums-1-id": second.pk,
            "albums-1-title": "Second",
            "albums-1-DELETE": "on",
            "albums-2-title": "New",
        },
        instance=artist,
    )

    assert formset.is_valid(), formset.errors
    formset.save()

    assert [each.title for each in Album.objects.order_by("pk")] == ["Changed", "New"]
