"""Assignment of voxels to centers."""

from __future__ import annotations

import numpy as np
import pytest

from napari_segment.classical.clusters import lloyd
from napari_segment.classical.clusters.assignment import Assignment
from napari_segment.classical.clusters.features import channel_features
from napari_segment.classical.clusters.summary import summarise


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_voxels_are_nearest_to_their_center(depth: int, dtype: type) -> None:
    """Whether looked up by the cell or computed: as by comparing with every center."""
    rng = np.random.default_rng(depth)
    image = rng.normal(100, 30, (depth, 9, 40, 50)).clip(0, 255).astype(dtype)
    actual = channel_features(image)
    weighted = np.stack(actual.codes).reshape(depth, -1) * np.array(actual.weights)[:, None]
    centers = weighted.T[rng.choice(weighted.shape[1], 12, replace=False)] + 0.25
    summary = summarise(actual)
    numbering = Assignment.of(actual, summary, centers)
    distances = ((weighted.T[:, None] - centers) ** 2).sum(2)
    names = lloyd.assign(actual, summary, centers).ravel()
    chosen = distances[np.arange(len(names)), names]
    np.testing.assert_allclose(chosen, distances.min(1), rtol=1e-4)
    if depth < 4:  # otherwise there is one cell
        assert (numbering.owners < 12).any()
    codes = np.stack(actual.codes).reshape(depth, -1).astype(np.int64)
    sums = numbering.undivided(summary.totals) + numbering.sums(None, *actual.codes)
    for k in range(12):
        expected = [*codes[:, names == k].sum(1), (names == k).sum()]
        np.testing.assert_array_equal(sums[k], expected)
