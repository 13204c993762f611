"""The optimizers by name."""

from __future__ import annotations

from optimizers.base import Optimizer
from optimizers.gradient import GradientOptimizer
from search_spaces.plugins import Registry

OPTIMIZERS = Registry(
    kind="optimizer",
    package="optimizers",
    base=(Optimizer, GradientOptimizer),
    infrastructure=frozenset(
        {
            "adapter",
            "base",
            "categorical",
            "categorical_search",
            "check",
            "check_interface",
            "check_runs",
            "check_tools",
            "gaussian",
            "gradient",
            "lstm_controller",
            "natural_gradient",
            "registry",
            "relaxation",
            "step_rules",
            "streams",
            "utilities",
        }
    ),
    group="nas_arena.optimizers",
)

# what every optimizer is given by the harness, and no study may set
HARNESS_ARGUMENTS = ("space", "seeds", "seed", "steps", "stream")
