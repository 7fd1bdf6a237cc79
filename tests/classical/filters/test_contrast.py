"""CLAHE, percentiles, inversion."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import scipy.ndimage as ndi
from skimage.exposure import equalize_adapthist

from napari_segment.errors import SettingError
from napari_segment.registry import filters

RNG = np.random.default_rng(11)
STEPS = np.indices((14, 24, 30)).sum(0) // 20 % 2 * 100.0
VOLUME = (STEPS + RNG.normal(0, 10, STEPS.shape)).astype(np.float32)
PLANE = VOLUME[4]


def test_clahe_is_close_to_scikit_image():
    image = ndi.gaussian_filter(RNG.random((200, 200)), 3)
    image = (image - image.min()) / np.ptp(image)
    expected = equalize_adapthist(image, nbins=1024)
    assert np.corrcoef(filters["clahe"](image).ravel(), expected.ravel())[0, 1] > 0.98


def test_clahe_of_one_tile_without_limit_is_histogram_equalisation():
    result = filters["clahe"](PLANE, tiles=1, clip_limit=1.0)
    rank = PLANE.ravel().argsort().argsort().reshape(PLANE.shape) / PLANE.size
    np.testing.assert_allclose(result, rank, atol=0.01)


def test_percentiles_become_0_and_1():
    image = np.arange(101, dtype=np.uint16).reshape(1, -1)
    result = filters["percentile_normalise"](image, low=10, high=90)
    np.testing.assert_allclose(result, (image.astype(float) - 10) / 80, atol=0.01)
    clipped = filters["percentile_normalise"](image, low=10, high=90, clip=True)
    assert clipped.min() == 0
    assert clipped.max() == 1
    with pytest.raises(SettingError):
        filters["percentile_normalise"](image, low=50, high=50)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("far", [1e4, 1e7, -1e12, 1e17])
def test_a_few_values_far_away_do_not_move_percentiles(dtype, far):
    image = (RNG.random((60, 70)) * 1000).astype(dtype)
    image[3, 4], image[5, 6] = far, 2 * far
    low, high = np.percentile(image, (1, 99))
    expected = (image - low) / (high - low)
    lazy = da.from_array(image, chunks=(17, 23))
    result = filters["percentile_normalise"](image, low=1, high=99)
    near = np.abs(image) < abs(far)
    np.testing.assert_allclose(result[near], expected[near], atol=2e-3)
    again = filters["percentile_normalise"](lazy, low=1, high=99)
    np.testing.assert_array_equal(again.compute(), result)


def test_percentiles_of_one_value_leave_what_is_not_finite():
    image = np.array([[7.0, np.nan, 7.0, np.inf]])
    result = filters["percentile_normalise"](image)
    np.testing.assert_array_equal(result, [[0, np.nan, 0, np.inf]])


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int8, np.int16, np.uint64, np.float32])
def test_inverting_twice_changes_nothing(dtype):
    image = PLANE > 50 if dtype is bool else np.clip(PLANE + 120, 0, 120).astype(dtype)
    once = filters["invert"](image)
    assert once.dtype == image.dtype
    np.testing.assert_allclose(filters["invert"](once), image, atol=1e-5)
    assert np.isclose(once.flat[image.argmax()], image.min())


@pytest.mark.parametrize(
    "image",
    [np.array([[1e-8, 1, 0.25]], np.float32), np.array([[40_000, 60_000, 50_016]], np.float16)],
)
def test_inverting_keeps_small_and_great_values(image):
    expected = image.max() - image.astype(np.float64) + image.min()
    actual = filters["invert"](image)
    assert actual.dtype == image.dtype
    np.testing.assert_allclose(actual, expected, rtol=1e-3 if image.dtype == np.float16 else 1e-6)
