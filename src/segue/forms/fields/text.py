"""Fields of text.

Holds: `CharField` and what is one kind of text: addresses, slugs, patterns, UUIDs, JSON.
Imports: `base`, validators, widgets.
Never: matches a pattern before the length is known to be small.
"""

# What is sent, and what it becomes, is of any type here.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import ipaddress
import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from math import isfinite
from typing import Any, ClassVar, Literal, Unpack

from ...errors import SetupError
from ...places import caller_place
from ...validators import (
    MaxLengthValidator,
    MinLengthValidator,
    RegexValidator,
    URLValidator,
    validate_email,
    validate_slug,
)
from ..widgets import EmailInput, Textarea, URLInput, Widget
from .base import Field, FieldOptions

__all__ = [
    "CharField",
    "EmailField",
    "GenericIPAddressField",
    "JSONField",
    "RegexField",
    "SlugField",
    "URLField",
    "UUIDField",
]


class CharField(Field):
    """A text, without the white space around it.

    A line of text has one line: a value with a line break inside is refused, unless the widget
    has several lines. There every line break becomes `\\n`.

    Args:
        max_length: How many characters it may have.
        min_length: How many it must have.
        strip: Whether white space around it is taken off.
        empty_value: What an empty text becomes.
    """

    default_error_messages: ClassVar[Mapping[str, Any]] = {
        "invalid": "This is not a text.",
        "null_characters_not_allowed": "Null characters cannot stand here.",
        "line_break": "This must be one line.",
    }

    def __init__(
        self,
        *,
        max_length: int | None = None,
        min_length: int | None = None,
        strip: bool = True,
        empty_value: Any = "",
        **options: Unpack[FieldOptions],
    ) -> None:
        self.max_length = max_length
        self.min_length = min_length
        self.strip = strip
        self.empty_value = empty_value
        super().__init__(**options)
        # The length goes before the patterns that others bring.
        limits: list[Callable[[Any], Any]] = []
        if max_length is not None:
            limits.append(MaxLengthValidator(max_length))
        if min_length is not None:
            limits.append(MinLengthValidator(min_length))
        self.validators[:0] = limits

    def to_python(self, value: Any) -> Any:
        if value is None or value == "":
            return self.empty_value
        if not isinstance(value, str):
            if not isinstance(value, int | float | Decimal) or isinstance(value, bool):
                raise self.fault("invalid")
            value = str(value)
        if "\0" in value:
            raise self.fault("null_characters_not_allowed")
        if not _is_encodable(value):
            raise self.fault("invalid")
        if self.strip:
            value = value.strip()
        if "\n" in value or "\r" in value:
            if not self.widget.multiline:
                raise self.fault("line_break")
            value = value.replace("\r\n", "\n").replace("\r", "\n")
        return value if value else self.empty_value

    def run_validators(self, value: Any) -> None:
        # A text that is too long is told so, and no pattern sees it.
        if self.max_length is not None and isinstance(value, str) and len(value) > self.max_length:
            limit: Any = self.validators[0]
            try:
                limit(value)
            except ValueError as error:
                raise self._too_long(error, value) from None
        super().run_validators(value)

    def _too_long(self, error: Any, value: str) -> Exception:
        from ...errors import ValidationError

        return ValidationError([self.worded(fault, value) for fault in error.faults])

    def widget_attrs(self, widget: Widget) -> dict[str, Any]:
        attrs = super().widget_attrs(widget)
        if not widget.is_hidden:
            if self.max_length is not None:
                attrs["maxlength"] = str(self.max_length)
            if self.min_length is not None:
                attrs["minlength"] = str(self.min_length)
        return attrs


class EmailField(CharField):
    """An address of mail, of at most 320 characters unless said otherwise."""

    widget = EmailInput
    default_validators: ClassVar[Sequence[Callable[[Any], Any]]] = [validate_email]

    def __init__(self, *, max_length: int | None = 320, **options: Any) -> None:
        super().__init__(max_length=min(max_length or 320, 320), **options)


class URLField(CharField):
    """A URL, of at most 2048 characters.

    Args:
        assume_scheme: What stands before an address without a scheme.
    """

    widget = URLInput
    default_validators: ClassVar[Sequence[Callable[[Any], Any]]] = [URLValidator()]

    def __init__(self, *, assume_scheme: str = "https", max_length: int | None = 2048, **options: Any) -> None:
        self.assume_scheme = assume_scheme
        super().__init__(max_length=min(max_length or 2048, 2048), **options)

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        if not isinstance(value, str) or not value or len(value) > 2048 or "://" in value:
            return value
        return f"{self.assume_scheme}://{value.removeprefix('//')}" if ":" not in value.split("/")[0] else value


class SlugField(CharField):
    """A short name for addresses: letters, digits, `-` and `_`.

    Args:
        allow_unicode: Whether letters of other alphabets count too.
    """

    def __init__(self, *, allow_unicode: bool = False, max_length: int | None = 255, **options: Any) -> None:
        self.allow_unicode = allow_unicode
        super().__init__(max_length=min(max_length or 255, 255), **options)
        self.validators.append(_UNICODE_SLUG if allow_unicode else validate_slug)


_UNICODE_SLUG = RegexValidator(re.compile(r"\A[-\w]+\Z"), "Only letters, digits, - and _ may stand here.", "slug")


class RegexField(CharField):
    """A text in which a pattern is found; in one of more than 10,000 characters none is.

    Args:
        regex: The pattern; `^` and `$` tie it to the ends of the text.
    """

    def __init__(self, regex: str | re.Pattern[str], *, strip: bool = False, **options: Any) -> None:
        super().__init__(strip=strip, **options)
        self.regex: re.Pattern[str] = re.compile(regex)
        self.validators.append(RegexValidator(self.regex))


class UUIDField(CharField):
    """A UUID."""

    default_error_messages: ClassVar[Mapping[str, Any]] = {"invalid": "This is not a UUID."}

    def prepare_value(self, value: Any) -> Any:
        return str(value) if isinstance(value, uuid.UUID) else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, uuid.UUID):
            return value
        value = super().to_python(value)
        if value in self.empty_values:
            return None
        try:
            if len(value) > 45 or not value.isascii():
                raise ValueError(value[:80])
            return uuid.UUID(value)
        except ValueError:
            raise self.fault("invalid") from None


class GenericIPAddressField(CharField):
    """An IPv4 or IPv6 address, in its shortest form.

    Args:
        protocol: `ipv4`, `ipv6` or `both`.
        unpack_ipv4: Whether `::ffff:192.0.2.1` becomes `192.0.2.1`.
    """

    default_error_messages: ClassVar[Mapping[str, Any]] = {"invalid": "This is not an IP address."}

    def __init__(
        self,
        *,
        protocol: Literal["both", "ipv4", "ipv6", "IPv4", "IPv6"] = "both",
        unpack_ipv4: bool = False,
        **options: Any,
    ) -> None:
        if unpack_ipv4 and protocol != "both":
            raise SetupError(
                "unpack_ipv4=True makes an IPv4 address of an IPv6 one, and only one kind is allowed.",
                code="forms/field-option",
                where=caller_place(),
                hint="Leave protocol= out, or unpack_ipv4=True.",
            )
        self.protocol = protocol.lower()
        self.unpack_ipv4 = unpack_ipv4
        super().__init__(**options)

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        if value in self.empty_values:
            return value
        try:
            if len(value) > 39 + 6 or "%" in value:
                raise ValueError(value[:80])
            address = ipaddress.ip_address(value)
        except ValueError:
            raise self.fault("invalid") from None
        if self.protocol != "both" and f"ipv{address.version}" != self.protocol:
            raise self.fault("invalid")
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        if mapped is None:
            return str(address)
        return str(mapped) if self.unpack_ipv4 else f"::ffff:{mapped}"


class _Typed(str):
    """What was typed, and could not be read: it is shown again as it is."""


class JSONField(CharField):
    """JSON, typed as text; from a JSON body it is any value.

    Args:
        encoder: As `json.dumps(cls=…)`, for what the element shows.
        decoder: As `json.loads(cls=…)`.
        max_depth: How deep lists and mappings may nest.
    """

    widget = Textarea
    takes_many = True
    default_error_messages: ClassVar[Mapping[str, Any]] = {"invalid": "This is not JSON."}

    def __init__(self, *, encoder: Any = None, decoder: Any = None, max_depth: int = 64, **options: Any) -> None:
        self.encoder = encoder
        self.decoder = decoder
        self.max_depth = max_depth
        super().__init__(**options)

    def to_python(self, value: Any) -> Any:
        if self.disabled or value in self.empty_values:
            return value if self.disabled else None
        if isinstance(value, _Read):
            return value
        try:
            found = value
            if isinstance(value, str | bytes):
                found = json.loads(value, cls=self.decoder, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            raise self.fault("invalid") from None
        if not _is_storable(found, self.max_depth):
            raise self.fault("invalid")
        return _Read(found) if isinstance(found, str) else found

    def bound_data(self, data: Any, initial: Any) -> Any:
        if self.disabled:
            return initial
        if not isinstance(data, str):
            return data
        try:
            return self.to_python(data)
        except ValueError:
            return _Typed(data)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, _Typed):
            return value
        return json.dumps(value, ensure_ascii=False, cls=self.encoder)

    def has_changed(self, initial: Any, data: Any) -> bool:
        if self.disabled:
            return False
        try:
            found = self.to_python(data)
        except ValueError:
            return True
        return json.dumps(initial, sort_keys=True, cls=self.encoder) != json.dumps(
            found, sort_keys=True, cls=self.encoder
        )


class _Read(str):
    """A text that was JSON, so that it is not read a second time."""


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)  # NaN and Infinity are no JSON


def _is_encodable(text: str) -> bool:
    """Whether a text is one: half a surrogate pair has no place in UTF-8, so no database takes it."""
    if text.isascii():  # PERF: known without a look at the letters
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_storable(value: Any, most: int) -> bool:
    """Whether every database keeps a value: nested at most *most* deep, finite, without NUL."""
    level: list[Any] = [value]
    for _ in range(most + 1):
        if not all(map(_is_plain, level)):
            return False
        level = [inner for each in level for inner in _inside(each)]
        if not level:
            return True
    return False


def _is_plain(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" not in value and _is_encodable(value)
    return not isinstance(value, float) or isfinite(value)


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    return value if isinstance(value, list) else []
