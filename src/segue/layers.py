"""The layers of a configuration, and how a key gets its value from them.

Holds: `Rank`, the order; `Store`, the layers and the values resolved so far; `Explanation`.
Imports: the standard library, `sources`, `targets`, `conversion`, `masking` and `errors`.
Never: reads a file or a variable before the first value is asked for.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from pathlib import Path
from typing import Any, cast

from .conversion import conform, describe, from_text, is_table, kind_of
from .errors import SetupError, UsageError, cut
from .masking import check_secret, mask
from .sources import Given, Option, caller_line, copy_containers, givens_of, read_dotenv, text_of, variables_of
from .targets import search_folders, split_targets

__all__ = ["MISSING", "Explanation", "Origin", "Rank", "Store", "WrongTypeError", "merged"]

MISSING: Any = object()
PREFIX = "SEGUE_"
DOTENV = "SEGUE_DOTENV"


class Rank(IntEnum):
    """The layers, in order: a later one beats those before it."""

    ARGUMENTS = 1
    TARGET = 2
    TARGETS_IN_VARIABLE = 3
    PUSHED_TARGETS = 4
    DOTENV = 5
    HOST_VARIABLES = 6
    VARIABLES = 7
    OPTIONS = 8
    CODE = 9


@dataclass(frozen=True, slots=True)
class Origin:
    """One source of a key's value, as it may be shown.

    Attributes:
        source: `file:line`, a variable, a call.
        value: The value's `repr`, masked.
        type: The name of the value's type.
    """

    source: str
    value: str
    type: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where a key's value comes from.

    Attributes:
        key: The key.
        value: Its value's `repr`, masked; empty where nothing sets it.
        type: The name of the value's type.
        source: The winner: `file:line`, a variable, a call, or `default`.
        overridden: The losers, strongest first.
        doc: What the key is for.
    """

    key: str
    value: str
    type: str
    source: str
    overridden: tuple[Origin, ...] = ()
    doc: str = ""

    def __str__(self) -> str:
        head = f"{self.key} = {self.value} ({self.type})" if self.source else f"{self.key} is not set"
        lines = [head, *([f"  {self.doc}"] if self.doc else [])]
        if self.source:
            lines.append(f"  from      {self.source}")
        lines += [f"  overrode  {each.value} from {each.source}" for each in self.overridden]
        return "\n".join(lines)


@dataclass(eq=False, slots=True)
class Layer:
    """What one place gives, by key."""

    rank: Rank
    given: dict[str, list[Given]] = field(default_factory=dict[str, list[Given]])


@dataclass(eq=False, slots=True)
class PendingTarget:
    """A target that is loaded when the first value is asked for."""

    rank: Rank
    target: Any
    source: str


class Store:
    """All layers of one configuration, and the values resolved so far.

    Thread-safe: the first reader loads, the others wait.
    """

    def __init__(self, root: Path, *, env_var: str, environ: Mapping[str, str] | None) -> None:
        self.root = root
        self.folders: tuple[Path, ...] = search_folders(root)
        self.env_var = env_var
        self.options: dict[str, Option] = {}
        self.values: dict[str, Any] = {}
        self.closed_at = ""
        self._environ = environ
        self._layers: list[Layer] = []
        self._pending: list[PendingTarget] = []
        self._variables: dict[str, str] | None = None
        self._dotenv: dict[str, tuple[str, int]] | None = None
        self._dotenv_path = Path()
        self._derived: list[Layer] | None = None
        self._reads_dotenv: bool | None = None
        self._loading = False
        self._lock = threading.RLock()

    # Changing

    def declare(self, option: Option) -> None:
        """Add or replace an option; its value is resolved anew."""
        with self._lock:
            self.options[option.name] = option
            self._derived = None
            self._forget([option.name])

    def add(self, rank: Rank, given: Mapping[str, Given]) -> None:
        """Put values into the layer of that rank, above what it has."""
        with self._lock:
            layer = next((each for each in self._layers if each.rank is rank), None)
            if layer is None:
                layer = Layer(rank)
                self._layers.append(layer)
                self._layers.sort(key=lambda each: each.rank)
            for key, one in given.items():
                layer.given.setdefault(key, []).append(one)
            self._derived = None
            self._forget(given)

    def add_target(self, rank: Rank, target: Any, source: str) -> None:
        """Add a target to the layer of that rank; it is loaded when a value is asked for."""
        with self._lock:
            self._pending.append(PendingTarget(rank, target, source))
            self._pending.sort(key=lambda each: each.rank)

    def copy(self) -> Store:
        """Return an open store of its own with the same layers."""
        with self._lock:
            self._load()
            twin = Store(self.root, env_var=self.env_var, environ=self._environ)
            twin._variables, twin._dotenv, twin._dotenv_path = self._variables, self._dotenv, self._dotenv_path
            twin.options = dict(self.options)
            twin._layers = [
                Layer(each.rank, {key: list(given) for key, given in each.given.items()}) for each in self._layers
            ]
            # Values, not only layers: what code changed in place (`config["HOSTS"].append`) counts.
            twin.values = {key: copy_containers(value) for key, value in self.values.items()}
            return twin

    def _forget(self, keys: Iterable[str]) -> None:
        for key in keys:
            self.values.pop(key, None)
        if "DEBUG" in keys and self._reads_dotenv is not None:
            before, self._reads_dotenv = self._reads_dotenv, None
            if self.reads_dotenv() is not before:  # .env comes or goes
                self._derived = None
                self.values.clear()

    # Reading

    def resolve(self, key: str) -> Any:
        """Return the value of *key*, or `MISSING`; it is kept.

        Raises:
            SetupError: A target cannot be loaded, or the value has the wrong type.
        """
        with self._lock:
            self._load()
            value = self._start(key)
            for given in self._givens(key):
                value = self._apply(key, given, value)
            if value is not MISSING:
                self.values[key] = value
            return value

    def keys(self) -> Iterator[str]:
        """Yield every key that is declared or given, declared ones first."""
        with self._lock:
            self._load()
            names = dict.fromkeys(name for name, option in self.options.items() if not option.required)
            for layer in self._all_layers():
                names |= dict.fromkeys(layer.given)
        for name in names:
            if name in self.values or self.resolve(name) is not MISSING:
                yield name

    def explain(self, key: str) -> Explanation:
        """Return the winner and the losers for *key*, masked."""
        with self._lock:
            self._load()
            option = self.options.get(key)
            value = self._start(key)
            origins = [] if value is MISSING else [self._origin(key, value, "default")]
            for given in self._givens(key):
                value = self._apply(key, given, value)
                if value is MISSING:
                    origins.append(Origin(self.shorten(given.source()), "removed", "nothing"))
                else:
                    origins.append(self._origin(key, value, self.shorten(given.source())))
        doc = option.doc if option else ""
        if not origins:
            return Explanation(key, "", "", "", doc=doc)
        *losers, winner = origins
        return Explanation(key, winner.value, winner.type, winner.source, tuple(reversed(losers)), doc)

    def is_development(self) -> bool:
        """Return whether `DEBUG` is on, by every layer but `.env`."""
        return self._debug_without_dotenv()[0]

    def reads_dotenv(self) -> bool:
        """Return whether `.env` is read: in development, and where `SEGUE_DOTENV` asks for it.

        Commands set that variable for themselves, so that they see what `segue run` sees;
        whatever says that `DEBUG` is off says that this is no development, and wins.
        """
        if self._reads_dotenv is None:
            wanted = (self._variables or {}).get(DOTENV)
            is_on, is_said = self._debug_without_dotenv()
            self._reads_dotenv = wanted != "0" and (is_on or (wanted == "1" and not is_said))
        return self._reads_dotenv

    def _debug_without_dotenv(self) -> tuple[bool, bool]:
        """Whether `DEBUG` is on, and whether anything but its default says so."""
        value, is_said = self._start("DEBUG"), False
        for given in self._givens("DEBUG", without_dotenv=True):
            value, is_said = self._apply("DEBUG", given, value), True
        return value is not MISSING and bool(value), is_said

    def place_of(self, key: str) -> str:
        """Return where the value of *key* was set, or an empty text."""
        givens = list(self._givens(key))
        return self.shorten(givens[-1].source()) if givens else ""

    def problems(self, *, secrets: bool = True) -> list[SetupError]:
        """Return everything that is wrong with the keys and their values."""
        with self._lock:
            self._load()
            found = list(self._misspelt())
            for key in dict.fromkeys((*self.options, *self._given_keys())):
                try:
                    value = self.values[key] if key in self.values else self.resolve(key)
                    if value is MISSING and key in self.options and self.options[key].required:
                        found.append(self._missing(self.options[key]))
                except SetupError as error:
                    found.append(error)
            if secrets and not any(error.code == "config/wrong-type" for error in found):
                found += self._weak_secrets()
            return found

    def shorten(self, source: str) -> str:
        """Return *source* with paths below the project made relative."""
        return source.removeprefix(str(self.folders[-2]) + os.sep)

    # Loading

    @property
    def variables(self) -> Mapping[str, str]:
        """The variables, as they were when the first value was asked for."""
        with self._lock:
            self._load()
            return self._variables or {}

    def _load(self) -> None:
        if self._variables is not None and not self._pending:
            return
        if self._loading:
            raise SetupError(
                "The configuration was read while it was being loaded.",
                code="config/circular",
                where=caller_line(),
                why="A settings module cannot ask the app that is waiting for it.",
                hint="Compute the value from other names of the module, or read it later, in a function.",
            )
        self._loading = True
        try:
            if self._variables is None:
                variables = dict(os.environ if self._environ is None else self._environ)
                for target in split_targets(variables.get(self.env_var, "")):
                    self.add_target(Rank.TARGETS_IN_VARIABLE, target, f"variable {self.env_var}")
                self._variables = variables
            while self._pending:
                pending = self._pending[0]
                outside = (Path.cwd(),) if pending.rank > Rank.TARGET else ()
                loaded = list(givens_of(pending.target, (*self.folders, *outside), pending.source))
                for given, options in loaded:
                    for option in options:
                        self.declare(merged(self.options.get(option.name), option))
                    self.add(pending.rank, given)
                del self._pending[0]
        finally:
            self._loading = False

    def _all_layers(self, *, without_dotenv: bool = False) -> list[Layer]:
        if without_dotenv:
            return sorted([*self._layers, *self._from_variables()], key=lambda each: each.rank)
        if self._derived is None:
            derived = self._from_variables()
            if self.reads_dotenv():
                derived.append(self._from_dotenv())
            self._derived = sorted([*self._layers, *derived], key=lambda each: each.rank)
        return self._derived

    def _from_variables(self) -> list[Layer]:
        variables = self._variables or {}

        def source(name: str) -> Callable[[], str]:
            return lambda: f"variable {name}"

        host = {
            option.name: [Given(variables[option.env], source(option.env), is_text=True)]
            for option in self.options.values()
            if option.env and option.env in variables
        }
        no_keys = (self.env_var, PREFIX + "CONFIG", PREFIX + "APP", DOTENV)
        prefixed = {name: text for name, text in variables.items() if name not in no_keys}
        return [
            Layer(Rank.HOST_VARIABLES, host),
            Layer(Rank.VARIABLES, variables_of(prefixed, PREFIX, self.is_known, source)),
        ]

    def _from_dotenv(self) -> Layer:
        if self._dotenv is None:
            path = next((each / ".env" for each in self.folders if (each / ".env").is_file()), None)
            self._dotenv_path = path or Path()
            self._dotenv = read_dotenv(path) if path else {}
        lines, path = self._dotenv, self._dotenv_path

        def source(name: str) -> Callable[[], str]:
            return lambda: f"{path}:{lines[name][1]}"

        given = {
            option.name: [Given(lines[option.env][0], source(option.env), is_text=True)]
            for option in self.options.values()
            if option.env and option.env in lines
        }
        texts = {name: text for name, (text, _) in lines.items()}
        for key, more in variables_of(texts, PREFIX, self.is_known, source).items():
            given.setdefault(key, []).extend(more)
        return Layer(Rank.DOTENV, given)

    def is_known(self, key: str) -> bool:
        """Return whether *key* is declared, or set by something other than a variable."""
        return key in self.options or any(key in layer.given for layer in self._layers)

    def _given_keys(self) -> Iterator[str]:
        for layer in self._all_layers():
            yield from layer.given

    def _givens(self, key: str, *, without_dotenv: bool = False) -> Iterator[Given]:
        for layer in self._all_layers(without_dotenv=without_dotenv):
            yield from layer.given.get(key, ())

    # Values

    def _start(self, key: str) -> Any:
        option = self.options.get(key)
        return MISSING if option is None or option.required else copy_containers(option.default)

    def _apply(self, key: str, given: Given, below: Any) -> Any:
        option = self.options.get(key)
        kind = option.type if option else None if below is MISSING else kind_of(below)
        raw = given.value
        if raw is MISSING:
            return MISSING
        try:
            if given.is_file:
                raw = text_of(Path(raw))
            if given.path:
                inner = _nest(below, given.path, raw, is_text=given.is_text)
                return conform(inner, option.type if option else None)
            if given.is_text:
                return from_text(raw, kind)
            if option is None or (raw is None and option.accepts_none()):
                return raw
            return conform(raw, kind)
        except ValueError as error:
            raise self._wrong_type(key, given, raw, error) from None

    def _wrong_type(self, key: str, given: Given, raw: Any, error: ValueError) -> SetupError:
        option = self.options.get(key)
        shown = mask(key, raw, secret=bool(option and option.secret))
        source = self.shorten(given.source())
        inside = ".".join((key, *given.path))
        return WrongTypeError(
            f"{inside} is {cut(shown)}: {error}.",
            code="config/wrong-type",
            where=source,
            why=f"{key} is declared as {describe(option.type)}."
            if option and option.type is not None
            else f"A value of {key} that lies below has another type.",
            hint=f"Correct the value in {source}.",
        )

    def _origin(self, key: str, value: Any, source: str) -> Origin:
        option = self.options.get(key)
        return Origin(source, repr(mask(key, value, secret=bool(option and option.secret))), type(value).__name__)

    # Problems

    def _missing(self, option: Option) -> SetupError:
        return SetupError(
            f"{option.name} is not set.",
            code="config/missing-value",
            why=f"It is declared as {describe(option.type)}, without a default.",
            hint=f"Set the variable {PREFIX}{option.name}, or {option.name} in a settings file.",
        )

    def _misspelt(self) -> Iterator[SetupError]:
        for key in dict.fromkeys(self._given_keys()):
            near = None if key in self.options else nearest_option(key, self.options)
            if near is not None:
                yield SetupError(
                    f"{key} is no configuration key.",
                    code="config/unknown-key",
                    where=self.place_of(key),
                    why=f"Nothing declared it, and it resembles {near}; so it is taken for a mistake.",
                    hint=f"Did you mean {near}? If {key} is a key of your own: app.config.declare({key!r}, default)",
                )

    def _weak_secrets(self) -> Iterator[SetupError]:
        if self.is_development() or self.resolve("TESTING") is True:
            return
        secret = self.resolve("SECRET_KEY")
        fallbacks = self.resolve("SECRET_KEY_FALLBACKS")
        named = [("SECRET_KEY", secret)] if secret not in (MISSING, None) else []
        if isinstance(fallbacks, list | tuple):
            named += [("SECRET_KEY_FALLBACKS", each) for each in cast("list[Any]", fallbacks)]
        for name, value in named:
            place = self.place_of(name)
            if self._dotenv and place.startswith(self.shorten(f"{self._dotenv_path}:")):
                continue  # the key of somebody's own machine
            try:
                check_secret(value, name=name, where=place)
            except SetupError as error:
                yield error

    def demand_open(self, what: str) -> None:
        """Raise `app/closed` if the app that reads this has started."""
        if self.closed_at:
            raise UsageError(
                f"{what} came after the app was closed.",
                code="app/closed",
                where=f"{caller_line()}; the app was closed by {self.closed_at}",
                why="What the configuration decides was decided then; a later change would have no effect.",
                hint="Write it before the app starts. In a test: with app.override_config(KEY=value): ...",
            )


class WrongTypeError(SetupError, ValueError):
    """A value of a type that its key does not have."""


# Parts


def merged(known: Option | None, option: Option) -> Option:
    """Return *option* with what only the *known* declaration says."""
    if known is None:
        return option
    doc, env = option.doc or known.doc, option.env or known.env
    return replace(option, doc=doc, env=env, secret=option.secret or known.secret)


def _nest(below: Any, path: tuple[str, ...], value: Any, *, is_text: bool) -> dict[Any, Any]:
    if below is not MISSING and below is not None and not is_table(below):
        raise ValueError("the value below is no table, so nothing can be set inside it")
    table: dict[Any, Any] = dict(below) if is_table(below) else {}
    wanted, *rest = path
    name = next((each for each in table if str(each).casefold() == wanted.casefold()), wanted)
    inner = table.get(name, MISSING)
    if rest:
        table[name] = _nest(inner, tuple(rest), value, is_text=is_text)
    else:
        table[name] = from_text(value, None if inner is MISSING else kind_of(inner)) if is_text else value
    return table


def nearest_option(key: str, options: Iterable[str]) -> str | None:
    """Return the declared key that *key* is most likely a slip of, or `None`.

    Stricter than a suggestion, because it stops the start: about one slip in
    seven letters, letters swapped, or an underscore missed.
    """
    from difflib import SequenceMatcher  # only who erred pays for it

    best, best_ratio = None, 0.0
    for option in options:
        ratio = SequenceMatcher(None, key, option, autojunk=False).ratio()
        if sorted(key.replace("_", "")) == sorted(option.replace("_", "")):
            ratio = 1.0
        if ratio > best_ratio:
            best, best_ratio = option, ratio
    return best if best_ratio >= 0.86 else None
