"""NAS-Bench-Graph (Qin et al., NeurIPS 2022 Datasets and Benchmarks): graph neural networks of four operations.

An architecture is a tree: the input of each of four nodes is the raw input or an earlier node, and the nodes that feed
no other are the output. The table has a record of one form of every architecture, the canonical one; the benchmark
gives all other encodings of the same architecture the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import numpy as np

from search_spaces.benchmark import Tables, TabularBenchmark, Wording, tied
from search_spaces.data import Arrays, cached, package_file
from search_spaces.errors import ArenaError, unknown
from search_spaces.pickles import unpickle_plain
from search_spaces.space import Categorical, Ints, SearchSpace

NODES = 4
# the input of each node, 0 for the raw input and n for node n: the nine trees of four nodes, numbered in one way each
LINKS = (
    (0, 0, 0, 0),
    (0, 0, 0, 1),
    (0, 0, 1, 1),
    (0, 0, 1, 2),
    (0, 0, 1, 3),
    (0, 1, 1, 1),
    (0, 1, 1, 2),
    (0, 1, 2, 2),
    (0, 1, 2, 3),
)
OPERATIONS = ("gat", "gcn", "gin", "cheb", "sage", "arma", "graph", "fc", "skip")  # skip, the identity, is the last
PROTEINS_OPERATIONS = ("gcn", "sage", "arma", "fc", "skip")

DISTRIBUTION, VERSION = "nas-bench-graph", "1.4.0"
SHA256 = {
    "cora.bench": "5e69b2f9bb08d8927d9ffd4921f8494a3cea349c9c3a461334cb9dc9e11701a8",
    "citeseer.bench": "99c7f79b73372636305bf73fb32a58b63c57bd1871a152dd62ec72d984c8c50f",
    "pubmed.bench": "10b4dcf6cfd3a24f6059f7d541a4a872960b4adac0b3dba26abed1bb9a3d904d",
    "cs.bench": "71ae8469930517160b024f52db6000a4897f1aff5d765beb27bb60952ed5bd31",
    "physics.bench": "1e309bafee0b832c8b84fa3c039c36992bc0a910238b128f26b7e9190d7f2aea",
    "photo.bench": "5511b4dc3f63fa988792177227db7901290fb9b27fc6c02e3036b29e134ed6df",
    "computers.bench": "fdb3dc0cf405d62322f0ab9614b2083c2a5e6576c2f43e4f2214be64bc62b1b3",
    "arxiv.bench": "7ee21a7653297a806c0ed1be3efe6ecc06acc84e48e942da0bfde0e5d287debe",
    "proteins.bench": "b9e7fb0902bda44fec32c948e5fde822fb22d38d674c52e43ace5197378f2d21",
}
COLUMNS = ("valid_perf", "perf", "latency", "para")  # the package's names; perf is of the test set
TIES_WITHIN = 1e-9  # percentage points: far below what one graph node counts, far above the rounding of a mean


class NASBenchGraph(TabularBenchmark):
    """NAS-Bench-Graph on one data set.

    Args:
        dataset: "cora", "citeseer", "pubmed", "cs", "physics", "photo", "computers", "arxiv" or "proteins". The last
            has five operations instead of nine.

    Losses are 100 minus an accuracy in percent ("proteins": ROC-AUC), means of three seeds. The source has validation
    numbers of three decimals, so ties are many. Costs are not known. Secondary numbers: ``latency_seconds`` and
    ``parameters_millions``.

    The nine encodings of four skips have no record and are infeasible.

    Raises:
        ArenaError: for an unknown data set, or a package that is missing or damaged.
    """

    version = 2
    datasets = tuple(name.removesuffix(".bench") for name in SHA256)
    citation = "Qin et al., NAS-Bench-Graph, NeurIPS 2022 Datasets and Benchmarks"
    data_source = f"{DISTRIBUTION} {VERSION}"

    def __init__(self, dataset: str = "cora") -> None:
        if dataset not in self.datasets:
            raise unknown("data set of nasbench_graph:", dataset, self.datasets)
        self._operations = PROTEINS_OPERATIONS if dataset == "proteins" else OPERATIONS
        links = Categorical("links", ("".join(map(str, link)) for link in LINKS))
        space = SearchSpace([links, *(Categorical(f"op_{node + 1}", self._operations) for node in range(NODES))])
        arrays, checksums = _load(dataset, space, self._operations)

        records = {name: arrays[name][arrays["row"]] for name in COLUMNS}
        validation, test = (tied(100.0 - 100.0 * records[name], TIES_WITHIN) for name in ("valid_perf", "perf"))
        super().__init__(
            dataset=dataset,
            space=space,
            fidelities=(1,),  # the end of training; curves are not in the package
            wording=_wording("ROC-AUC" if dataset == "proteins" else "accuracy"),
            tables=Tables(
                search=np.where(np.isnan(validation), np.inf, validation)[None],
                final=test,
                secondary={"latency_seconds": records["latency"], "parameters_millions": records["para"]},
            ),
            checksums=checksums,
        )

    def architecture_string(self, arch: Any) -> str:
        """How the package writes an architecture, such as ``Arch([0, 1, 2, 1], ['gcn', 'gin', 'fc', 'cheb'])``.

        It is an expression for the package's class of that name. int [5] to str.
        """
        self.space.index(arch)
        return f"Arch({list(LINKS[int(arch[0])])}, {[self._operations[int(value)] for value in arch[1:]]})"


def canonical_ranks(space: SearchSpace) -> Ints:
    """The rank of the canonical form of every architecture of the space: int64 [N].

    Of all numberings of the nodes that give one of ``LINKS``, the one of the lowest rank, after skips that change
    nothing where they are have moved to the raw input (:func:`_skips_moved`).
    """
    archs = space.architectures(np.arange(space.size))
    operations = archs[:, 1:]
    inputs = _skips_moved(np.array(LINKS)[archs[:, 0]], operations == space.sizes[1] - 1)
    powers = (NODES + 1) ** np.arange(NODES)
    tree_of = np.full((NODES + 1) ** NODES, -1)  # which of LINKS, by the inputs read as one number
    tree_of[np.array(LINKS) @ powers] = np.arange(len(LINKS))

    best = np.full(space.size, space.size)
    for order in permutations(range(NODES)):  # the nodes in their new order
        number = np.zeros(NODES + 1, dtype=np.int64)
        number[np.array(order) + 1] = np.arange(NODES) + 1
        tree = tree_of[number[inputs[:, order]] @ powers]
        fits = np.flatnonzero(tree >= 0)
        ranks = space.index(np.column_stack([tree[fits], operations[fits][:, order]]))
        best[fits] = np.minimum(best[fits], ranks)
    return best


def _skips_moved(inputs: Ints, is_skip: np.ndarray[Any, Any]) -> Ints:
    """The inputs after every skip that changes nothing where it is has moved to a chain right after the raw input.

    Such a skip feeds other nodes, or is the only node that its input feeds. A skip that is an output beside others
    stays, as it makes its input an output; but not if that is the raw input, which counts as none.

    Args:
        inputs: int [N, 4], those of each node, of lower numbers than its own.
        is_skip: bool [N, 4].

    Returns:
        int [N, 4]; the operations stay with their nodes, so that a node may come before its input.
    """
    inputs = inputs.copy()
    every = np.arange(len(inputs))
    hands_on_raw = np.ones((len(inputs), NODES + 1), dtype=bool)  # by node, 0 for the raw input itself
    for node in range(NODES):
        hands_on_raw[:, node + 1] = is_skip[:, node] & hands_on_raw[every, inputs[:, node]]

    moved = np.zeros(is_skip.shape, dtype=bool)
    for node in range(NODES):  # in this order, as a skip that moves gives those that stay other siblings
        fed = inputs == node + 1
        is_only_one = (inputs == inputs[:, [node]]).sum(1) == 1
        moves = is_skip[:, node] & (fed.any(1) | is_only_one | hands_on_raw[:, node + 1])
        inputs = np.where(moves[:, None] & fed, inputs[:, [node]], inputs)
        inputs[moves, node] = -1
        moved[:, node] = moves

    end_of_chain = np.zeros(len(inputs), dtype=np.int64)
    for node in range(NODES):
        inputs[:, node] = np.where(moved[:, node], end_of_chain, inputs[:, node])
        end_of_chain = np.where(moved[:, node], node + 1, end_of_chain)
    return np.where(~moved & (inputs == 0), end_of_chain[:, None], inputs)


def _wording(measure: str) -> Wording:
    searched = "validation error" if measure == "accuracy" else f"100 minus validation {measure} in percent"
    return Wording(
        unit="percentage points",
        searched=f"{searched} (mean of three seeds)",
        reported=f"test {measure} (mean of three seeds)",
        kind="test",
        measure=measure,
        complement=True,
    )


def _load(dataset: str, space: SearchSpace, operations: Sequence[str]) -> tuple[Arrays, dict[str, str]]:
    """The records of a data set and the record of every rank; and the checksum of the file that they came from."""
    name = f"{dataset}.bench"
    content = package_file(DISTRIBUTION, VERSION, f"nas_bench_graph/light/{name}", SHA256[name])
    checksums = {name: SHA256[name]}
    arrays = cached(f"nasbench_graph-{dataset}", checksums, lambda: _from_package(content, name, space, operations))
    return arrays, checksums


def _from_package(content: bytes, name: str, space: SearchSpace, operations: Sequence[str]) -> Arrays:
    """The arrays of one pickle: {key of a canonical form: {column: number}}.

    Returns:
        the columns, by rank of the canonical form, with NaN at the end; and ``row``, int16 [N], where in them the
        record of each architecture is, the end for those that have none.
    """
    records = unpickle_plain(content, name, numpy_scalars=True)
    try:
        found = {int(key): [float(record[column]) for column in COLUMNS] for key, record in records.items()}
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise ArenaError(
            f"{name} does not hold the table of NAS-Bench-Graph ({type(error).__name__}: {error})"
        ) from None
    forms, row = np.unique(canonical_ranks(space), return_inverse=True)
    *measured, _ = _keys(space.architectures(forms), operations)  # the last are the four skips
    if lacks := len(set(measured) - found.keys()):
        raise ArenaError(f"{name} lacks {lacks} of {len(measured)} architectures; get it anew")
    if len(found) > len(measured):
        raise ArenaError(f"{name} has {len(found)} architectures instead of {len(measured)}; get it anew")
    values = np.array([*(found[key] for key in measured), [np.nan] * len(COLUMNS)])
    if not np.isfinite(values[:-1]).all():
        raise ArenaError(f"{name} holds numbers that are not finite; get it anew")
    return {**dict(zip(COLUMNS, values.T, strict=True)), "row": row.astype(np.int16)}


def _keys(archs: Ints, operations: Sequence[str]) -> list[int]:
    """The package's keys: five decimal digits, tree and operations; those have one numbering for all data sets."""
    digits = archs.copy()
    digits[:, 1:] = np.array([OPERATIONS.index(name) for name in operations])[archs[:, 1:]]
    keys: list[int] = (digits @ 10 ** np.arange(NODES, -1, -1)).tolist()
    return keys
