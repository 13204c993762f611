"""What a cell of NAS-Bench-201 is and how the field writes one; of its table and its networks alike."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import ArrayLike, NDArray

from search_spaces.errors import ArenaError, unknown
from search_spaces.space import Categorical, Ints, SearchSpace

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))  # (from, to), in the order of the architecture string
NODES = 4  # the first is the input of a cell, the last its output
SPACE = SearchSpace(Categorical(f"{source}->{target}", OPERATIONS) for source, target in EDGES)

_STRING = r"\+".join(
    r"\|" + "".join(rf"\s*([^|~+]+?)\s*~{source}\|" for source, to in EDGES if to == target)
    for target in range(1, NODES)
)
_NUMBERS = r"\[?\s*" + r"\s*[\s,]\s*".join([r"(\d+)"] * len(EDGES)) + r"\s*\]?"


def architecture_string(arch: ArrayLike) -> str:
    """The official name of a cell, such as ``|nor_conv_3x3~0|+|none~0|none~1|+|...|``. int [6] to str."""
    SPACE.index(arch)
    nodes: dict[int, str] = {}
    for (source, target), value in zip(EDGES, np.asarray(arch), strict=True):
        nodes[target] = nodes.get(target, "|") + f"{OPERATIONS[int(value)]}~{source}|"
    return "+".join(nodes[target] for target in sorted(nodes))


def parse_architecture(text: str) -> Ints:
    """The cell int64 [6] of an official name, or of its six numbers, such as ``3,3,0,1,2,4``.

    Raises:
        ArenaError: for another form, an unknown operation (nearest ones offered), or a number out of range.
    """
    text = text.strip()
    if numbers := re.fullmatch(_NUMBERS, text):
        arch = np.array([int(number) for number in numbers.groups()])
        if (arch >= len(OPERATIONS)).any():
            raise ArenaError(f"{text!r} has a number above {len(OPERATIONS) - 1}; they count {_counted()}")
        return arch
    named = re.fullmatch(_STRING, text)
    if not named:
        raise ArenaError(
            f"cannot read the architecture {text!r}; write |op~0|+|op~0|op~1|+|op~0|op~1|op~2|, each op one of "
            f"{', '.join(OPERATIONS)}, or six numbers as in 3,3,0,1,2,4, which count {_counted()}"
        )
    for name in named.groups():
        if name not in OPERATIONS:
            raise unknown("operation of nasbench201:", name, OPERATIONS)
    return np.array([OPERATIONS.index(name) for name in named.groups()])


def alive(archs: ArrayLike) -> NDArray[np.bool_]:
    """Whether edges other than "none" lead from the input to the output: bool [...] of int [..., 6]."""
    open_edges = np.asarray(archs) != OPERATIONS.index("none")
    reached = np.zeros((*open_edges.shape[:-1], NODES), dtype=bool)
    reached[..., 0] = True
    for v, (source, target) in enumerate(EDGES):
        reached[..., target] |= reached[..., source] & open_edges[..., v]
    return reached[..., -1]


def _counted() -> str:
    return ", ".join(f"{number} {name}" for number, name in enumerate(OPERATIONS))
