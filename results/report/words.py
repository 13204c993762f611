"""How a report writes numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from results.comparison import Difference, Effect
from results.tables import Estimate


def decimals_of(about: dict[str, Any]) -> int:
    """Of regrets and reported numbers: a hundredth of a percentage point is noise, of a decade it is 2 percent."""
    return 3 if about["wording"]["scale"] == "log10" else 2


def estimate(of: Estimate, decimals: int, *, with_interval: bool = True) -> str:
    """A regret with its interval, or the share of runs that have none left where these are most."""
    if math.isnan(of.value):
        return "-"
    if of.mostly_at_best:
        share, low, high = of.share_at_best
        return f"0 in {share:.0%}" + f" [{100 * low:.0f}, {100 * high:.0f}]" * with_interval
    mark = "†" if of.too_short else ""
    return f"{of.value:.{decimals}f}" + f" [{of.low:.{decimals}f}, {of.high:.{decimals}f}]{mark}" * with_interval


def with_share(of: Estimate) -> str:
    """How many runs have none left, for a sentence that goes on with of what."""
    share, low, high = of.share_at_best
    return f"no regret left in {share:.0%} [{100 * low:.0f}, {100 * high:.0f}]"


def counted(number: int, what: str, plural: str = "s") -> str:
    """Such as "1 seed" or "1,000 seeds"."""
    return f"{number:,} {what}{'' if number == 1 else plural}"


def plus_minus(mean: float, deviation: float, decimals: int) -> str:
    """A mean with its standard deviation; the mean alone of a single run."""
    return f"{mean:.{decimals}f}" + ("" if math.isnan(deviation) else f" ± {deviation:.{decimals}f}")


def gap(of: Difference, decimals: int) -> str:
    """A difference with its 95 % interval."""
    return f"{_signed(of.value, decimals)} [{_signed(of.low, decimals)}, {_signed(of.high, decimals)}]"


def effect(of: Effect) -> str:
    """A probability of improvement with its 95 % interval."""
    return f"{of.value:.2f} [{of.low:.2f}, {of.high:.2f}]"


def share(of: Effect) -> str:
    """The same as a share of pairs of runs."""
    return f"{of.value:.0%} [{100 * of.low:.0f}, {100 * of.high:.0f}] of pairs of runs"


def p_value(p: float) -> str:
    """A p-value; below a thousandth only that."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def times(value: float | None) -> str:
    """A number of evaluations."""
    return "never" if value is None or math.isinf(value) else f"{value:,.0f}"


def after(budget: int, unit: str) -> str:
    """A budget with its unit."""
    return f"{budget:,} {'simulated seconds' if unit == 'seconds' else 'evaluations'}"


def listed(names: Sequence[str]) -> str:
    """Names as code, joined by commas and "and"."""
    marked = [f"`{name}`" for name in names]
    return marked[0] if len(marked) == 1 else f"{', '.join(marked[:-1])} and {marked[-1]}"


def _signed(value: float, decimals: int) -> str:
    return f"{value + 0.0:.{decimals}f}".replace("-0." + "0" * decimals, "0." + "0" * decimals)
