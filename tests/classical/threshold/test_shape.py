"""Thresholds by the shape of the histogram."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data, filters

from napari_segment.classical.threshold import histogram, thresholds
from napari_segment.registry import methods


@pytest.mark.parametrize("picture", ["coins", "camera", "moon"])
def test_minimum_like_scikit_image(picture: str) -> None:
    image = getattr(data, picture)()
    assert thresholds("minimum", histogram(image)) == (filters.threshold_minimum(image),)


def test_two_modes_of_a_wide_histogram() -> None:
    rng = np.random.default_rng(0)
    image = np.concatenate([rng.normal(20000, 3000, 10000), rng.normal(45000, 4000, 5000)])
    image = image.clip(0, 65535).astype(np.uint16)[None]
    (middle,), (valley,) = (thresholds(n, histogram(image)) for n in ("intermodes", "minimum"))
    assert middle == pytest.approx(32500, abs=1500)
    assert valley == pytest.approx(31000, abs=3000)


def test_one_mode_gives_an_empty_mask() -> None:
    image = np.repeat(np.arange(9), [1, 2, 4, 8, 9, 8, 4, 2, 1])[None].astype(np.uint8)
    for name in ("minimum", "intermodes"):
        assert thresholds(name, histogram(image)) == ()
        assert not methods[name](image).any()


@pytest.mark.parametrize("name", ["minimum", "intermodes"])
def test_the_end_of_the_histogram_is_the_second_of_two_modes(name: str) -> None:
    two = np.random.default_rng(0).random((20, 30)) < 0.3
    for low, high in ((0, 255), (3, 9), (100, 60_000)):
        image = np.where(two, high, low).astype(np.uint16)
        np.testing.assert_array_equal(methods[name](image), two)


def test_kittler_illingworth_by_brute_force() -> None:
    image = data.coins()[::5, ::5].astype(float)
    levels = np.arange(image.min(), image.max())

    def error(t: float) -> float:
        total = 0.0
        for part in (image[image <= t], image[image > t]):
            mass = part.size / image.size
            total += mass * (np.log(part.var() + 1 / 12) - 2 * np.log(mass))
        return total

    best = levels[np.argmin([error(t) for t in levels])]
    actual = thresholds("kittler_illingworth", histogram(image.astype(np.uint8)))
    assert actual == (best,)


def test_moments_keeps_the_first_moment() -> None:
    image = np.array([[0, 0, 0, 1, 9, 10]], np.uint8)
    assert thresholds("moments", histogram(image)) == (1.0,)
