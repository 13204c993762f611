"""The measured table of NAS-Bench-Macro: a file in the folder NAS_ARENA_DATA, since no package has it.

Its authors measured on the test images alone. So that a report still shows another number than the one that was
optimized, two of the three trainings are for the search and the third is for the report.
"""

from __future__ import annotations

import numpy as np

from search_spaces.benchmark import TabularBenchmark, Wording
from search_spaces.data import Arrays, needed_file, npz_arrays
from search_spaces.errors import ArenaError, unknown
from search_spaces.repeats import Reported, tables_of_repeats
from search_spaces.space import Categorical, SearchSpace

BLOCKS = ("identity", "mb3_k3", "mb6_k5")
LAYERS, TRAININGS = 8, 3
SEEN = 2  # trainings that a search sees where the report has one of its own
SPACE = SearchSpace(Categorical(f"layer_{layer}", BLOCKS) for layer in range(1, LAYERS + 1))
EPOCHS = 50  # of the authors' train.py; it keeps the best test accuracy of them, not the last

FILE, SOURCE = "nasbench_macro.npz", "github.com/xiusu/NAS-Bench-Macro"
SHA256 = "68617e207ae330c6b49f15b3d4c5de3f8e0dfd4f64f46ab2586bfa1967fe9b0e"


class NASBenchMacro(TabularBenchmark):
    """NAS-Bench-Macro: the blocks of eight layers, on CIFAR-10.

    Args:
        dataset: "cifar10".
        reported: "hold-out": the search sees the mean of trainings 1 and 2 (by ``noise = "trials"`` one of them), the
            report gives training 3; "searched": both see the mean of all three.

    Losses are 100 minus an accuracy in percent: test accuracy, the best of 50 epochs, in every one of these. Trainings
    of one network vary by 0.2 points (standard deviation), the best hundred networks by 0.1: a single hold-out number
    says little. Within a stage, behind its first layer (1, 3, 6), an identity is the same wherever it stands: there are
    3,969 different networks, and equal ones share a record. No times are known. Secondary numbers, as recorded:
    ``parameters``, and ``flops``, the multiplications of convolutions and classifier.

    Raises:
        ArenaError: for an unknown data set, or a data file that is missing or damaged.
    """

    datasets = ("cifar10",)
    citation = "Su et al., Prioritized Architecture Sampling with Monto-Carlo Tree Search, CVPR 2021"
    data_source = f"{FILE} in NAS_ARENA_DATA, from {SOURCE}"

    def __init__(self, dataset: str = "cifar10", *, reported: Reported = "hold-out") -> None:
        if dataset not in self.datasets:
            raise unknown("data set of nasbench_macro:", dataset, self.datasets)
        arrays = _arrays(needed_file(FILE, SHA256, "nasbench_macro", SOURCE))
        super().__init__(
            dataset=dataset,
            space=SPACE,
            fidelities=(EPOCHS,),
            wording=_wording(reported == "hold-out"),
            tables=tables_of_repeats(
                100.0 - arrays["test_acc"].astype(np.float64),
                SEEN,
                reported,
                secondary={"parameters": arrays["params"], "flops": arrays["flops"]},
            ),
            options={"reported": reported},
            checksums={FILE: SHA256},
        )


def _wording(hold_out: bool) -> Wording:
    number = f"best of {EPOCHS} epochs"
    mean = "mean of trainings 1 and 2" if hold_out else "mean of three trainings"
    return Wording(
        unit="percentage points",
        searched=f"test error, {number} ({mean})",
        reported=f"test accuracy, {number} (training 3, which the search does not see)"
        if hold_out
        else f"same number as searched (test accuracy, {number}, {mean})",
        kind="hold-out" if hold_out else "searched",
        measure="accuracy",
        complement=True,
        remark="NAS-Bench-Macro has no validation accuracy: "
        + (
            "search and report see test accuracies of different trainings (which vary by 0.2 points) on the same images"
            if hold_out
            else "the search sees the test accuracy itself"
        ),
    )


def _arrays(content: bytes) -> Arrays:
    arrays = npz_arrays(content, FILE, "op_names", "choices", "test_acc", "params", "flops")
    if tuple(arrays["op_names"]) != BLOCKS:
        raise ArenaError(f"{FILE} orders its blocks as {arrays['op_names'].tolist()}; get it anew")
    if not np.array_equal(arrays["choices"], SPACE.architectures(np.arange(SPACE.size))):
        raise ArenaError(f"{FILE} does not hold every architecture once, in increasing order; get it anew")
    accuracies = arrays["test_acc"]
    if accuracies.shape != (SPACE.size, TRAININGS) or accuracies.dtype.kind != "f":
        raise ArenaError(
            f"{FILE} holds {accuracies.dtype} {list(accuracies.shape)}, "
            f"not {TRAININGS} test accuracies an architecture; get it anew"
        )
    return arrays
