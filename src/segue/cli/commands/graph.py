"""`segue graph`: the app's parts, drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ..group import invocation_of

if TYPE_CHECKING:
    from ...app import App

__all__ = ["Edge", "as_dot", "as_mermaid", "command", "edges_of"]


class Edge(NamedTuple):
    """A line of the graph.

    Attributes:
        kind: `part` from a part to what it contains, `requires`, or `key` for a foreign key.
        text: What stands at the line.
    """

    begin: str
    end: str
    kind: str
    text: str = ""


def edges_of(app: App) -> tuple[dict[str, str], list[Edge]]:
    """Return the parts and models of *app*, each with its text, and the lines between them."""
    nodes: dict[str, str] = {}
    edges: list[Edge] = []
    for part in app.parts:
        count = len(part.registries.routes)
        routes = f"{count} route{'' if count == 1 else 's'}"
        name = part.name or app.name
        place = f" {part.prefix}" if part.prefix else ""
        nodes[part.name or ""] = f"{name}{place}: {routes}"
        if part.name is not None:
            edges.append(Edge(part.name.rpartition(".")[0], part.name, "part"))
            needed = getattr(part.scaffold, "requires", ())
            edges += [Edge(part.name, each, "requires", "requires") for each in needed]
    if app.config["DATABASE"] is not None:
        models = app.owned_models()
        keys = [key for model in models for key in model._meta.local_foreign_keys]
        nodes |= {_id(model): model._meta.label for model in models}
        nodes |= {_id(key.target): key.target._meta.label for key in keys}  # of another package, perhaps
        edges += [Edge(_id(key.model), _id(key.target), "key", key.name) for key in keys]
    return nodes, edges


def _id(model: Any) -> str:
    return f"model {model._meta.label_lower}"  # no blueprint has a space in its name


def _is_model(node: str) -> bool:
    return node.startswith("model ")


def as_mermaid(app: App) -> str:
    """Return the graph as a Mermaid flowchart."""
    nodes, edges = edges_of(app)
    ids = {name: f"n{index}" for index, name in enumerate(nodes)}
    arrows = {"part": "-->", "requires": "-. {} .->", "key": '-- "{}" -->'}
    lines = ["flowchart LR"]
    for name, text in nodes.items():
        lines.append(
            f'    {ids[name]}(["{_plain(text)}"])' if _is_model(name) else f'    {ids[name]}["{_plain(text)}"]'
        )
    lines += [f"    {ids[each.begin]} {arrows[each.kind].format(each.text)} {ids[each.end]}" for each in edges]
    return "\n".join(lines)


def as_dot(app: App) -> str:
    """Return the graph in the language of Graphviz."""
    nodes, edges = edges_of(app)
    ids = {name: f"n{index}" for index, name in enumerate(nodes)}
    styles = {"part": "", "requires": ' [style=dashed, label="{}"]', "key": ' [label="{}"]'}
    lines = ["digraph app {", "    rankdir=LR; node [shape=box];"]
    for name, text in nodes.items():
        lines.append(f'    {ids[name]} [label="{_plain(text)}"{", style=rounded" if _is_model(name) else ""}];')
    lines += [f"    {ids[each.begin]} -> {ids[each.end]}{styles[each.kind].format(each.text)};" for each in edges]
    return "\n".join([*lines, "}"])


def _plain(text: str) -> str:
    return text.replace("\\", "/").replace('"', "'").replace("\n", " ")


@click.command("graph")
@click.option("--format", "form", type=click.Choice(["mermaid", "dot"]), default="mermaid", show_default=True)
@click.pass_context
def command(ctx: click.Context, *, form: str) -> None:
    """Draw the app's blueprints and models as Mermaid or DOT."""
    app = invocation_of(ctx).app()
    click.echo(as_mermaid(app) if form == "mermaid" else as_dot(app))
