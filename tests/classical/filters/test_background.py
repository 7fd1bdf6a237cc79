"""Top-hat and rolling ball."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage as ndi
from skimage.morphology import ball, disk

from napari_segment.errors import InputError
from napari_segment.registry import filters

RNG = np.random.default_rng(11)
STEPS = np.indices((14, 24, 30)).sum(0) // 20 % 2 * 100.0
VOLUME = (STEPS + RNG.normal(0, 10, STEPS.shape)).astype(np.float32)
PLANE = VOLUME[4]


@pytest.mark.parametrize(("image", "shape"), [(VOLUME, ball(3)), (PLANE, disk(3))])
@pytest.mark.parametrize("objects", ["bright", "dark"])
def test_top_hat_equals_scipy_far_from_the_edge(image, shape, objects):
    sign = 1 if objects == "bright" else -1
    expected = ndi.white_tophat(sign * image, footprint=shape)
    inner = (slice(6, -6),) * image.ndim
    result = filters["top_hat"](image, radius=3.0, objects=objects)
    np.testing.assert_array_equal(result[inner], expected[inner])


def test_top_hat_of_differences_beyond_the_type_is_the_greatest_value():
    image = np.full((9, 9), -120, np.int8)
    image[4, 4] = 120
    assert filters["top_hat"](image, radius=2)[4, 4] == 127


@pytest.mark.parametrize("name", ["top_hat", "rolling_ball"])
def test_backgrounds_of_the_widest_integers(name):
    image = np.full((20, 20), np.iinfo(np.int64).min)
    image[10, 10] = np.iinfo(np.int64).max
    result = filters[name](image, radius=2.0)
    assert result[10, 10] > 0.99 * 2.0**63
    assert not np.delete(result.ravel(), 210).any()


def test_rolling_ball_is_an_opening_by_a_paraboloid():
    radius, span = 4.0, np.ptp(PLANE)
    structure = -((np.indices((9, 9)) - 4.0) ** 2).sum(0) / radius**2 * span
    expected = PLANE - ndi.grey_opening(PLANE.astype(float), structure=structure)
    result = filters["rolling_ball"](PLANE, radius=radius)
    np.testing.assert_allclose(result[8:-8, 8:-8], expected[8:-8, 8:-8], atol=0.01)


def test_rolling_ball_flattens_a_ramp_and_keeps_spots():
    y, x = np.mgrid[:60, :80]
    ramp = (2.0 * x + y).astype(np.float32)
    image = ramp.copy()
    image[30:33, 40:43] += 50
    result = filters["rolling_ball"](image, radius=30.0)
    assert result[31, 41] > 45
    assert np.median(result) < 2


def test_the_ball_sees_a_mask_as_ones():
    mask = np.random.default_rng(3).random((30, 40)) > 0.4
    actual = filters["rolling_ball"](mask, radius=4.0)
    assert actual.dtype == bool
    np.testing.assert_array_equal(
        actual, filters["rolling_ball"](mask.astype(np.uint8), radius=4.0)
    )


@pytest.mark.parametrize("name", ["top_hat", "rolling_ball"])
def test_nan_is_refused_where_order_matters(name):
    with pytest.raises(InputError, match="NaN"):
        filters[name](np.array([[1.0, np.nan]]))
