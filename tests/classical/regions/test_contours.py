"""Active contours."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.segmentation

from napari_segment.registry import methods
from napari_segment.step import Step, run

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


@pytest.mark.filterwarnings("error")
def test_chan_vese_begins_at_the_mean_of_great_intensities():
    truth, image = balls(2)
    huge = image / image.max() * np.finfo(np.float32).max
    assert dice(run(methods["chan_vese"](huge)), truth > 0) > 0.93


def test_chan_vese_agrees_with_scikit_image():
    _, image = balls(2, noise=20.0)
    start = np.zeros(image.shape, np.int8)
    start[10:30, 10:50] = 1
    expected = skimage.segmentation.morphological_chan_vese(
        image.astype(float), 60, init_level_set=start, smoothing=1
    )
    result = run(methods["chan_vese"](image, start, iterations=60))
    assert dice(result, expected > 0) > 0.97


def test_contours_grow_from_markers():
    truth, image = balls(2)
    start = np.zeros(image.shape, np.uint8)
    start[20:24, 14:18] = 1
    result = run(methods["geodesic_contours"](image, (1, 1), start, balloon="grow", sigma=1.5))
    assert dice(result, truth == 1) > 0.85


def test_contours_yield_steps_and_can_be_cancelled():
    steps = methods["chan_vese"](balls(2)[1], iterations=5)
    step = next(steps)
    assert isinstance(step, Step)
    assert step.done == 1
    assert 0 < step.numbers["inside"] < 1
    steps.close()
