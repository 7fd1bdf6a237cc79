"""Thresholds from a histogram alone."""

from __future__ import annotations

import numpy as np
import pytest

from napari_segment.classical.threshold import histogram, thresholds
from napari_segment.errors import UnknownNameError
from napari_segment.registry import methods

GLOBAL = [n for n, e in methods.items() if e.group == "global threshold"]


@pytest.fixture(scope="module")
def cells() -> np.ndarray:
    rng = np.random.default_rng(1)
    image = rng.normal(300, 40, (6, 40, 50))
    image[2:5, 10:30, 10:30] += 500
    return image.clip(0).astype(np.uint16)


@pytest.mark.parametrize("name", GLOBAL)
def test_thresholds_of_the_histogram_are_those_of_the_method(name: str, cells: np.ndarray) -> None:
    actual = thresholds(name, histogram(cells))
    expected = sum((cells > t).astype(int) for t in actual)
    np.testing.assert_array_equal(methods[name](cells), expected)


def test_unknown_criterion() -> None:
    with pytest.raises(UnknownNameError, match="'otsu'"):
        thresholds("ostu", histogram(np.arange(4)[None]))
