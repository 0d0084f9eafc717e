"""`segue completion SHELL`: the script that completes commands, endpoints and keys."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from ..group import segue

__all__ = ["command"]


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(*, shell: str) -> None:
    """Print the script that completes commands in a shell.

    \b
    bash:  eval "$(segue completion bash)"                       in ~/.bashrc
    zsh:   eval "$(segue completion zsh)"                        in ~/.zshrc
    fish:  segue completion fish > ~/.config/fish/completions/segue.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    completion = kind(segue, {}, "segue", "_SEGUE_COMPLETE")
    click.echo(kind.source_template % completion.source_vars())
