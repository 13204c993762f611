"""The command ``nas-arena``. Here and where the commands are only click is imported at the top: help comes at once."""

from __future__ import annotations

import sys
import warnings

import click

from harness.options import complain
from harness.result_commands import check_command, list_command, report_command, sync_command, ui_command
from harness.run_commands import ablate_command, compare_command, retrain_command, run_command


def main(arguments: list[str] | None = None) -> None:
    """Runs the command; mistakes of the user end in one line on standard error and exit status 2."""
    try:
        status = cli.main(arguments, prog_name="nas-arena", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        status = 0
    except click.Abort:
        click.echo("stopped; what was finished is on record, and the same command goes on from there", err=True)
        status = 130
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        given = sys.argv[1:] if arguments is None else arguments
        command = next((f"nas-arena {name}" for name in given[:1] if name in cli.commands), "nas-arena")
        hint = f"; see '{context.command_path if context else command} --help'"
        complain(" ".join(error.format_message().split()).rstrip(".") + hint)
        status = 2
    except ValueError as error:
        if not _is_the_users(error):
            raise
        complain(str(error))
        status = 2
    sys.exit(status or 0)


def _is_the_users(error: ValueError) -> bool:
    from results.files import RecordError
    from search_spaces.errors import ArenaError

    return isinstance(error, (ArenaError, RecordError))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="nas-arena", message="nas-arena %(version)s")
def cli() -> None:
    """Which neural architecture search method finds better architectures, on which space, at what cost, and why?"""
    # module:Class finds a module in the current folder; behind all others, so that a results.py there hides nothing
    sys.path.append("")
    warnings.formatwarning = lambda message, *_, **__: f"nas-arena: warning: {message}\n"


for _command in (
    run_command,
    compare_command,
    ablate_command,
    retrain_command,
    report_command,
    ui_command,
    sync_command,
    list_command,
    check_command,
):
    cli.add_command(_command)
