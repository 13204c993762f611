"""The supernet of NAS-Bench-201 against its stand-alone networks, finite differences, and what must not run."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from search_spaces.errors import ArenaError, MissingExtra
from search_spaces.gates import Gates
from search_spaces.nasbench201 import NASBench201, NASBench201Supernet
from search_spaces.registry import SUPERNETS

SMALL = NASBench201Supernet(channels=4, cells=1)
SPACE, SIZES = SMALL.space, SMALL.space.sizes.tolist()
UPSTREAM_CUT = [3, 2, 0, 1, 0, 3]  # node 1 is computed from the input, and leads nowhere
DOWNSTREAM_CUT = [0, 3, 2, 2, 3, 1]  # node 1 gets nothing, so that what it leads to has nothing either
DEAD = [3, 0, 0, 0, 0, 3]
CELLS = [*np.random.default_rng(5).integers(0, 5, (6, 6)).tolist(), UPSTREAM_CUT, DOWNSTREAM_CUT, [3] * 6, DEAD]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Two threads sum the gradient of a weight in another order than one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(3)
    yield
    torch.set_num_threads(before)


def images(dtype: torch.dtype = torch.float32, channels: int = 1, batch: int = 8) -> Tensor:
    return torch.randn(batch, channels, 8, 8, dtype=dtype)


def loss_of(logits: Tensor) -> Tensor:
    return nn.functional.cross_entropy(logits, torch.arange(len(logits)) % logits.shape[1])


def with_weights_of(supernet: nn.Module, arch: list[int], channels: int = 1) -> nn.Module:
    """The network of an architecture with the weights that it shares; its own scales stay 1 and its shifts 0."""
    network = SMALL.network(arch, channels, 10)
    network.load_state_dict(supernet.state_dict(), strict=False)
    return network


def gradients(network: nn.Module) -> dict[str, Tensor]:
    return {name: weight.grad for name, weight in network.named_parameters() if weight.grad is not None}


def run_counts(supernet: nn.Module) -> Counter[str]:
    """How often each operation of a cell runs from now on, by its name as ``0_1_nor_conv_3x3``."""
    counts: Counter[str] = Counter()
    for name, module in supernet.named_modules():
        parent, _, key = name.rpartition(".")
        if parent.endswith(".operations"):
            module.register_forward_hook(lambda *_, key=key: counts.update([key]))
    return counts


def test_it_is_found_by_name() -> None:
    assert SUPERNETS.load("nasbench201") is NASBench201Supernet


@pytest.mark.parametrize(("classes", "outside"), [(10, 73_306), (100, 79_156), (120, 80_456)])
def test_networks_have_the_parameters_of_the_benchmark(classes: int, outside: int) -> None:
    """Those of an edge that a cut makes idle count too."""
    space = NASBench201Supernet()
    drawn = np.random.default_rng(classes).integers(0, 5, (8, 6)).tolist()
    for arch in [*drawn, UPSTREAM_CUT, DOWNSTREAM_CUT, DEAD]:
        with torch.device("meta"):  # no memory and no random numbers for what is only counted
            network = space.network(arch, 3, classes)
        found = sum(weight.numel() for weight in network.parameters())
        assert found == outside + 28_000 * arch.count(2) + 243_040 * arch.count(3), arch


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("channels", [1, 3])
def test_one_hot_gates_are_the_network_alone_bit_for_bit(layout: torch.memory_format, channels: int) -> None:
    """Output in training, and the gradient of every weight and of the images."""
    supernet = SMALL.supernet(channels, 10).to(memory_format=layout)
    for arch in CELLS:
        network = with_weights_of(supernet, arch, channels).to(memory_format=layout)
        batch = images(channels=channels).to(memory_format=layout)
        inputs = [batch.clone(memory_format=torch.preserve_format).requires_grad_() for _ in range(2)]
        supernet.zero_grad(set_to_none=True)
        ours, alone = supernet(inputs[0], Gates.of_arch(arch)), network(inputs[1])
        assert torch.equal(ours, alone), arch
        for logits in (ours, alone):
            loss_of(logits).backward()
        shared, own = gradients(supernet), gradients(network)
        assert set(shared) == {name for name in own if name in dict(supernet.named_parameters())}, arch
        assert all(torch.equal(shared[name], own[name]) for name in shared), arch
        assert (inputs[0].grad is None) == (inputs[1].grad is None) == (not SMALL.alive(arch))
        if SMALL.alive(arch):
            assert torch.equal(inputs[0].grad, inputs[1].grad), arch


def test_a_network_is_what_the_benchmark_says_step_by_step() -> None:
    """Written out for one cell that has every operation, in torch's functions alone."""
    arch, batch = [4, 3, 1, 2, 0, 4], images()
    network = SMALL.network(arch, 1, 10)
    convolutions = [module.weight for module in network.modules() if isinstance(module, nn.Conv2d)]
    assert len(convolutions) == 1 + 3 * 2 + 2 * 3
    stem, cells, blocks = convolutions[:1], convolutions[1:7], convolutions[7:]

    def norm(features: Tensor) -> Tensor:
        mean, variance = features.mean((0, 2, 3), keepdim=True), features.var((0, 2, 3), keepdim=True, correction=0)
        return (features - mean) / torch.sqrt(variance + 1e-5)

    def pooled(features: Tensor) -> Tensor:
        """The mean of the neighbours that there are."""
        kernel = torch.ones(features.shape[1], 1, 3, 3)
        one = torch.ones_like(features)
        total, count = (nn.functional.conv2d(of, kernel, padding=1, groups=len(kernel)) for of in (features, one))
        return total / count

    features = norm(nn.functional.conv2d(batch, stem[0], padding=1))
    for stage in range(3):
        if stage:
            first, second, shortcut = blocks[3 * stage - 3 : 3 * stage]
            inner = norm(nn.functional.conv2d(features.relu(), first, stride=2, padding=1))
            inner = norm(nn.functional.conv2d(inner.relu(), second, padding=1))
            features = inner + nn.functional.conv2d(nn.functional.avg_pool2d(features, 2), shortcut)
        three, one = cells[2 * stage : 2 * stage + 2]
        node1 = pooled(features)
        node2 = norm(nn.functional.conv2d(features.relu(), three, padding=1)) + node1
        features = norm(nn.functional.conv2d(features.relu(), one)) + pooled(node2)
    expected = network.classifier(norm(features).relu().mean((2, 3)))
    torch.testing.assert_close(network(batch), expected, rtol=1e-4, atol=1e-5)


def test_one_hot_values_without_gradient_are_not_multiplied() -> None:
    """The bits would be the same; what tells is that a gate of 1 is no part of the graph."""
    supernet, batch, arch = SMALL.supernet(1, 10), images(), [3, 1, 2, 3, 4, 1]
    one_hot = torch.zeros(6, 5).scatter_(1, torch.tensor(arch)[:, None], 1.0)
    held, followed = (Gates.of_values(one_hot.clone().requires_grad_(), SIZES) for _ in range(2))
    assert held.detached().weighted == (False,) * 6
    assert followed.weighted == (True,) * 6

    def steps(gates: Gates) -> int:
        return len(nodes_of(supernet(batch, gates)))

    assert torch.equal(supernet(batch, held.detached()), supernet(batch, Gates.of_arch(arch)))
    assert steps(held.detached()) == steps(Gates.of_arch(arch)) < steps(followed)


def nodes_of(logits: Tensor) -> set[Any]:
    """The graph behind it."""
    found, waiting = set(), [logits.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in found:
            found.add(node)
            waiting += [before for before, _ in node.next_functions]
    return found


def test_the_gradient_of_a_mixture_is_that_of_finite_differences() -> None:
    supernet, batch = SMALL.supernet(1, 10).double(), images(torch.float64)
    values = torch.rand(6, 5, dtype=torch.float64).add_(0.1).requires_grad_()

    def loss(of: Tensor) -> Tensor:
        return loss_of(supernet(batch, Gates.of_values(of, SIZES)))

    gradient = torch.autograd.grad(loss(values), values)[0]
    differences = torch.zeros_like(gradient)
    with torch.no_grad():
        for place in np.ndindex(6, 5):
            step = torch.zeros_like(values)
            step[place] = 1e-6
            differences[place] = (loss(values + step) - loss(values - step)) / 2e-6
    assert gradient.abs().max() > 0.01
    torch.testing.assert_close(gradient, differences, rtol=1e-6, atol=1e-8)


def test_a_gate_of_zero_gets_gradient_zero_and_its_operation_does_not_run() -> None:
    supernet = SMALL.supernet(1, 10)
    counts = run_counts(supernet)
    values = torch.rand(6, 5).add_(0.1)
    zeros = [(0, 3), (2, 1), (4, 2), (5, 4)]
    for place in zeros:
        values[place] = 0.0
    values.requires_grad_()
    loss_of(supernet(images(), Gates.of_values(values, SIZES))).backward()
    assert values.grad is not None
    idle = {*zeros, *((v, 0) for v in range(6))}  # the operation "none" brings nothing, whatever its gate is
    for place in np.ndindex(6, 5):
        assert (values.grad[place] == 0) == (place in idle), place
    assert set(counts.values()) == {3}
    assert len(counts) == 30 - len(idle)


@pytest.mark.parametrize(
    ("arch", "runs"), [(UPSTREAM_CUT, {"0_2_nor_conv_1x1", "0_3_skip_connect", "2_3_nor_conv_3x3"}), (DEAD, set())]
)
def test_upstream_of_a_cut_nothing_runs(arch: list[int], runs: set[str]) -> None:
    supernet = SMALL.supernet(1, 10)
    counts = run_counts(supernet)
    supernet(images(), Gates.of_arch(arch))
    assert set(counts) == runs


def test_what_would_work_on_zeros_does_not_run() -> None:
    supernet = SMALL.supernet(1, 10)
    counts = run_counts(supernet)
    supernet(images(), Gates.of_arch(DOWNSTREAM_CUT))
    assert set(counts) == {"0_2_nor_conv_3x3", "0_3_nor_conv_1x1", "2_3_skip_connect"}


def test_a_dead_cell_gives_logits_that_depend_on_no_weight_of_a_cell() -> None:
    supernet, batch = SMALL.supernet(1, 10), images()
    before = supernet(batch, Gates.of_arch(DEAD))
    assert torch.isfinite(before).all()
    loss_of(before).backward()
    assert not [name for name in gradients(supernet) if name.startswith("cells.")]
    assert "classifier.bias" in gradients(supernet)
    with torch.no_grad():
        for name, weight in supernet.named_parameters():
            if name.startswith("cells."):
                weight.mul_(5.0)
    assert torch.equal(supernet(batch, Gates.of_arch(DEAD)), before)
    assert not torch.equal(supernet(batch, Gates.of_arch([3] * 6)), before)


def test_the_supernet_keeps_no_statistics_and_its_cells_have_no_scale() -> None:
    supernet = SMALL.supernet(1, 10)
    assert not [*supernet.buffers()]
    parts = {name.partition(".")[0] for name, module in supernet.named_modules() if getattr(module, "affine", False)}
    assert parts == {"stem", "reductions", "last"}
    before = {name: value.clone() for name, value in supernet.state_dict().items()}
    batch = images()
    trained = supernet(batch, Gates.of_arch([3] * 6))
    assert torch.equal(supernet.eval()(batch, Gates.of_arch([3] * 6)), trained)
    assert all(torch.equal(value, before[name]) for name, value in supernet.state_dict().items())


@pytest.mark.parametrize("side", [1, 7, 28])
def test_any_size_of_images(side: int) -> None:
    assert SMALL.network([3, 1, 4, 2, 1, 3], 2, 7)(torch.randn(4, 2, side, side)).shape == (4, 7)


def test_alive_is_whether_there_is_a_path() -> None:
    archs = SPACE.architectures(np.arange(SPACE.size))
    found = SMALL.alive(archs.reshape(125, 125, 6))
    assert found.shape == (125, 125)
    paths = [[3], [0, 4], [1, 5], [0, 2, 5]]  # by their edges
    expected = np.any([(archs[:, path] != 0).all(1) for path in paths], axis=0)
    np.testing.assert_array_equal(found.ravel(), expected)
    assert (~found).sum() == 341


def test_names_are_read_as_they_are_written() -> None:
    for arch in SPACE.architectures(np.arange(0, SPACE.size, 7)):
        text = SMALL.architecture_string(arch)
        assert text == NASBench201.architecture_string(arch)
        for given in (text, f"  {text} ", ",".join(map(str, arch)), str(arch.tolist()), " ".join(map(str, arch))):
            read = SMALL.parse_architecture(given)
            assert read.dtype == np.int64
            np.testing.assert_array_equal(read, arch)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("|none~0|+|none~0|none~1|", "write .op~0.+.*each op one of none, skip_connect, .*as in 3,3,0,1,2,4"),
        ("|none~0|+|none~1|none~0|+|none~0|none~1|none~2|", "cannot read the architecture"),
        ("|none~0|+|none~0|conv_3x3~1|+|none~0|none~1|none~2|", "unknown operation.*'conv_3x3'.*'nor_conv_3x3'"),
        ("1,2,3", "cannot read the architecture '1,2,3'; write"),
        ("", "cannot read the architecture ''; write"),
        ("0,0,0,0,0,5", "'0,0,0,0,0,5' has a number above 4; they count 0 none, 1 skip_connect"),
    ],
)
def test_what_names_no_architecture(text: str, message: str) -> None:
    with pytest.raises(ArenaError, match=message) as caught:
        SMALL.parse_architecture(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("arch", [[0] * 5, [0, 0, 0, 0, 0, 5], [[0] * 6]])
def test_networks_of_what_is_no_architecture(arch: Any) -> None:
    with pytest.raises(ArenaError):
        SMALL.network(arch, 1, 10)


@pytest.mark.parametrize("options", [{"channels": 0}, {"cells": 0}])
def test_options_below_one(options: dict[str, int]) -> None:
    with pytest.raises(ArenaError, match=f"{next(iter(options))} of nasbench201 must be 1 to .*, not 0"):
        NASBench201Supernet(**options)


def test_gates_that_cannot_be() -> None:
    with pytest.raises(ArenaError, match="read on the host, not from meta"):
        Gates.of_values(torch.zeros(6, 5, device="meta"), SIZES)
    with pytest.raises(ArenaError, match="all gates of variable 2 are zero"):
        Gates.of_values(torch.tensor([[1.0] * 5] * 2 + [[0.0] * 5] + [[1.0] * 5] * 3), SIZES)
    with pytest.raises(ArenaError, match=r"gates must be \[6, 5\], not \[5, 5\]"):
        Gates.of_values(torch.ones(5, 5), SIZES)


def test_torch_that_is_not_installed_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "search_spaces.nasbench201.network", raising=False)
    monkeypatch.delattr("search_spaces.nasbench201.network", raising=False)
    with pytest.raises(MissingExtra, match=r"a network of nasbench201 needs .*'nas-arena\[supernet\]'"):
        SMALL.supernet(1, 10)
