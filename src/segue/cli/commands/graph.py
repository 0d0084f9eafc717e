"""`segue graph`: the app's parts, drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..group import invocation_of

if TYPE_CHECKING:
    from ...app import App

__all__ = ["as_dot", "as_mermaid", "command", "edges_of"]


def edges_of(app: App) -> tuple[dict[str, str], list[tuple[str, str, str]]]:
    """Return the parts of *app*, each with its text, and the lines between them.

    A line is (from, to, text): a part and what it contains, and what it requires.
    """
    nodes: dict[str, str] = {}
    edges: list[tuple[str, str, str]] = []
    for part in app.parts:
        count = len(part.registries.routes)
        routes = f"{count} route{'' if count == 1 else 's'}"
        name = part.name or app.name
        place = f" {part.prefix}" if part.prefix else ""
        nodes[part.name or ""] = f"{name}{place}: {routes}"
        if part.name is not None:
            edges.append((part.name.rpartition(".")[0], part.name, ""))
            edges += [(part.name, needed, "requires") for needed in getattr(part.scaffold, "requires", ())]
    return nodes, edges


def as_mermaid(app: App) -> str:
    """Return the graph as a Mermaid flowchart."""
    nodes, edges = edges_of(app)
    ids = {name: f"n{index}" for index, name in enumerate(nodes)}
    lines = ["flowchart LR"]
    lines += [f'    {ids[name]}["{_plain(text)}"]' for name, text in nodes.items()]
    for begin, end, text in edges:
        arrow = f"-. {text} .->" if text else "-->"
        lines.append(f"    {ids[begin]} {arrow} {ids[end]}")
    return "\n".join(lines)


def as_dot(app: App) -> str:
    """Return the graph in the language of Graphviz."""
    nodes, edges = edges_of(app)
    ids = {name: f"n{index}" for index, name in enumerate(nodes)}
    lines = ["digraph app {", "    rankdir=LR; node [shape=box];"]
    lines += [f'    {ids[name]} [label="{_plain(text)}"];' for name, text in nodes.items()]
    for begin, end, text in edges:
        style = f' [style=dashed, label="{text}"]' if text else ""
        lines.append(f"    {ids[begin]} -> {ids[end]}{style};")
    return "\n".join([*lines, "}"])


def _plain(text: str) -> str:
    return text.replace("\\", "/").replace('"', "'").replace("\n", " ")


@click.command("graph")
@click.option("--format", "form", type=click.Choice(["mermaid", "dot"]), default="mermaid", show_default=True)
@click.pass_context
def command(ctx: click.Context, *, form: str) -> None:
    """Draw the app's blueprints as Mermaid or DOT."""
    app = invocation_of(ctx).app()
    click.echo(as_mermaid(app) if form == "mermaid" else as_dot(app))
