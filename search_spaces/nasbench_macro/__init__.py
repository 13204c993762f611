"""NAS-Bench-Macro (Su et al., CVPR 2021): eight layers, three blocks each, 6,561 architectures."""

from search_spaces.nasbench_macro.table import NASBenchMacro

__all__ = ["NASBenchMacro"]
