"""Convex hulls."""

import dask.array as da
import numpy as np
import pytest
from scipy import ndimage as ndi
from skimage.morphology import convex_hull_image

from napari_segment.results.cleanup.hull import convex_hull


@pytest.mark.parametrize("shape", [(25, 30), (9, 12, 11)])
def test_hulls_are_those_of_scikit_image(shape):
    one = np.random.default_rng(0).random(shape) > 0.97
    expected = convex_hull_image(one, offset_coordinates=False)
    np.testing.assert_array_equal(convex_hull(one.astype(np.uint8), "objects") > 0, expected)


def test_hulls_of_flat_things_and_of_neighbours():
    labels = np.zeros((5, 8), np.uint8)
    labels[0, :4] = 7
    labels[2:5, 0], labels[4, 1:3] = 3, 3
    labels[3, 1] = 9
    filled = convex_hull(labels, "objects")
    assert filled[3, 1] == 9
    np.testing.assert_array_equal(filled, labels)  # the hull of 3 is full but for 9


@pytest.mark.parametrize("holds", ["mask", "classes", "objects"])
@pytest.mark.parametrize("chunks", [(7, 11, 9), (20, 30, 5)])
def test_hulls_do_not_depend_on_blocks(holds, chunks):
    noise = ndi.gaussian_filter(np.random.default_rng(0).random((20, 30, 25)), 2)
    labels = np.digitize(noise, np.percentile(noise, (80, 95))).astype(np.uint8)
    labels = labels > 0 if holds == "mask" else 3 * labels
    lazy = convex_hull(da.from_array(labels, chunks=chunks), holds)
    result = lazy.compute(scheduler="sync")
    assert result.dtype == lazy.dtype == labels.dtype
    np.testing.assert_array_equal(result, convex_hull(labels, holds))
