"""A form of a model asks for its fields, checks by its rules, and writes one row."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from segue import db, forms
from segue.db.budgets import query_budget
from segue.errors import SetupError, UsageError, ValidationError


class Medium(db.TextChoices):
    VINYL = "v", "Vinyl"
    TAPE = "t", "Tape"


class Leader(db.Model):
    name = db.CharField(max_length=100, unique=True)
    is_active = db.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name


class Genre(db.Model):
    name = db.CharField(max_length=50)


class Record(db.Model):
    title = db.CharField(max_length=100, help_text="As on the cover")
    year = db.IntegerField()
    medium = db.CharField(max_length=1, choices=Medium, default=Medium.VINYL)
    leader = db.ForeignKey(Leader, on_delete=db.CASCADE, limit_choices_to={"is_active": True})
    genres = db.ManyToManyField(Genre, blank=True)
    price = db.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)

    class Meta:
        unique_together = [("title", "leader")]
        constraints = [
            db.CheckConstraint(condition=db.Q(year__gte=1860), name="old", violation_error_message="Too old.")
        ]

    def clean(self) -> None:
        if self.title == "clean":
            raise ValidationError({"title": "Not that.", "price": "Nor that."})


class Account(db.Model):
    name = db.CharField(max_length=50)
    token = db.CharField(max_length=50, secret=True, default="t0k3n")
    is_staff = db.BooleanField(default=False)

    class Meta:
        privileged_fields = ["is_staff"]


class Member(Account):
    nick = db.CharField(max_length=20)

    class Meta:
        privileged_fields = ["nick"]


class Secretive(db.Model):
    name = db.CharField(max_length=50)
    owner = db.IntegerField()


class Letter(db.Model):
    subject = db.ForeignKey(Secretive, on_delete=db.CASCADE)
    copies = db.ManyToManyField(Secretive, related_name="+", blank=True)


@db.policy(Secretive, "view")
def own_only(user: Any) -> Any:
    return db.Q(owner=user.number) if user is not None else False


class Everything(db.Model):
    number = db.PositiveIntegerField()
    text = db.TextField()
    slug = db.SlugField()
    mail = db.EmailField()
    url = db.URLField()
    ip = db.GenericIPAddressField()
    yes = db.BooleanField()
    maybe = db.BooleanField(null=True)
    ratio = db.FloatField()
    key = db.UUIDField()
    data = db.JSONField()
    day = db.DateField()
    moment = db.DateTimeField()
    clock = db.TimeField()
    span = db.DurationField()
    made = db.DateTimeField(auto_now_add=True)


MODELS = [Leader, Genre, Record, Account, Member, Secretive, Letter, Everything]


class RecordForm(forms.ModelForm):
    class Meta:
        model = Record
        fields = ["title", "year", "medium", "leader", "genres", "price"]
        labels = {"title": "Name"}
        widgets = {"year": forms.TextInput(attrs={"class": "short"})}
        error_messages = {"title": {"unique_together": "Twice!"}, "year": {"required": "When?"}}


@pytest.fixture
def nina(database: Any) -> Leader:
    return Leader.objects.create(name="Nina")


def data_of(nina: Leader, **changes: Any) -> dict[str, Any]:
    return {"title": "Pastel Blues", "year": "1965", "medium": "t", "leader": str(nina.pk), **changes}


# Fields


def test_fields_follow_from_the_model(nina: Leader) -> None:
    form = RecordForm()

    assert list(form.fields) == ["title", "year", "medium", "leader", "genres", "price"]
    assert form["title"].label == "Name"
    assert form["title"].help_text == "As on the cover"
    assert 'class="short"' in str(form["year"])
    assert not form.fields["genres"].required
    assert form["medium"].value() == Medium.VINYL
    assert f'<option value="{nina.pk}">Nina</option>' in str(form["leader"])


def test_every_kind_of_field_has_one_that_reads_it(database: Any, call: Callable[..., Any]) -> None:
    form = forms.modelform_factory(Everything, fields="__all__")(
        {
            "number": "3", "text": "a\nb", "slug": "a-b", "mail": "a@b.example", "url": "b.example", "ip": "::1",
            "yes": "on", "maybe": "false", "ratio": "1.5", "key": "12345678123456781234567812345678",
            "data": '{"a": [1]}', "day": "2024-02-29", "moment": "2024-02-29T10:00", "clock": "10:30", "span": "90",
        }
    )  # fmt: skip

    assert call(form.is_valid), form.errors
    saved = Everything.objects.get(pk=call(form.save).pk)

    values = {name: getattr(saved, name) for name in form.fields}
    assert values == {
        "number": 3, "text": "a\nb", "slug": "a-b", "mail": "a@b.example", "url": "https://b.example", "ip": "::1",
        "yes": True, "maybe": False, "ratio": 1.5, "key": uuid.UUID("12345678123456781234567812345678"),
        "data": {"a": [1]}, "day": date(2024, 2, 29), "moment": datetime(2024, 2, 29, 10, tzinfo=UTC),
        "clock": time(10, 30), "span": timedelta(seconds=90),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("meta", "code", "said"),
    [
        ({}, "forms/no-fields", "fields"),
        ({"fields": ["titel"]}, "forms/unknown-model-field", "title"),
        ({"exclude": ["titel"]}, "forms/unknown-model-field", "title"),
        ({"fields": ["leader__name"]}, "forms/unknown-model-field", "leader"),
        ({"fields": ["title"], "widget": {}}, "forms/meta-option", "widgets"),
        ({"fields": "title"}, "forms/meta-option", r'fields = \["title"\]'),
        ({"fields": ["id"]}, "forms/unwritable-field", "id"),
    ],
)
def test_a_meta_that_means_nothing_is_an_error_at_definition(meta: dict[str, Any], code: str, said: str) -> None:
    with pytest.raises(SetupError, match=said) as caught:
        type("Wrong", (forms.ModelForm,), {"Meta": type("Meta", (), {"model": Record, **meta})})

    assert caught.value.code == code


@pytest.mark.parametrize("said", [{"fields": "__all__"}, {"exclude": ["id"]}])
def test_all_fields_are_no_secrets_and_no_powers(said: dict[str, Any]) -> None:
    assert list(forms.modelform_factory(Account, **said).base_fields) == ["name"]


def test_the_privileged_fields_of_parents_stay_so() -> None:
    assert list(forms.modelform_factory(Member, fields="__all__").base_fields) == ["name"]
    assert list(forms.modelform_factory(Member, fields=["nick", "is_staff"]).base_fields) == ["nick", "is_staff"]


def test_what_is_not_listed_is_not_written(database: Any) -> None:
    form = forms.modelform_factory(Account, fields="__all__")(
        {"name": "Nina", "is_staff": "on", "IS_STAFF": "on", "token": "x", "id": "77", "pk": "77", "__class__": "x"}
    )

    saved = form.save() if form.is_valid() else None

    assert saved is not None
    assert (saved.is_staff, saved.token, saved.pk) == (False, "t0k3n", 1)


# Checking


def test_a_good_form_makes_a_row(nina: Leader, call: Callable[..., Any]) -> None:
    soul = Genre.objects.create(name="Soul")
    form = RecordForm(data_of(nina, genres=[str(soul.pk)], price="9.90"))

    assert call(form.is_valid)
    record = call(form.save)

    assert Record.objects.get() == record
    assert (record.leader, record.medium, record.price) == (nina, Medium.TAPE, Decimal("9.90"))
    assert list(record.genres.all()) == [soul]


def test_a_form_changes_its_row(nina: Leader, call: Callable[..., Any]) -> None:
    record = Record.objects.create(title="Old", year=1965, leader=nina)
    form = RecordForm(data_of(nina), instance=record)

    assert call(form.is_valid)
    call(form.save)

    assert (Record.objects.get().title, Record.objects.count()) == ("Pastel Blues", 1)


def test_a_form_of_a_row_starts_with_it(nina: Leader) -> None:
    soul = Genre.objects.create(name="Soul")
    record = Record.objects.create(title="Old", year=1965, leader=nina)
    record.genres.add(soul)
    form = RecordForm(instance=record)

    assert form["title"].value() == "Old"
    assert f'<option value="{nina.pk}" selected>' in str(form["leader"])
    assert f'<option value="{soul.pk}" selected>' in str(form["genres"])


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"title": ""}, {"title": ["This field is required."]}),
        ({"year": ""}, {"year": ["When?"]}),
        ({"year": "99999999999"}, {"year": ["This must be at most 2147483647."]}),
        ({"year": "1800"}, {"__all__": ["Too old."]}),
        ({"medium": "x"}, {"medium": ["'x' is not one of the choices."]}),
        ({"leader": "99"}, {"leader": ["This is not one of the choices."]}),
        ({"leader": "x"}, {"leader": ["This is not one of the choices."]}),
        ({"leader": "9" * 30}, {"leader": ["This is not one of the choices."]}),
        ({"leader": "1\0"}, {"leader": ["This is not one of the choices."]}),
        ({"leader": "1" * 1_000_000}, {"leader": ["This is not one of the choices."]}),
        ({"leader": ["1", "2"]}, {"leader": ["Only one value can stand here."]}),
        ({"genres": ["5"]}, {"genres": ["This is not one of the choices."]}),
        ({"genres": ["x", "1\0"]}, {"genres": ["This is not one of the choices."]}),
        ({"genres": [{"a": 1}]}, {"genres": ["This must be a list of values."]}),
        ({"genres": ["1"] * 100_000}, {"genres": ["At most 1000 values can be chosen."]}),
        ({"price": "12345.678"}, {"price": ["At most 6 digits."]}),
        ({"title": "clean"}, {"title": ["Not that."], "price": ["Nor that."]}),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(
    nina: Leader, call: Callable[..., Any], changes: dict[str, Any], errors: dict[str, list[str]]
) -> None:
    form = RecordForm(data_of(nina, **changes))

    assert not call(form.is_valid)
    assert form.errors == errors
    assert Record.objects.count() == 0


def test_a_row_that_is_not_offered_cannot_be_chosen(nina: Leader, call: Callable[..., Any]) -> None:
    gone = Leader.objects.create(name="Gone", is_active=False)
    form = RecordForm(data_of(nina, leader=str(gone.pk)))

    assert not call(form.is_valid)
    assert "Gone" not in str(form["leader"])


def test_unique_values_are_checked(nina: Leader, call: Callable[..., Any]) -> None:
    form = forms.modelform_factory(Leader, fields=["name"])({"name": "Nina"})

    assert not call(form.is_valid)
    assert form.errors["name"].as_data()[0].code == "unique"


def test_a_pair_is_checked_though_only_one_part_is_asked_for(nina: Leader, call: Callable[..., Any]) -> None:
    Record.objects.create(title="Taken", year=1965, leader=nina)
    form = forms.modelform_factory(Record, fields=["title"])(
        {"title": "Taken"}, instance=Record(year=1965, leader=nina)
    )

    assert not call(form.is_valid)
    assert form.has_error(None, "unique_together")


def test_the_row_itself_is_no_duplicate(nina: Leader, call: Callable[..., Any]) -> None:
    record = Record.objects.create(title="Pastel Blues", year=1965, leader=nina)

    assert call(RecordForm(data_of(nina), instance=record).is_valid)


def test_a_choice_is_checked_by_one_query_that_loads_no_other(nina: Leader) -> None:
    Leader.objects.bulk_create([Leader(name=str(number)) for number in range(50)])
    field = forms.ModelChoiceField(Leader.objects.all())

    with query_budget(1) as asked:
        found = field.clean(str(nina.pk))

    assert found == nina
    assert "LIMIT" in asked.queries[0].sql


def test_a_check_asks_once_for_each_rule(nina: Leader) -> None:
    form = RecordForm(data_of(nina))

    with query_budget(4) as asked:  # the leader twice (it has a limit), the pair, the constraint
        assert form.is_valid()

    assert len(asked.queries) == 4


def test_another_field_stands_for_the_key(nina: Leader) -> None:
    field = forms.ModelChoiceField(Leader, to_field_name="name")

    assert field.clean("Nina") == nina
    assert ("Nina", "Nina") in list(field.choices)


def test_saving_what_was_not_found_good_is_an_error(nina: Leader) -> None:
    with pytest.raises(UsageError, match="is_valid") as caught:
        RecordForm(data_of(nina)).save()

    assert caught.value.code == "forms/not-valid"


def test_without_commit_nothing_is_written(nina: Leader, call: Callable[..., Any]) -> None:
    soul = Genre.objects.create(name="Soul")
    form = RecordForm(data_of(nina, genres=[str(soul.pk)]))
    call(form.is_valid)

    record = call(form.save, commit=False)
    assert record.pk is None
    record.save()
    call(form.save_m2m)

    assert list(record.genres.all()) == [soul]


def test_whoever_is_slower_is_told_the_same(nina: Leader, call: Callable[..., Any]) -> None:
    form = forms.modelform_factory(Leader, fields=["name"])({"name": "Etta"})
    assert call(form.is_valid)
    Leader.objects.create(name="Etta")

    with pytest.raises(ValidationError):
        call(form.save)

    assert form.errors["name"].as_data()[0].code == "unique"


# Validators that ask


@pytest.mark.parametrize(("name", "good"), [("Nina", False), ("Etta", True)])
def test_a_validator_wants_a_value_that_no_row_has(
    nina: Leader, call: Callable[..., Any], name: str, good: bool
) -> None:
    class New(forms.Form):
        name = forms.CharField(validators=[forms.UniqueIn(Leader, "name__iexact")])

    form = New({"name": name.lower()})

    assert call(form.is_valid) is good


@pytest.mark.parametrize(("name", "good"), [("Nina", True), ("Etta", False), ("", False)])
def test_a_validator_wants_a_value_that_some_row_has(
    nina: Leader, call: Callable[..., Any], name: str, good: bool
) -> None:
    class Known(forms.Form):
        name = forms.CharField(validators=[forms.ExistsIn(Leader.objects.all(), "name")])

    assert call(Known({"name": name}).is_valid) is good


# Policies


class User:
    def __init__(self, number: int) -> None:
        self.number = number


@pytest.fixture
def two(database: Any) -> list[Secretive]:
    return [Secretive.objects.create(name=name, owner=at) for at, name in enumerate(["zero", "one"])]


class LetterForm(forms.ModelForm):
    class Meta:
        model = Letter
        fields = ["subject", "copies"]


def test_choices_are_what_the_user_may_see(two: list[Secretive]) -> None:
    form = LetterForm(user=User(1))

    assert [value for value, _ in form.fields["subject"].choices] == [""] or two[1].pk in [
        value for value, _ in form["subject"].field.choices
    ]
    assert f'value="{two[1].pk}"' in str(form["subject"])
    assert f'value="{two[0].pk}"' not in str(form["subject"])
    assert f'value="{two[0].pk}"' not in str(form["copies"])


def test_what_the_user_may_not_see_cannot_be_chosen(two: list[Secretive], call: Callable[..., Any]) -> None:
    form = LetterForm({"subject": str(two[0].pk), "copies": [str(two[0].pk)]}, user=User(1))

    assert not call(form.is_valid)
    assert set(form.errors) == {"subject", "copies"}
    assert call(LetterForm({"subject": str(two[1].pk)}, user=User(1)).is_valid)


def test_nobody_may_choose_what_nobody_may_see(two: list[Secretive], call: Callable[..., Any]) -> None:
    assert not call(LetterForm({"subject": str(two[0].pk)}, user=None).is_valid)


def test_a_form_of_nobody_in_particular_offers_every_row(two: list[Secretive], call: Callable[..., Any]) -> None:
    assert call(LetterForm({"subject": str(two[0].pk)}).is_valid)
