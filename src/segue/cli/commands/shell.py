"""`segue shell`: Python in the app's context."""

from __future__ import annotations

import ast
import asyncio
import code
import importlib.util
import inspect
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any, cast

import click

from ..group import invocation_of

if TYPE_CHECKING:
    from ...app import App
    from ...db.steps import Prepared

__all__ = ["AwaitingConsole", "command", "names_for", "run_source"]

_SHELLS = ("ptpython", "ipython", "bpython", "python")


def names_for(app: App) -> dict[str, Any]:
    """Return the names that a shell begins with: the app, its models, and what its processors add."""
    names: dict[str, Any] = {}
    if app.config["DATABASE"] is not None:
        names |= {model.__name__: model for model in app.owned_models()}
    names |= {"app": app, "config": app.config}
    for processor in app.shell_context_processors:
        names |= processor()
    return names


def run_source(source: str, names: dict[str, Any]) -> Any:
    """Execute *source*, which may await at its top level; print the value of a last expression.

    Each statement is executed by itself, as at a prompt: one that does not await may wait for the
    database, which is refused on a loop.
    """
    value = None
    with asyncio.Runner() as runner:
        tree = ast.parse(source, "<shell>")
        for statement in tree.body:
            if isinstance(statement, ast.Expr) and statement is tree.body[-1]:
                value = _execute(ast.Expression(statement.value), "eval", names, runner)
            else:
                _execute(ast.Module([statement], []), "exec", names, runner)
    if value is not None:
        click.echo(repr(value))
    return value


def _execute(tree: ast.Expression | ast.Module, mode: str, names: dict[str, Any], runner: asyncio.Runner) -> Any:
    compiled = compile(tree, "<shell>", mode, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(compiled, names)
    return runner.run(_awaited(result)) if compiled.co_flags & inspect.CO_COROUTINE else result


async def _awaited(result: Any) -> Any:
    return await result


class AwaitingConsole(code.InteractiveConsole):
    """The standard library's console, with `await` at the prompt."""

    def __init__(self, names: dict[str, Any], runner: asyncio.Runner) -> None:
        super().__init__(names)
        self.compile.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        self._runner = runner

    def runcode(self, code: CodeType) -> None:
        """Execute one statement; what it raises is printed."""
        try:
            result = eval(code, self.locals)
            if code.co_flags & inspect.CO_COROUTINE:
                self._runner.run(_awaited(result))
        except SystemExit:
            raise
        except BaseException:
            self.showtraceback()


@click.command("shell")
@click.option("-c", "source", metavar="CODE", help="Execute CODE and end; await is allowed.")
@click.option("--shell", "wanted", type=click.Choice(_SHELLS), help="Which one; by default the first installed.")
@click.option("--sql", is_flag=True, help="Print each statement with its milliseconds, to the standard error.")
@click.pass_context
def command(ctx: click.Context, *, source: str | None, wanted: str | None, sql: bool) -> None:
    """Open a Python shell in the app's context, or execute CODE in it.

    `app`, `config`, the app's models and what its shell context processors return are there.
    """
    app = invocation_of(ctx).app()
    with ExitStack() as stack:
        stack.enter_context(app.context())
        if sql:
            stack.enter_context(_printed_statements())
        names = names_for(app)
        names["__name__"] = "__console__"
        if source is not None:
            _run_given(source, names)
            return
        if not sys.stdin.isatty() and wanted is None:
            _run_given(sys.stdin.read(), names)
            return
        _start(wanted, names, f"Segue shell: {', '.join(sorted(names.keys() - {'__name__'}))}")


def _printed_statements() -> AbstractContextManager[None]:
    from ...db.observing import describe_statement, watching

    def show(prepared: Prepared, parameters: Sequence[Any], seconds: float) -> None:
        click.echo(describe_statement(prepared, parameters, seconds), err=True)

    return watching(show)


def _run_given(source: str, names: dict[str, Any]) -> None:
    try:
        run_source(source, names)
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:
        import traceback

        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename != "<shell>":
            trace = trace.tb_next
        click.echo("".join(traceback.format_exception(type(error), error, trace)), err=True, nl=False)
        raise click.exceptions.Exit(1) from None


def _start(wanted: str | None, names: dict[str, Any], banner: str) -> None:
    starters: dict[str, Callable[[dict[str, Any], str], None]] = {
        "ptpython": _ptpython,
        "ipython": _ipython,
        "bpython": _bpython,
    }
    modules = {"ptpython": "ptpython", "ipython": "IPython", "bpython": "bpython"}
    for name, start in starters.items():
        if wanted not in (None, name):
            continue
        if importlib.util.find_spec(modules[name]) is not None:
            start(names, banner)
            return
        if wanted == name:
            raise click.ClickException(f"{name} is not installed: pip install {name}")
    _python(names, banner)


def _module(name: str) -> Any:
    return cast("Any", importlib.import_module(name))  # optional, so untyped here


def _ptpython(names: dict[str, Any], banner: str) -> None:
    click.echo(banner)
    made = _module("ptpython.repl").embed(globals=names, return_asyncio_coroutine=True, patch_stdout=True)
    asyncio.run(made)


def _ipython(names: dict[str, Any], banner: str) -> None:
    arguments = _module("traitlets.config").Config()
    arguments.TerminalInteractiveShell.banner1 = banner + "\n"
    _module("IPython").start_ipython(argv=[], user_ns=names, config=arguments)


def _bpython(names: dict[str, Any], banner: str) -> None:
    _module("bpython").embed(locals_=names, banner=banner)


def _python(names: dict[str, Any], banner: str) -> None:
    try:
        readline: Any = importlib.import_module("readline")
        completer = importlib.import_module("rlcompleter").Completer(names)
    except ImportError:  # Windows has none
        pass
    else:
        readline.set_completer(completer.complete)
        readline.parse_and_bind("tab: complete")
        history = Path.home() / ".python_history"
        if history.is_file():
            readline.read_history_file(history)
    with asyncio.Runner() as runner:
        AwaitingConsole(names, runner).interact(banner, exitmsg="")
