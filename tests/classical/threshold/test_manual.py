"""Thresholds that a person sets, against NumPy and scikit-image."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from skimage.filters import apply_hysteresis_threshold

from napari_segment.errors import SettingError
from napari_segment.registry import methods


@pytest.fixture(scope="module")
def smooth() -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(np.random.default_rng(0).normal(size=(12, 30, 34)), 1.5)
    return (noise / noise.std()).astype(np.float32)


def test_manual() -> None:
    image = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)
    assert methods["manual"](image, value=3).sum() == 3
    assert methods["manual"](image, value=2.5).sum() == 4
    assert methods["manual"](image, value=-1).all()
    assert not methods["manual"](image, value=1000).any()
    assert methods["manual"](image, value=3, objects="dark").sum() == 3


def test_float32_is_compared_with_the_value_itself() -> None:
    tenth = np.array([[0.1]], np.float32)  # a little above 0.1
    assert methods["manual"](tenth, value=0.1).item()
    assert methods["range"](tenth, low=0.0, high=0.1).item() is False


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float32])
def test_range(dtype: type) -> None:
    image = np.arange(10, dtype=dtype).reshape(2, 5)
    inside = methods["range"](image, low=2, high=4.5)
    np.testing.assert_array_equal(inside.ravel().nonzero()[0], [2, 3, 4])
    np.testing.assert_array_equal(methods["range"](image, low=2, high=4.5, objects="dark"), ~inside)


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_ranges_tell_whole_numbers_of_64_bits_apart(dtype: type) -> None:
    image = np.array([[2**53 - 1, 2**53, 2**53 + 1]], dtype)
    assert methods["range"](image, low=2.0**53, high=2.0**53).tolist() == [[False, True, False]]
    assert methods["range"](image, low=-1e300, high=1e300).all()
    assert not methods["range"](image, low=0.5, high=0.6).any()


def test_nan_is_in_no_range() -> None:
    image = np.array([[np.nan, np.inf, 1.0]])
    assert methods["range"](image, low=0, high=2).tolist() == [[False, False, True]]
    assert methods["range"](image, low=0, high=2, objects="dark").tolist() == [[False, True, False]]


def test_levels_number_classes_from_the_darkest() -> None:
    image = np.array([[0, 3, 4], [7, 8, 9]], np.uint16)
    assert methods["levels"](image, thresholds=(3, 7.5)).tolist() == [[0, 0, 1], [1, 2, 2]]
    dark = methods["levels"](image, thresholds=(3, 7.5), objects="dark")
    assert dark.tolist() == [[2, 2, 1], [1, 0, 0]]
    assert methods["levels"](np.array([[np.nan, np.inf]]), thresholds=(1,)).tolist() == [[0, 1]]


def test_levels_are_those_that_multi_otsu_finds(smooth: np.ndarray) -> None:
    from napari_segment.classical.threshold import histogram, thresholds

    actual = thresholds("multi_otsu", histogram(smooth), classes=4)
    np.testing.assert_array_equal(
        methods["levels"](smooth, thresholds=actual), methods["multi_otsu"](smooth, classes=4)
    )


@pytest.mark.parametrize(("values", "message"), [((2, 1), "smallest"), ((), "levels")])
def test_levels_must_rise(values: tuple[float, ...], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        methods["levels"](np.zeros((2, 2)), thresholds=values)


@pytest.mark.parametrize("name", ["range", "hysteresis"])
def test_bounds_must_be_in_order(name: str) -> None:
    with pytest.raises(SettingError, match="must not be above"):
        methods[name](np.zeros((2, 2)), low=2, high=1)


@pytest.mark.parametrize("planes", [slice(None), 0])
def test_hysteresis_like_scikit_image(smooth: np.ndarray, planes: slice | int) -> None:
    image = smooth[planes]
    result = methods["hysteresis"](image, low=0.3, high=1.5)
    np.testing.assert_array_equal(result, apply_hysteresis_threshold(image, 0.3, 1.5))
    assert 0 < result.sum() < (image > 0.3).sum()


def test_dark_hysteresis_is_that_of_the_negative(smooth: np.ndarray) -> None:
    dark = methods["hysteresis"](smooth, low=-1.5, high=-0.3, objects="dark")
    np.testing.assert_array_equal(dark, methods["hysteresis"](-smooth, low=0.3, high=1.5))


@pytest.mark.parametrize("connectivity", [1, 3])
def test_hysteresis_on_blocks(smooth: np.ndarray, connectivity: int) -> None:
    settings = {"low": 0.3, "high": 1.5, "connectivity": connectivity}
    lazy = methods["hysteresis"](da.from_array(smooth, chunks=(5, 7, 30)), **settings)
    np.testing.assert_array_equal(lazy.compute(), methods["hysteresis"](smooth, **settings))


@pytest.mark.parametrize("dtype", ["?", "u1", "i2", "u8", "i8", "f2", "f8"])
@pytest.mark.parametrize("value", [-1e30, -0.5, 0.0, 0.5, 254.5, 1e30])
def test_values_far_beyond_the_type(dtype: str, value: float) -> None:
    image = np.array([[0, 1]]).astype(dtype)
    np.testing.assert_array_equal(methods["manual"](image, value=value), image > value)
    dark = methods["manual"](image, value=value, objects="dark")
    np.testing.assert_array_equal(dark, image <= value)
    same = methods["hysteresis"](image, low=value, high=value)
    np.testing.assert_array_equal(same, image > value)
    inside = methods["range"](image, low=value - 1, high=value)
    wide = image.astype(float)
    np.testing.assert_array_equal(inside, (wide >= value - 1) & (wide <= value))
