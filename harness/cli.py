"""The command ``nas-arena``. Only click is imported here at the top, so that help answers at once."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from harness.run import StudyRun
    from harness.study import Study

NAMED_LEFT_OVER = 5
MANY_CELLS = 10_000  # a study of more is asked about: it may be a slip of the keyboard

ARENA_OPTION = click.option(
    "--arena", default="arena", show_default=True, metavar="DIR", help="The folder of all studies' results."
)
TRACKING_OPTION = click.option(
    "--tracking/--no-tracking", default=True, show_default=True, help="Mirror results into MLflow."
)


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
        _complain(" ".join(error.format_message().split()).rstrip(".") + hint)
        status = 2
    except ValueError as error:
        if not _is_the_users(error):
            raise
        _complain(str(error))
        status = 2
    sys.exit(status or 0)


def _is_the_users(error: ValueError) -> bool:
    from results.files import RecordError
    from search_spaces.errors import ArenaError

    return isinstance(error, (ArenaError, RecordError))


def _complain(message: str) -> None:
    click.echo(f"nas-arena: {message}", err=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="nas-arena", message="nas-arena %(version)s")
def cli() -> None:
    """Which neural architecture search method finds better architectures, on which space, at what cost, and why?"""
    # module:Class finds a module in the current folder; behind all others, so that a results.py there hides nothing
    sys.path.append("")
    warnings.formatwarning = lambda message, *_, **__: f"nas-arena: warning: {message}\n"


def _run_options(command: Any) -> Any:
    options = (
        ARENA_OPTION,
        click.option("--jobs", "-j", type=int, metavar="N", help="Shards at a time.  [default: one a core]"),
        click.option(
            "--engine",
            default="processes",
            show_default=True,
            metavar="NAME",
            help="Where to search: processes of this machine, or ray, the cluster that RAY_ADDRESS names.",
        ),
        TRACKING_OPTION,
        click.option("--yes", is_flag=True, help="Do not ask whether a study of very many cells is meant."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@cli.command("run")
@click.argument("study")
@click.option("--seeds", metavar="SEEDS", help="In place of the study's: 200 is 0 to 199; or a list as 5-9,12.")
@click.option("--budget", metavar="N|Ns", help="In place of the study's: evaluations, or simulated seconds as 12000s.")
@click.option(
    "--benchmark", "-b", "benchmarks", multiple=True, metavar="NAME(OPTION=VALUE, ...)", help="In place of the study's."
)
@_run_options
def run_command(study: str, seeds: str | None, budget: str | None, benchmarks: tuple[str, ...], **how: Any) -> int:
    """Run what is missing of STUDY, a bundled study or a TOML file.

    Ends with one table a benchmark; figures and records go to a folder of the study's name.
    """
    from harness.study import Study
    from harness.study_file import read_study_file

    if read_study_file(study).get("kind") == "toy":
        if budget or benchmarks:
            raise click.UsageError(f"{study} is a toy study, which has neither a budget nor benchmarks; leave them out")
        return _execute_toy(study, seeds, **how)
    changed = Study.load(study).replaced(seeds=seeds, budget=budget, benchmarks=benchmarks or None)
    return _execute(changed, **how)


@cli.command("compare")
@click.option("--benchmark", "-b", "benchmarks", multiple=True, required=True, metavar="NAME(OPTION=VALUE, ...)")
@click.option("--optimizer", "-o", "optimizers", multiple=True, required=True, metavar="NAME(SETTING=VALUE, ...)")
@click.option("--seeds", default="100", show_default=True, metavar="SEEDS", help="200 is 0 to 199; or 5-9,12.")
@click.option("--budget", default="1000", show_default=True, metavar="N|Ns", help="Evaluations, or seconds as 12000s.")
@click.option("--report-at", default="", metavar="N,N,...", help="Budgets to report at, besides the whole.")
@click.option("--name", default="compare", show_default=True, help="Names the study's folder.")
@_run_options
def compare_command(
    benchmarks: tuple[str, ...],
    optimizers: tuple[str, ...],
    seeds: str,
    budget: str,
    report_at: str,
    name: str,
    **how: Any,
) -> int:
    """Compare optimizers on benchmarks, each option given once or more.

    For example: nas-arena compare -b nasbench201 -o asng -o "asng(lam=8)" -o random_search --seeds 200 --budget 1000
    """
    from harness.study import Study

    study = Study(
        name=name, optimizers=optimizers, benchmarks=benchmarks, seeds=seeds, budget=budget, report_at=report_at
    )
    return _execute(study, **how)


@cli.command("ablate")
@click.argument("optimizers", nargs=-1, required=True, metavar="OPTIMIZER...")
@click.option("--vary", multiple=True, required=True, metavar="SETTING=V1,V2,...", help="Give it once a setting.")
@click.option("--benchmark", "-b", "benchmarks", multiple=True, required=True, metavar="NAME(OPTION=VALUE, ...)")
@click.option("--seeds", default="100", show_default=True, metavar="SEEDS", help="200 is 0 to 199; or 5-9,12.")
@click.option("--budget", default="1000", show_default=True, metavar="N|Ns", help="Evaluations, or seconds as 12000s.")
@click.option("--report-at", default="", metavar="N,N,...", help="Budgets to report at, besides the whole.")
@click.option("--sweep", metavar="SETTING", help="Draw curves over this one.  [default: the one with most numbers]")
@click.option("--name", default="ablate", show_default=True, help="Names the study's folder.")
@_run_options
def ablate_command(
    optimizers: tuple[str, ...],
    vary: tuple[str, ...],
    benchmarks: tuple[str, ...],
    seeds: str,
    budget: str,
    report_at: str,
    sweep: str | None,
    name: str,
    **how: Any,
) -> int:
    """Vary settings of an optimizer, or of several that share them: every combination, and random search beside them.

    For example: nas-arena ablate asng sng --vary delta_init=0.03,0.1,0.3,1,3 --vary lam=2,8 -b nasbench201
    """
    from harness.ablate import ablation

    study = ablation(optimizers, vary, benchmarks, sweep, name=name, seeds=seeds, budget=budget, report_at=report_at)
    return _execute(study, **how)


def _execute(study: Study, arena: str, jobs: int | None, engine: str, tracking: bool, yes: bool) -> int:
    from harness.console import ProgressBar
    from harness.run import run

    if study.pairs > MANY_CELLS and not yes:
        _confirm(f"the study has {study.pairs:,} cells, each with {len(study.seeds):,} seeds")
    with ProgressBar() as progress:
        result = run(study, arena=arena, jobs=jobs, engine=engine, tracking=tracking, progress=progress)
    return _epilogue(result, arena)


def _execute_toy(study: str, seeds: str | None, arena: str, yes: bool, **how: Any) -> int:
    from harness.console import ProgressBar
    from harness.toy_run import run_toy_study
    from harness.toy_study import ToyStudy

    changed = ToyStudy.load(study).replaced(seeds)
    if len(changed.cells) > MANY_CELLS and not yes:
        _confirm(f"the study has {len(changed.cells):,} cells, each with {len(changed.seeds):,} seeds")
    with ProgressBar() as progress:
        result = run_toy_study(changed, arena=arena, progress=progress, **how)
    return _epilogue(result, arena)


def _confirm(what: str) -> None:
    """Asks whether something large is meant."""
    if not sys.stdin.isatty():
        raise click.UsageError(f"{what}; if you mean it, add --yes")
    click.confirm(f"{what}; run it?", abort=True)


def _epilogue(result: StudyRun, arena: str) -> int:
    click.echo(f"\nresults   {result.folder}  (figures in {result.folder / 'figures'})")
    if result.tables or result.texts:
        inside = "" if arena == "arena" else f" --arena {arena}"
        click.echo(f"report    nas-arena report {result.folder.name}{inside}")
    if result.store and not result.mirror_problem:
        ui = "nas-arena ui" if arena == "arena" else f"nas-arena ui --arena {arena}"
        click.echo(f"MLflow    {result.store}  (browse it with: {ui})")
    if result.mirror_problem:
        _complain(f"warning: {result.mirror_problem}")
    if result.left_over:
        named = ", ".join(result.left_over[:NAMED_LEFT_OVER])
        more = f" and {len(result.left_over) - NAMED_LEFT_OVER} more" if len(result.left_over) > NAMED_LEFT_OVER else ""
        click.echo(f"left over {len(result.left_over)} cells of earlier runs of the study: {named}{more}")
    for pair, reason in result.skipped:
        click.echo(f"skipped   {pair}: {reason}")
    for label, error in result.failures:
        _complain(f"{label} failed:\n{error}")
    return 1 if result.failures else 0


@cli.command("report")
@click.argument("studies", nargs=-1, metavar="[STUDY ...]")
@ARENA_OPTION
@click.option("--html", metavar="FILE", help="Where the page goes.  [default: report.html in the study's folder]")
@click.option("--paper", is_flag=True, help="Figures in the size and the fonts of a paper's column.")
@TRACKING_OPTION
def report_command(studies: tuple[str, ...], arena: str, html: str | None, paper: bool, tracking: bool) -> None:
    """Report on studies: one page with figures, tables and what was found in words.

    STUDY is the name of one in the arena, or its folder, wherever that came from; all of the arena by default. Cells of
    several on one benchmark are compared. Beside the page are the same as Markdown, and a folder with every figure
    (SVG, PNG, CSV) and table (CSV, LaTeX). Where the runs of a single study are in MLflow, its page goes there too.
    """
    from pathlib import Path

    from harness.folder import telling
    from harness.reports import study_folders
    from harness.sync import sync_report
    from results.look import PAPER, SCREEN
    from results.report.build import report

    folders = study_folders(studies, Path(arena))
    page = Path(html) if html else (folders[0] if len(folders) == 1 else Path(arena)) / "report.html"
    with telling(page.parent, "another file with --html"):
        report(folders, page, PAPER if paper else SCREEN)
    click.echo(f"report    {page}\nMarkdown  {page.with_suffix('.md')}\nfigures and tables  {page.with_suffix('')}")
    if tracking and len(folders) == 1 and (problem := sync_report(folders[0], page, Path(arena))):
        _complain(f"warning: {problem}")


@cli.command("sync")
@click.argument("studies", nargs=-1, metavar="[STUDY ...]")
@ARENA_OPTION
def sync_command(studies: tuple[str, ...], arena: str) -> int:
    """Bring the MLflow store up to date with studies' folders.

    STUDY is the name of one in the arena, or its folder, wherever that came from; all of the arena by default. What is
    there already is left alone. The store is the one of the arena, or what MLFLOW_TRACKING_URI names.
    """
    from pathlib import Path

    from harness.reports import study_folders
    from harness.sync import sync

    status = 0
    for folder in study_folders(studies, Path(arena)):
        mirror = sync(folder, Path(arena))
        if mirror.problem:
            _complain(mirror.problem)
            status = 1
        else:
            done = (
                f"{mirror.written} runs written, {mirror.deleted} deleted" if mirror.written else "nothing was missing"
            )
            click.echo(f"{folder.name:9} {mirror.uri}: {done}")
    return status


@cli.command("list")
@click.argument("what", type=click.Choice(["optimizers", "benchmarks", "studies"]))
def list_command(what: str) -> None:
    """List what there is, with settings, defaults and where the data comes from."""
    from harness import listing

    click.echo("\n".join(getattr(listing, what)()))


@cli.command("check")
@click.argument("selection", metavar="NAME(SETTING=VALUE, ...)")
def check_command(selection: str) -> int:
    """Check that an optimizer or a benchmark keeps the contract: one of ours, or yours as module:Class.

    Every violation is explained with an example. For example: nas-arena check "my_module:HillClimber(restart=0.05)"
    """
    from harness.check import check

    report = check(selection)
    click.echo(str(report))
    return 1 if report.violated else 0


@cli.command("ui")
@click.argument("study", required=False)
@ARENA_OPTION
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 lets other machines in.")
@click.option("--port", default=5000, show_default=True, type=click.IntRange(1, 65535))
@click.option(
    "--browser/--no-browser",
    default=None,
    help="Open STUDY's page.  [default: from a terminal, where there is a screen]",
)
def ui_command(study: str | None, arena: str, host: str, port: int, browser: bool | None) -> int:
    """Serve the MLflow UI until Ctrl-C, and tell where STUDY is in it; all of the arena by default.

    The store is the one that the runs went to. Where MLFLOW_TRACKING_URI names a server, its page of STUDY is told.
    """
    from pathlib import Path

    from harness.ui import has_screen, show

    return show(study, Path(arena), host, port, browser=has_screen() if browser is None else browser)
