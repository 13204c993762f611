"""A document that has everything, for the tests of its renderers."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from results.files import write_atomically
from results.report.document import (
    Block,
    Bullets,
    Check,
    Checklist,
    Column,
    Document,
    Fold,
    Note,
    Paragraph,
    Picture,
    Pictures,
    Preformatted,
    Section,
    Table,
)

NAMES = ("asng", "optuna(options={'n_startup_trials': 20})", "regularized_evolution(population=64, sample=16)")


@dataclass(frozen=True)
class Plot:
    """A drawing of a matrix, or of a curve where it has one row."""

    name: str
    title: str
    caption: str
    data: pd.DataFrame

    @property
    def figure(self) -> Figure:
        rows = len(self.data)
        figure = Figure(figsize=(4.6, 3.2) if rows == 1 else (2 + 0.6 * rows, 1 + 0.4 * rows), layout="tight")
        axes = figure.add_subplot()
        if rows == 1:
            axes.loglog(np.arange(1, 1 + len(self.data.columns)), self.data.iloc[0])
            axes.set(xlabel="evaluations", ylabel="search regret (points)")
            axes.grid(alpha=0.25)
        else:
            axes.imshow(self.data, aspect="auto")
            for (row, column), value in np.ndenumerate(self.data.to_numpy()):
                axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=7)
        return figure

    def svg(self) -> bytes:
        stream = io.BytesIO()
        with rc_context({"svg.hashsalt": self.name, "svg.fonttype": "none"}):
            self.figure.savefig(stream, format="svg", metadata={"Date": None})
        return stream.getvalue()

    def save(self, folder: Path) -> list[Path]:
        svg, png, csv = (folder / f"{self.name}.{ending}" for ending in ("svg", "png", "csv"))
        write_atomically(svg, lambda stream: stream.write(self.svg()))
        write_atomically(png, lambda stream: self.figure.savefig(stream, format="png", dpi=100))
        write_atomically(csv, lambda stream: self.data.to_csv(stream, index=False))
        return [svg, png, csv]


def plot(name: str, rows: int = 1) -> Plot:
    values = np.random.default_rng(rows).random((rows, 40 if rows == 1 else rows)).cumsum(axis=1)[:, ::-1]
    caption = (
        "Interquartile mean of 500 seeds with its 95 % bootstrap band. *Drawn* on the floor: 0, best of the table."
    )
    return Plot(name, f"Search regret of {name}", caption, pd.DataFrame(values))


def table(name: str = "regrets", rows: int = 21) -> Table:
    regrets = np.random.default_rng(3).lognormal(0, 2, rows).round(4)
    labels = tuple(f"`{NAMES[row % 3]}`" if row < 3 else f"optimizer_{row}(lam={row})" for row in range(rows))
    columns = [
        Column("optimizer", labels),
        Column("answer", tuple("best seen" if row % 2 else "mode" for row in range(rows))),
        Column("regret", tuple(f"{value:.2f} ± 0.02" for value in regrets), tuple(map(float, regrets)), numeric=True),
        Column("CIFAR-10", tuple(f"{94 - value / 9:.2f}" for value in regrets), numeric=True),
        Column("P(best)", tuple(f"{100 / (1 + value):.0f} %" for value in regrets), numeric=True),
        Column("to target", tuple("≥ 1,000" if row % 5 == 0 else f"{9 * row}" for row in range(rows)), numeric=True),
        Column("mean rank", tuple(f"{row + 1}" for row in range(rows)), numeric=True),
        Column("rows seen", tuple(f"{1234 * row:,}" for row in range(rows)), numeric=True),
        Column("remark", tuple("not told apart from the first" if row < 4 else "" for row in range(rows))),
    ]
    frame = pd.DataFrame({"optimizer": [label.strip("`") for label in labels], "regret": regrets + 1e-9})
    return Table(name, "Search regret after **12,000** seconds", tuple(columns), frame, ("Mean ± standard error.",))


def document(*blocks: Block) -> Document:
    """A page of one section."""
    return Document("A report", "", (Section("Results", blocks, "results"),))


def everything(rows: int = 21, pictures: int = 12) -> Document:
    summary = (
        "First is `asng` on **2 of 3** benchmarks; where it is not, `regularized_evolution` is, by less than the "
        "table's own noise ([Dong and Yang 2020](https://arxiv.org/abs/2001.00326), [the table](#table))."
    )
    checks = (
        Check("Is the code available?", "yes", "Commit `b5386fd`, clean."),
        Check("Same search space for all?", "no", "`darts` was run on another one."),
        Check("Was the same hardware used?", "not applicable", "Costs are read from the table."),
        Check("Are confounding factors reported?", "yours to answer", "Nothing of it is on record."),
    )
    blocks: tuple[Block, ...] = (
        Picture(plot("one-alone")),
        Pictures((*(Picture(plot(f"anytime-{place}")) for place in range(pictures)),), "Over evaluations"),
        Pictures((Picture(plot("small")), Picture(plot("matrix", rows), wide=True))),
    )
    return Document(
        "Search methods on NAS-Bench-201",
        "Three studies of 21 optimizers, 500 seeds each; searched by 12-epoch validation accuracy",
        (
            Section(
                "Summary", (Paragraph(summary), Bullets(("One & `two`", "a < b, 5 * 3 * 2")), Note("Dim.")), "summary"
            ),
            Section(
                "nasbench201-cifar10",
                (
                    Section("Table", (table(rows=rows),), "table"),
                    Section("Figures", blocks, "figures"),
                    Fold("Every pair", (table("pairs", rows=rows), Paragraph("Holm over all."))),
                ),
                "cifar10",
            ),
            Section("What ran", (Preformatted("commit  b5386fd\nmachine <local>"), Checklist(checks)), "what-ran"),
        ),
        generated="Written by NAS Arena 0.1.0.",
    )
