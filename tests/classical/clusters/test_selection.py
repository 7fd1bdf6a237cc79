"""Criteria for the number of clusters."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import silhouette_score

from napari_segment.classical.clusters.selection import elbow, silhouette


def test_silhouette_like_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    points, names = rng.normal(size=(200, 3)), rng.integers(0, 4, 200)
    assert silhouette(points, names) == pytest.approx(silhouette_score(points, names))


def test_elbow_by_hand() -> None:
    assert elbow([100, 50, 4, 3, 2.5]) == 3
    assert elbow([100, 25, 100 / 9, 0]) == 4
    assert elbow([5.0]) == 1
    assert elbow([0.0, 0.0, 0.0]) == 1
