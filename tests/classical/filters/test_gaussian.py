"""Smoothing filters against scipy, on any chunking, and on what is no picture."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import scipy.ndimage as ndi

from napari_segment.errors import InputError, SettingError
from napari_segment.registry import filters

RNG = np.random.default_rng(3)
VOLUME = RNG.integers(0, 60000, (13, 21, 34)).astype(np.uint16)
TYPES = [bool, np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64]


@pytest.mark.parametrize("sigma", [0.0, 0.1, 0.7, 2.0, 9.0])
@pytest.mark.parametrize("image", [VOLUME, VOLUME[3]], ids=["3d", "2d"])
def test_gaussian_equals_scipy(image, sigma):
    expected = ndi.gaussian_filter(image.astype(float), sigma)
    np.testing.assert_allclose(filters["gaussian"](image, sigma=sigma), expected, rtol=2e-6)


def test_gaussian_has_the_same_physical_width_along_every_axis():
    expected = ndi.gaussian_filter(VOLUME.astype(float), (0.5, 1.5, 3.0))
    result = filters["gaussian"](VOLUME, (3.0, 1.0, 0.5), sigma=1.5)
    np.testing.assert_allclose(result, expected, rtol=2e-6)


def test_a_sigma_in_the_wrong_unit_is_refused():
    with pytest.raises(SettingError, match="voxels"):
        filters["gaussian"](VOLUME, (1e-7, 1e-7, 1e-7), sigma=1.0)


@pytest.mark.parametrize("dtype", TYPES)
def test_types(dtype):
    image = VOLUME.astype(dtype) if dtype is not bool else VOLUME > 30000
    assert filters["median"](image).dtype == dtype
    wide = np.dtype(dtype) in (np.int32, np.float64)
    assert filters["gaussian"](image).dtype == (np.float64 if wide else np.float32)


def test_gaussian_spreads_nan_as_far_as_it_reaches():
    image = np.ones((1, 40))
    image[0, 20] = np.nan
    result = filters["gaussian"](image, sigma=1.0)
    assert np.isnan(result[0, 16:25]).all()
    np.testing.assert_allclose(np.delete(result[0], np.s_[16:25]), 1)


@pytest.mark.parametrize("chunks", [(4, 7, 11), (1, 21, 5), (13, 1, 34)])
@pytest.mark.parametrize(
    ("name", "settings"), [("gaussian", {"sigma": 1.7}), ("gaussian", {"sigma": 8}), ("median", {})]
)
def test_blocks_equal_the_whole(name, settings, chunks):
    lazy = filters[name](da.from_array(VOLUME, chunks=chunks), **settings)
    assert isinstance(lazy, da.Array)
    np.testing.assert_array_equal(lazy.compute(), filters[name](VOLUME, **settings))


@pytest.mark.parametrize("name", ["gaussian", "median"])
@pytest.mark.parametrize("shape", [(0, 5), (1, 1), (1, 1, 1), (1, 7, 9), (4, 0, 2)])
def test_small_shapes(name, shape):
    image = np.full(shape, 7, np.uint8)
    result = filters[name](image)
    assert result.shape == shape
    np.testing.assert_allclose(result, 7, rtol=1e-6)


@pytest.mark.parametrize("name", ["gaussian", "median"])
def test_the_input_is_not_changed_and_may_be_any_view(name):
    image = VOLUME.copy()
    image.setflags(write=False)
    strided = np.asfortranarray(np.repeat(VOLUME, 2, axis=1))[:, ::2]
    first, second = filters[name](image), filters[name](strided)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(image, VOLUME)


@pytest.mark.parametrize("name", ["gaussian", "median"])
@pytest.mark.parametrize(
    "image", [np.ones((3, 3), complex), np.ones((3, 3), object), np.ones(3), np.ones((2, 2, 2, 2))]
)
def test_what_is_no_image_is_refused(name, image):
    with pytest.raises(InputError):
        filters[name](image)
