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


@pytest.mark.parametrize("name", ["bilateral", "nonlocal_means", "total_variation"])
@pytest.mark.parametrize(
    ("dtype", "factor"),
    [("f4", f) for f in (1e-35, 1e-25, 1e-5, 1e5, 1e20, 1e37)] + [("f8", 1e-300), ("f8", 1e300)],
)
def test_squares_of_differences_do_not_overflow(name: str, dtype: str, factor: float) -> None:
    image = scene().astype(dtype)
    result = filters[name](image * image.dtype.type(factor))
    assert result.dtype == dtype
    np.testing.assert_allclose(result / result.dtype.type(factor), filters[name](image), rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("bilateral", "intensity_sigma"),
        ("nonlocal_means", "strength"),
        ("total_variation", "weight"),
    ],
)
def test_the_least_of_a_strength_changes_little(name: str, setting: str) -> None:
    image = scene()
    field = filters[name].settings.model_fields[setting]
    least = next(m.ge for m in field.metadata if hasattr(m, "ge"))
    for dtype in ("f4", "f8"):
        result = filters[name](image.astype(dtype), **{setting: least})
        np.testing.assert_allclose(result, image, atol=0.03)


@pytest.mark.parametrize("factor", [1e-12, 1e-4, 1e12])
def test_mixtures_do_not_depend_on_the_unit(factor: float) -> None:
    image = scene()[None]
    result = methods["gaussian_mixture"](image * factor)
    np.testing.assert_array_equal(result, methods["gaussian_mixture"](image))
