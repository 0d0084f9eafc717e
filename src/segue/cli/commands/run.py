"""`segue run`: serve the app, for development or for production."""

from __future__ import annotations

import importlib
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...errors import Finding, SetupError
from ...servers.facts import Facts, facts_of, in_child
from ...servers.options import ServeOptions
from .. import checks
from ..discovery import Project
from ..group import invocation_of

if TYPE_CHECKING:
    from ...app import App

__all__ = ["command", "demand_no_debug"]

# What no change of a watched file is likely to mend, or what names the wrong thing.
_HOPELESS = ("cli/no-app", "cli/several-apps", "cli/not-an-app", "config/bad-target", "config/no-such-module")


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the child process found out about the app."""

    facts: Facts
    findings: tuple[Finding, ...]


def demand_no_debug(app: App) -> None:
    """Make sure that *app* can be shown to strangers.

    Raises:
        SetupError: DEBUG is on (`security/debug-in-production`).
    """
    if app.debug:
        raise SetupError(
            "Debug is on, and this is production.",
            code="security/debug-in-production",
            where=app.config.explain("DEBUG").source,
            why="A debug page shows source, variables and settings to whoever causes an error.",
            hint="Take DEBUG away there, or serve for development: segue run",
        )


def prepare(project: Project, *, production: bool, check: bool) -> Prepared:
    """Load the app, check it and return its facts; runs in a process of its own."""
    app = project.load()
    if production:
        demand_no_debug(app)
    findings = checks.find(app, serving=production) if check else []
    facts = facts_of(app, serving=production)
    return Prepared(facts, tuple(findings))


@click.command("run")
@click.option("--prod", is_flag=True, help="Serve for production: workers, no reload, no debug.")
@click.option("--host", metavar="ADDRESS", help="Address to listen on.  [default: HOST, 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on.  [default: PORT, 8000]")
@click.option("--uds", type=click.Path(path_type=Path), help="Listen on a unix socket instead.")
@click.option("--workers", type=click.IntRange(1), help="Worker processes (--prod).  [default: WORKERS, 1]")
@click.option(
    "--server",
    type=click.Choice(["granian", "uvicorn"]),
    default="granian",
    show_default=True,
    help="Who serves (--prod).",
)
@click.option(
    "--interface",
    type=click.Choice(["auto", "asgi", "rsgi", "wsgi"]),
    default="auto",
    show_default=True,
    help="How the server calls the app (--prod).",
)
@click.option("--http", type=click.Choice(["auto", "1", "2"]), default="auto", show_default=True, help="HTTP version.")
@click.option("--ssl-certificate", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="PEM file.")
@click.option("--ssl-keyfile", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="PEM file.")
@click.option("--backpressure", type=click.IntRange(1), help="Most connections of a worker.")
@click.option(
    "--workers-kill-timeout",
    type=click.IntRange(1),
    default=15,
    show_default=True,
    help="Seconds that a stopping worker may take.",
)
@click.option("--reload/--no-reload", default=None, help="Restart on changes.  [default: unless --prod]")
@click.option("--refresh", is_flag=True, help="Reload pages in the browser after a change; not with --prod.")
@click.option("--access-log/--no-access-log", default=None, help="Log requests.  [default: unless --prod]")
@click.option("--reuse-port", is_flag=True, help="Share the port with a server that this one replaces (--prod).")
@click.option("--debugger", is_flag=True, help="Run Python in the frames of an error; the log has the PIN.")
@click.option("--skip-checks", is_flag=True, help="Start even if a check found an error.")
@click.pass_context
def command(ctx: click.Context, /, *, prod: bool, skip_checks: bool, **given: Any) -> None:
    """Serve the app.

    Without --prod this is for development: debug is on, changes of code and
    configuration restart it, errors show themselves in the browser.
    """
    _refuse_mixture(prod=prod, given=given)
    wanted = {key.upper(): given[key] for key in ("host", "port", "workers") if given[key] is not None}
    if given["debugger"]:
        wanted["DEBUGGER"] = True
    project = invocation_of(ctx).project(is_development=not prod, is_production=prod, options=wanted)
    outcome = in_child(_prepare, project, prod, not skip_checks)
    if outcome.value is None:
        click.echo(outcome.problem, err=True, nl=False)
        if prod or outcome.code in _HOPELESS:
            ctx.exit(1)
        facts = _facts_without_app(wanted)
    else:
        facts = outcome.value.facts
        checks.print_findings(outcome.value.findings, err=True)
        if checks.errors_in(outcome.value.findings):
            click.echo("Not started. --skip-checks starts all the same.", err=True)
            ctx.exit(1)
    options = _serve_options(facts, prod=prod, given=given, colours=ctx.color)
    _warn_of_debug(facts, options)
    _serve(project, options, server=given["server"], reuse_port=given["reuse_port"], refreshes=given["refresh"])


def _prepare(project: Project, production: bool, check: bool) -> Prepared:  # noqa: FBT001 - called by position in the child
    return prepare(project, production=production, check=check)


def _refuse_mixture(*, prod: bool, given: dict[str, Any]) -> None:
    if given["server"] == "uvicorn" and (not prod or given["interface"] not in ("auto", "asgi")):
        raise click.UsageError("--server uvicorn goes with --prod, and speaks ASGI only.")
    if given["server"] == "uvicorn" and given["http"] == "2":
        raise click.UsageError("uvicorn has no HTTP/2; Granian has.")
    if bool(given["ssl_certificate"]) != bool(given["ssl_keyfile"]):
        raise click.UsageError("--ssl-certificate and --ssl-keyfile go together.")
    if prod and given["refresh"]:
        raise click.UsageError("--refresh is for development.")
    if prod and given["debugger"]:
        raise click.UsageError("--debugger is for development: it runs whatever is typed into a page.")
    if prod and given["reload"]:
        raise click.UsageError("--reload is for development; in production send SIGHUP.")
    if not prod and given["interface"] not in ("auto", "asgi"):
        raise click.UsageError(f"--interface {given['interface']} goes with --prod; development serves ASGI.")


def _serve_options(facts: Facts, *, prod: bool, given: dict[str, Any], colours: bool | None) -> ServeOptions:
    interface, why = facts.interface, facts.why
    if not prod:
        interface, why = "asgi", ""
    elif given["server"] == "uvicorn":
        interface, why = "asgi", "uvicorn speaks no other"
    elif given["interface"] != "auto":
        interface, why = given["interface"], "--interface says so"
    if why:
        click.echo(f"Interface: {interface} ({why}).", err=True)
    access_log, reload = given["access_log"], given["reload"]
    return ServeOptions(
        name=facts.name,
        host=facts.host,
        port=facts.port,
        uds=given["uds"],
        workers=facts.workers if prod else 1,
        threads=facts.threads,
        interface=interface,
        http=given["http"],
        ssl_certificate=given["ssl_certificate"],
        ssl_keyfile=given["ssl_keyfile"],
        backpressure=given["backpressure"] or facts.backpressure,
        # A request that hangs must not hold up a restart in development.
        workers_kill_timeout=given["workers_kill_timeout"] if prod else min(3, given["workers_kill_timeout"]),
        log_level=facts.log_level,
        access_log=not prod if access_log is None else access_log,
        colours=colours,
        is_development=not prod,
        reload=not prod if reload is None else reload,
        watched=facts.watched,
    )


def _serve(project: Project, options: ServeOptions, *, server: str, reuse_port: bool, refreshes: bool) -> None:
    from ...servers import granian, uvicorn
    from ...servers.loading import WorkerTarget

    granian.demand_address(options.host, options.port, options.uds, shared=reuse_port)
    target = WorkerTarget(project.load, options.interface, survives=options.reload, refreshes=refreshes)
    if server == "uvicorn":
        uvicorn.serve(target, options)
    else:
        # Loaded here, once: each worker is a copy of this process. The project never is.
        importlib.import_module("segue.app")

        granian.serve(target, options)


def _facts_without_app(wanted: dict[str, Any]) -> Facts:
    """What can be known of an app that cannot be imported: enough to wait for its mending."""
    port = wanted.get("PORT", os.environ.get("SEGUE_PORT", os.environ.get("PORT", "8000")))
    return Facts(
        name="The app",
        interface="asgi",
        why="",
        host=wanted.get("HOST", os.environ.get("SEGUE_HOST", "127.0.0.1")),
        port=int(port) if str(port).isdigit() else 8000,
        workers=1,
        threads=4,
        log_level="INFO",
        debug=True,
        debug_source="",
    )


def _warn_of_debug(facts: Facts, options: ServeOptions) -> None:
    if not facts.debug or options.uds is not None:
        return
    try:
        is_local = ipaddress.ip_address(options.host).is_loopback
    except ValueError:
        is_local = options.host == "localhost"
    if not is_local:
        click.echo(
            click.style("Warning: ", fg="yellow", bold=True)
            + f"debug is on, and {options.host} can be reached from other machines. "
            "Errors show themselves to this machine only; serve with --prod for others.",
            err=True,
        )
