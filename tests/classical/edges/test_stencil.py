"""Zero crossings."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage as ndi

from napari_segment.registry import methods

SECOND = ["laplace", "log", "dog"]


@pytest.mark.parametrize("name", SECOND)
def test_zero_crossings_outline_a_disc(name):
    y, x = np.mgrid[:80, :90]
    distance = np.hypot(y - 40, x - 45)
    disc = np.clip(25.5 - distance, 0, 1) * 100
    smooth = ndi.gaussian_filter(disc, 1.5)
    mask = methods[name](smooth)
    assert mask.sum() > 2 * np.pi * 25 * 0.8
    np.testing.assert_allclose(distance[mask], 25, atol=1.3)
    assert abs(distance[mask].mean() - 25) < 0.25
    assert ndi.binary_fill_holes(mask)[40, 45]
