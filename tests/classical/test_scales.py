"""Units of intensity play no part: an image in other units gives the same, in those units."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_segment.registry import filters, methods


def scene() -> np.ndarray:
    rng = np.random.default_rng(3)
    image = gaussian_filter(rng.normal(size=(24, 31)), 1.5)
    return (image - image.min()) / np.ptp(image) + 0.05 * rng.random(image.shape)


@pytest.mark.parametrize("name", ["bilateral", "nonlocal_means"])
@pytest.mark.parametrize("factor", [1e-25, 1e-5, 1e5, 1e20])
def test_squares_of_differences_keep_room(name: str, factor: float) -> None:
    image = scene().astype(np.float32)
    result = filters[name](image * np.float32(factor)) / factor
    np.testing.assert_allclose(result, filters[name](image), rtol=1e-4)


@pytest.mark.parametrize("factor", [1e-12, 1e-4, 1e12])
def test_mixtures_do_not_depend_on_the_unit(factor: float) -> None:
    image = scene()[None]
    result = methods["gaussian_mixture"](image * factor)
    np.testing.assert_array_equal(result, methods["gaussian_mixture"](image))
