"""The strength that edge methods threshold, and settings that say a threshold."""

import dask.array as da
import numpy as np
import pytest

from napari_segment.classical.edges import (
    has_strength,
    limits,
    max_strength,
    strength,
    with_thresholds,
)
from napari_segment.registry import methods

NAMES = [name for name in methods if has_strength(name)]
SPACING = (2.0, 0.5, 0.5)


@pytest.fixture(scope="module")
def image():
    return (np.random.default_rng(5).random((6, 20, 24)) * 900).astype(np.uint16)


def test_edge_operators_and_canny_are_known():
    assert {"sobel", "scharr", "prewitt", "roberts", "farid", "laplace", "log", "dog"} < set(NAMES)
    assert {"gaussian_gradient", "canny", "fill_contours"} < set(NAMES)
    assert not has_strength("otsu")


@pytest.mark.parametrize("name", [n for n in NAMES if n not in ("canny", "fill_contours")])
@pytest.mark.parametrize("threshold", ["otsu", "percentile", "value"])
def test_the_mask_lies_above_the_limit(image, name, threshold):
    settings = methods[name].validate({"threshold": threshold, "value": 100.0})
    actual = strength(name, image, SPACING, settings)
    _, (limit,) = limits(name, actual, settings)
    mask = methods[name](image, SPACING, **settings)
    np.testing.assert_array_equal(mask, actual > np.float64(limit))
    by_hand = with_thresholds(name, (limit,), max_strength(actual), settings)
    np.testing.assert_array_equal(methods[name](image, SPACING, **by_hand), mask)


def test_strengths_are_compared_with_the_value_itself():
    ramp = np.arange(5, dtype=np.float32) * np.float32(0.1) * np.ones((5, 1), np.float32)
    actual = strength("sobel", ramp, (), {"value": 0.1})[2, 2]
    assert actual.dtype == np.float32
    assert actual > np.float64(0.1)  # a little
    assert methods["sobel"](ramp, threshold="value", value=0.1)[2, 2]


def test_the_limits_of_canny_are_shares_of_the_largest_gradient(image):
    settings = methods["canny"].validate({"low": 0.25, "high": 0.5})
    actual = strength("canny", image, SPACING, settings)
    _, (low, high) = limits("canny", actual, settings)
    assert (low, high) == pytest.approx((max_strength(actual) / 4, max_strength(actual) / 2))
    assert actual[methods["canny"](image, SPACING, **settings)].min() >= low * (1 - 1e-6)
    assert with_thresholds("canny", (low, high), max_strength(actual), settings) == settings
    beyond = with_thresholds(
        "canny", (low, 2 * max_strength(actual)), max_strength(actual), settings
    )
    assert beyond["high"] == 1


@pytest.mark.parametrize("name", ["canny", "sobel"])
def test_nothing_to_part_has_no_limits(name):
    settings = methods[name].validate({})
    for flat in (np.zeros((5, 6)), np.full((5, 6), np.nan)):
        actual = strength(name, flat, (), settings)
        assert limits(name, actual, settings)[1] == ()


def test_blocks_give_the_same(image):
    settings = methods["canny"].validate({})
    lazy = strength("canny", da.from_array(image, (3, 9, 24)), SPACING, settings)
    whole = strength("canny", image, SPACING, settings)
    assert max_strength(lazy) == max_strength(whole)
    assert limits("canny", lazy, settings)[1] == limits("canny", whole, settings)[1]
