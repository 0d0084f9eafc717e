"""The configuration of an app: one dict-like object over layers, with provenance.

Holds: `Config` and the typed view that its subclasses give; re-exports what it is used with.
Imports: floor 0.
Never: reads a file, a variable or a module before the first value is asked for.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Self, get_origin, get_type_hints

from .conversion import kind_of
from .errors import Finding, SetupError, UsageError, cut, did_you_mean
from .layers import MISSING, Explanation, Origin, Rank, Store, merged
from .masking import check_secret, is_secret_name, mask
from .sources import Given, Option, caller_line, givens_of, variables_of
from .targets import Target, TargetError, execute, load_target, read_mapping, split_targets

__all__ = [
    "Config",
    "Explanation",
    "MissingKeyError",
    "Option",
    "Origin",
    "Target",
    "TargetError",
    "check_secret",
    "is_secret_name",
    "load_target",
    "mask",
]

_IDS = {
    "config/unknown-key": "config.E001",
    "config/wrong-type": "config.E002",
    "config/missing-value": "config.E003",
    "config/weak-secret": "config.E004",
}
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class MissingKeyError(UsageError, KeyError):
    """A key was read that nothing declares or sets."""

    code = "config/missing-key"

    def __init__(self, key: str, config: Config) -> None:
        super().__init__(f"There is no configuration key {key!r}.", why="Nothing declares or sets it.")
        self.key = key
        self.config = config

    @property
    def hint(self) -> str:
        """The key that was meant, where one resembles it."""
        near = did_you_mean(self.key, self.config)
        return near or f"app.config.get({self.key!r}) gives None instead."


class Config(MutableMapping[str, Any]):
    """A dict of UPPERCASE keys, drawn from layers when the first one is read.

    Later layers win: declared defaults, arguments of the app, its target, the targets
    in `SEGUE_CONFIG`, pushed targets (`--config`), `.env` (development only), the
    variables hosts set, `SEGUE_<KEY>`, command-line options, what code writes.

    A subclass with annotated attributes declares keys and reads them with their types:

    >>> class Settings(Config):
    ...     PAGE_SIZE: int = 20
    >>> Settings.of(Config(environ={"SEGUE_PAGE_SIZE": "50"})).PAGE_SIZE
    50

    Args:
        root: The app's folder; files and `.env` are found from it.
        arguments: What the app's constructor was given, by key.
        target: A target's text or path, a module, class, object or mapping, or a list of those.
        env_var: The variable that names further targets, separated by commas.
        environ: The variables; `None` reads the process's, on first access.
        debug: Sets `DEBUG` as a command-line option does.
    """

    _annotated: ClassVar[dict[str, tuple[type[Config], Any]]] = {}

    def __init__(
        self,
        root: Path | None = None,
        *,
        arguments: Mapping[str, Any] = _NOTHING,
        target: Any = None,
        env_var: str = "SEGUE_CONFIG",
        environ: Mapping[str, str] | None = None,
        debug: bool | None = None,
    ) -> None:
        self._store = Store((root or Path.cwd()).absolute(), env_var=env_var, environ=environ)
        for option in self.declared_options():
            self._store.declare(option)
        self._store.add(
            Rank.ARGUMENTS, {key: _given(value, f"App({key.lower()}=…)") for key, value in arguments.items()}
        )
        if target is not None:
            self._store.add_target(Rank.TARGET, target, "App(config=…)")
        if debug is not None:
            self.push_options({"DEBUG": debug})

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._annotated = dict(cls._annotated)
        for name, annotation in inspect.get_annotations(cls).items():
            if name.isupper() and not _is_class_variable(annotation):
                cls._annotated[name] = (cls, vars(cls).get(name, MISSING))
        for name in cls._annotated:
            owner, default = cls._annotated[name]
            if name in vars(cls) and owner is not cls:  # a subclass gives another default
                default = vars(cls)[name]
                cls._annotated[name] = (owner, default)
            if name in vars(cls) or owner is cls:
                setattr(cls, name, _Setting(name, default))

    @classmethod
    def declared_options(cls) -> list[Option]:
        """Return the options that the annotated attributes of this class declare.

        Raises:
            SetupError: An annotation names something that cannot be found (`config/bad-annotation`).
        """
        return [
            Option(
                name,
                default=None if default is MISSING else default,
                type=_annotation(owner, name),
                secret=is_secret_name(name),
                required=default is MISSING,
            )
            for name, (owner, default) in cls._annotated.items()
        ]

    @classmethod
    def of(cls, config: Config) -> Self:
        """Return *config* seen through this class: its attributes read the keys, with their types.

        The keys are declared in *config* too, so a variable for one of them is converted
        and a misspelt one is found. The view is live, and checked now.

        Raises:
            SetupError: A value is missing (`config/missing-value`) or of the wrong type.
        """
        view = cls.__new__(cls)
        view._store = store = config._store
        for option in cls.declared_options():
            known = store.options.get(option.name)
            if known is None or not store.closed_at:
                store.declare(merged(known, option))
        for error in store.problems(secrets=False):
            if error.code in ("config/missing-value", "config/wrong-type"):
                raise error
        return view

    # Keys

    def declare(
        self,
        name: str,
        default: Any,
        *,
        type: Any = None,  # noqa: A002 - the word users expect
        doc: str = "",
        secret: bool = False,
        env: str | None = None,
        required: bool = False,
    ) -> None:
        """Make *name* a known key.

        Args:
            type: A class or typing form; by default the type of *default*, where that is
                a plain value. Values are checked against it, and variables converted.
            secret: Whether reports mask the value; of addresses only the credentials are.
            env: A variable without prefix that sets the key too, such as `PORT`.
            required: Whether start-up fails where nothing sets it; *default* is then unused.

        Raises:
            UsageError: *name* is not UPPERCASE, or the app is closed.
        """
        self._store.demand_open(f"declare({name!r})")
        _demand_uppercase(name)
        kind = kind_of(default) if type is None else type
        self._store.declare(Option(name, default, kind, doc, secret, env, required))

    @property
    def options(self) -> Mapping[str, Option]:
        """The declared keys."""
        return MappingProxyType(self._store.options)

    def __getitem__(self, key: str) -> Any:
        try:
            return self._store.values[key]
        except KeyError:
            pass
        value = self._store.resolve(key)
        if value is MISSING:
            raise MissingKeyError(key, self)
        return value

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and (key in self._store.values or self._store.resolve(key) is not MISSING)

    def __iter__(self) -> Iterator[str]:
        return self._store.keys()

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __setitem__(self, key: str, value: Any) -> None:
        self._store.demand_open(f"config[{key!r}] = …")
        _demand_uppercase(key)
        self._write({key: _given(value, caller_line())})

    def __delitem__(self, key: str) -> None:
        self._store.demand_open(f"del config[{key!r}]")
        if key not in self:
            raise KeyError(key)
        self._write({key: _given(MISSING, caller_line())})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._store.root.name}: {len(self._store.options)} declared keys>"

    def get_namespace(self, prefix: str, *, lowercase: bool = True, trim_namespace: bool = True) -> dict[str, Any]:
        """Return the keys that begin with *prefix*, by default lower-case and without it."""
        found: dict[str, Any] = {}
        for key in self:
            if key.startswith(prefix):
                name = key[len(prefix) :] if trim_namespace else key
                found[name.lower() if lowercase else name] = self[key]
        return found

    # Layers

    def push_target(self, target: Any, *, source: str = "--config") -> None:
        """Load *target* above those of `SEGUE_CONFIG`; the last pushed is strongest."""
        self._store.demand_open(f"{source} {cut(target)}")
        self._store.add_target(Rank.PUSHED_TARGETS, target, source)

    def push_options(self, options: Mapping[str, Any], *, source: str = "command line") -> None:
        """Set keys above all variables, as options of a command do."""
        self._store.demand_open(source)
        self._store.add(Rank.OPTIONS, {key: _given(value, source) for key, value in options.items()})

    def from_object(self, thing: Any) -> None:
        """Take the UPPERCASE keys of a class, module, object, or of what a target's text names."""
        self._store.demand_open("from_object()")
        place = caller_line()
        for given, options in givens_of(thing, self._store.folders, place):
            for option in options:
                self._store.declare(merged(self._store.options.get(option.name), option))
            self._write(given)

    def from_pyfile(self, filename: str | Path, *, silent: bool = False) -> bool:
        """Take the UPPERCASE names of a Python file; return whether it was there.

        Args:
            filename: Relative to the app's folder or its `instance` folder.
            silent: Whether a missing file is no error.
        """
        path = self._find(filename, silent=silent)
        if path is not None:
            self.from_object(execute(path))
        return path is not None

    def from_envvar(self, variable: str, *, silent: bool = False) -> bool:
        """Take the keys of the targets that *variable* names; return whether there were any.

        Raises:
            UsageError: The variable is not set (`config/no-variable`), unless *silent*.
            TargetError: What it names cannot be loaded.
        """
        text = self._store.variables.get(variable, "")
        if text:
            self.from_object(split_targets(text))
            return True
        if silent:
            return False
        raise UsageError(
            f"The variable {variable} is not set.",
            code="config/no-variable",
            where=caller_line(),
            why="It should name a configuration: a module, something in it, or a file.",
            hint=f"export {variable}=site.config",
        )

    def from_mapping(self, mapping: Mapping[str, Any] | None = None, /, **values: Any) -> None:
        """Take the UPPERCASE keys of a mapping and of the keyword arguments."""
        self.from_object({**(mapping or {}), **values})

    def from_file(
        self, filename: str | Path, load: Callable[[Any], Mapping[str, Any]] | None = None, *,
        silent: bool = False, text: bool = True,
    ) -> bool:  # fmt: skip
        """Take the UPPERCASE keys of a TOML, JSON or YAML file; return whether it was there.

        Args:
            filename: Relative to the app's folder or its `instance` folder.
            load: Reads the open file, such as `tomllib.load`; by default its suffix decides.
            silent: Whether a missing file is no error.
            text: Whether *load* is given text rather than bytes.
        """
        path = self._find(filename, silent=silent)
        if path is None:
            return False
        if load is None:
            self.from_object(read_mapping(path))
        else:
            with path.open("r" if text else "rb", encoding="utf-8" if text else None) as file:
                self.from_object(load(file))
        return True

    def from_prefixed_env(self, prefix: str = "SEGUE", *, loads: Callable[[str], Any] | None = None) -> None:
        """Take the variables that begin with *prefix* and `_`, as `SEGUE_<KEY>` is read.

        Args:
            loads: Reads each text instead; where it raises `ValueError`, the text stands.
        """
        self._store.demand_open("from_prefixed_env()")
        given = variables_of(
            self._store.variables, prefix + "_", self._store.is_known, lambda name: lambda: f"variable {name}"
        )
        for key, several in given.items():
            for one in several:
                self._write({key: _loaded(one, loads) if loads else one})

    def overlay(self, mapping: Mapping[str, Any]) -> Config:
        """Return an independent, open copy with *mapping* on top."""
        twin = Config.__new__(type(self))
        twin._store = self._store.copy()
        twin.update(mapping)
        return twin

    def freeze(self, place: str = "", *, secrets: bool = True) -> None:
        """Check every key and refuse later writes.

        Args:
            place: Who closed the app, for the error of a later write.
            secrets: Whether a weak `SECRET_KEY` outside development is refused.

        Raises:
            SetupError: A key is misspelt, missing, of the wrong type, or a weak secret.
        """
        problems = self._store.problems(secrets=secrets)
        if problems:
            raise problems[0]
        self._store.closed_at = place or caller_line() or "the server"

    # Reports

    def explain(self, key: str) -> Explanation:
        """Return the value of *key*, masked, where it comes from, and what it overrode."""
        return self._store.explain(key)

    def findings(self) -> list[Finding]:
        """Return what is wrong with the keys, as a check reports it."""
        return [
            Finding(_IDS.get(error.code, error.code), "error", error.message, error.hint, error.where)
            for error in self._store.problems()
        ]

    def diff(self, other: Config) -> dict[str, tuple[Any, Any]]:
        """Return the keys whose values differ in *other*, with both values, masked; `None` where unset."""
        found: dict[str, tuple[Any, Any]] = {}
        for key in sorted({*self, *other}):
            mine, others = self.get(key), other.get(key)
            if mine != others:
                found[key] = (self._masked(key, mine), other._masked(key, others))
        return found

    def _masked(self, key: str, value: Any) -> Any:
        option = self._store.options.get(key)
        return mask(key, value, secret=bool(option and option.secret))

    def _write(self, given: Mapping[str, Given]) -> None:
        self._store.add(Rank.CODE, given)

    def _find(self, filename: str | Path, *, silent: bool) -> Path | None:
        try:
            return Target(str(filename), file=str(filename)).find_file(self._store.folders)
        except TargetError:
            if silent:
                return None
            raise


class _Setting:
    """Reads one key of a typed view; on the class it is the default."""

    def __init__(self, name: str, default: Any) -> None:
        self.name = name
        self.default = default

    def __get__(self, instance: Config | None, owner: type[Config]) -> Any:
        if instance is not None:
            return instance[self.name]
        if self.default is MISSING:
            raise AttributeError(f"{owner.__name__}.{self.name} has no default")
        return self.default

    def __set__(self, instance: Config, value: Any) -> None:
        instance[self.name] = value


def _given(value: Any, source: str) -> Given:
    return Given(value, lambda: source)


def _loaded(given: Given, loads: Callable[[str], Any]) -> Given:
    if given.is_file:
        return given
    try:
        return Given(loads(given.value), given.source, path=given.path)
    except ValueError:
        return Given(given.value, given.source, path=given.path)


def _is_class_variable(annotation: Any) -> bool:
    if isinstance(annotation, str):
        return annotation.replace("typing.", "").startswith("ClassVar")
    return annotation is ClassVar or get_origin(annotation) is ClassVar


def _annotation(owner: type, name: str) -> Any:
    try:
        return get_type_hints(owner, include_extras=True)[name]
    except (NameError, AttributeError, SyntaxError, TypeError) as error:
        raise SetupError(
            f"The type of {owner.__qualname__}.{name} cannot be found.",
            code="config/bad-annotation",
            where=owner.__module__,
            why=str(error),
            hint="Import the type at the top of the module, outside `if TYPE_CHECKING:`.",
        ) from error


def _demand_uppercase(key: str) -> None:
    if not key.isupper():
        raise UsageError(
            f"{key!r} is no configuration key.",
            code="config/not-uppercase",
            where=caller_line(),
            why="Keys are UPPERCASE, so that files may hold other names too.",
            hint=f"config[{key.upper()!r}] = …",
        )
