"""Several classes from one histogram."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data, filters

from napari_segment.registry import methods


@given(
    st.lists(st.integers(0, 6), min_size=2, max_size=11).filter(lambda c: sum(map(bool, c)) > 1),
    st.integers(2, 5),
)
@settings(deadline=None, max_examples=100)
def test_multi_otsu_by_brute_force(counts: list[int], classes: int) -> None:
    image = np.repeat(np.arange(len(counts)), counts)
    levels = np.unique(image)
    classes = min(classes, len(levels))

    def within(cut: tuple[int, ...]) -> float:
        names = np.searchsorted(cut, image, side="right")
        return sum(image[names == k].var() * (names == k).sum() for k in range(classes))

    result = methods["multi_otsu"](image[None], classes=classes)[0]
    ours = sum(image[result == k].var() * (result == k).sum() for k in range(classes))
    assert ours == pytest.approx(min(map(within, combinations(levels[1:], classes - 1))), abs=1e-9)


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_multi_otsu_like_scikit_image(classes: int) -> None:
    image = data.coins()
    expected = np.digitize(image, filters.threshold_multiotsu(image, classes) + 1)
    np.testing.assert_array_equal(methods["multi_otsu"](image, classes=classes), expected)


def test_dark_classes_are_numbered_from_the_brightest() -> None:
    image = data.coins()
    bright, dark = (methods["multi_otsu"](image, objects=o) for o in ("bright", "dark"))
    np.testing.assert_array_equal(dark, 2 - bright)
