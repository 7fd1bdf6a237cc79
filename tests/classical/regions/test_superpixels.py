"""Superpixels."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage as ndi

from napari_segment.errors import SettingError
from napari_segment.registry import methods

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


BOTH = pytest.mark.parametrize("ndim", [2, 3])


@BOTH
def test_superpixels_cover_the_image_and_keep_to_edges(ndim):
    truth, image = balls(ndim)
    result = methods["slic"](image, segments=60, sigma=0.5)
    assert result.min() == 1
    assert 15 < len(np.unique(result)) < 120
    majority = ndi.labeled_comprehension(
        truth > 0, result, np.arange(result.max() + 1), np.mean, float, 0
    )
    assert ((majority[result] > 0.5) == (truth > 0)).mean() > 0.97


@BOTH
def test_superpixels_do_not_depend_on_the_unit(ndim):
    _, image = balls(ndim)
    spacing = (3.0, 1.0, 2.0)[-ndim:]
    expected = methods["slic"](image, spacing, sigma=0.7)
    for unit in (1e-9, 0.125, 1e6):
        scaled = [s * unit for s in spacing]
        result = methods["slic"](image, scaled, sigma=0.7 * unit)
        assert (result == expected).mean() > 0.99
    with pytest.raises(SettingError, match="voxels"):
        methods["slic"](image, scaled, sigma=1e12)


def test_felzenszwalb_separates_the_discs():
    truth, image = balls(2)
    result = methods["felzenszwalb"](image, scale=200, min_size=100)
    assert result.min() == 1
    assert len(np.unique(result[truth == 1])) <= 2
    assert methods["felzenszwalb"].ndim == (2,)
