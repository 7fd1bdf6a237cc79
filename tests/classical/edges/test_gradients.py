"""Gradients of direct neighbours."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage as ndi
import skimage.filters

from napari_segment.errors import SettingError
from napari_segment.registry import filters

RNG = np.random.default_rng(5)
VOLUME = RNG.integers(0, 60000, (11, 19, 23)).astype(np.uint16)
PLANE = VOLUME[4]
SMALL = ["sobel", "scharr", "prewitt", "roberts"]  # differences of direct neighbours
FIRST = [*SMALL, "farid", "gaussian_gradient"]


@pytest.mark.parametrize("name", ["sobel", "scharr", "prewitt"])
@pytest.mark.parametrize("image", [VOLUME, PLANE], ids=["3d", "2d"])
def test_magnitude_equals_scikit_image(name, image):
    image = image.astype(float)
    expected = getattr(skimage.filters, name)(image) * np.sqrt(image.ndim) / 2
    np.testing.assert_allclose(filters[name](image), expected, rtol=1e-9)


def test_roberts_equals_scikit_image():
    expected = skimage.filters.roberts(PLANE.astype(float))
    np.testing.assert_allclose(filters["roberts"](PLANE), expected, rtol=1e-5)


def test_roberts_in_space_fits_the_four_diagonals():
    cube = RNG.random((2, 2, 2))
    diagonals = np.array([(1, 1, 1), (1, 1, -1), (1, -1, 1), (1, -1, -1)])
    ends = [(tuple((d + 1) // 2), tuple((1 - d) // 2)) for d in diagonals]
    differences = [cube[a] - cube[b] for a, b in ends]
    expected = np.linalg.lstsq(diagonals, differences, rcond=None)[0]
    actual = [filters["roberts"](cube, response=axis)[0, 0, 0] for axis in "zyx"]
    np.testing.assert_allclose(actual, expected)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_directed_responses_equal_scipy(axis):
    expected = ndi.sobel(VOLUME.astype(float), axis) / 32
    np.testing.assert_allclose(filters["sobel"](VOLUME, response="zyx"[axis]), expected, rtol=1e-5)


def test_laplace_equals_scipy():
    np.testing.assert_allclose(
        filters["laplace"](VOLUME), ndi.laplace(VOLUME.astype(float)), atol=0.1
    )


@pytest.mark.parametrize("name", FIRST)
def test_the_gradient_of_a_ramp_is_its_slope_in_units(name):
    z, y, x = np.mgrid[:17, :18, :29].astype(float)
    image = 2 * (0.3 * z) - 3 * (0.5 * y) + 6 * (0.25 * x)
    spacing = (0.3, 0.5, 0.25)
    inner = (slice(5, -5),) * 3
    for response, slope in [("z", 2), ("y", -3), ("x", 6), ("magnitude", 7)]:
        settings = {"sigma": 0.3} if name == "gaussian_gradient" else {}
        result = filters[name](image, spacing, response=response, **settings)[inner]
        np.testing.assert_allclose(result, slope, rtol=0.01 if name == "farid" else 1e-6)


def test_a_plane_has_no_z_response():
    with pytest.raises(SettingError, match="plane"):
        filters["sobel"](PLANE, response="z")
