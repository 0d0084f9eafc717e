"""`Templates`: what an app asks to render, stream, find and check."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

import jinja2
from jinja2.ext import Extension

from ..errors import Finding, nearest
from .calls import TemplateCall, calls_in, names_read
from .checking import check_safety, check_templates
from .environment import Environment, Template
from .faults import BlockNotFound, TemplateNotFound, TemplateSyntaxError, TooMuchOutput
from .filters import FILTERS, as_json
from .folders import Folder, FolderLoader
from .fragments import FragmentExtension, Fragments, make_always
from .tags import CsrfTag
from .translating import FUNCTIONS, TransTag
from .undefined import Loud, Quiet
from .values import Context, Late, Processor, Values

__all__ = ["MAX_OUTPUT", "Templates"]

# Characters of one rendering; a stream may have more.
MAX_OUTPUT = 32_000_000

_PIECES = 2_000
_STREAM_CHARACTERS = 4_096
_MOST_STRINGS = 200

Rendered = Callable[[Template, Mapping[str, Any]], None]
Names = str | Sequence[str]


class Templates:
    """The templates of one app, read from its folders in order.

    Args:
        folders: The app's, then each blueprint's, then Segue's own.
        debug: An undefined name is an error; in production it is empty and logged.
        auto_reload: Look at files anew for each rendering.
        globals: Names that every template sees.
        filters: Own filters; they go before Segue's and Jinja2's.
        tests: Own tests.
        extensions: Jinja2 extensions: classes or dotted names.
        on_rendered: Called with the template and its values after each rendering.
        processors: Context processors by scope; under `None` those for all.
        fragments: Keeps what stands in `{% cache %}`; by default nothing is kept.
    """

    def __init__(
        self,
        folders: Sequence[Folder],
        *,
        debug: bool = False,
        auto_reload: bool = False,
        globals: Mapping[str, Any] | None = None,  # noqa: A002 - the word of Jinja2's users
        filters: Mapping[str, Callable[..., Any]] | None = None,
        tests: Mapping[str, Callable[..., Any]] | None = None,
        extensions: Sequence[str | type[Extension]] = (),
        on_rendered: Rendered | None = None,
        processors: Mapping[str | None, Sequence[Callable[..., Any]]] | None = None,
        fragments: Fragments = make_always,
    ) -> None:
        self._loader = FolderLoader(folders)
        # A class of its own, so that what is reported for one app is not forgotten for another.
        undefined = Loud if debug else type("Quiet", (Quiet,), {"__slots__": (), "reported": set[Any]()})
        self.environment: Environment = Environment(
            loader=self._loader,
            autoescape=_escapes,
            undefined=undefined,
            auto_reload=auto_reload,
            cache_size=-1,
            extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols", CsrfTag, FragmentExtension, TransTag, *extensions],
        )
        self.environment.fragments = fragments
        policies: dict[str, Any] = self.environment.policies
        policies["urlize.rel"] = "nofollow"
        policies["json.dumps_kwargs"] = {"sort_keys": True, "default": as_json}
        self.environment.globals.update(FUNCTIONS)
        self.environment.globals.update(globals or {})
        self.environment.filters.update(FILTERS)
        self.environment.filters.update(filters or {})
        self.environment.tests.update(tests or {})
        self._auto_reload = auto_reload
        self._on_rendered = on_rendered
        self._processors = _by_scope(processors or {})
        self._known: dict[str, Template] = {}
        self._strings: dict[str, Template] = {}
        self._skeletons: Environment | None = None

    # Rendering

    def render(self, name: Names, context: Mapping[str, Any], *, scope: str | None = None) -> str:
        """Return the text of a template.

        Args:
            name: `page.html`; `page.html#rows` for one block; a list for the first that exists.
            context: The names given to it.
            scope: The blueprint whose context processors it sees beside the app's.

        Raises:
            TemplateNotFound: None of the names exists.
        """
        values = self._values(context, scope)
        block = None
        try:
            template, block = self._find(name)
            if block is None:
                chunks = template.root_render_func(template.new_context(values))
            else:
                template, chunks = self._block(template, block, values)
            text = _join(chunks, template)
        except Exception as error:
            self._fail(error)
        if self._on_rendered is not None:
            self._on_rendered(template, values)
        return text

    def render_part(self, name: str, context: Mapping[str, Any]) -> str:
        """Return the text of a template that is a part of a value, such as a widget.

        No context processor runs for it, and nobody is told of the rendering.

        Raises:
            TemplateNotFound: There is none.
        """
        try:
            template = self._load(name)
            return _join(template.root_render_func(template.new_context(dict(context))), template)
        except Exception as error:
            self._fail(error)

    def render_string(self, source: str, context: Mapping[str, Any], *, scope: str | None = None) -> str:
        """Return the text of a template given as text, which the developer wrote, never a visitor."""
        values = self._values(context, scope)
        try:
            template = self._from_string(source)
            text = _join(template.root_render_func(template.new_context(values)), template)
        except Exception as error:
            self._fail(error)
        if self._on_rendered is not None:
            self._on_rendered(template, values)
        return text

    def stream(self, name: Names, context: Mapping[str, Any], *, scope: str | None = None) -> Iterator[str]:
        """Return the text piece by piece; the template is found at once, and rendered as it is read."""
        values = self._values(context, scope)
        try:
            template, block = self._find(name)
            if block is None:
                chunks = template.root_render_func(template.new_context(values))
            else:
                template, chunks = self._block(template, block, values)
        except Exception as error:
            self._fail(error)
        return self._pieces(template, chunks, values)

    def _pieces(self, template: Template, chunks: Iterable[str], values: Values) -> Iterator[str]:
        # Jinja2 yields a piece per expression; a write for each would cost more than the rendering.
        held: list[str] = []
        size = 0
        try:
            for chunk in chunks:
                held.append(chunk)
                size += len(chunk)
                if size >= _STREAM_CHARACTERS:
                    yield "".join(held)
                    held.clear()
                    size = 0
        except Exception as error:
            self._fail(error)
        if held:
            yield "".join(held)
        if self._on_rendered is not None:
            self._on_rendered(template, values)

    def _values(self, context: Mapping[str, Any], scope: str | None) -> Values:
        processors = self._processors.get(scope) or self._processors.get(None)
        return Values(context, Late(processors, context.get("request")) if processors else None)

    # Finding

    def exists(self, name: str) -> bool:
        """Tell whether some folder has a template of that name."""
        return self._loader.find(name) is not None

    def names(self) -> list[str]:
        """Return the names of all templates, sorted."""
        return self._loader.list_templates()

    def paths_of(self, name: str) -> list[Path]:
        """Return where a template of that name is looked for, in order."""
        return self._loader.paths_of(name)

    def get(self, name: Names) -> Template:
        """Return the first template that exists.

        Raises:
            TemplateNotFound: None of the names exists.
        """
        try:
            return self._find(name)[0]
        except Exception as error:
            self._fail(error)

    def check(self) -> list[Finding]:
        """Return what is wrong with the templates: syntax, filters, tests, names of other templates."""
        return check_templates(self.environment, self._loader)

    def calls_of(self, name: str) -> list[TemplateCall]:
        """Return every call of the function *name* in the templates that begins with a literal text."""
        return calls_in(self.environment, self._loader, name)

    def read_names(self) -> set[str]:
        """Return every name that a template reads of something, by attribute or by literal key."""
        return names_read(self.environment, self._loader)

    def check_safety(self) -> list[Finding]:
        """Return the places where a value is not safe by escaping alone, such as in `onclick`."""
        return check_safety(self.environment, self._loader)

    def _find(self, names: Names) -> tuple[Template, str | None]:
        tried = [names] if isinstance(names, str) else names
        for name in tried:
            file, _, block = name.partition("#")
            try:
                return self._load(file), block or None
            except jinja2.TemplateNotFound as error:
                if error.name != file:  # a template that this one needs is missing, not this one
                    raise
        raise jinja2.TemplatesNotFound([name.partition("#")[0] for name in tried], "no template")

    def _load(self, name: str) -> Template:
        # PERF: Jinja2's own cache costs a lock, a weak reference and a tuple for each look-up.
        found = self._known.get(name)
        if found is None:
            loaded = self.environment.get_template(name)
            assert isinstance(loaded, Template)
            found = loaded
            if not self._auto_reload:
                self._known[name] = found
        return found

    def _from_string(self, source: str) -> Template:
        found = self._strings.get(source)
        if found is None:
            compiled = self.environment.from_string(source)
            assert isinstance(compiled, Template)
            found = compiled
            if len(self._strings) >= _MOST_STRINGS:
                self._strings.clear()
            self._strings[source] = found
        return found

    def _block(self, whole: Template, block: str, values: Values) -> tuple[Template, Iterator[str]]:
        if self._skeletons is None:
            self._skeletons = self.environment.to_skeletons()
        template = self._skeletons.skeleton_of(whole)
        context: Context = template.new_context(values)
        for _ in template.root_render_func(context):
            pass
        if block not in context.blocks:
            raise BlockNotFound(whole.name or "", block, context.blocks)
        chunks: Iterator[str] = context.blocks[block][0](context)
        return template, chunks

    # Failing

    def _fail(self, error: Exception) -> NoReturn:
        """Raise *error* with the template's file and line in its traceback, and in Segue's words."""
        try:
            self.environment.handle_exception()
        except jinja2.TemplateNotFound as missing:
            raise self._not_found(missing).with_traceback(missing.__traceback__) from None
        except jinja2.TemplateSyntaxError as wrong:
            raise self._syntax_error(wrong).with_traceback(wrong.__traceback__) from None

    def _not_found(self, missing: jinja2.TemplateNotFound) -> TemplateNotFound:
        names = list(missing.templates) if isinstance(missing, jinja2.TemplatesNotFound) else [missing.name]
        texts = [str(name) for name in names if name is not None]
        return TemplateNotFound(
            texts,
            tried=[str(path) for name in texts for path in self._loader.paths_of(name)],
            existing=self.names(),
            where=_place_in_template(missing.__traceback__, self._loader),
        )

    def _syntax_error(self, wrong: jinja2.TemplateSyntaxError) -> TemplateSyntaxError:
        return TemplateSyntaxError(
            f"{wrong.message or 'The template cannot be read.'}",
            filename=wrong.filename or wrong.name or "<template>",
            lineno=wrong.lineno,
            hint=_suggest(wrong.message or "", self.environment),
        )


def _escapes(name: str | None) -> bool:
    return name is None or not name.endswith(".txt")


def _by_scope(
    given: Mapping[str | None, Sequence[Callable[..., Any]]],
) -> dict[str | None, tuple[Processor, ...]]:
    shared = {function: Processor(function) for functions in given.values() for function in functions}
    everywhere = tuple(shared[function] for function in given.get(None, ()))
    return {
        scope: everywhere if scope is None else everywhere + tuple(shared[each] for each in functions)
        for scope, functions in given.items()
    }


def _join(chunks: Iterable[str], template: Template) -> str:
    # Counting in slices: a page of usual size is joined at once and pays for one length.
    iterator = iter(chunks)
    pieces = list(islice(iterator, _PIECES))
    text = "".join(pieces)
    if len(pieces) < _PIECES:
        return text if len(text) <= MAX_OUTPUT else _too_much(template)
    parts = [text]
    size = len(text)
    while pieces and size <= MAX_OUTPUT:
        pieces = list(islice(iterator, _PIECES))
        parts.append("".join(pieces))
        size += len(parts[-1])
    return "".join(parts) if size <= MAX_OUTPUT else _too_much(template)


def _too_much(template: Template) -> NoReturn:
    raise TooMuchOutput(
        f"The template {template.name!r} renders more than {MAX_OUTPUT:,} characters.",
        where=template.filename or "",
        why="A rendering is held in memory as a whole.",
        hint="Show fewer rows at a time, or send it with stream_template().",
    )


def _place_in_template(trace: TracebackType | None, loader: FolderLoader) -> str:
    """Return `file:line` of the template line that a rewritten traceback ends in."""
    folders = tuple(str(folder.path) for folder in loader.folders)
    found = ""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if folders and file.startswith(folders):
            found = f"{file}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found


def _suggest(message: str, environment: Environment) -> str:
    """Return the nearest filter or test for Jinja2's "No filter named 'x'."."""
    for kind, known in (("filter", environment.filters), ("test", environment.tests)):
        head, _, rest = message.partition(f"No {kind} named ")
        if rest and not head:
            name = rest.strip("'\".")
            near = nearest(name, known)
            return f"Did you mean {' or '.join(near)}?" if near else f"@app.template_{kind}() adds one."
    return ""
