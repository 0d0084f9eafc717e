"""The root of the command line: which commands there are, loaded when they are used.

`segue --help` imports neither a command's module nor the project; an unknown name
imports the project to look for it there.
"""

from __future__ import annotations

import ast
import copy
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ..errors import SegueError, nearest
from .packages import load_packaged, packaged_commands

if TYPE_CHECKING:
    from ..app import App
    from .discovery import Project

__all__ = ["BUILTINS", "Builtin", "Invocation", "invocation_of", "segue"]


@dataclass(frozen=True, slots=True)
class Builtin:
    """A command that Segue brings.

    Attributes:
        module: Below `segue.cli.commands`; its attribute `command` is the Click command.
        summary: Its line in `segue --help`, without loading the module.
    """

    module: str
    summary: str


BUILTINS: dict[str, Builtin] = {
    "check": Builtin("check", "Look for mistakes without serving."),
    "clearsessions": Builtin("clearsessions", "Remove the sessions that have ended."),
    "commands": Builtin("listing", "List all commands, those of the app too."),
    "completion": Builtin("completion", "Print the script that completes commands in a shell."),
    "config": Builtin("config", "Show the configuration, and where each value comes from."),
    "dbshell": Builtin("dbshell", "Open psql, mariadb or sqlite3 on the app's database; ARGUMENTS are handed on."),
    "dumpdata": Builtin("dumpdata", "Write the rows of all models, or of MODELS, into a file."),
    "entry": Builtin("entry", "Write wsgi.py or asgi.py for another server."),
    "explain": Builtin("explain", "Print the page about an error code."),
    "features": Builtin("features", "List blueprints of installed packages, and which the app has."),
    "flush": Builtin("flush", "Delete all rows of the app's models."),
    "graph": Builtin("graph", "Draw the app's blueprints and models as Mermaid or DOT."),
    "inspectdb": Builtin("inspectdb", "Print models for the tables of a database, or for TABLES of it."),
    "loaddata": Builtin("loaddata", "Write the rows of FILES into the database: each file all, or nothing of it."),
    "makemigrations": Builtin("makemigrations", "Write what changed in the models as a migration."),
    "migrate": Builtin("migrate", "Bring the tables to what the migrations say."),
    "policy": Builtin("policy", "Ask the policies of models."),
    "routes": Builtin("routes", "List the routes."),
    "run": Builtin("run", "Serve the app."),
    "secret": Builtin("secret", "Print a new random key for SECRET_KEY."),
    "shell": Builtin("shell", "Open a Python shell in the app's context."),
    "showmigrations": Builtin(
        "showmigrations", "List the migrations in the order in which they are run; [X] are those that were."
    ),
    "sqlmigrate": Builtin("sqlmigrate", "Print the SQL that a migration runs, or that takes it back."),
    "squashmigrations": Builtin("squashmigrations", "Write one migration that does what those from FIRST to LAST do."),
    "static": Builtin("static", "Build static files, and find them."),
    "template": Builtin("template", "Make templates."),
    "test": Builtin("test", "Run the tests with pytest."),
    "version": Builtin("version", "Print the versions of Segue and what it runs on."),
    "why": Builtin("why", "Tell what a request meets: the route, the handler, and every callable around it."),
}


class Invocation:
    """One run of the command line: what its options said, and the app once it was needed."""

    def __init__(self) -> None:
        self.target: str | None = None
        self.configs: list[str] = []
        self.debug: bool | None = None
        self._app: App | None = None

    def project(
        self, *, is_development: bool = False, is_production: bool = False, options: dict[str, Any] | None = None
    ) -> Project:
        """How to load the app; neither of both is for a command that does not serve."""
        from .discovery import Project  # asyncio and more, which --help does not need

        return Project(
            self.target,
            tuple(self.configs),
            self.debug,
            is_development=is_development,
            is_production=is_production,
            options=options or {},
        )

    def use(self, app: App) -> None:
        """Take *app*, which exists already."""
        self._app = app

    def app(self, *, is_production: bool = False) -> App:
        """Return the app; its code is imported at the first call.

        Args:
            is_production: Whether `.env` is left alone then.

        Raises:
            SetupError: It cannot be loaded.
        """
        if self._app is None:
            self._app = self.project(is_production=is_production).load()
        return self._app


def invocation_of(context: click.Context) -> Invocation:
    """Return the invocation that *context* belongs to."""
    found: Invocation = context.find_root().ensure_object(Invocation)
    return found


def _set_target(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        invocation_of(context).target = value


def _add_configs(context: click.Context, parameter: click.Parameter, value: Sequence[str]) -> None:
    found = invocation_of(context)
    found.configs.extend(each for each in value if each not in found.configs)


def _set_debug(context: click.Context, parameter: click.Parameter, value: bool | None) -> None:  # noqa: FBT001 - Click's signature
    if value is not None:
        invocation_of(context).debug = value


def project_options() -> list[click.Option]:
    """The options that stand before a command and after it."""
    eager: dict[str, Any] = {"expose_value": False, "is_eager": True}
    return [
        click.Option(
            ["--app"], metavar="TARGET", help="The app: package.module, package.module:name, or a file.",
            callback=_set_target, **eager,
        ),
        click.Option(
            ["--config"], metavar="TARGET", multiple=True, help="Configuration to put on top; repeatable.",
            callback=_add_configs, **eager,
        ),
        click.Option(
            ["--debug/--no-debug"], default=None, help="Set DEBUG, whatever the configuration says.",
            callback=_set_debug, **eager,
        ),
    ]  # fmt: skip


def with_project_options(command: click.Command) -> click.Command:
    """Return a copy of *command* that takes `--app`, `--config` and `--debug` too."""
    twin = copy.copy(command)
    taken = {flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)}
    twin.params = [
        *command.params,
        *(option for option in project_options() if not taken & {*option.opts, *option.secondary_opts}),
    ]
    if isinstance(twin, click.Group):
        twin.commands = {name: with_project_options(each) for name, each in twin.commands.items()}
    return twin


class RootGroup(click.Group):
    """`segue`: built-in commands, those of installed packages, those of the app."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names that can be listed without importing the project."""
        return sorted({*BUILTINS, *packaged_commands()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command, importing the project only for a name that nobody else has."""
        builtin = BUILTINS.get(cmd_name)
        if builtin is not None:
            module = import_module(f"{__package__}.commands.{builtin.module}")
            return with_project_options(module.command)
        found = load_packaged(cmd_name)
        if found is None:
            found = self._from_app(ctx, cmd_name)
        return with_project_options(found) if found is not None else None

    def _from_app(self, ctx: click.Context, name: str) -> click.Command | None:
        from .appcommands import commands_of

        try:
            return commands_of(invocation_of(ctx).app()).get(name)
        except Exception as error:
            if ctx.resilient_parsing:
                return None
            self._refuse_unknown(ctx, name, error)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a code that it ends with becomes that of the process."""
        try:
            return super().invoke(ctx)
        except click.exceptions.Exit as exit_:
            # Without standalone mode Click returns the code as if it were the command's result.
            raise SystemExit(exit_.exit_code) from None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of the first argument; an unknown one is answered with what there is."""
        name = args[0]
        if name not in BUILTINS:
            _look_ahead(ctx, args[1:])
        command = self.get_command(ctx, name)
        if command is None and not ctx.resilient_parsing:
            self._refuse_unknown(ctx, name, None)
        return name if command else None, command, args[1:]

    def _refuse_unknown(self, ctx: click.Context, name: str, error: Exception | None) -> NoReturn:
        known = self.list_commands(ctx)
        lines = [f"There is no command {name!r}."]
        if error is None:
            from .appcommands import commands_of

            known = sorted({*known, *commands_of(invocation_of(ctx).app())})
        near = nearest(name, known)
        if near:
            lines.append(f"Did you mean {' or '.join(near)}?")
        lines.append(f"Commands: {', '.join(known)}.")
        if error is not None:
            lines.append(_why_not_loaded(error))
        ctx.fail("\n".join(lines))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with their summaries, importing none of them."""
        packaged = packaged_commands()
        rows = [(name, builtin.summary) for name, builtin in sorted(BUILTINS.items())]
        rows += [(name, f"(from {package})") for name, package in sorted(packaged.items()) if name not in BUILTINS]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Say where the app's own commands are, and what is wrong with its file at first sight."""
        formatter.write_paragraph()
        formatter.write_text("`segue commands` lists the commands of the app too.")
        problem = _syntax_problem(Path.cwd())
        if problem:
            formatter.write_paragraph()
            formatter.write(problem)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Complete options and commands; the project is imported only where no built-in fits."""
        found = super().shell_complete(ctx, incomplete)
        if found or incomplete.startswith("-"):
            return found
        from click.shell_completion import CompletionItem

        from .appcommands import commands_of

        try:
            commands = commands_of(invocation_of(ctx).app())
        except Exception:  # a broken project must not break the shell
            return []
        return [
            CompletionItem(name, help=command.get_short_help_str())
            for name, command in commands.items()
            if name.startswith(incomplete)
        ]

    def main(self, args: Sequence[str] | None = None, *, standalone_mode: bool = True, **options: Any) -> Any:  # type: ignore[override]  # what it takes besides passes through
        """Run, and turn errors into messages and exit codes."""
        options.setdefault("color", _wants_colour())
        if not standalone_mode:
            return super().main(args, standalone_mode=False, **options)
        sys.exit(self._run(args, options))

    def _run(self, args: Sequence[str] | None, options: dict[str, Any]) -> int:
        try:
            super().main(args, standalone_mode=False, **options)
        except SystemExit as exit_:
            return exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)
        except click.Abort as error:
            interrupted = isinstance(error.__cause__, KeyboardInterrupt)
            if not interrupted:
                click.echo("Aborted.", err=True)
            return 130 if interrupted else 1
        except click.ClickException as error:
            error.show()
            return error.exit_code
        except SegueError as error:
            from ..servers.reporting import error_text

            click.echo(error_text(error), err=True, nl=False)
            return 1
        except BrokenPipeError:
            # The reader of a pipe (`segue routes | head`) had enough.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        return 0


def _look_ahead(ctx: click.Context, args: list[str]) -> None:
    """Read `--app` and its like behind a command that only the app knows."""
    settings: dict[str, Any] = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}
    reader = click.Command("look-ahead", params=list(project_options()), context_settings=settings)
    reader.make_context("look-ahead", list(args), parent=ctx, resilient_parsing=True)


def _wants_colour() -> bool | None:
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0") or os.environ.get("CLICOLOR_FORCE", "0") not in ("", "0"):
        return True
    return False if os.environ.get("CLICOLOR") == "0" else None


def _why_not_loaded(error: Exception) -> str:
    from ..servers.reporting import last_line, place_text

    place = place_text(error.__cause__ or error)
    return f"The app could not be loaded, so its commands are not known:\n  {place}\n  {last_line(error)}"


def _syntax_problem(folder: Path) -> str:
    """The last line of the traceback if the app's file is not even Python; nothing is executed."""
    path = next((folder / name for name in ("app.py", "main.py", "wsgi.py") if (folder / name).is_file()), None)
    if path is None:
        return ""
    try:
        ast.parse(path.read_bytes(), str(path))
    except SyntaxError as error:
        return f"{path.name}:{error.lineno}: the app's commands cannot be loaded.\n{type(error).__name__}: {error}\n"
    except (OSError, ValueError) as error:
        return f"{path.name}: the app's commands cannot be loaded.\n{type(error).__name__}: {error}\n"
    return ""


def _print_version(context: click.Context, parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 - Click's signature
    if value and not context.resilient_parsing:
        from .commands.version import version_line

        click.echo(version_line())
        context.exit()


segue: RootGroup = RootGroup(
    "segue",
    help="Work with a Segue app: serve it, look into it, run its commands.",
    params=[
        *project_options(),
        click.Option(
            ["--version"], is_flag=True, expose_value=False, is_eager=True, callback=_print_version,
            help="Print the versions and exit.",
        ),
    ],
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip
