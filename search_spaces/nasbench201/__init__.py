"""NAS-Bench-201 (Dong and Yang, ICLR 2020): cells of six edges, five operations each, 15,625 architectures."""

from search_spaces.nasbench201.supernet import NASBench201Supernet
from search_spaces.nasbench201.table import NASBench201

__all__ = ["NASBench201", "NASBench201Supernet"]
