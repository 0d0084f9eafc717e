"""Commands of an app, run as a person would type them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click.testing

if TYPE_CHECKING:
    from ..app import App

__all__ = ["CliRunner"]


class CliRunner(click.testing.CliRunner):
    """Runs `segue …` in process and keeps what it printed.

    >>> from segue import App
    >>> CliRunner(App("demo")).invoke(["version"]).exit_code
    0
    """

    def __init__(self, app: App | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.app = app

    def invoke(  # type: ignore[override]  # the command is always `segue`
        self,
        args: str | Sequence[str] | None = None,
        input: str | bytes | None = None,  # noqa: A002 - Click's name
        *,
        env: Mapping[str, str | None] | None = None,
        catch_exceptions: bool = False,
        **extra: Any,
    ) -> click.testing.Result:
        """Run the command line and return its result: `exit_code`, `output`, `stderr`.

        Args:
            args: As typed behind `segue`: a list, or a line.
            input: What the command reads.
            catch_exceptions: Whether an error of the command's own code is kept in the
                result instead of raised here.
        """
        from ..cli.group import Invocation, segue  # the commands, which a client does not need

        invocation = Invocation()
        if self.app is not None:
            invocation.use(self.app)
        return super().invoke(
            segue, args, input=input, env=env, catch_exceptions=catch_exceptions, obj=invocation, **extra
        )
