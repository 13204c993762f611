"""The size search space of NATS-Bench (Dong et al., TPAMI 2021): five widths of eight values, 32,768 architectures."""

from search_spaces.nats_size.table import NATSSize

__all__ = ["NATSSize"]
