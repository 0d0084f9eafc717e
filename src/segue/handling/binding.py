"""Where each parameter of a callable comes from, decided at start-up.

The order of the sources is the contract (docs/explanation/handlers.md): path,
marker, known name, known type, body or query object, query scalar; else an error.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin, is_typeddict

import msgspec

from .. import validation
from ..context import Context
from ..errors import BadRequest, Fault, SetupError, UnsupportedMediaType, nearest
from ..http.request import Request
from . import markers
from .exchange import Exchange
from .signature import MISSING, Callee, Parameter, inspect_callable, names_read_from_kwargs

if TYPE_CHECKING:
    from ..http.uploads import UploadFile

__all__ = ["Argument", "Binder", "Call", "Input", "Known", "RouteFacts"]

_WRITES = frozenset({"POST", "PUT", "PATCH"})


@dataclasses.dataclass(frozen=True, slots=True)
class RouteFacts:
    """What binding must know of a route.

    Attributes:
        line: The route as it stands in the code, for errors.
        place: `file:line` of it.
        names: The names of its values, in order; `None` for a positional one.
        methods: The methods this endpoint answers.
        types: What each value's converter makes: `str` where it makes nothing else.
    """

    line: str
    place: str
    names: tuple[str | None, ...]
    methods: frozenset[str]
    types: tuple[type, ...] = ()
    constants: Mapping[str, Any] = dataclasses.field(default_factory=dict[str, Any])

    @property
    def reads_body(self) -> bool:
        """Whether a Struct parameter is the body here, not the query."""
        return bool(self.methods & _WRITES)


@dataclasses.dataclass(frozen=True, slots=True)
class Known:
    """What installers taught the compiler: names and types that have a maker.

    Attributes:
        names: Parameter name → function that makes the value (its parameters are injected).
        types: Type → function; subclasses match too, and get the annotation by `wanted`.
        overrides: Dependency → the function that replaces it (tests).
        late: Parameter name → what loads its maker, once a handler asks for it.
    """

    names: Mapping[str, Callable[..., Any]] = dataclasses.field(default_factory=dict[str, Callable[..., Any]])
    types: Mapping[type, Callable[..., Any]] = dataclasses.field(default_factory=dict[type, Callable[..., Any]])
    overrides: Mapping[Callable[..., Any], Callable[..., Any]] = dataclasses.field(
        default_factory=dict[Callable[..., Any], Callable[..., Any]]
    )
    late: Mapping[str, Callable[[], Callable[..., Any]]] = dataclasses.field(
        default_factory=dict[str, Callable[[], Callable[..., Any]]]
    )

    @property
    def all_names(self) -> list[str]:
        """The parameter names that have a maker."""
        return sorted({*self.names, *self.late})

    def find(self, name: str) -> Callable[..., Any] | None:
        """Return the maker of a parameter called *name*, or `None`."""
        if name in self.names:
            return self.names[name]
        return self.late[name]() if name in self.late else None


@dataclasses.dataclass(frozen=True, slots=True)
class Input:
    """A value that the client supplies, as the generated code has it.

    Attributes:
        variable: The name it gets.
        code: The expression that fetches it raw and reads it.
    """

    variable: str
    code: str


@dataclasses.dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call: the expression that stands for it in the generated code."""

    name: str
    code: str
    positional: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """A callable with its arguments, ready to be written into an endpoint."""

    callee: Callee
    arguments: tuple[Argument, ...]
    variable: str = ""


class Binder:
    """Binds every callable of one endpoint; shares inputs and dependencies among them.

    Args:
        values_may_go: Whether a `url_value_preprocessor` may take values of the route
            before the handler sees them, so that one it does not take is no mistake.
    """

    def __init__(self, route: RouteFacts, known: Known, *, values_may_go: bool = False) -> None:
        self.values_may_go = values_may_go
        self.route: RouteFacts = route
        self.known = known
        self.inputs: list[Input] = []
        self.dependencies: list[Call] = []
        self.values: dict[str, Any] = {}
        self.needs_request: bool = False
        self.needs_query: bool = False
        self.needs_pairs: bool = False
        self.needs_body: bool = False
        self.takes_files: bool = False
        self._inputs_by_key: dict[Any, str] = {}
        self._dependencies_by_function: dict[Any, str] = {}
        self._running: list[Callable[..., Any]] = []

    def call(self, callee: Callee, *, given: Sequence[str] = (), is_handler: bool = False) -> Call:
        """Bind *callee*; *given* are expressions for its leading parameters."""
        arguments = [Argument("", code, positional=True) for code in given]
        used: set[str] = set()
        positional = [index for index, name in enumerate(self.route.names) if name is None]
        # Groups without names come by position, so what stands before them must too.
        in_order = is_handler and bool(positional)
        for parameter in callee.parameters:
            if is_handler and positional and self._takes_group(parameter):
                index = positional.pop(0)
                arguments.append(Argument(parameter.name, self._path(parameter, index), positional=True))
                continue
            if parameter.name in self.route.names or parameter.name in self.route.constants:
                used.add(parameter.name)
            code = self._source(callee, parameter)
            if code is not None:
                arguments.append(Argument(parameter.name, code, positional=parameter.positional or in_order))
        if is_handler:
            arguments.extend(self._rest(callee, used, positional))
        return Call(callee, tuple(arguments))

    def name(self, value: Any, stem: str) -> str:
        """Give *value* a name in the generated code."""
        for name, known in self.values.items():
            if known is value:
                return name
        name = f"{stem}_{len(self.values)}"
        self.values[name] = value
        return name

    # The order of the sources

    def _source(self, callee: Callee, parameter: Parameter) -> str | None:
        name, annotation, marker = parameter.name, parameter.annotation, parameter.marker
        if isinstance(marker, markers.Depends):
            return self._depend(callee, parameter, marker)
        if marker is not None and not isinstance(marker, markers.Path):
            return self._marked(callee, parameter, marker)
        if name in self.route.names:
            return self._path(parameter, self.route.names.index(name))
        if name in self.route.constants:
            return self.name(self.route.constants[name], "constant")
        known = self._known_type(callee, parameter)
        if known is not None:
            return known
        scalar = annotation is not MISSING and validation.is_scalar(annotation)
        if not scalar:
            known = self._known_name(callee, parameter)
            if known is not None:
                return known
            if _is_object(annotation):
                return self._object(callee, parameter)
        if scalar or _is_list_of_scalars(annotation):
            return self._scalar(parameter, "query", parameter.name)
        raise self._unsatisfied(callee, parameter)

    def _takes_group(self, parameter: Parameter) -> bool:
        return (
            parameter.marker is None
            and parameter.name not in ("request", "app")
            and parameter.name not in self.known.all_names
            and (parameter.annotation is MISSING or validation.is_scalar(parameter.annotation))
        )

    def _path(self, parameter: Parameter, index: int) -> str:
        made = self.route.types[index] if index < len(self.route.types) else str
        annotation = parameter.annotation
        if annotation is MISSING or annotation is made or made is not str or not validation.is_scalar(annotation):
            return f"values[{index}]"
        if annotation is str:
            return f"values[{index}]"
        read = validation.scalar_reader(annotation, default=MISSING, name=parameter.name, source="path")
        return self._input(("path", index, annotation), f"values[{index}]", read)

    def _known_type(self, callee: Callee, parameter: Parameter) -> str | None:
        annotation = _without_none(parameter.annotation)
        if inspect.isclass(annotation):
            if issubclass(annotation, Request):
                self.needs_request = True
                return "exchange.request"
            if issubclass(annotation, Context):
                return "exchange"
            from_request = getattr(annotation, "__from_request__", None)
            if from_request is not None:
                # It says so itself where it takes files, and so a body of their size.
                self.takes_files = self.takes_files or getattr(annotation, "__takes_files__", False)
                return self._provide(callee, parameter, from_request)
            for kind in annotation.__mro__:
                if kind in self.known.types:
                    return self._provide(callee, parameter, self.known.types[kind])
        return None

    def _known_name(self, callee: Callee, parameter: Parameter) -> str | None:
        if parameter.name == "request":
            self.needs_request = True
            return "exchange.request"
        maker = self.known.find(parameter.name)
        if maker is not None:
            return self._provide(callee, parameter, maker)
        if parameter.name == "app":
            return "exchange.app.app"
        return None

    # Each source

    def _provide(self, callee: Callee, parameter: Parameter, maker: Callable[..., Any]) -> str:
        """A value of a known name or type: a dependency that may ask what is wanted."""
        key = (maker, parameter.annotation)
        if key not in self._dependencies_by_function:
            made = inspect_callable(maker)
            constants = {"wanted": parameter.annotation, "parameter": parameter.name}
            inner = dataclasses.replace(self.route, constants={**self.route.constants, **constants})
            outer, self.route = self.route, inner
            try:
                self._add_dependency(key, made)
            finally:
                self.route = outer
        return self._dependencies_by_function[key]

    def _depend(self, callee: Callee, parameter: Parameter, marker: markers.Depends) -> str:
        function = self.known.overrides.get(marker.function, marker.function)
        if marker.use_cache and function in self._dependencies_by_function:
            return self._dependencies_by_function[function]
        if function in self._running:
            names = [getattr(each, "__name__", repr(each)) for each in [*self._running, function]]
            raise SetupError(
                f"Dependencies go in a circle: {' → '.join(names)}.",
                code="handling/dependency-cycle",
                where=callee.place,
                hint="Let one of them take what it needs as a plain argument.",
            )
        self._running.append(function)
        try:
            key = function if marker.use_cache else object()
            return self._add_dependency(key, inspect_callable(function))
        finally:
            self._running.pop()

    def depend_on(self, function: Callable[..., Any]) -> None:
        """Run *function* as a dependency of the route itself, for what it does."""
        holder = Parameter("dependency", MISSING, markers.Depends(function), MISSING, positional=False)
        self._depend(inspect_callable(function), holder, markers.Depends(function))

    def _add_dependency(self, key: Any, callee: Callee) -> str:
        call = self.call(callee)
        variable = f"made_{len(self.dependencies)}"
        self.dependencies.append(dataclasses.replace(call, variable=variable))
        self._dependencies_by_function[key] = variable
        return variable

    def _marked(self, callee: Callee, parameter: Parameter, marker: markers.Marker) -> str:
        wire = marker.alias or parameter.name
        if isinstance(marker, markers.Query):
            if _is_object(parameter.annotation):
                return self._query_object(parameter)
            return self._scalar(parameter, "query", wire)
        if isinstance(marker, markers.Header):
            return self._scalar(parameter, "header", marker.alias or parameter.name.replace("_", "-"))
        if isinstance(marker, markers.Cookie):
            return self._scalar(parameter, "cookie", wire)
        if isinstance(marker, markers.Form):
            self.needs_body = True
            if _is_object(parameter.annotation):
                return self._body(callee, parameter, forms_only=True)
            return self._scalar(parameter, "form", wire)
        if isinstance(marker, markers.File):
            return self._file(parameter, wire)
        return self._body(callee, parameter)

    def _scalar(self, parameter: Parameter, source: str, wire: str) -> str:
        many = _is_list(parameter.annotation)
        make = validation.list_reader if many else validation.scalar_reader
        read = make(parameter.annotation, default=parameter.default, name=wire, source=source)
        key = (source, wire, repr(parameter.annotation), repr(parameter.default))
        if source == "query" and many:
            self.needs_pairs = True
            code = f"[value for name, value in pairs if name == {wire!r}]"
        elif source == "query":
            self.needs_query = True
            code = f"query.get({wire!r})"
        else:
            holder = {"header": "headers", "cookie": "cookies", "form": "form"}[source]
            code = f"exchange.request.{holder}.{'getlist' if many and source != 'cookie' else 'get'}({wire!r})"
        return self._input(key, code, read)

    def _file(self, parameter: Parameter, wire: str) -> str:
        self.needs_body = self.takes_files = True
        many = _is_list(parameter.annotation)
        default = parameter.default

        def read(files: list[UploadFile]) -> Any:
            if many and (files or default is MISSING):
                return files
            if not files:
                if default is MISSING:
                    raise validation.Invalid([Fault(("form", wire), "missing", "A file is needed.")])
                return default
            if len(files) > 1:
                raise validation.Invalid(
                    [Fault(("form", wire), "too_many", "One file is allowed.", {"count": len(files)})]
                )
            return files[0]

        return self._input(("file", wire, many), f"exchange.request.files.getlist({wire!r})", read)

    def _object(self, callee: Callee, parameter: Parameter) -> str:
        if self.route.reads_body:
            return self._body(callee, parameter)
        return self._query_object(parameter)

    def _query_object(self, parameter: Parameter) -> str:
        self.needs_pairs = True
        return self._input(
            ("query object", repr(parameter.annotation)), "pairs", validation.struct_reader(parameter.annotation)
        )

    def _body(self, callee: Callee, parameter: Parameter, *, forms_only: bool = False) -> str:
        self.needs_body = True
        if parameter.annotation is bytes:
            return "exchange.request.body"
        if parameter.annotation is str:
            return "exchange.request.text"
        if parameter.annotation is MISSING:
            raise self._unsatisfied(callee, parameter)
        from ..http.uploads import UploadFile  # for handlers that take a body

        reader = validation.body_reader(parameter.annotation, upload=UploadFile)
        optional = parameter.default is not MISSING

        def read(exchange: Exchange) -> Any:
            received = exchange.received
            if received is None or (not received.data and received.is_empty):
                if optional:
                    return parameter.default
                kind = exchange.header("content-type")
                if kind and "json" in kind:
                    raise BadRequest("The body is empty; JSON is needed.", code="http/bad-json")
                raise validation.Invalid([Fault(("body",), "missing", "A body is needed.")])
            # PERF: the common case is decided by one comparison; parsing the
            # content type costs more than decoding a small body.
            if not forms_only and received.data is not None:
                kind = received.content_type
                if kind == "application/json" or exchange.request.content_type.is_json:
                    return reader.from_json(received.data)
            mime = exchange.request.content_type.mime
            if mime in ("application/x-www-form-urlencoded", "multipart/form-data"):
                request = exchange.request
                return reader.from_form(request.form.multi_items(), request.files)
            raise UnsupportedMediaType(
                f"A body of the type {mime or '(none)'} is not read here; send JSON or a form.",
                code="http/unsupported-media-type",
            )

        return self._input(("body", repr(parameter.annotation)), "exchange", read)

    def _input(self, key: Any, code: str, read: Callable[[Any], Any]) -> str:
        if key in self._inputs_by_key:
            return self._inputs_by_key[key]
        variable = f"input_{len(self.inputs)}"
        self.values["Invalid"] = validation.Invalid
        self.inputs.append(Input(variable, f"{self.name(read, 'read')}({code})"))
        self._inputs_by_key[key] = variable
        return variable

    # What is left over

    def _rest(self, callee: Callee, used: set[str], positional: list[int]) -> list[Argument]:
        route = self.route
        arguments = [Argument("", f"values[{index}]", positional=True) for index in positional if callee.takes_args]
        if positional and not callee.takes_args:
            raise SetupError(
                f"{callee} takes {len(route.names) - len(positional)} of the {len(route.names)} groups of its route.",
                code="routing/unknown-parameter",
                where=f"{route.place}, {route.line}",
                hint=f"Add a parameter for each unnamed group to {callee}, or name the groups: (?P<name>…).",
            )
        left = [(name, index) for index, name in enumerate(route.names) if name is not None and name not in used]
        if callee.takes_kwargs is not None:
            arguments.extend(Argument(name, f"values[{index}]") for name, index in left)
            arguments.extend(
                Argument(name, self.name(value, "constant"))
                for name, value in route.constants.items()
                if name not in used and name not in route.names
            )
            for wanted in names_read_from_kwargs(callee):
                if wanted not in route.names and wanted not in route.constants:
                    raise self._mismatch(
                        f'{callee} reads kwargs["{wanted}"], and the route gives {_listed(route.names)}.', callee
                    )
            return arguments
        missing = [name for name, _ in left] + [
            name for name in route.constants if name not in used and name not in route.names
        ]
        if missing and not self.values_may_go:
            raise self._mismatch(f"The route gives {_listed(missing)}, and {callee} does not take it.", callee)
        return arguments

    def _mismatch(self, message: str, callee: Callee) -> SetupError:
        route = self.route
        return SetupError(
            message,
            code="routing/unknown-parameter",
            where=f"{route.place}, {route.line}\n{callee.place}, def {callee.name}",
            why="Every value of a route must have a parameter that takes it, and the other way round.",
            hint=f"Give {callee} the parameters {_listed(route.names)}, or change the route.",
        )

    def _unsatisfied(self, callee: Callee, parameter: Parameter) -> SetupError:
        route = self.route
        names = [name for name in route.names if name]
        taken = {each.name for each in callee.parameters}
        # A value that nobody takes is most likely the one that was meant.
        close = [name for name in names if name not in taken] or nearest(
            parameter.name, [*names, "request", "app", *self.known.all_names]
        )
        given = _listed(names) if names else "nothing"
        if parameter.annotation is not MISSING:
            problem = (
                f"{callee} asks for `{parameter.name}: {_type_name(parameter.annotation)}`, which nothing supplies."
            )
            hint = (
                'Users come with the battery Auth: app.register(Auth(user=…), prefix="/accounts").'
                if hasattr(parameter.annotation, "is_authenticated")
                else "Use a Struct, dataclass or TypedDict for a body, Annotated[..., Depends(make)] for a made value, "
                "or a class with __from_request__."
            )
        else:
            problem = f"{callee} asks for `{parameter.name}`, and nothing supplies it."
            hint = f"Annotate it, for example `{parameter.name}: str`, to read it from the query."
        if close:
            hint = f"Rename `{parameter.name}` to `{close[0]}`, or change the route. {hint}"
        return SetupError(
            problem,
            code="routing/unknown-parameter" if close and close[0] in names else "handling/unknown-parameter",
            where=f"{route.place}, {route.line}\n{callee.place}, def {callee.name}",
            why=f"A parameter comes from the path (here: {given}), the query or body (if annotated), "
            f"or is a known name ({_listed(['request', *self.known.all_names, 'app'])}).",
            hint=hint,
        )


def _listed(names: Sequence[str | None]) -> str:
    return ", ".join(f"`{name}`" for name in names if name) or "no value"


def _type_name(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")


def _bare(annotation: Any) -> Any:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return annotation


def _without_none(annotation: Any) -> Any:
    annotation = _bare(annotation)
    arguments = [each for each in get_args(annotation) if each is not type(None)]
    if len(arguments) == 1 and type(None) in get_args(annotation):
        return _bare(arguments[0])
    return annotation


def _is_object(annotation: Any) -> bool:
    kind = _without_none(annotation)
    return inspect.isclass(kind) and (
        issubclass(kind, msgspec.Struct) or dataclasses.is_dataclass(kind) or is_typeddict(kind)
    )


def _is_list(annotation: Any) -> bool:
    return get_origin(_without_none(annotation)) in (list, tuple, set, frozenset) or _without_none(annotation) is list


def _is_list_of_scalars(annotation: Any) -> bool:
    arguments = get_args(_without_none(annotation))
    return _is_list(annotation) and bool(arguments) and validation.is_scalar(arguments[0])
