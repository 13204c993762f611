"""The measured table of NATS-Bench's size search space: a file in the folder NAS_ARENA_DATA, since no package has it.

The file has one number an architecture, a test accuracy: the validation accuracies of NATS-Bench are not in it.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from search_spaces.benchmark import Tables, TabularBenchmark, Wording
from search_spaces.data import Arrays, needed_file, npz_arrays
from search_spaces.errors import ArenaError, unknown
from search_spaces.space import Ordinal, SearchSpace

WIDTHS = tuple(range(8, 65, 8))
LAYERS = 5
SPACE = SearchSpace(Ordinal(f"channels_{layer}", WIDTHS) for layer in range(1, LAYERS + 1))
EPOCHS = 90

FILE, SOURCE = "nats_sss.npz", "NATS-Bench, github.com/D-X-Y/NATS-Bench"
SHA256 = "9ea9ddcb4700f9786e365e0761f696fa64aa7dbfd2f533274cbe39103e8c5bfa"
# our name of a data set: its suffix in the file
DATASETS = {"cifar10": "cifar10", "cifar100": "cifar100", "imagenet16-120": "imagenet16"}


class NATSSize(TabularBenchmark):
    """The size search space of NATS-Bench: the channels of five layers, on one data set.

    Args:
        dataset: "cifar10", "cifar100" or "imagenet16-120".
        ordinals: "ordinal", or "categorical": the same architectures without their order, the control that shows what
            an order is worth to an optimizer.

    Losses are 100 minus the test accuracy in percent, after 90 epochs of one training; search and report see the same
    number. No times are known. Secondary number: ``parameters`` of the network for the data set.

    Raises:
        ArenaError: for an unknown data set, or a data file that is missing or damaged.
    """

    datasets = tuple(DATASETS)
    citation = "Dong et al., NATS-Bench, TPAMI 2021"
    data_source = f"{FILE} in NAS_ARENA_DATA, from {SOURCE}"

    def __init__(self, dataset: str = "cifar10", *, ordinals: Literal["ordinal", "categorical"] = "ordinal") -> None:
        if dataset not in DATASETS:
            raise unknown("data set of nats_size:", dataset, DATASETS)
        accuracy, parameters = f"test_acc_{EPOCHS}ep_{DATASETS[dataset]}", f"params_{DATASETS[dataset]}"
        arrays = _arrays(needed_file(FILE, SHA256, "nats_size", SOURCE), accuracy, parameters)
        losses = 100.0 - arrays[accuracy]
        super().__init__(
            dataset=dataset,
            space=SPACE if ordinals == "ordinal" else SPACE.opened(),
            fidelities=(EPOCHS,),
            wording=Wording(
                unit="percentage points",
                searched=f"test error after {EPOCHS} epochs (one training)",
                reported=f"same number as searched (test accuracy after {EPOCHS} epochs, one training)",
                kind="searched",
                measure="accuracy",
                complement=True,
                remark=f"{FILE} has no validation accuracy: the search sees the test accuracy itself",
            ),
            tables=Tables(search=losses[None], final=losses, secondary={"parameters": arrays[parameters]}),
            options={"ordinals": ordinals},
            checksums={FILE: SHA256},
        )


def _arrays(content: bytes, accuracy: str, parameters: str) -> Arrays:
    arrays = npz_arrays(content, FILE, "channels", accuracy, parameters)
    if not np.array_equal(arrays["channels"], np.array(WIDTHS)[SPACE.architectures(np.arange(SPACE.size))]):
        raise ArenaError(f"{FILE} does not hold every architecture once, in increasing order; get it anew")
    accuracies = arrays[accuracy]
    if accuracies.shape != (SPACE.size,) or accuracies.dtype.kind != "f":
        raise ArenaError(
            f"{FILE} holds {accuracies.dtype} {list(accuracies.shape)}, not one test accuracy an architecture; "
            "get it anew"
        )
    return arrays
