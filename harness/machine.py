"""The machine that something runs on: what it is, and how busy."""

from __future__ import annotations

import math
import os
import platform
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def machine() -> dict[str, Any]:
    """Where this process runs, for the record: on a cluster that is not where records are written."""
    return {"machine": platform.node(), "platform": platform.platform(), "cores": os.cpu_count()}


def peak_mebibytes() -> float:
    """The most memory that this process, not what runs in it now alone, has held."""
    import resource  # not on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


class MachineLoad:
    """Memory and load, from one look to the next.

    Args:
        device: that is at work. The peak of a GPU's memory is counted from here on; without one it is the process's.
    """

    def __init__(self, device: torch.device) -> None:
        self._gpu = device if device.type == "cuda" else None
        if self._gpu:
            import torch

            torch.cuda.reset_peak_memory_stats(self._gpu)  # a process runs one seed after another
        self._psutil: Any = None
        try:
            import psutil
        except ImportError:  # a machine without the extra: NaN is recorded
            return
        self._psutil = psutil
        psutil.cpu_percent()  # the first call only starts the clock

    def since_last(self) -> dict[str, float]:
        """Peak memory so far (``peak_mebibytes``), the load of all cores (``cpu_percent``), and what is in use of the
        machine's memory (``memory_mebibytes``).
        """
        return {
            "peak_mebibytes": self._peak(),
            "cpu_percent": float(self._psutil.cpu_percent()) if self._psutil else math.nan,
            "memory_mebibytes": self._psutil.virtual_memory().used / 2**20 if self._psutil else math.nan,
        }

    def _peak(self) -> float:
        if not self._gpu:
            return peak_mebibytes()
        import torch

        return torch.cuda.max_memory_allocated(self._gpu) / 2**20
