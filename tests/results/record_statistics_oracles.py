"""Writes statistics_oracles.json, the numbers of other packages that test_statistics_oracles.py holds ours against.

It needs an environment of its own, since rliable 1.2.0 fails with pandas 3:

    pip install rliable==1.2.0 pandas==2.3.3 scikit-posthocs==0.17.1 statsmodels==0.15.0
    python tests/results/record_statistics_oracles.py

Scores are losses here and rewards there: rliable gets them with the other sign.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import scikit_posthocs
from rliable import library
from rliable.metrics import aggregate_iqm, probability_of_improvement
from statsmodels.stats.multitest import multipletests

PACKAGES = ("rliable", "arch", "scikit-posthocs", "statsmodels", "scipy", "numpy", "pandas")
THRESHOLDS = [0.0, 0.5, 1.0, 2.0, 3.5, 8.0]


def data_sets() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """First and second, float [runs, tasks] each; kept in the file, so that no test depends on numpy's streams."""
    rng = np.random.default_rng(20)
    scales = np.array([1.0, 1.5, 2.5])
    skewed = rng.gamma(2, scales, size=(40, 3)), rng.gamma(2, 1.2 * scales, size=(30, 3))
    tied = rng.integers(0, 6, size=(25, 2)) / 2, rng.integers(1, 6, size=(25, 2)) / 2
    few = rng.normal(size=(6, 3)), rng.normal(0.5, size=(5, 3))
    return {"skewed": skewed, "tied": tied, "few": few}


def of_tasks(first: np.ndarray, second: np.ndarray) -> dict[str, Any]:
    one, other = -first, -second
    estimates = {}, {}
    for name, metric, scores in (
        ("iqm", aggregate_iqm, {"a": one}),
        ("improvement", probability_of_improvement, {"a": (one, other)}),
    ):
        values, ends = library.get_interval_estimates(
            scores,
            lambda *x, metric=metric: np.array([metric(*x)]),
            reps=20_000,
            random_state=np.random.RandomState(1),  # rliable takes no other; its profile takes none
        )
        estimates[0][name], estimates[1][name] = float(values["a"][0]), ends["a"][:, 0].tolist()
    # it counts what is above a threshold, ours what is at or below: of losses that is the complement
    above, ends = library.create_performance_profile({"a": first}, THRESHOLDS, reps=20_000)
    return {
        "first": first.T.tolist(),
        "second": second.T.tolist(),
        "iqm": -estimates[0]["iqm"],
        "iqm_interval": [-end for end in estimates[1]["iqm"][::-1]],
        "improvement": estimates[0]["improvement"],
        "improvement_interval": estimates[1]["improvement"],
        "thresholds": THRESHOLDS,
        "profile": (1 - above["a"]).tolist(),
        "profile_band": (1 - ends["a"][::-1]).tolist(),
    }


def main() -> None:
    rng = np.random.default_rng(21)
    scores = np.round(rng.normal([0, 0.3, 0.6, 1.5], size=(8, 4)), 3)
    p_values = [0.01, 0.04, 0.03, 0.005, 0.6, 0.03, 1.0, 0.0]
    recorded = {
        "recorded_by": "tests/results/record_statistics_oracles.py",
        "versions": {name: version(name) for name in PACKAGES},
        "generators": "numpy.random.default_rng(20) for tasks, default_rng(21) for blocks; rounded to 3 decimals",
        "tasks": {name: of_tasks(*(np.round(x, 3) for x in pair)) for name, pair in data_sets().items()},
        "nemenyi": {
            "scores": scores.tolist(),
            "p_values": scikit_posthocs.posthoc_nemenyi_friedman(scores).to_numpy().tolist(),
        },
        "holm": {"p_values": p_values, "adjusted": multipletests(p_values, method="holm")[1].tolist()},
    }
    path = Path(__file__).with_name("statistics_oracles.json")
    path.write_text(json.dumps(recorded, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
