"""What training a supernet and training a single network share."""

from __future__ import annotations

import pytest
import torch

from harness.training import chunks, telling_memory
from search_spaces.errors import ArenaError


@pytest.mark.parametrize("count", [1, 256, 257, 600])
def test_what_is_judged_has_no_part_too_short_for_statistics(count: int) -> None:
    parts = chunks(torch.arange(count))
    assert torch.equal(torch.cat(parts), torch.arange(count))
    lengths = [len(part) for part in parts]
    assert max(lengths) <= 256
    assert max(lengths) - min(lengths) <= 1


@pytest.mark.parametrize(
    "cause",
    [
        RuntimeError("CUDA out of memory. Tried"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
    ],
)
def test_too_little_memory_names_a_batch_size(cause: Exception) -> None:
    with (
        pytest.raises(ArenaError, match="out of memory with batch_size = 64; try batch_size = 32"),
        telling_memory(64),
    ):
        raise cause


def test_other_errors_of_torch_are_not_taken_for_that() -> None:
    with pytest.raises(RuntimeError, match="size"), telling_memory(64):
        torch.zeros(2) @ torch.zeros(3)
