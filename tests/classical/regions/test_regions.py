"""Regions from edges: known shapes in noise, scikit-image, markers, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage as ndi

from napari_segment.errors import InputError, SettingError
from napari_segment.registry import methods
from napari_segment.step import run

RNG = np.random.default_rng(2)


def balls(ndim, noise=5.0):
    """Two separate bright balls on a dark ground: their numbers, and an image of them."""
    shape = (40, 44, 70)[-ndim:] if ndim == 2 else (26, 30, 56)
    grid = np.indices(shape)
    truth = np.zeros(shape, np.uint8)
    for number, x in ((1, 16), (2, 40)):
        centre = (*(n // 2 for n in shape[:-1]), x)
        distance = sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True))
        truth[distance <= 9**2] = number
    image = 20 + 100 * (truth > 0) + RNG.normal(0, noise, shape)
    return truth, image.astype(np.float32)


def dice(a, b):
    return 2 * np.sum(a & b) / (a.sum() + b.sum())


BOTH = pytest.mark.parametrize("ndim", [2, 3])


def answer(result):
    return run(result) if hasattr(result, "send") else result


@BOTH
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("fill_contours", {"sigma": 1.5, "low": 0.2, "high": 0.4}),
        ("chan_vese", {}),
        ("geodesic_contours", {"sigma": 1.5}),
        ("random_walker", {}),
    ],
)
def test_balls_in_noise_are_segmented(name, settings, ndim):
    truth, image = balls(ndim)
    result = answer(methods[name](image, **settings))
    assert result.shape == image.shape
    assert dice(result > 0, truth > 0) > 0.93
    assert ndi.label(result)[1] == 2


@pytest.mark.parametrize(
    ("name", "setting", "value"),
    [
        ("slic", "compactness", 1e-300),
        ("felzenszwalb", "sigma", 1e9),
        ("random_walker", "tolerance", 1e-300),
    ],
)
def test_settings_that_cannot_be_met_are_refused(name, setting, value):
    with pytest.raises(SettingError, match=setting):
        methods[name].validate({setting: value})


@pytest.mark.parametrize(
    "name", ["watershed", "random_walker", "slic", "felzenszwalb", "chan_vese", "geodesic_contours"]
)
def test_nan_is_refused(name):
    image = np.ones((6, 6))
    image[2, 2] = np.nan
    with pytest.raises(InputError, match="NaN"):
        answer(methods[name](image))
