"""What every field is.

Holds: `Field`: a column's declaration, its check of values, its place on the class.
Imports: SQLAlchemy's types, `columns`, floor 0.
Never: opens, fetches or parses anything richer than its column (a look-up value is data).
"""

# Facts, rows and models of users are of any type here.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import signature
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypedDict, TypeVar, overload

from sqlalchemy.types import TypeEngine

from ...errors import Fault, ValidationError, cut, did_you_mean
from ..columns import Column
from ..errors import DataError, ModelError
from ..naming import LONGEST, short_name, words

if TYPE_CHECKING:
    from ..models.base import Model
    from ..models.options import Options

__all__ = ["NOT_PROVIDED", "Field", "FieldOptions", "NotProvided", "lookup_error"]

T = TypeVar("T")
F = TypeVar("F", bound="Field[Any]")


class NotProvided:
    """Says that an option was not given: `None` is a default too."""

    def __repr__(self) -> str:
        return "NOT_PROVIDED"

    def __bool__(self) -> Literal[False]:
        return False


NOT_PROVIDED = NotProvided()

Choices = Any  # pairs, groups of pairs, a mapping, an Enum class, or a function that makes them


class FieldOptions(TypedDict, total=False):
    """The options that every field takes, as in Django."""

    blank: bool
    default: Any
    db_default: Any
    choices: Choices
    validators: Sequence[Callable[[Any], Any]]
    unique: bool
    db_index: bool
    primary_key: bool
    editable: bool
    verbose_name: str
    help_text: str
    error_messages: Mapping[str, str]
    db_column: str
    db_comment: str
    db_collation: str
    secret: bool
    unique_for_date: str
    unique_for_month: str
    unique_for_year: str


class Field(Generic[T]):
    """A column of a model.

    On an instance it is the value; on the class a `Column`, the path to it.

    Args:
        null: Whether the database may keep NULL; the value is then `T | None`.
        blank: Whether forms and `full_clean()` accept an empty value.
        default: The value of a new instance, or a function that makes it.
        db_default: What the database fills in: a value or an expression.
        choices: The values that are allowed: pairs, or an Enum.
        validators: Functions that raise `ValidationError` for a bad value.
        unique: Whether no two rows may have the same value.
        db_index: Whether the column is indexed.
        primary_key: Whether it is the key.
        editable: Whether forms show it.
        secret: Never shown: not in `repr`, logs, JSON or dumps.
        unique_for_date: The field of a day on which no two rows share this value; the same for
            `unique_for_month` and `unique_for_year`. Validation checks it.
        db_column: The column's name where it is not the field's.
    """

    kind: ClassVar[str] = ""
    # Values of exactly these types need no conversion.
    exact: ClassVar[frozenset[type]] = frozenset()
    empty_values: ClassVar[tuple[Any, ...]] = (None, "", [], (), {})
    # Options of this class of field that stand in a snapshot.
    own_options: ClassVar[tuple[str, ...]] = ()
    is_relation: ClassVar[bool] = False
    # Of a foreign key it is known with its target: to a key of several columns it has none of its own.
    is_column: bool = True
    generated: ClassVar[bool] = False
    # Whether `pre_save` does more than give the value that is there.
    fills_itself: bool = False
    # Whether `prepare` does more than that of this class.
    prepares_itself: ClassVar[bool] = False
    messages: ClassVar[Mapping[str, str]] = {
        "null": "This field cannot be null.",
        "blank": "This field cannot be blank.",
        "invalid": "This is not a valid value.",
        "invalid_choice": "{value} is not one of the choices.",
        "unique": "{model} with this {field} already exists.",
    }

    name: str
    attname: str
    column: str
    model: type[Model]

    def __init__(self, *, null: bool = False, **options: Any) -> None:
        known = FieldOptions.__annotations__
        unknown = [name for name in options if name not in known]
        if unknown:
            raise ModelError(
                f"{type(self).__name__} takes no `{unknown[0]}`.",
                code="data/field-option",
                hint=did_you_mean(unknown[0], [*known, *_parameters(type(self))]),
            )
        self.null: bool = null
        self.blank: bool = options.get("blank", False)
        self.default: Any = options.get("default", NOT_PROVIDED)
        self.db_default: Any = options.get("db_default", NOT_PROVIDED)
        self.choices_given: Any = options.get("choices")
        self.validators: list[Callable[[Any], Any]] = [*self.default_validators(), *options.get("validators", ())]
        self.primary_key: bool = options.get("primary_key", False)
        self.unique: bool = options.get("unique", False) or self.primary_key
        self.db_index: bool = options.get("db_index", False)
        self.editable: bool = options.get("editable", True)
        self._verbose_name: str | None = options.get("verbose_name")
        self.help_text: str = options.get("help_text", "")
        self.error_messages: dict[str, str] = {**self.messages, **options.get("error_messages", {})}
        self.db_column: str | None = options.get("db_column")
        self.db_comment: str | None = options.get("db_comment")
        self.db_collation: str | None = options.get("db_collation")
        self.secret: bool = options.get("secret", False)
        # The field of the day within which no two rows share this value, by how long.
        self.unique_for: dict[str, str] = {
            span: options[f"unique_for_{span}"]
            for span in ("date", "month", "year")
            if options.get(f"unique_for_{span}")
        }
        if isinstance(self.choices_given, type) and issubclass(self.choices_given, enum.Enum):
            self.enum: type[enum.Enum] | None = self.choices_given
        else:
            self.enum = None
        self._check_choices()
        self._column_type: TypeEngine[Any] | None = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.prepares_itself = cls.prepare is not Field.prepare  # pyright: ignore[reportUnknownMemberType]  # of any kind
        cls.fills_itself = cls.pre_save is not Field.pre_save  # pyright: ignore[reportUnknownMemberType]  # of any kind

    def __repr__(self) -> str:
        where = f" {self.model.__name__}.{self.name}" if hasattr(self, "model") else ""
        return f"<{type(self).__name__}{where}>"

    # On the class and on instances

    def contribute(self, options: Options, name: str) -> None:
        """Take this name on a model; called once, when the class is made."""
        self.model = options.model
        self.name = name
        self.attname = name
        self.column = self.db_column or name
        self.check_column()
        setattr(options.model, name, self)

    def check_column(self) -> None:
        """Refuse a name that a database would cut off.

        Raises:
            ModelError: It is longer than 63 bytes (`data/long-name`).
        """
        if self.is_column and len(self.column.encode()) > LONGEST:
            raise ModelError(
                f"{self.model.__name__}.{self.name}: the name of its column has more than {LONGEST} characters.",
                code="data/long-name",
                why="PostgreSQL cuts it off, and MariaDB refuses it.",
                hint=f'db_column="{short_name(self.column)}"',
            )

    @overload
    def __get__(self, instance: None, owner: type) -> Column[T]: ...
    @overload
    def __get__(self, instance: Model, owner: type) -> T: ...
    def __get__(self, instance: Any, owner: type) -> Any:
        # PERF: no __set__, so a loaded value is found in the instance without this call.
        if instance is None:
            return Column[Any](owner, self.name)
        return instance._load_deferred(self.attname)

    if TYPE_CHECKING:

        def __set__(self, instance: Model, value: T) -> None: ...

    # The column

    def column_type(self) -> TypeEngine[Any]:
        """Return the SQLAlchemy type of the column."""
        if self._column_type is None:
            self._column_type = self.make_type()
        return self._column_type

    def make_type(self) -> TypeEngine[Any]:
        """Make the type; the place to override in own fields."""
        raise ModelError(
            f"{type(self).__name__} does not say what its column is.",
            code="data/field-type",
            hint="def make_type(self):\n    return sqlalchemy.String(20)",
        )

    # Values

    def to_python(self, value: Any) -> T:
        """Return *value* as this field keeps it.

        Raises:
            ValidationError: It cannot be.
        """
        return value  # type: ignore[no-any-return]  # fields that convert override this

    def prepare(self, value: Any) -> Any:
        """Return *value* ready for the database, in a look-up or a row.

        Raises:
            ValueError: It cannot be compared with this column (`data/lookup-value`).
        """
        if value is None or type(value) in self.exact:
            return value
        if isinstance(value, enum.Enum):
            value = value.value
        try:
            return self.to_python(value)
        except ValidationError as error:
            raise lookup_error(self, value) from error

    def prepare_all(self, values: Sequence[Any]) -> Sequence[Any]:
        """Return a column of values ready for the database: `prepare` for each, by one test where all are exact."""
        if not self.prepares_itself and self.exact.issuperset(map(type, values)):
            return values
        return [self.prepare(value) for value in values]

    def from_database(self) -> Callable[[Any], Any] | None:
        """Return what turns the type's value into the field's; `None` where they are one."""
        return _enum_reader(self.enum) if self.enum is not None else None

    def guard(self, vendor: str) -> Callable[[Any], Any] | None:
        """Return what a prepared value goes through before it is written.

        It refuses what *vendor* would keep though it does not fit the column (SQLite knows no
        sizes), and rounds where databases round differently. `None` where there is nothing to do.
        """
        return None

    def misfit(self) -> DataError:
        """Return the error for a value that does not fit the column."""
        return DataError(f"A value does not fit its column {getattr(self, 'column', '')}.")

    def get_default(self) -> Any:
        """Return the value of a new instance."""
        if self.default is NOT_PROVIDED:
            return None
        return self.default() if callable(self.default) else self.default

    @property
    def default_is_constant(self) -> bool:
        """Whether every new instance has the same value, so that it is asked for once."""
        if callable(self.default) or (self.default is NOT_PROVIDED and self.db_default is not NOT_PROVIDED):
            return False
        return type(self).get_default.__module__.startswith(__name__.rpartition(".")[0])

    @property
    def has_default(self) -> bool:
        """Whether a new instance has a value without being given one."""
        return self.default is not NOT_PROVIDED

    def pre_save(self, instance: Any, *, adding: bool) -> Any:
        """Return the value to write; fields that fill themselves in set it here."""
        return instance.__dict__.get(self.attname)

    # Validation

    def default_validators(self) -> Iterable[Callable[[Any], Any]]:
        """Return the validators that follow from the field's own options."""
        return ()

    @property
    def choices(self) -> list[tuple[Any, Any]] | None:
        """The allowed values with their labels, groups kept; `None` where any is."""
        given: Any = self.choices_given
        if given is None:
            return None
        if self.enum is not None:
            return [(each.value, getattr(each, "label", each.name.replace("_", " ").title())) for each in self.enum]
        if callable(given):
            given = given()
        if isinstance(given, Mapping):
            return [*dict[Any, Any](given).items()]  # pyright: ignore[reportUnknownArgumentType]  # of any kind
        return [_pair(each) for each in given]

    def _check_choices(self) -> None:
        given = self.choices_given
        if given is None or callable(given):
            return
        try:
            _ = self.flat_choices
        except (TypeError, ValueError):
            raise ModelError(
                f"choices={cut(given)} are no choices.",
                code="data/field-option",
                hint='choices=[("v", "Vinyl"), ("t", "Tape")], or a class of db.TextChoices',
            ) from None

    @property
    def flat_choices(self) -> list[tuple[Any, Any]]:
        """The allowed values with their labels, without groups."""
        flat: list[tuple[Any, Any]] = []
        for value, label in self.choices or ():
            if isinstance(label, Mapping):
                flat.extend(dict[Any, Any](label).items())  # pyright: ignore[reportUnknownArgumentType]  # of any kind
            elif isinstance(label, list | tuple):
                flat.extend(_pair(each) for each in tuple[Any, ...](label))  # pyright: ignore[reportUnknownArgumentType]  # of any kind
            else:
                flat.append((value, label))
        return flat

    def clean(self, value: Any, instance: Any = None) -> Any:
        """Return *value* converted and checked.

        Raises:
            ValidationError: With one `Fault` per rule that is broken; their paths are empty.
        """
        if isinstance(value, enum.Enum) and self.enum is None:
            value = value.value
        value = None if value is None else self.to_python(value)
        faults = list(self.faults(value))
        if faults:
            raise ValidationError(faults)
        return value

    def faults(self, value: Any) -> Iterable[Fault]:
        """Return what is wrong with a converted value."""
        if value is None:
            if not self.null and not self.generated:
                yield self.fault("null")
            return
        if value in self.empty_values:
            if not self.blank:
                yield self.fault("blank")
            return
        if self.choices_given is not None:
            plain = value.value if isinstance(value, enum.Enum) else value
            if all(plain != choice for choice, _ in self.flat_choices):
                yield self.fault("invalid_choice", value=cut(plain))
                return
        for validator in self.validators:
            try:
                validator(value)
            except ValidationError as error:
                yield from error.faults

    def fault(self, code: str, **params: Any) -> Fault:
        """Return one fault under *code*, worded by `error_messages`."""
        text = self.error_messages.get(code, self.error_messages["invalid"])
        return Fault((), code, text.format(**params) if params else text, params)

    def invalid(self, code: str = "invalid", **params: Any) -> ValidationError:
        """Return the error for a value that cannot be converted."""
        return ValidationError([self.fault(code, **params)])

    # What readers of the declaration ask

    @property
    def verbose_name(self) -> str:
        """The field's name for people."""
        return self._verbose_name if self._verbose_name is not None else words(self.name)

    @property
    def columns(self) -> tuple[Field[Any], ...]:
        """The fields that are columns: this one; several for a composite key."""
        return (self,)

    def deconstruct(self) -> dict[str, Any]:
        """Return what the schema knows of this field, for snapshots; values stand in it as they are."""
        facts: dict[str, Any] = {"kind": self.kind or type(self).__name__, "column": self.column}
        for name in ("null", "unique", "db_index", "primary_key"):
            if getattr(self, name):
                facts[name] = True
        for name in ("db_comment", "db_collation"):
            if getattr(self, name):
                facts[name] = getattr(self, name)
        for name in self.own_options:
            value = getattr(self, name)
            if value is not None and value is not False:
                facts[name] = value
        for name in ("default", "db_default"):
            if getattr(self, name) is not NOT_PROVIDED:
                facts[name] = getattr(self, name)
        if (self.choices_given is not None and not callable(self.choices_given)) or self.enum is not None:
            facts["choices"] = [_plain(value) for value, _ in self.flat_choices]
        return facts

    def deconstruct_item(self) -> dict[str, Any]:
        """Return the same for a field inside another, which has no column of its own."""
        self.__dict__.setdefault("name", "")
        self.__dict__.setdefault("column", "")
        facts = self.deconstruct()
        del facts["column"]
        return facts


def _parameters(kind: type) -> list[str]:
    """Return the options that a class of field and those above it name in `__init__`."""
    found: list[str] = []
    for each in kind.__mro__:
        made = vars(each).get("__init__")
        if made is not None and each is not object:
            found += [name for name, one in signature(made).parameters.items() if one.kind is one.KEYWORD_ONLY]
    return found


def _enum_reader(kind: type[enum.Enum]) -> Callable[[Any], Any]:
    by_value = {each.value: each for each in kind}

    def read(value: Any) -> Any:
        # A value that the database has and the Enum has not is shown as it is.
        return by_value.get(value, value)

    return read


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _pair(thing: Any) -> tuple[Any, Any]:
    if isinstance(thing, str):
        return thing, thing
    value, label = thing
    return value, label


def lookup_error(field: Field[Any], value: Any) -> ValueError:
    """Return the error for a value that a column cannot be compared with."""
    from ..errors import QueryError

    owner = f"{field.model.__name__}." if hasattr(field, "model") else ""
    name = getattr(field, "name", "value")
    shown = "a secret" if field.secret else cut(value)
    return QueryError(
        f"{owner}{name} ({type(field).__name__}) does not take {shown}.",
        code="data/lookup-value",
        why=f"The value is {type(value).__name__}.",
        hint="Convert it first, or validate the input at the edge.",
    )
