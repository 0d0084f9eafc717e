"""Several forms in one page: what is read, refused, saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from segue import App, db, forms
from segue.errors import SetupError, UsageError, ValidationError


class Musician(db.Model):
    name = db.CharField(max_length=100)


class Song(db.Model):
    title = db.CharField(max_length=50)
    minutes = db.IntegerField(default=3)
    musician = db.ForeignKey(Musician, on_delete=db.CASCADE, related_name="songs")

    class Meta:
        unique_together = [("title", "musician")]


MODELS = [Musician, Song]


class Article(forms.Form):
    title = forms.CharField()
    pages = forms.IntegerField(required=False)


def sent(prefix: str, total: Any, initial: Any, *rows: dict[str, Any]) -> dict[str, Any]:
    data = {f"{prefix}-TOTAL_FORMS": total, f"{prefix}-INITIAL_FORMS": initial}
    return data | {f"{prefix}-{at}-{name}": value for at, row in enumerate(rows) for name, value in row.items()}


Articles = forms.formset_factory(Article, extra=2)


# Plain formsets


def test_forms_to_fill_in_are_the_initial_ones_and_some_more() -> None:
    formset = Articles(initial=[{"title": "One"}])

    assert len(formset) == 3
    assert [form["title"].value() for form in formset] == ["One", None, None]
    assert 'name="form-TOTAL_FORMS" value="3"' in str(formset)
    assert 'name="form-0-title" value="One"' in str(formset)
    assert "form-__prefix__-title" in str(formset.empty_form)


def test_each_form_is_checked_and_empty_new_ones_are_not() -> None:
    formset = Articles(sent("form", "3", "0", {"title": "One"}, {"title": "", "pages": "2"}, {}))

    assert not formset.is_valid()
    assert formset.errors == [{}, {"title": ["This field is required."]}, {}]
    assert formset.faults[0].path == (1, "title")
    assert formset.total_error_count() == 1


def test_good_forms_have_clean_values(call: Callable[..., Any]) -> None:
    formset = Articles(sent("form", "2", "0", {"title": "One"}, {"title": "Two", "pages": "2"}))

    assert call(formset.is_valid)
    assert formset.cleaned_data == [{"title": "One", "pages": None}, {"title": "Two", "pages": 2}]


@pytest.mark.parametrize(
    ("total", "initial"),
    [("1000000", "0"), ("-1", "0"), ("x", "0"), (None, None), ("1", "5"), ("9" * 30, "0"), ("1", "-1"), (["1"], "0")],
)
def test_a_count_that_cannot_be_is_an_error_of_the_formset(total: Any, initial: Any) -> None:
    formset = Articles(sent("form", total, initial, {"title": "One"}))

    assert not formset.is_valid()
    assert formset.non_form_errors().as_data()[0].code == "missing_management_form"
    assert len(formset.forms) == 0
    assert "errorlist" in str(formset)


@pytest.mark.parametrize(
    ("options", "code"),
    [({"max_num": 1, "validate_max": True}, "too_many_forms"), ({"min_num": 3, "validate_min": True}, "too_few_forms")],
)
def test_too_many_or_too_few_are_an_error(options: dict[str, Any], code: str) -> None:
    data = sent("form", "2", "0", {"title": "One"}, {"title": "Two"})
    formset = forms.formset_factory(Article, **options)(data)

    assert formset.non_form_errors().as_data()[0].code == code


def test_forms_are_ordered_and_deleted() -> None:
    Sorted = forms.formset_factory(Article, can_order=True, can_delete=True)
    formset = Sorted(
        sent(
            "form",
            "3",
            "3",
            {"title": "One", "ORDER": "2"},
            {"title": "Two", "ORDER": "1"},
            {"title": "", "ORDER": "3", "DELETE": "on"},
        ),
        initial=[{"title": "One"}, {"title": "Two"}, {"title": "Three"}],
    )

    assert formset.is_valid()
    assert [form.cleaned_data["title"] for form in formset.ordered_forms] == ["Two", "One"]
    assert formset.deleted_forms == [formset.forms[2]]


def test_the_formset_checks_what_concerns_several_forms(call: Callable[..., Any]) -> None:
    class Distinct(forms.BaseFormSet):
        def clean(self) -> None:
            titles = [form.cleaned_data.get("title") for form in self.forms]
            if len(set(titles)) < len(titles):
                raise ValidationError("Each title once.", "twice")

    formset = forms.formset_factory(Article, Distinct)(sent("form", "2", "0", {"title": "A"}, {"title": "A"}))

    assert not call(formset.is_valid)
    assert formset.non_form_errors() == ["Each title once."]


def test_limits_that_cannot_be_are_an_error_at_definition() -> None:
    with pytest.raises(SetupError, match="absolute_max"):
        forms.formset_factory(Article, max_num=3, absolute_max=2)


def test_a_parameter_is_a_formset_bound_to_the_body() -> None:
    app = App("forms_app", static_folder=None, template_folder=None)

    @app.post("/")
    def handler(articles: Articles) -> Any:
        return {"valid": articles.is_valid(), "titles": [each["title"] for each in articles.cleaned_data]}

    response = app.test_client().post("/", data=sent("form", "1", "0", {"title": "One"}))

    assert response.json == {"valid": True, "titles": ["One"]}


# Rows


@pytest.fixture
def nina(database: Any) -> Musician:
    nina = Musician.objects.create(name="Nina")
    Song.objects.bulk_create([Song(title=title, musician=nina) for title in ("One", "Two", "Three")])
    return nina


def keys(nina: Musician) -> list[str]:
    return [str(song.pk) for song in Song.objects.filter(musician=nina).order_by("pk")]


Songs = forms.inlineformset_factory(Musician, Song, fields=["title", "minutes"], extra=1)


def test_one_of_three_is_deleted_one_changed_and_one_added(nina: Musician, call: Callable[..., Any]) -> None:
    one, two, three = keys(nina)
    data = sent(
        "songs",
        "4",
        "3",
        {"id": one, "title": "One", "minutes": "3"},
        {"id": two, "title": "Two", "minutes": "3", "DELETE": "on"},
        {"id": three, "title": "Drei", "minutes": "3"},
        {"title": "Four", "minutes": "9"},
    )
    formset = Songs(data, instance=nina)

    assert call(formset.is_valid), formset.errors
    saved = call(formset.save)

    rows = [(song.title, song.minutes, song.musician_id) for song in Song.objects.order_by("pk")]
    assert rows == [("One", 3, nina.pk), ("Drei", 3, nina.pk), ("Four", 9, nina.pk)]
    assert [song.title for song in saved] == ["Drei", "Four"]
    assert [song.title for song in formset.new_objects] == ["Four"]
    assert [(song.title, names) for song, names in formset.changed_objects] == [("Drei", ["title"])]
    assert [song.title for song in formset.deleted_objects] == ["Two"]


def test_the_rows_are_shown_with_their_keys(nina: Musician) -> None:
    html = str(Songs(instance=nina))

    assert f'name="songs-1-id" value="{keys(nina)[1]}"' in html
    assert 'name="songs-TOTAL_FORMS" value="4"' in html
    assert 'name="songs-INITIAL_FORMS" value="3"' in html


@pytest.mark.parametrize("key", ["foreign", "999", "x", "", "1\0", "9" * 40, "1" * 10_000])
@pytest.mark.parametrize("row", [{"title": "Stolen"}, {"title": "Stolen", "DELETE": "on"}])
def test_a_row_that_is_not_in_the_queryset_is_untouched(
    nina: Musician, call: Callable[..., Any], key: str, row: dict[str, str]
) -> None:
    other = Musician.objects.create(name="Other")
    theirs = Song.objects.create(title="Theirs", musician=other)
    chosen = str(theirs.pk) if key == "foreign" else key
    formset = Songs(sent("songs", "1", "1", {"id": chosen, "minutes": "3", **row}), instance=nina)

    assert not call(formset.is_valid)
    assert formset.forms[0].has_error(None, "invalid_choice")
    with pytest.raises(UsageError):
        call(formset.save)
    assert Song.objects.get(pk=theirs.pk).title == "Theirs"
    assert Song.objects.count() == 4


def test_a_key_that_came_twice_counts_once(nina: Musician, call: Callable[..., Any]) -> None:
    one = keys(nina)[0]
    formset = Songs(
        sent("songs", "2", "2", {"id": one, "title": "A", "minutes": "1"}, {"id": one, "title": "B", "minutes": "1"}),
        instance=nina,
    )

    assert not call(formset.is_valid)
    assert formset.forms[1].has_error(None, "invalid_choice")


def test_edit_only_makes_no_new_row(nina: Musician, call: Callable[..., Any]) -> None:
    Edited = forms.modelformset_factory(Song, fields=["title"], edit_only=True)
    one = keys(nina)[0]
    formset = Edited(
        sent("form", "2", "1", {"id": one, "title": "Eins"}, {"title": "New"}),
        queryset=Song.objects.filter(musician=nina),
    )

    assert call(formset.is_valid)
    call(formset.save)

    assert Song.objects.count() == 3
    assert Song.objects.get(pk=one).title == "Eins"


def test_what_is_unique_within_the_parent_is_checked(nina: Musician, call: Callable[..., Any]) -> None:
    formset = Songs(sent("songs", "1", "0", {"title": "Two", "minutes": "1"}), instance=nina)

    assert not call(formset.is_valid)
    assert formset.forms[0].has_error(None, "unique_together")


def test_a_failure_while_saving_undoes_all(nina: Musician, call: Callable[..., Any]) -> None:
    one = keys(nina)[0]
    data = sent(
        "songs", "3", "1",
        {"id": one, "title": "One", "minutes": "3", "DELETE": "on"},
        {"title": "Same", "minutes": "1"},
        {"title": "Same", "minutes": "1"},
    )  # fmt: skip
    formset = Songs(data, instance=nina)
    assert call(formset.is_valid)

    with pytest.raises(ValidationError):
        call(formset.save)

    assert [song.title for song in Song.objects.order_by("pk")] == ["One", "Two", "Three"]


def test_two_keys_to_the_parent_ask_for_a_name(database: Any) -> None:
    with pytest.raises(SetupError, match="no foreign key") as caught:
        forms.inlineformset_factory(Song, Musician, fields=["name"])

    assert caught.value.code == "forms/inline-key"


def test_a_formset_of_a_model_says_its_fields() -> None:
    with pytest.raises(SetupError) as caught:
        forms.modelformset_factory(Song)

    assert caught.value.code == "forms/no-fields"
