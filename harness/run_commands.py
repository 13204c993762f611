"""The commands that run studies."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from harness.options import ARENA_OPTION, TRACKING_OPTION, complain

if TYPE_CHECKING:
    from harness.oneshot_study import OneShotStudy
    from harness.running import StudyRun
    from harness.study import Study

NAMED_LEFT_OVER = 5
MANY_CELLS = 10_000  # a study of more is asked about: it may be a slip of the keyboard


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


@click.command("run")
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

    kind = read_study_file(study).get("kind")
    if kind in ("toy", "oneshot") and (budget or benchmarks):
        instead = "; its epochs stand in its file" if kind == "oneshot" else ""
        raise click.UsageError(
            f"{study} is a {kind} study, which has neither a budget nor benchmarks{instead}; leave them out"
        )
    if kind == "toy":
        return _execute_toy(study, seeds, **how)
    if kind == "oneshot":
        from harness.oneshot_study import OneShotStudy

        return _execute_oneshot(OneShotStudy.load(study).replaced(seeds=seeds), **how)
    changed = Study.load(study).replaced(seeds=seeds, budget=budget, benchmarks=benchmarks or None)
    return _execute(changed, **how)


@click.command("compare")
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


@click.command("ablate")
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


@click.command("retrain")
@click.argument("supernet", metavar="SUPERNET(OPTION=VALUE, ...)")
@click.argument("architectures", nargs=-1, required=True, metavar="ARCHITECTURE...")
@click.option("--images", "--dataset", required=True, metavar="NAME(OPTION=VALUE, ...)", help="Such as cifar10.")
@click.option(
    "--table", metavar="NAME(OPTION=VALUE, ...)", help="A table to look it up in.  [default: that of the images]"
)
@click.option("--seeds", default="3", show_default=True, metavar="SEEDS", help="One a training.")
@click.option("--epochs", type=int, metavar="N", help="[default: 200]")
@click.option("--batch-size", type=int, metavar="N", help="[default: 256]")
@click.option("--lr", "weights_lr", type=float, metavar="X", help="The first learning rate.  [default: 0.1]")
@click.option("--device", default="auto", show_default=True, metavar="auto|cpu|cuda|cuda:N")
@click.option("--name", default="retrain", show_default=True, help="Names the study's folder.")
@_run_options
def retrain_command(
    supernet: str,
    architectures: tuple[str, ...],
    images: str,
    table: str | None,
    seeds: str,
    device: str,
    name: str,
    epochs: int | None,
    batch_size: int | None,
    weights_lr: float | None,
    **how: Any,
) -> int:
    """Train architectures from scratch and test them: what a search has found, or any other.

    For example: nas-arena retrain "nasbench201(channels=8, cells=1)"
    "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|nor_conv_3x3~2|" --images digits --epochs 10
    """
    from harness.oneshot_study import OneShotStudy, table_of

    given = {"epochs": epochs, "batch_size": batch_size, "weights_lr": weights_lr}
    study = OneShotStudy(
        name=name,
        supernet=supernet,
        images=images,
        table=table or table_of(supernet, images),
        seeds=seeds,
        retraining={key: value for key, value in given.items() if value is not None},
        architectures=architectures,
        device=device,
    )
    return _execute_oneshot(study, **how)


def _execute_oneshot(study: OneShotStudy, arena: str, yes: bool, **how: Any) -> int:
    from harness.console import ProgressBar
    from harness.oneshot_run import run_oneshot_study

    if len(study.optimizers) > MANY_CELLS and not yes:
        _confirm(f"the study has {len(study.optimizers):,} cells, each with {len(study.seeds):,} seeds")
    with ProgressBar() as progress:
        result = run_oneshot_study(study, arena=arena, progress=progress, **how)
    return _epilogue(result, arena)


def _confirm(what: str) -> None:
    """Asks whether something large is meant."""
    if not sys.stdin.isatty():
        raise click.UsageError(f"{what}; if you mean it, add --yes")
    click.confirm(f"{what}; run it?", abort=True)


def _epilogue(result: StudyRun, arena: str) -> int:
    click.echo(f"\nresults   {result.folder}  (figures in {result.folder / 'figures'})")
    inside = "" if arena == "arena" else f" --arena {arena}"
    if result.tables or result.texts:
        click.echo(f"report    nas-arena report {result.folder.name}{inside}")
    if result.store and not result.mirror_problem:
        click.echo(f"MLflow    {result.store}  (browse it with: nas-arena ui {result.folder.name}{inside})")
    if result.mirror_problem:
        complain(f"warning: {result.mirror_problem}")
    if result.left_over:
        named = ", ".join(result.left_over[:NAMED_LEFT_OVER])
        more = f" and {len(result.left_over) - NAMED_LEFT_OVER} more" if len(result.left_over) > NAMED_LEFT_OVER else ""
        click.echo(f"left over {len(result.left_over)} cells of earlier runs of the study: {named}{more}")
    for pair, reason in result.skipped:
        click.echo(f"skipped   {pair}: {reason}")
    for label, error in result.failures:
        complain(f"{label} failed:\n{error}")
    return 1 if result.failures else 0
