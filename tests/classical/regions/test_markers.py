"""Markers."""

from __future__ import annotations

import numpy as np
import pytest

from napari_segment.errors import InputError
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


BOTH = pytest.mark.parametrize("ndim", [2, 3])


def answer(result):
    return run(result) if hasattr(result, "send") else result


@BOTH
@pytest.mark.parametrize("name", ["watershed", "random_walker", "chan_vese", "geodesic_contours"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.uint64, ">u2", bool])
def test_markers_may_be_any_integers_in_any_order_of_memory(name, dtype, ndim):
    image = balls(ndim)[1][-10 if ndim == 3 else 0 :]  # ten planes suffice
    markers = np.zeros(image.shape, np.uint8)
    middle = tuple(n // 2 for n in image.shape[:-1])
    markers[(*middle, 16)], markers[(0,) * ndim] = 1, 1 if dtype is bool else 2
    entry = methods[name]
    expected = answer(entry.function(image, markers=markers, **entry.validate({})))
    for given in (markers.astype(dtype), np.asfortranarray(markers.astype(dtype))):
        result = answer(entry.function(np.asfortranarray(image), markers=given))
        np.testing.assert_array_equal(result, expected)


WITH_MARKERS = pytest.mark.parametrize("name", ["watershed", "random_walker"])


@WITH_MARKERS
@pytest.mark.parametrize(
    ("markers", "message"),
    [
        (np.ones((3, 3), int), "shape"),
        (np.zeros((4, 5), int), "all 0"),
        (np.full((4, 5), 0.5), "integers"),
        (np.full((4, 5), -1), "positive"),
    ],
)
def test_wrong_markers_are_refused(name, markers, message):
    with pytest.raises(InputError, match=message):
        methods[name](np.ones((4, 5)), (1.0, 1.0), markers)
