"""`segue secret`: a new key to sign with."""

from __future__ import annotations

import secrets

import click

from ..output import note

__all__ = ["command"]

_RANDOM_BYTES = 48


@click.command("secret")
def command() -> None:
    """Print a new random key for SECRET_KEY.

    The key alone goes to the standard output: `segue secret > key.txt`. After a change
    of key, keep the former one in SECRET_KEY_FALLBACKS until what it signed has expired.
    """
    click.echo(secrets.token_urlsafe(_RANDOM_BYTES))
    note("Set the variable SECRET_KEY to it, or SEGUE_SECRET_KEY_FILE to a file that holds it. Never commit it.")
