"""The noise level."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

from napari_segment.classical.filters import noise_level
from napari_segment.registry import filters

RNG = np.random.default_rng(11)
STEPS = np.indices((14, 24, 30)).sum(0) // 20 % 2 * 100.0
VOLUME = (STEPS + RNG.normal(0, 10, STEPS.shape)).astype(np.float32)
PLANE = VOLUME[4]


@pytest.mark.parametrize("shape", [(60, 70), (20, 30, 30), (1, 60, 70)])
def test_noise_level_is_the_standard_deviation(shape):
    ramp = np.indices(shape).sum(0)
    image = 5 * ramp + RNG.normal(0, 4, shape)
    assert noise_level(image) == pytest.approx(4, rel=0.06)
    assert noise_level(ramp) == 0


@pytest.mark.parametrize("far", [1e5, 1e9, -1e20])
def test_a_voxel_far_away_does_not_move_the_noise_level(far):
    image = PLANE.copy()
    image[5, 6] = far
    assert noise_level(image) == pytest.approx(noise_level(PLANE), rel=0.1)
    assert noise_level(da.from_array(image, chunks=(7, 11))) == noise_level(image)


def test_steps_are_no_noise():
    assert noise_level(STEPS) == 0
    np.testing.assert_array_equal(filters["nonlocal_means"](STEPS), STEPS)
