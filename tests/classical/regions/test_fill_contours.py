"""Filled contours."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

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


@pytest.mark.parametrize("chunks", [(11, 13), (40, 7)])
def test_filled_contours_on_blocks_equal_the_whole(chunks):
    image = balls(2)[1]
    settings = {"sigma": 1.5, "low": 0.2, "high": 0.4}
    for gap in (0.0, 3.0):
        lazy = methods["fill_contours"](
            da.from_array(image, chunks=chunks), max_gap=gap, **settings
        )
        expected = methods["fill_contours"](image, max_gap=gap, **settings)
        np.testing.assert_array_equal(lazy.compute(), expected)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_contours_of_a_volume_of_one_plane_are_filled(axis):
    image = balls(2)[1]
    settings = {"sigma": 1.5, "low": 0.2, "high": 0.4}
    expected = methods["fill_contours"](image, max_gap=2.0, **settings)
    assert expected.any()
    for array in (image, da.from_array(image, chunks=(11, 30))):
        volume = array[(slice(None),) * axis + (None,)]
        result = methods["fill_contours"](volume, max_gap=2.0, **settings)
        np.testing.assert_array_equal(np.squeeze(np.asarray(result)), expected)
    assert not methods["fill_contours"](np.ones((1, 1, 5))).any()
    assert not methods["fill_contours"](np.ones((1, 1, 1))).any()


def test_a_gap_is_closed():
    y, x = np.mgrid[:60, :60]
    image = (np.hypot(y - 30, x - 30) < 20).astype(float)
    image[28:33, 30:] = np.linspace(1, 0, 30)  # the edge fades out
    open_ = methods["fill_contours"](image, low=0.3, high=0.5)
    closed = methods["fill_contours"](image, low=0.3, high=0.5, max_gap=12.0)
    assert not open_[30, 20]
    assert closed[30, 20]
