"""Labels between voxels: the label of largest linearly interpolated weight."""

import dask.array as da
import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from napari_segment.engine.label_interpolation import interpolate_labels


def by_indicators(data, positions):
    """The label whose indicator SciPy interpolates highest, and where none comes near it."""
    grids = np.meshgrid(*positions, indexing="ij")
    labels = np.unique(data)
    weights = np.stack([map_coordinates((data == k).astype(float), grids, order=1) for k in labels])
    ordered = np.sort(weights, 0)
    clear = ordered[-1] - ordered[-2] > 1e-5
    return labels[weights.argmax(0)], clear


@pytest.mark.parametrize("chunks", [None, 3, (2, 5, 4)])
def test_agrees_with_scipy_label_by_label(chunks):
    rng = np.random.default_rng(0)
    data = rng.integers(0, 4, (6, 7, 8)).astype(np.uint16)
    positions = [np.linspace(0, 5, 13), np.linspace(0, 6, 9), np.linspace(0, 7, 4)]
    right, clear = by_indicators(data, positions)
    given = data if chunks is None else da.from_array(data, chunks=chunks)
    actual = interpolate_labels(given, dict(enumerate(positions)))
    assert actual.dtype == data.dtype
    np.testing.assert_array_equal(np.asarray(actual)[clear], right[clear])
    in_memory = interpolate_labels(data, dict(enumerate(positions)))
    np.testing.assert_array_equal(np.asarray(actual), in_memory)


def test_other_axes_are_left_alone():
    data = np.array([[0, 0, 5, 5], [7, 7, 0, 0]])
    actual = interpolate_labels(data, {1: np.array([0.0, 0.4, 1.2, 1.6, 3.0, 3.4])})
    np.testing.assert_array_equal(actual, [[0, 0, 0, 5, 5, 5], [7, 7, 7, 0, 0, 0]])
