"""Random walks from markers."""

from __future__ import annotations

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


def dice(a, b):
    return 2 * np.sum(a & b) / (a.sum() + b.sum())


BOTH = pytest.mark.parametrize("ndim", [2, 3])


def test_random_walker_keeps_the_numbers_of_the_markers():
    truth, image = balls(2)
    markers = np.zeros(image.shape, np.uint16)
    markers[22, 16], markers[22, 40], markers[0, 0] = 300, 4, 2
    result = methods["random_walker"](image, (2.0, 2.0), markers)
    assert set(np.unique(result)) == {2, 4, 300}
    assert dice(result == 300, truth == 1) > 0.93


@BOTH
@pytest.mark.parametrize("value", [0, 7, 0.1])
def test_random_walks_through_one_intensity_end_at_the_nearer_marker(ndim, value):
    markers = np.zeros((9, 21, 31)[-ndim:], np.uint8)
    middle = tuple(n // 2 for n in markers.shape[:-1])
    markers[(*middle, 5)], markers[(*middle, 25)] = 1, 2
    result = methods["random_walker"](np.full(markers.shape, value), (1.0,) * ndim, markers)
    assert (result[..., :15] == 1).all()
    assert (result[..., 16:] == 2).all()
