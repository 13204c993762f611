"""What several commands have in common."""

from __future__ import annotations

import click

ARENA_OPTION = click.option(
    "--arena", default="arena", show_default=True, metavar="DIR", help="The folder of all studies' results."
)
TRACKING_OPTION = click.option(
    "--tracking/--no-tracking", default=True, show_default=True, help="Mirror results into MLflow."
)


def complain(message: str) -> None:
    """A line on standard error."""
    click.echo(f"nas-arena: {message}", err=True)
