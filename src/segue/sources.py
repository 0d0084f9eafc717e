"""Where configuration comes from: targets, variables, `.env` files.

Holds: `Option`, a declared key; `Given`, what one source gives for a key; the readers.
Imports: the standard library, `targets`, `conversion` and `errors`.
Never: converts a text; that waits until the type of its key is known.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any, cast

from .conversion import is_table
from .errors import SetupError, cut
from .targets import FORMS, FileKeys, Target, TargetError, line_of, uppercase

__all__ = [
    "Given",
    "Option",
    "caller_line",
    "copy_containers",
    "givens_of",
    "read_dotenv",
    "text_of",
    "variables_of",
]


@dataclass(frozen=True, slots=True)
class Option:
    """A declared configuration key.

    Attributes:
        name: UPPERCASE.
        default: The value where no layer gives one.
        type: A class or typing form that values are checked against; `None` checks nothing.
        doc: One sentence for `segue config explain`.
        secret: Whether its value is masked wherever it is shown.
        env: A variable without prefix that sets it too, such as `PORT`.
        required: Whether start-up fails where no layer gives a value.
    """

    name: str
    default: Any = None
    type: Any = None
    doc: str = ""
    secret: bool = False
    env: str | None = None
    required: bool = False

    def accepts_none(self) -> bool:
        """Return whether `None` may stand for "not set"."""
        return self.default is None and not self.required


@dataclass(frozen=True, slots=True)
class Given:
    """What one source gives for a key.

    Attributes:
        value: The value, or its text.
        source: Where it stands; called only when somebody asks.
        is_text: Whether *value* is text that is still to be read.
        path: Names inside the key's table, for `SEGUE_CACHE__TTL`.
        is_file: Whether *value* names the file that holds the text.
    """

    value: Any
    source: Callable[[], str]
    is_text: bool = False
    path: tuple[str, ...] = ()
    is_file: bool = False


def givens_of(target: Any, folders: Sequence[Path], source: str) -> Iterator[tuple[dict[str, Given], Sequence[Option]]]:
    """Load *target*, a text, file, mapping, class, object or list of those; yield what each gives.

    Raises:
        TargetError: It cannot be loaded, or holds no keys.
    """
    if isinstance(target, list | tuple):
        for each in cast("list[Any]", target):
            yield from givens_of(each, folders, source)
        return
    thing = target
    if isinstance(target, str | Path):
        target = Target.parse(str(target))
    if isinstance(target, Target):
        thing = target.load(folders, fresh=True)
    if thing is None:
        if target is not None:
            raise _holds_no_keys(target, thing)
        return
    if isinstance(thing, str | bytes | int | float | FunctionType):
        raise _holds_no_keys(target, thing)
    options: Any = getattr(thing, "declared_options", None)
    place: Any = thing.path if isinstance(thing, FileKeys) else None if is_table(thing) else thing

    def locate(key: str) -> Callable[[], str]:
        return lambda: source if place is None else line_of(place, key)

    given = {key: Given(copy_containers(value), locate(key)) for key, value in uppercase(thing).items()}
    declared: Sequence[Option] = options() if options is not None else ()
    yield given, declared


def variables_of(
    variables: Mapping[str, str],
    prefix: str,
    is_known: Callable[[str], bool],
    source: Callable[[str], Callable[[], str]],
) -> dict[str, list[Given]]:
    """Return what the variables with *prefix* give, nested names after whole ones."""
    found: dict[str, list[Given]] = {}
    for name in sorted(variables, key=lambda name: (name.count("__"), name)):
        key, *path = name.removeprefix(prefix).split("__")
        if not name.startswith(prefix) or not key.isupper() or not all(path):
            continue
        last = path[-1] if path else key
        is_file = last.endswith("_FILE") and not (not path and is_known(key))
        if is_file:
            bare = last.removesuffix("_FILE")
            key, path = (key, [*path[:-1], bare]) if path else (bare, [])
            if name.removesuffix("_FILE") in variables:
                raise _set_twice(name)
        found.setdefault(key, []).append(
            Given(variables[name], source(name), is_text=True, path=tuple(path), is_file=is_file)
        )
    return found


_LINE = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?P<value>.*)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "$": "$"}


def read_dotenv(path: Path) -> dict[str, tuple[str, int]]:
    """Return the names that a `.env` file sets, each with its text and line.

    Texts stand as they are written: `$NAME` inside one is not replaced, and `${NAME}`
    is an error rather than a surprise; in single quotes it is plain text.

    Raises:
        SetupError: A line is no `NAME=value` (`config/bad-file`); the value is not shown.
    """
    found: dict[str, tuple[str, int]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        match = _LINE.fullmatch(text)
        value = _unquote(match["value"]) if match else None
        if match is None or value is None:
            raise SetupError(
                "A line of .env cannot be read.",
                code="config/bad-file",
                where=f"{path}:{number}",
                why="A line is NAME=value, one line long, without ${…} or $(…): nothing is replaced.",
                hint="NAME=\"value\", or NAME='value' where the value holds ${",
            )
        found[match["name"]] = (value, number)
    return found


def _unquote(text: str) -> str | None:
    quoted = re.fullmatch(r"'([^']*)'\s*(?:#.*)?", text)
    if quoted:
        return quoted[1]
    quoted = re.fullmatch(r'"((?:[^"\\]|\\.)*)"\s*(?:#.*)?', text)
    if quoted is None and text[:1] in ("'", '"'):
        return None
    body = quoted[1] if quoted else re.split(r"(?:^|\s)#", text, maxsplit=1)[0].rstrip()
    if re.search(r"(?<!\\)\$[{(]", body):
        return None
    return re.sub(r"\\(.)", lambda each: _ESCAPES.get(each[1], each[0]), body) if quoted else body


def text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ValueError(f"the file cannot be read ({reason})") from None


def copy_containers(value: Any) -> Any:
    """Return *value* with its lists, tables and sets copied, so that no two apps share one."""
    kind: Any = value.__class__
    if kind is dict:
        return {name: copy_containers(each) for name, each in value.items()}
    if kind is list:
        return [copy_containers(each) for each in value]
    return set(value) if kind is set else value


def caller_line() -> str:
    """Return `file:line` of the nearest caller outside Segue."""
    frame: Any = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]  # inspect.stack() reads files
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name != "segue" and not name.startswith(("segue.", "collections", "_collections", "contextlib")):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return ""


def _holds_no_keys(target: Any, thing: Any) -> TargetError:
    is_function = isinstance(thing, FunctionType)
    return TargetError(
        f"The target {cut(target)} is {type(thing).__name__}, which holds no configuration keys.",
        code="config/bad-target",
        why="Keys come from a module, a class, an object, a mapping or a file." + ("" if is_function else f"\n{FORMS}"),
        hint=f"To call it: {target}()" if is_function else "Name something that holds UPPERCASE keys.",
    )


def _set_twice(name: str) -> SetupError:
    return SetupError(
        f"Both {name} and {name.removesuffix('_FILE')} are set.",
        code="config/set-twice",
        where=f"variable {name}",
        why="One says the value, the other names a file that holds it; which is meant cannot be known.",
        hint=f"Unset one: unset {name}",
    )
