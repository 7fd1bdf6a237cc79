"""Thresholds of edge strength."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.filters

from napari_segment.registry import filters, methods

RNG = np.random.default_rng(5)
VOLUME = RNG.integers(0, 60000, (11, 19, 23)).astype(np.uint16)
PLANE = VOLUME[4]
SMALL = ["sobel", "scharr", "prewitt", "roberts"]  # differences of direct neighbours
FIRST = [*SMALL, "farid", "gaussian_gradient"]


@pytest.mark.parametrize("name", FIRST)
def test_mask_by_value_and_percentile(name):
    magnitude = filters[name](PLANE)
    by_value = methods[name](PLANE, threshold="value", value=9000)
    np.testing.assert_array_equal(by_value, magnitude > 9000)
    by_percentile = methods[name](PLANE, threshold="percentile", percentile=80)
    assert abs(by_percentile.mean() - 0.2) < 0.01


@pytest.mark.parametrize("name", FIRST)
def test_otsu_mask_equals_scikit_image_on_the_same_bins(name):
    magnitude = filters[name](PLANE)
    counts, edges = np.histogram(magnitude, 4096, (0, magnitude.max()))
    centres = (edges[1:] + edges[:-1]) / 2
    limit = skimage.filters.threshold_otsu(hist=(counts, centres))
    mask = methods[name](PLANE)
    assert (mask != (magnitude > limit)).mean() < 0.005  # our limit is the bin's upper edge
