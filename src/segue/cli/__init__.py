"""The command line: `segue COMMAND`.

Holds: finding the app, the built-in commands, commands that apps add, `call_command`.
Imports: floors 0 to 3 and servers; each command's module and the project only when used.
Never: is imported by the framework, so that no app needs a terminal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..app import App

__all__ = ["call_command", "main"]


def main() -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 wrongly called, 130 interrupted."""
    from .group import segue

    segue.main(prog_name="segue")


def call_command(name: str, /, *arguments: Any, app: App | None = None, **options: Any) -> Any:
    """Run a command from code and return what its function returns.

    Args:
        name: As typed; `blog import` for a blueprint's.
        arguments: As typed, in order.
        app: Whose command it is; by default the current app's.
        options: By the names of the function's parameters.

    Raises:
        UsageError: There is no such command (`cli/unknown-command`), or the arguments do not fit
            (`cli/bad-arguments`).
    """
    from .calling import call

    return call(name, arguments, options, app)
