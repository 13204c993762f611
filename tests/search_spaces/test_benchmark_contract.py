"""Every benchmark keeps the contract, with every choice of its options."""

from __future__ import annotations

import typing
from itertools import product
from typing import Any, Literal

import pytest

from harness.check import check_benchmark
from search_spaces.plugins import default_settings
from search_spaces.registry import BENCHMARKS

FROM_DATA_FOLDER = [  # what no package has
    ("nasbench201", {"epochs": 12}),
    ("nasbench201", {"reported": "test"}),
    ("nasbench_macro", {}),
    ("nats_size", {}),
]


def choices(name: str) -> list[dict[str, Any]]:
    """Every combination of the options that name their values, for the default data set."""
    cls = BENCHMARKS.load(name)
    hints = typing.get_type_hints(cls.__init__)
    listed = {
        option: typing.get_args(hints[option])
        for option in default_settings(cls)
        if typing.get_origin(hints[option]) is Literal
    }
    return [dict(zip(listed, values, strict=True)) for values in product(*listed.values())]


def needs_data_folder(name: str, options: dict[str, Any]) -> bool:
    return any(name == other and some.items() <= options.items() for other, some in FROM_DATA_FOLDER)


EVERY = [(name, options) for name in BENCHMARKS.names() for options in choices(name)]


@pytest.mark.parametrize(
    ("name", "options"), EVERY, ids=[f"{name}-{'-'.join(map(str, options.values()))}" for name, options in EVERY]
)
def test_it_keeps_the_whole_contract(name: str, options: dict[str, Any], request: pytest.FixtureRequest) -> None:
    if needs_data_folder(name, options):
        request.getfixturevalue("data_folder")
    check_benchmark(BENCHMARKS.load(name), **options).raise_if_violated()


@pytest.mark.parametrize(
    ("name", "dataset"), [(name, dataset) for name in BENCHMARKS.names() for dataset in BENCHMARKS.load(name).datasets]
)
def test_every_data_set_keeps_the_contract(name: str, dataset: str, request: pytest.FixtureRequest) -> None:
    if needs_data_folder(name, {}):
        request.getfixturevalue("data_folder")
    check_benchmark(BENCHMARKS.load(name), dataset=dataset).raise_if_violated()
