"""The commands about results, and about what there is to run."""

from __future__ import annotations

import click

from harness.options import ARENA_OPTION, TRACKING_OPTION, complain


@click.command("report")
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
        complain(f"warning: {problem}")


@click.command("sync")
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
    from results.files import RecordError
    from search_spaces.errors import ArenaError

    status = 0
    for folder in study_folders(studies, Path(arena)):
        try:
            mirror = sync(folder, Path(arena))
        except (ArenaError, RecordError) as error:  # the others go on
            complain(str(error))
            status = 2
            continue
        if mirror.problem:
            complain(mirror.problem)
            status = max(status, 1)
        else:
            done = f"{mirror.written} runs written, {mirror.deleted} deleted"
            click.echo(f"{folder.name:9} {mirror.uri}: {done if mirror.written else 'nothing was missing'}")
    return status


@click.command("list")
@click.argument("what", type=click.Choice(["optimizers", "benchmarks", "supernets", "images", "studies"]))
def list_command(what: str) -> None:
    """List what there is, with settings, defaults and where the data comes from."""
    from harness import listing

    click.echo("\n".join(getattr(listing, what)()))


@click.command("check")
@click.argument("selection", metavar="NAME(SETTING=VALUE, ...)")
def check_command(selection: str) -> int:
    """Check that an optimizer or a benchmark keeps the contract: one of ours, or yours as module:Class.

    Every violation is explained with an example. For example: nas-arena check "my_module:HillClimber(restart=0.05)"
    """
    from harness.check import check

    report = check(selection)
    click.echo(str(report))
    return 1 if report.violated else 0


@click.command("ui")
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
