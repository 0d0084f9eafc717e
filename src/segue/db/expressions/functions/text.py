"""Texts.

Holds: cases, lengths, parts, padding, positions, code points, digests, collations.
Imports: the parts of `base`.
Never: pastes a user's word into SQL: what is no expression is a parameter.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.visitors import InternalTraversal

from ...errors import QueryError
from ..base import Compiling, Func, Value, output_facts
from ..conversion import as_text
from ..kinds import constant, taken_as

__all__ = [
    "MD5",
    "SHA1",
    "SHA224",
    "SHA256",
    "SHA384",
    "SHA512",
    "Chr",
    "Collate",
    "Concat",
    "LPad",
    "LTrim",
    "Left",
    "Length",
    "Lower",
    "Ord",
    "RPad",
    "RTrim",
    "Repeat",
    "Replace",
    "Reverse",
    "Right",
    "StrIndex",
    "Substr",
    "Trim",
    "Upper",
]


class _Text(Func):
    """A function of texts; `names` are what SQLite, PostgreSQL and MySQL call it."""

    names: tuple[str, str, str] = ("", "", "")
    gives: Any = sa.Text()

    def arguments(self, compiler: Compiling) -> list[ColumnElement[Any]]:
        first, *rest = super().arguments(compiler)
        return [as_text(compiler, first), *rest]

    def build(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        name = self.names[("sqlite", "postgresql", "mysql").index(compiler.vendor)]
        return getattr(sa.func, name)(*arguments, type_=self.gives)  # type: ignore[no-any-return]  # sa.func is open


def _literal(thing: Any) -> Any:
    """Return a plain text as a value: in these places a text is no name of a field."""
    return Value(thing) if isinstance(thing, str) else thing


def _whole(what: str, number: Any, least: int) -> Any:
    if isinstance(number, bool) or (isinstance(number, int) and number < least):
        raise QueryError(f"{what} must be {least} or more.", code="data/argument", hint=f"{what}={least}")
    if isinstance(number, str | float):
        raise QueryError(f"{what} is a whole number.", code="data/argument", hint=f"{what}=1")
    return number


class Lower(_Text):
    """The text in lower case."""

    names: tuple[str, str, str] = ("segue_lower", "lower", "lower")


class Upper(_Text):
    """The text in upper case."""

    names: tuple[str, str, str] = ("segue_upper", "upper", "upper")


class Length(_Text):
    """How many characters a text has."""

    names: tuple[str, str, str] = ("length", "char_length", "char_length")
    gives: Any = sa.Integer()


class Trim(_Text):
    """The text without spaces at its ends."""

    names: tuple[str, str, str] = ("trim", "trim", "trim")


class LTrim(_Text):
    """The text without spaces before it."""

    names: tuple[str, str, str] = ("ltrim", "ltrim", "ltrim")


class RTrim(_Text):
    """The text without spaces after it."""

    names: tuple[str, str, str] = ("rtrim", "rtrim", "rtrim")


class Reverse(_Text):
    """The text from its end to its beginning."""

    names: tuple[str, str, str] = ("segue_reverse", "reverse", "reverse")


class Concat(Func):
    """Texts one after the other; NULL counts as an empty one."""

    def __init__(self, *expressions: Any, output_field: Any = None) -> None:
        if len(expressions) < 2:
            raise QueryError(
                "Concat() takes two or more texts.",
                code="data/argument",
                hint='Concat("first", Value(" "), "last")',
            )
        super().__init__(*expressions, output_field=output_field)

    def build(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        empty = constant("''")
        texts = [sa.func.coalesce(as_text(compiler, each), empty, type_=sa.Text()) for each in arguments]
        joined: Any = texts[0]
        for each in texts[1:]:
            joined = joined.concat(each)
        return taken_as(joined, sa.Text())


class Substr(_Text):
    """The part of a text from *pos* (the first is 1), *length* characters or to its end."""

    names: tuple[str, str, str] = ("substr", "substr", "substr")

    def __init__(self, expression: Any, pos: Any, length: Any = None, *, output_field: Any = None) -> None:
        further = (_whole("pos", pos, 1), *(() if length is None else (_whole("length", length, 0),)))
        super().__init__(expression, *further, output_field=output_field)

    def facts(self) -> Hashable:
        return len(self.expressions), output_facts(self.output_field)


class Left(_Text):
    """The first *length* characters."""

    def __init__(self, expression: Any, length: Any, *, output_field: Any = None) -> None:
        super().__init__(expression, _whole("length", length, 1), output_field=output_field)

    def build(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        text, length = arguments
        if compiler.vendor == "sqlite":
            return sa.func.substr(text, constant("1"), length, type_=sa.Text())
        return sa.func.left(text, length, type_=sa.Text())


class Right(Left):
    """The last *length* characters."""

    def build(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        text, length = arguments
        if compiler.vendor == "sqlite":
            return sa.func.substr(text, -length, type_=sa.Text())
        return sa.func.right(text, length, type_=sa.Text())


class Replace(_Text):
    """The text with every *text* in it replaced."""

    names: tuple[str, str, str] = ("replace", "replace", "replace")

    def __init__(self, expression: Any, text: Any, replacement: Any = "", *, output_field: Any = None) -> None:
        super().__init__(expression, _literal(text), _literal(replacement), output_field=output_field)


class Repeat(_Text):
    """The text *number* times."""

    names: tuple[str, str, str] = ("segue_repeat", "repeat", "repeat")

    def __init__(self, expression: Any, number: Any, *, output_field: Any = None) -> None:
        super().__init__(expression, _whole("number", number, 0), output_field=output_field)


class LPad(_Text):
    """The text, filled up to *length* at its beginning, or cut to it."""

    names: tuple[str, str, str] = ("segue_lpad", "lpad", "lpad")

    def __init__(self, expression: Any, length: Any, fill_text: Any = " ", *, output_field: Any = None) -> None:
        if fill_text == "":
            raise QueryError(
                "An empty fill_text fills nothing up.", code="data/argument", hint='LPad("number", 5, "0")'
            )
        super().__init__(expression, _whole("length", length, 0), _literal(fill_text), output_field=output_field)


class RPad(LPad):
    """The text, filled up to *length* at its end, or cut to it."""

    names: tuple[str, str, str] = ("segue_rpad", "rpad", "rpad")


class StrIndex(_Text):
    """Where another text stands in it, from 1; 0 where it does not."""

    names: tuple[str, str, str] = ("instr", "strpos", "instr")
    gives: Any = sa.Integer()

    def __init__(self, string: Any, substring: Any, *, output_field: Any = None) -> None:
        super().__init__(string, substring, output_field=output_field)


class Chr(Func):
    """The character of a code point."""

    def build(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        (code,) = arguments
        if compiler.vendor != "mysql":
            name = "chr" if compiler.vendor == "postgresql" else "char"
            return getattr(sa.func, name)(code, type_=sa.Text())  # type: ignore[no-any-return]  # sa.func is open
        four_bytes = sa.func.unhex(sa.func.lpad(sa.func.hex(code), constant("8"), constant("'0'")))
        return taken_as(_Convert(_Convert(four_bytes, "utf32"), "utf8mb4"), sa.Text())


class _Convert(ColumnElement[Any]):
    """MySQL's `CONVERT(x USING charset)`."""

    inherit_cache = False
    type = sa.Text()
    _traverse_internals = [  # noqa: RUF012  # SQLAlchemy's own form
        ("text", InternalTraversal.dp_clauseelement),
        ("charset", InternalTraversal.dp_string),
    ]

    def __init__(self, text: ColumnElement[Any], charset: str) -> None:
        self.text = text
        self.charset = charset


@compiles(_Convert, "mysql", "mariadb")
def _write_convert(element: _Convert, compiler: Any, **options: Any) -> str:
    return f"CONVERT({compiler.process(element.text, **options)} USING {element.charset})"


class Ord(_Text):
    """The code point of the first character; 0 for an empty text."""

    names: tuple[str, str, str] = ("segue_ord", "ascii", "ord")
    gives: Any = sa.Integer()

    def build(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        if compiler.vendor == "mysql":
            return sa.func.ord(_Convert(arguments[0], "utf32"), type_=sa.Integer())
        return super().build(compiler, *arguments)


class MD5(_Text):
    """The MD5 digest of the text in UTF-8, in hexadecimal digits. Not for passwords."""

    names: tuple[str, str, str] = ("segue_digest", "md5", "md5")
    algorithm = "md5"

    def build(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        (text,) = arguments
        # A fixed word of this module's.
        name = constant(f"'{self.algorithm}'")
        if compiler.vendor == "sqlite":
            return sa.func.segue_digest(name, text, type_=sa.Text())
        if self.algorithm == "md5":
            return sa.func.md5(text, type_=sa.Text())
        if compiler.vendor == "mysql":
            if self.algorithm == "sha1":
                return sa.func.sha1(text, type_=sa.Text())
            return sa.func.sha2(text, constant(self.algorithm[3:]), type_=sa.Text())
        data = sa.func.convert_to(text, constant("'UTF8'"))
        # PostgreSQL has SHA-1 in its extension pgcrypto alone.
        digest = sa.func.digest(data, name) if self.algorithm == "sha1" else getattr(sa.func, self.algorithm)(data)
        return sa.func.encode(digest, constant("'hex'"), type_=sa.Text())


class SHA1(MD5):
    """The SHA-1 digest; on PostgreSQL its extension `pgcrypto` must be there."""

    algorithm = "sha1"


class SHA224(MD5):
    """The SHA-224 digest."""

    algorithm = "sha224"


class SHA256(MD5):
    """The SHA-256 digest."""

    algorithm = "sha256"


class SHA384(MD5):
    """The SHA-384 digest."""

    algorithm = "sha384"


class SHA512(MD5):
    """The SHA-512 digest."""

    algorithm = "sha512"


_COLLATION = re.compile(r"(?=.{1,63}\Z)[A-Za-z][A-Za-z0-9_]*([.@-][A-Za-z0-9_]+)*", re.ASCII)


class Collate(Func):
    """The text, compared and ordered by a collation of the database: `Collate("name", "nocase")`.

    Raises:
        QueryError: The name has other characters than letters, digits, `_`, `-` and `.`.
    """

    def __init__(self, expression: Any, collation: str) -> None:
        if not isinstance(collation, str) or not _COLLATION.fullmatch(collation):  # pyright: ignore[reportUnnecessaryIsInstance]  # of users
            raise QueryError(
                f"{str(collation)[:40]!r} is no name of a collation.",
                code="data/argument",
                hint='Collate("name", "und-x-icu")',
            )
        super().__init__(expression)
        self.collation = collation

    def facts(self) -> Hashable:
        return self.collation

    def build(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        return taken_as(sa.collate(as_text(compiler, arguments[0]), self.collation), sa.Text())
