"""What a sweep over a setting comes to, as text: how wide the good window is, and what tuning and not tuning cost."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from results.ablation import Comparison
from results.curves import SPANS_FROM, Curve, in_digits
from results.robustness import TRIES, Robustness, robustness

WIDTH = 130
FEW_SEEDS = 40


def render_ablation(comparisons: Sequence[Comparison], sweep: str) -> str:
    """Two tables for every benchmark and number of architectures an update: widths, and regrets.

    Args:
        comparisons: of a study (:func:`results.ablation.compare`).
        sweep: the setting that was varied.
    """
    plain = Console(width=WIDTH, no_color=True, force_terminal=False, highlight=False)
    with plain.capture() as captured:
        for line in _preface(comparisons, sweep):
            _print(plain, line)
        for comparison in comparisons:
            results = [
                result
                for budget in comparison.budgets
                for answer in ("recommended", "incumbent")
                for result in robustness(comparison, budget, answer)
            ]
            plain.print()
            for line in _heading(comparison):
                _print(plain, line)
            plain.print()
            if any(curve.spans for curve in comparison.curves.values()):
                plain.print(_widths(comparison, results))
                plain.print()
            plain.print(_regrets(comparison, results))
            for line in _baselines(comparison):
                _print(plain, line)
    return captured.get()


def window(curve: Curve) -> str:
    """The steps that were tried: the lowest, the highest and how many."""
    ends = _steps((float(curve.values[0]), float(curve.values[-1])))
    return f"{ends} ({len(curve.values)})"


def width(result: Robustness) -> str:
    """The width of a curve that spans a window, with its interval; "≥" where it reaches an end of what was tried."""
    if result.good is None:
        return "none good"
    low, high = result.interval
    return f"{'≥ ' if result.touches else ''}{result.width:.2f} [{low:.2f}, {high:.2f}]"


def number(value: float) -> str:
    """A regret, to the digits that can be told apart."""
    if math.isnan(value):
        return "-"
    value += 0.0  # no negative zero
    return f"{value:.3f}" if abs(value) < 1 else f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"


def _preface(comparisons: Sequence[Comparison], sweep: str) -> Iterator[str]:
    unit = "decades" if all(comparison.in_decades for comparison in comparisons) else f"units of {sweep}"
    yield f"Ablation of {sweep}: mean search regret over seeds, of both answers, each compared with its like."
    yield (
        f"Width: of the longest run of neighbouring steps (values of {sweep}) that are good, from the first to the "
        f"last, in {unit} [95 % bootstrap interval]; ≥ where it reaches an end of the steps that were tried, so that "
        "it may go on. Widths that differ by one step of the grid are equal. Good: a mean regret within the stated "
        f"tolerance of the best of all rules and steps in the same table; curves of fewer than {SPANS_FROM} steps "
        "have no width and set no bar."
    )
    yield (
        "Best, worst and best of k, the expected regret of the best of k different steps drawn at random from the "
        "window: chosen by one half of the seeds and judged by the other, both ways averaged. They are properties of "
        "the window, which is stated. Best step and median: of all seeds. At 0: the share of seeds whose answer at "
        "the best step is the best of the table."
    )


def _print(to: Console, line: str) -> None:
    to.print(textwrap.fill(line, WIDTH), markup=False)


def _heading(comparison: Comparison) -> Iterator[str]:
    counts = sorted({curve.seeds for curve in comparison.curves.values()})
    seeds = " to ".join(map(str, sorted({counts[0], counts[-1]})))
    wording = comparison.about["wording"]
    held = f", {comparison.held}" if comparison.held else ""
    yield f"{comparison.benchmark}{held}: {seeds} seeds, searched by {wording['searched']}"
    if counts[0] < FEW_SEEDS:
        yield (
            f"Fewer than {FEW_SEEDS} seeds: best, worst and best of k are chosen by one half of them and judged by the "
            "other, and can contradict the median and each other. Take more seeds before you read them."
        )
    yield (
        f"Good: within {number(comparison.tolerance)} {wording['regret_unit']} of the best "
        f"({comparison.tolerance_is}). Regrets in {wording['regret_unit']}."
    )


def _widths(comparison: Comparison, results: Iterable[Robustness]) -> Table:
    curves = {rule: curve for rule, curve in comparison.curves.items() if curve.spans}
    shown = _table()
    shown.add_column("width at", justify="right", no_wrap=True)
    shown.add_column("answer", no_wrap=True)
    for rule, curve in curves.items():
        shown.add_column(f"{rule}\n{window(curve)}", justify="right")
    rows: dict[tuple[int, str], dict[str, str]] = {}
    for result in results:
        if result.rule in curves:
            named = curves[result.rule].named(result.answer)
            rows.setdefault((result.budget, named), {})[result.rule] = width(result)
    for (budget, named), widths in rows.items():
        shown.add_row(_budget(budget, comparison), named, *(widths.get(rule, "") for rule in curves))
    return shown


def _regrets(comparison: Comparison, results: Sequence[Robustness]) -> Table:
    shown = _table()
    shown.add_column("regret at", justify="right", no_wrap=True)
    shown.add_column("rule", overflow="fold")
    shown.add_column("answer", no_wrap=True)
    for heading in ("good\nsteps", "best\nstep", "best", "at 0", "median", "worst"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for k in TRIES:
        shown.add_column(f"best\nof {k}", justify="right", no_wrap=True)
    rules = list(comparison.curves)
    before: tuple[int, str] | None = None
    for result in sorted(results, key=lambda one: (one.budget, rules.index(one.rule))):
        curve = comparison.curves[result.rule]
        first = before is None or before[0] != result.budget
        same = before == (result.budget, result.rule)
        before = result.budget, result.rule
        shown.add_row(
            _budget(result.budget, comparison) if first else "",
            "" if same else result.rule,
            curve.named(result.answer),
            _good(result, curve),
            in_digits(result.best_step),
            number(result.best),
            f"{result.zeros:.0%}",
            number(result.median),
            number(result.worst),
            *(number(result.best_of.get(k, math.nan)) for k in TRIES),
        )
    return shown


def _good(result: Robustness, curve: Curve) -> str:
    if not curve.spans:
        return f"of {' or '.join(map(in_digits, curve.values))}"
    return "none" if result.good is None else _steps(result.good)


def _baselines(comparison: Comparison) -> Iterator[str]:
    for cell in comparison.baselines:
        at = ", ".join(
            f"{number(float(cell.at(budget, 'recommended_regret').mean()))} at {_budget(budget, comparison)}"
            for budget in comparison.budgets
        )
        yield f"For comparison {cell.optimizer} ({cell.answer}): {at}."


def _table() -> Table:
    return Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))


def _budget(budget: int, comparison: Comparison) -> str:
    return f"{budget:,} {'s' if comparison.unit == 'seconds' else 'evals'}"


def _steps(ends: tuple[float, float]) -> str:
    return " - ".join(in_digits(end) for end in dict.fromkeys(ends))
