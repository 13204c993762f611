"""NAS Arena from Python.

>>> from nas_arena import Study, run
>>> study = Study(
...     name="mine",
...     optimizers=["asng(lam=8)", "random_search"],
...     benchmarks=["nasbench201(dataset=cifar100)"],
...     seeds=50,
...     budget=300,
... )
>>> result = run(study)                                     # doctest: +SKIP
>>> checkpoint_frame(result.cells)                          # doctest: +SKIP
"""

from harness.check import check_benchmark, check_optimizer
from harness.oneshot_run import run_oneshot_study
from harness.oneshot_study import OneShotStudy
from harness.run import run
from harness.running import StudyRun
from harness.study import Study
from optimizers.base import BestSeen, Optimizer, SamplingOptimizer, uniform_values
from optimizers.gradient import GradientOptimizer
from results.frames import checkpoint_frame, improvement_frame
from results.record import read_study
from results.tables import benchmark_tables
from search_spaces.benchmark import Tables, TabularBenchmark, Wording
from search_spaces.errors import ArenaError
from search_spaces.gates import Gates
from search_spaces.registry import get_benchmark
from search_spaces.space import Categorical, SearchSpace
from search_spaces.supernet import SupernetSpace

__all__ = [
    "ArenaError",
    "BestSeen",
    "Categorical",
    "Gates",
    "GradientOptimizer",
    "OneShotStudy",
    "Optimizer",
    "SamplingOptimizer",
    "SearchSpace",
    "Study",
    "StudyRun",
    "SupernetSpace",
    "Tables",
    "TabularBenchmark",
    "Wording",
    "benchmark_tables",
    "check_benchmark",
    "check_optimizer",
    "checkpoint_frame",
    "get_benchmark",
    "improvement_frame",
    "read_study",
    "run",
    "run_oneshot_study",
    "uniform_values",
]
