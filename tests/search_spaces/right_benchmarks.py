"""A right benchmark with all that one can have: fidelities, trials, times, infeasible architectures, ordinals."""

from typing import Literal

import numpy as np

from nas_arena import ArenaError, Tables, TabularBenchmark, Wording
from search_spaces.errors import unknown
from search_spaces.space import Categorical, Integer, SearchSpace

SPACE = SearchSpace([Categorical("operation", "abcde"), Integer("depth", 1, 4), Integer("width", 1, 3)])


class Toy(TabularBenchmark):
    """Made-up numbers of 60 architectures, three of them infeasible, with up to three trials each."""

    datasets = ("small", "large")
    citation = "nobody"
    data_source = "made up"

    def __init__(
        self,
        dataset: str = "small",
        *,
        epochs: Literal[4, 16] = 16,
        ordinals: Literal["ordinal", "categorical"] = "ordinal",
    ) -> None:
        if dataset not in self.datasets:
            raise unknown("data set of toy:", dataset, self.datasets)
        if epochs not in (4, 16):
            raise ArenaError(f"epochs is 4 or 16, not {epochs}")
        super().__init__(
            dataset=dataset,
            space=SPACE if ordinals == "ordinal" else SPACE.opened(),
            fidelities=(1, epochs),
            wording=self.words(),
            tables=self.measured(dataset, epochs),
            options={"epochs": epochs, "ordinals": ordinals},
            checksums={"toy.npz": "0123456789abcdef" * 4},
        )

    def words(self, **changes):
        words = {"unit": "percentage points", "searched": "validation error", "reported": "test accuracy"}
        return Wording(**{**words, "kind": "test", "measure": "accuracy", "complement": True, **changes})

    def measured(self, dataset, epochs, **changes):
        rank = np.arange(SPACE.size)
        counts = rank % 3 + 1
        exists = np.arange(3) < counts[:, None]
        trials = 20 + rank[:, None] * 7 % 61 / 4 + np.arange(3) / 8 + 100 / epochs + (dataset == "large")
        trials = np.where(exists, trials, np.nan)
        mean = np.nanmean(trials, axis=1)
        search = np.stack([mean + 9 - rank % 5, mean])
        search[:, 10:13] = np.inf
        tables = {"search": search, "final": np.where(np.isfinite(search[1]), mean + rank % 4 / 3, np.nan)}
        tables |= {"seconds": np.outer([1, epochs], 10.0 + rank), "trials": trials, "trial_counts": counts}
        return Tables(**{**tables, "secondary": {"parameters": 1000 + rank}, **changes})


def breaks(check):
    """Says which check finds how a class breaks the contract."""

    def note(cls):
        cls.check = check
        return cls

    return note
