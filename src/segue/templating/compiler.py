"""The template compiler: reads call bound methods, and skeletons run without output.

A *skeleton* is a template reduced to what its blocks depend on: assignments,
imports, macros and `extends`. Running it costs next to nothing and leaves a
context in which one block renders as it would within the whole page.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TextIO

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame

from .reading import BUILTIN_NAMES

if TYPE_CHECKING:
    from .environment import Environment

__all__ = ["Generator", "as_skeleton"]

_KEPT = (
    nodes.Assign,
    nodes.AssignBlock,
    nodes.Block,
    nodes.ExprStmt,
    nodes.FromImport,
    nodes.Import,
    nodes.Macro,
)


class Generator(CodeGenerator):
    """Writes Python in which a read of an attribute goes through `Environment.read`."""

    environment: Environment

    def __init__(
        self,
        environment: Environment,
        name: str | None,
        filename: str | None,
        stream: TextIO | None = None,
        defer_init: bool = False,  # noqa: FBT001, FBT002 - Jinja2's signature
        optimized: bool = True,  # noqa: FBT001, FBT002 - Jinja2's signature
    ) -> None:
        super().__init__(environment, name, filename, stream, defer_init, optimized)
        # Reads whose value the template calls, or asks about, itself.
        self._uncalled: set[nodes.Node] = set()

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:  # noqa: N802 - Jinja2's name
        """Write a read that calls a bound method, unless the template does."""
        if node in self._uncalled:
            reader = "getattr"
        elif node.attr in BUILTIN_NAMES:
            reader = "read_builtin"
        else:
            reader = "read"
        self.write(f"environment.{reader}(")
        self.visit(node.node, frame)
        self.write(f", {node.attr!r})")

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        """Write what escapes a value that is printed."""
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape or finalize.src is not None:
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write("environment.escaped(")

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:  # noqa: N802 - Jinja2's name
        """Write `value[…]`, which never calls; filters look names up with `getitem`, which does."""
        if isinstance(node.arg, nodes.Slice):
            super().visit_Getitem(node, frame)
            return
        self.write("environment.subscript(")
        self.visit(node.node, frame)
        self.write(", ")
        self.visit(node.arg, frame)
        self.write(")")

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:  # noqa: FBT001, FBT002, N802 - Jinja2's
        """Write a call; what it calls is not called a second time."""
        self._uncalled.add(node.node)
        super().visit_Call(node, frame, forward_caller=forward_caller)

    def visit_Test(self, node: nodes.Test, frame: Frame) -> None:  # noqa: N802 - Jinja2's name
        """Write a test; `is defined` and `is callable` ask about the method itself."""
        if node.name in {"defined", "undefined", "callable"}:
            self._uncalled.add(node.node)
        super().visit_Test(node, frame)

    def visit_Block(self, node: nodes.Block, frame: Frame) -> None:  # noqa: N802 - Jinja2's name
        """Write the call of a block, which a skeleton only defines."""
        if self.environment.is_skeleton and frame.block is None:
            return
        super().visit_Block(node, frame)


def as_skeleton(template: nodes.Template) -> nodes.Template:
    """Return *template* without what it prints outside its blocks."""
    template.body = list(_essential(template.body))
    return template


def _essential(body: list[nodes.Node]) -> Iterator[nodes.Node]:
    for node in body:
        if isinstance(node, nodes.Extends):
            # Parents are skeletons too; what a block includes or imports is whole.
            skeleton_of = nodes.EnvironmentAttribute("skeleton_of", lineno=node.lineno)
            node.template = nodes.Call(skeleton_of, [node.template], [], None, None, lineno=node.lineno)
            yield node
        elif isinstance(node, _KEPT):
            yield node
        elif isinstance(node, nodes.If):
            node.body = list(_essential(node.body))
            node.elif_ = [each for each in _essential(list(node.elif_)) if isinstance(each, nodes.If)]
            node.else_ = list(_essential(node.else_))
            yield node
        else:
            yield from _outer_blocks(node)


def _outer_blocks(node: nodes.Node) -> Iterator[nodes.Node]:
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.Block):
            yield child
        else:
            yield from _outer_blocks(child)
