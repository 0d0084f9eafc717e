"""Fields of text.

Holds: `CharField`, `TextField`, slugs, addresses of mail, web and network.
Imports: `base`, `validators`.
Never: strips or changes what it is given.
"""

# Facts, rows and models of users are of any type here.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Literal, TypeVar, Unpack, overload

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from ...validators import MaxLengthValidator, MinLengthValidator, validate_email, validate_slug, validate_url
from ..errors import ModelError
from .base import Field, FieldOptions

__all__ = ["CharField", "EmailField", "GenericIPAddressField", "SlugField", "TextField", "URLField"]

T = TypeVar("T")


class _Text(Field[T]):
    exact: ClassVar[frozenset[type]] = frozenset({str})
    own_options: ClassVar[tuple[str, ...]] = ("max_length",)
    max_length: int | None = None
    min_length: int | None = None

    def default_validators(self) -> Iterable[Callable[[Any], Any]]:
        if self.max_length is not None:
            yield MaxLengthValidator(self.max_length)
        if self.min_length is not None:
            yield MinLengthValidator(self.min_length)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            text = str(value) if type(value) is not str else value
        elif isinstance(value, bool | int | float) or hasattr(value, "__html__"):
            text = str(value)
        elif isinstance(value, bytes | list | tuple | dict | set):
            raise self.invalid()
        else:
            text = str(value)
        if "\x00" in text:
            raise self.invalid("null_characters")
        return text

    def prepare(self, value: Any) -> Any:
        if type(value) is str and "\x00" not in value:
            return value
        return super().prepare(value) if type(value) is not str else self._refuse(value)

    def prepare_all(self, values: Sequence[Any]) -> Sequence[Any]:
        is_plain = type(self).prepare is _Text.prepare and self.exact.issuperset(map(type, values))
        if is_plain and "\x00" not in "".join(values):
            return values
        return [self.prepare(value) for value in values]

    def _refuse(self, value: str) -> Any:
        from .base import lookup_error

        raise lookup_error(self, value)

    def guard(self, vendor: str) -> Callable[[Any], Any] | None:
        longest = self.max_length
        if vendor != "sqlite" or longest is None or isinstance(self, TextField):
            return None

        def check(value: Any) -> Any:
            if value is not None and len(value) > longest:
                raise self.misfit()
            return value

        return check

    def get_default(self) -> Any:
        if not self.has_default and not self.null:
            return ""
        return super().get_default()


class CharField(_Text[T]):
    """A text of at most *max_length* characters."""

    kind = "char"

    @overload
    def __init__(
        self: CharField[str],
        *,
        max_length: int = ...,
        min_length: int | None = ...,
        null: Literal[False] = ...,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: CharField[str | None],
        *,
        max_length: int = ...,
        min_length: int | None = ...,
        null: bool,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(
        self, *, max_length: int = 255, min_length: int | None = None, null: bool = False, **options: Any
    ) -> None:
        self._declare(options, max_length=max_length, min_length=min_length, null=null)

    def _declare(self, options: Any, *, max_length: int, min_length: int | None = None, null: bool) -> None:
        if type(max_length) is not int or max_length < 1:
            raise ModelError(
                f"{type(self).__name__}(max_length={max_length!r}) holds nothing.",
                code="data/field-option",
                hint="CharField(max_length=100), or TextField() for a text of any length",
            )
        self.max_length: int | None = max_length
        self.min_length = min_length
        Field.__init__(self, null=null, **options)  # pyright: ignore[reportUnknownMemberType]  # of any kind

    def make_type(self) -> TypeEngine[Any]:
        return sa.String(self.max_length, collation=self.db_collation)


class TextField(_Text[T]):
    """A text of any length."""

    kind = "text"

    @overload
    def __init__(
        self: TextField[str],
        *,
        max_length: int | None = ...,
        null: Literal[False] = ...,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: TextField[str | None], *, max_length: int | None = ..., null: bool, **options: Unpack[FieldOptions]
    ) -> None: ...
    def __init__(self, *, max_length: int | None = None, null: bool = False, **options: Any) -> None:
        self.max_length = max_length
        super().__init__(null=null, **options)

    def make_type(self) -> TypeEngine[Any]:
        from sqlalchemy.dialects import mysql

        return sa.Text(collation=self.db_collation).with_variant(
            mysql.LONGTEXT(collation=self.db_collation), "mysql", "mariadb"
        )


class SlugField(CharField[T]):
    """A short name for addresses: letters, digits, `-` and `_`; indexed."""

    kind = "slug"

    @overload
    def __init__(
        self: SlugField[str], *, max_length: int = ..., null: Literal[False] = ..., **options: Unpack[FieldOptions]
    ) -> None: ...
    @overload
    def __init__(
        self: SlugField[str | None], *, max_length: int = ..., null: bool, **options: Unpack[FieldOptions]
    ) -> None: ...
    def __init__(self, *, max_length: int = 50, null: bool = False, **options: Any) -> None:
        options.setdefault("db_index", not options.get("unique", False))
        self._declare(options, max_length=max_length, null=null)

    def default_validators(self) -> Iterable[Callable[[Any], Any]]:
        yield validate_slug
        yield from super().default_validators()


class EmailField(CharField[T]):
    """An address of mail."""

    kind = "email"

    @overload
    def __init__(
        self: EmailField[str], *, max_length: int = ..., null: Literal[False] = ..., **options: Unpack[FieldOptions]
    ) -> None: ...
    @overload
    def __init__(
        self: EmailField[str | None], *, max_length: int = ..., null: bool, **options: Unpack[FieldOptions]
    ) -> None: ...
    def __init__(self, *, max_length: int = 254, null: bool = False, **options: Any) -> None:
        self._declare(options, max_length=max_length, null=null)

    def default_validators(self) -> Iterable[Callable[[Any], Any]]:
        yield validate_email
        yield from super().default_validators()


class URLField(CharField[T]):
    """An absolute URL."""

    kind = "url"

    @overload
    def __init__(
        self: URLField[str], *, max_length: int = ..., null: Literal[False] = ..., **options: Unpack[FieldOptions]
    ) -> None: ...
    @overload
    def __init__(
        self: URLField[str | None], *, max_length: int = ..., null: bool, **options: Unpack[FieldOptions]
    ) -> None: ...
    def __init__(self, *, max_length: int = 200, null: bool = False, **options: Any) -> None:
        self._declare(options, max_length=max_length, null=null)

    def default_validators(self) -> Iterable[Callable[[Any], Any]]:
        yield validate_url
        yield from super().default_validators()


class GenericIPAddressField(_Text[T]):
    """An IPv4 or IPv6 address, kept in its shortest form."""

    kind = "ip"
    exact: ClassVar[frozenset[type]] = frozenset()
    own_options: ClassVar[tuple[str, ...]] = ("protocol",)

    @overload
    def __init__(
        self: GenericIPAddressField[str],
        *,
        protocol: Literal["both", "ipv4", "ipv6"] = ...,
        null: Literal[False] = ...,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: GenericIPAddressField[str | None],
        *,
        protocol: Literal["both", "ipv4", "ipv6"] = ...,
        null: bool,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(self, *, protocol: str = "both", null: bool = False, **options: Any) -> None:
        if protocol not in ("both", "ipv4", "ipv6"):
            raise ModelError(
                f"protocol={protocol!r} is none of both, ipv4, ipv6.",
                code="data/field-option",
                hint='GenericIPAddressField(protocol="ipv4")',
            )
        self.protocol = protocol
        super().__init__(null=null, **options)

    def make_type(self) -> TypeEngine[Any]:
        return sa.String(39)

    def to_python(self, value: Any) -> Any:
        text = str(value).strip()
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            raise self.invalid() from None
        # A zone (`%eth0`) means something on one machine alone.
        if (self.protocol != "both" and f"ipv{address.version}" != self.protocol) or "%" in text:
            raise self.invalid()
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return str(address) if mapped is None else f"::ffff:{mapped}"  # Python's own text differs by version

    def prepare(self, value: Any) -> Any:
        return Field.prepare(self, value)  # pyright: ignore[reportUnknownMemberType]  # of any kind
