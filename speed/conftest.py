"""Speeds are printed for the unit that matters: microseconds an evaluation, or a step."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    session = getattr(config, "_benchmarksession", None)
    measured = [bench for bench in session.benchmarks if "per" in bench.extra_info] if session else []
    if not measured:
        return
    terminalreporter.section("by unit: best, median and worst round")
    for bench in measured:
        count, unit = bench.extra_info["per"]
        best, middle, worst = (getattr(bench.stats, name) / count * 1e6 for name in ("min", "median", "max"))
        more = "".join(f", {key} {value}" for key, value in bench.extra_info.items() if key != "per")
        line = f"{bench.name:<60} {best:8.3f} {middle:8.3f} {worst:8.3f} us / {unit}{more}"
        terminalreporter.write_line(line)
