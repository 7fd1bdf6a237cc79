"""Derivatives by wide kernels."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage as ndi
import skimage.filters

from napari_segment.registry import filters

RNG = np.random.default_rng(5)
VOLUME = RNG.integers(0, 60000, (11, 19, 23)).astype(np.uint16)
PLANE = VOLUME[4]


def test_farid_equals_scikit_image():
    expected = skimage.filters.farid(PLANE.astype(float)) * np.sqrt(2)
    np.testing.assert_allclose(filters["farid"](PLANE), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "sigma"), [("gaussian_gradient", 1.5), ("log", 2.0), ("dog", 1.5)]
)
@pytest.mark.parametrize("image", [VOLUME, PLANE], ids=["3d", "2d"])
def test_gaussian_derivatives_equal_scipy(name, sigma, image):
    image = image.astype(float)
    expected = {
        "gaussian_gradient": lambda: ndi.gaussian_gradient_magnitude(image, sigma),
        "log": lambda: ndi.gaussian_laplace(image - image.mean(), sigma),
        "dog": lambda: ndi.gaussian_filter(image, sigma) - ndi.gaussian_filter(image, 1.6 * sigma),
    }[name]()
    result = filters[name](image, sigma=sigma)
    np.testing.assert_allclose(result, expected, atol=0.003 * abs(expected).max())


@pytest.mark.parametrize("name", ["laplace", "log"])
def test_the_laplacian_of_a_parabola_is_its_curvature_in_units(name):
    z, y, x = np.mgrid[:21, :31, :41].astype(float) - 10
    image = 1.5 * (0.5 * z) ** 2 - 2 * (0.25 * y) ** 2 + 4 * (0.2 * x) ** 2
    settings = {} if name == "laplace" else {"sigma": 0.4}
    result = filters[name](image, (0.5, 0.25, 0.2), **settings)
    np.testing.assert_allclose(result[9:12, 10:20, 10:30], 2 * (1.5 - 2 + 4))
