"""A table of a report as text to copy: CSV with the numbers in full, LaTeX as it is read."""

from __future__ import annotations

from results.report.document import Table
from results.report.inline import to_latex


def csv(table: Table) -> str:
    """The numbers behind a table in full precision."""
    return table.frame.to_csv(index=False, lineterminator="\n")


def latex(table: Table) -> str:
    """A table in LaTeX, for the package booktabs."""
    import pandas as pd  # 0.5 s

    headings: dict[object, str] = {place: to_latex(column.heading) for place, column in enumerate(table.columns)}
    texts = {place: [to_latex(text) for text in column.texts] for place, column in enumerate(table.columns)}
    styler = pd.DataFrame(texts, dtype=object).style.hide(axis="index").format_index(headings.__getitem__, axis=1)
    return styler.to_latex(
        hrules=True,
        position="tb",
        position_float="centering",
        column_format="".join("r" if column.numeric else "l" for column in table.columns),
        caption=to_latex(table.title),
        label=f"tab:{table.name}",
    )
