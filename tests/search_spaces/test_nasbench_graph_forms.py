"""Canonical forms of NAS-Bench-Graph against the package's own, and by hand."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from graph_package import (
    COUNTS,
    METRICS,
    SKIP,
    everything,
    load,
    official,
    official_key,
    operations,
    records,
)
from hypothesis import given
from hypothesis import strategies as st

from search_spaces.nasbench_graph import LINKS, OPERATIONS, PROTEINS_OPERATIONS, canonical_ranks
from search_spaces.space import Ints

pytestmark = pytest.mark.usefixtures("own_graphs")


# canonical forms


@pytest.mark.parametrize("name", COUNTS)
def test_every_canonical_form_is_that_of_the_package(name: str) -> None:
    space, expected = load(name).space, []
    trees, values = {link: tree for tree, link in enumerate(LINKS)}, {op: v for v, op in enumerate(operations(name))}
    for arch in everything(name).tolist():
        form = official(name, arch).regularize()
        form.move_skip_op()
        form.equalpart_sort()
        expected.append([trees[tuple(form.link)], *(values[op] for op in form.ops)])
    np.testing.assert_array_equal(space.architectures(canonical_ranks(space)), expected)


def test_operations_and_trees_are_those_of_the_package() -> None:
    from nas_bench_graph import architecture

    assert list(OPERATIONS) == architecture.gnn_list
    assert list(PROTEINS_OPERATIONS) == architecture.gnn_list_proteins
    assert [list(link) for link in LINKS] == architecture.link_list


@pytest.mark.parametrize("name", COUNTS)
def test_counts(name: str) -> None:
    """The package's keys of all encodings: every record is hit, and four skips alone have none."""
    encodings, feasible, known = COUNTS[name]
    benchmark, stored = load(name), records(name)
    archs = everything(name)
    keys = [official_key(name, arch) for arch in archs.tolist()]
    assert (len(keys), len(stored)) == (encodings, known)
    has_record = np.array([key in stored for key in keys])
    assert has_record.sum() == benchmark.is_feasible.sum() == feasible
    np.testing.assert_array_equal(benchmark.is_feasible, has_record)
    np.testing.assert_array_equal(~has_record, (archs[:, 1:] == len(operations(name)) - 1).all(1))
    assert set(keys) - stored.keys() == {88888}
    assert stored.keys() < set(keys)


@pytest.mark.parametrize("name", COUNTS)
def test_canonical_forms_are_their_own(name: str) -> None:
    forms = canonical_ranks(load(name).space)
    np.testing.assert_array_equal(forms[forms], forms)
    assert len(np.unique(forms)) == COUNTS[name][2] + 1


ARCHS = st.tuples(st.integers(0, 8), *[st.integers(0, 8)] * 4)


@given(ARCHS)
def test_equivalent_encodings_have_equal_values(arch: tuple[int, ...]) -> None:
    benchmark = load("citeseer")
    rank = int(benchmark.space.index(arch))
    form = int(cora_forms()[rank])
    assert cora_forms()[form] == form
    both = benchmark.space.architectures([rank, form])
    for values in (benchmark.search_loss(both), benchmark.final_loss(both), benchmark.feasible(both)):
        assert values[0] == values[1]
    for metric in METRICS:
        np.testing.assert_array_equal(*benchmark.metric(metric, both))
    assert sorted(both[0, 1:]) == sorted(both[1, 1:]), "no operation is lost"


@given(ARCHS, st.permutations(range(4)))
def test_another_numbering_of_the_same_tree_is_the_same(arch: tuple[int, ...], order: list[int]) -> None:
    """Of those that give one of the nine trees again."""
    number = {0: 0} | {old + 1: new + 1 for new, old in enumerate(order)}
    link = tuple(number[LINKS[arch[0]][old]] for old in order)
    if link in LINKS:
        other = (LINKS.index(link), *(arch[1 + old] for old in order))
        index = load("cora").space.index
        assert cora_forms()[index(other)] == cora_forms()[index(arch)]


@given(st.permutations([1, 2, SKIP, SKIP]), st.integers(0, 7))
def test_skips_of_a_chain_may_stand_anywhere(ops: list[int], first: int) -> None:
    ops = [first if op == 1 else op for op in ops]
    rank = load("cora").space.index([8, *ops])
    rest = [op for op in ops if op != SKIP]
    assert load("cora").space.architectures(cora_forms()[rank]).tolist() == [8, SKIP, SKIP, *rest]


@cache
def cora_forms() -> Ints:
    return canonical_ranks(load("cora").space)


@pytest.mark.parametrize(
    ("arch", "form"),
    [
        ("0000 gcn gat gat gcn", "0000 gat gat gcn gcn"),  # nodes in parallel have no order
        ("0001 gcn gat gin skip", "0111 skip gat gcn gin"),  # a skip that alone follows a node changes nothing
        ("0012 gcn gat arma cheb", "0012 gat gcn cheb arma"),  # branches have no order either
        ("0013 gcn gat skip gin", "0112 skip gcn gat gin"),  # nor does a skip change anything that feeds a node
        ("0112 gcn skip gat arma", "0122 skip gcn gat arma"),
        ("0122 gcn gat skip arma", "0122 gcn gat arma skip"),  # one that makes its input an output stays
        ("0111 gcn skip gat skip", "0111 gcn gat skip skip"),
        ("0000 skip gcn gat gin", "0111 skip gat gcn gin"),  # but not where its input is the raw one
        ("0111 skip skip gat skip", "0123 skip skip skip gat"),
    ],
)
def test_forms_by_hand(arch: str, form: str) -> None:
    space = load("cora").space
    (link, *ops), (form_link, *form_ops) = arch.split(), form.split()
    rank = space.index([LINKS.index(tuple(map(int, link))), *map(OPERATIONS.index, ops)])
    expected = [LINKS.index(tuple(map(int, form_link))), *map(OPERATIONS.index, form_ops)]
    assert space.architectures(cora_forms()[rank]).tolist() == expected
