"""Median of a box."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage as ndi

from napari_segment.errors import InputError, SettingError
from napari_segment.registry import filters

RNG = np.random.default_rng(3)
VOLUME = RNG.integers(0, 60000, (13, 21, 34)).astype(np.uint16)


@pytest.mark.parametrize("size", [1, 3, 5, 9])
@pytest.mark.parametrize("image", [VOLUME, VOLUME[3]], ids=["3d", "2d"])
def test_median_equals_scipy(image, size):
    np.testing.assert_array_equal(
        filters["median"](image, size=size), ndi.median_filter(image, size)
    )


def test_median_wants_an_odd_side():
    with pytest.raises(SettingError, match="odd"):
        filters["median"](VOLUME, size=4)


def test_median_refuses_nan():
    with pytest.raises(InputError, match="NaN"):
        filters["median"](np.array([[1.0, np.nan]]))
