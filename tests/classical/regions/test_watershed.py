"""Watershed of the gradient."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.segmentation

from napari_segment.classical.regions.watershed import flooded
from napari_segment.classical.regions.watershed_kernels import minima
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


@BOTH
def test_watershed_by_hand_gives_the_numbers_of_the_markers(ndim):
    truth, image = balls(ndim)
    markers = np.zeros(image.shape, np.int32)
    middle = tuple(n // 2 for n in image.shape[:-1])
    markers[(*middle, 16)], markers[(*middle, 40)], markers[(0,) * ndim] = 7, 5, 9
    result = methods["watershed"](image, (1.0,) * ndim, markers, sigma=1.5)
    assert set(np.unique(result)) == {5, 7, 9}
    assert dice(result == 7, truth == 1) > 0.93
    assert dice(result == 5, truth == 2) > 0.93


@BOTH
def test_watershed_alone_finds_the_deep_basins(ndim):
    truth, image = balls(ndim)
    result = methods["watershed"](image, sigma=2.0, depth=0.3)
    assert result.max() == 3
    for number in (1, 2):
        inside = np.bincount(result[truth == number]).argmax()
        assert dice(result == inside, truth == number) > 0.9


@BOTH
def test_flooding_equals_scikit_image_where_levels_differ(ndim):
    shape = (12, 13, 14)[-ndim:]
    levels = RNG.permutation(int(np.prod(shape))).reshape(shape).astype(np.uint16)
    markers = np.zeros(shape, np.int64)
    markers.flat[RNG.choice(markers.size, 6, replace=False)] = np.arange(1, 7)
    expected = skimage.segmentation.watershed(levels, markers)
    ours = markers.reshape((1,) * (3 - ndim) + shape).copy()
    flooded(levels.reshape(ours.shape), ours, levels.size)
    assert (ours.reshape(shape) == expected).mean() > 0.97


def test_minima_are_those_of_their_depth():
    levels = np.array([[[5, 1, 4, 3, 6, 0, 9, 8, 9]]], np.uint16)
    for depth, expected in ((1, [1, 3, 5, 7]), (2, [1, 5]), (5, [1, 5]), (6, [5])):
        marks, given = np.empty(levels.shape, np.int32), levels.copy()
        minima(given, 10, depth, marks)
        assert np.flatnonzero(marks).tolist() == expected
        assert marks[marks > 0].tolist() == list(range(1, len(expected) + 1))
        np.testing.assert_array_equal(given, levels)


@pytest.mark.parametrize("dtype", ["f4", "f8", ">f4"])
@pytest.mark.parametrize("size", ["tiny", "max"])
@pytest.mark.parametrize("name", ["watershed", "geodesic_contours"])
def test_gradients_whose_squares_overflow_are_like_others(name, dtype, size):
    _, image = balls(2)
    given = {}
    if name == "watershed":
        given["markers"] = np.zeros(image.shape, np.uint8)
        given["markers"][[0, 20, 20], [0, 16, 40]] = 1, 2, 3
    image = image.astype(float) / np.abs(image).max()
    extreme = (image * float(getattr(np.finfo(dtype), size))).astype(dtype)
    assert np.isfinite(extreme).all()
    actual, expected = (methods[name](i, sigma=1.5, **given) for i in (extreme, image))
    actual, expected = (run(f) if hasattr(f, "send") else f for f in (actual, expected))
    assert len(np.unique(expected)) > 1
    assert (actual == expected).mean() > 0.99  # levels are rounded otherwise
