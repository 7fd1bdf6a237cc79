"""Local thresholds against scikit-image and brute force, and the same for every chunking."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from scipy.ndimage import median_filter, uniform_filter
from skimage import data, filters

from napari_segment.classical.threshold import local as _  # noqa: F401
from napari_segment.classical.threshold.window import radii
from napari_segment.errors import InputError, SettingError
from napari_segment.registry import methods

LOCAL = ("local_mean", "local_gaussian", "local_median", "niblack", "sauvola", "phansalkar")


@pytest.fixture(scope="module")
def volume() -> np.ndarray:
    rng = np.random.default_rng(2)
    image = rng.integers(0, 3000, (9, 24, 31)) + 400 * np.arange(31)
    image[3:6, 5:15, 5:15] += 9000
    image[0, 0, 0] = 65535
    return image.astype(np.uint16)


@pytest.mark.parametrize("name", ["niblack", "sauvola"])
@pytest.mark.parametrize("window", [3, 15])
def test_like_scikit_image(name: str, window: int, volume: np.ndarray) -> None:
    threshold = getattr(filters, f"threshold_{name}")
    for image in (data.page(), data.coins()[:60, :70], volume, volume[0]):
        ours = methods[name](image, window=window)
        assert (ours == (image > threshold(image, window))).mean() > 0.9999


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.int32])
def test_sauvola_of_other_types(dtype: type, volume: np.ndarray) -> None:
    image = (volume // 3).astype(dtype)
    ours = methods["sauvola"](image, window=5, dynamic_range=8000)
    expected = image > filters.threshold_sauvola(image.astype(float), 5, r=8000)
    assert (ours == expected).mean() > 0.9999


@pytest.mark.parametrize("name", LOCAL)
def test_nested_lists_are_images(name: str) -> None:
    image = data.coins()[:20, :30]
    np.testing.assert_array_equal(methods[name](image.tolist()), methods[name](image.astype(int)))
    with pytest.raises(InputError, match="ordered by intensity"):
        methods[name](image.astype(object))


@pytest.mark.parametrize("name", LOCAL)
def test_any_byte_order_gives_the_same(name: str, volume: np.ndarray) -> None:
    image = volume // 2 + np.uint16(5000)  # what is darkest is not 0
    swapped = image.astype(">u2")
    np.testing.assert_array_equal(methods[name](swapped), methods[name](image))
    lazy = methods[name](da.from_array(swapped, chunks=(4, 7, 31)))
    np.testing.assert_array_equal(lazy.compute(), methods[name](image))


def test_phansalkar_by_its_formula(volume: np.ndarray) -> None:
    image = volume / 65535
    mean = uniform_filter(image, 5, mode="mirror")
    deviation = np.sqrt(np.maximum(uniform_filter(image**2, 5, mode="mirror") - mean**2, 0))
    threshold = mean * (1 + 2 * np.exp(-10 * mean) + 0.25 * (deviation / 0.5 - 1))
    np.testing.assert_array_equal(methods["phansalkar"](volume, window=5), image > threshold)


@pytest.mark.parametrize("method", ["mean", "gaussian", "median"])
def test_local_statistics_like_scikit_image(method: str) -> None:
    image = data.coins()[:80, :90]
    expected = image > filters.threshold_local(image, 11, method, offset=3)
    ours = methods[f"local_{method}"](image, window=11, offset=3)
    assert (ours == expected).mean() > 0.999


@pytest.mark.parametrize("offset", [0.0, 250.5])
@pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.int64])
def test_local_median_is_exact_in_3d(offset: float, dtype: type, volume: np.ndarray) -> None:
    image = volume.astype(dtype)
    expected = image + offset > median_filter(image, (3, 3, 3), mode="reflect")
    np.testing.assert_array_equal(methods["local_median"](image, window=3, offset=offset), expected)


@pytest.mark.parametrize("name", LOCAL)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("chunks", [(2, 24, 31), (4, 7, 10)])
def test_any_chunking_gives_the_same(
    name: str, dtype: type, chunks: tuple[int, ...], volume: np.ndarray
) -> None:
    image = (volume / 300).astype(dtype)
    lazy = methods[name](da.from_array(image, chunks=chunks), window=7)
    assert isinstance(lazy, da.Array)
    np.testing.assert_array_equal(lazy.compute(), methods[name](image, window=7))


@pytest.mark.parametrize("name", ["local_mean", "local_gaussian", "local_median", "niblack"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("window", [3, 5, 15, 101])
def test_nothing_is_bright_where_all_is_equal(name: str, dtype: type, window: float) -> None:
    for shape, value in (((20, 30), 100), ((5, 8, 9), 201), ((20, 30), 1)):
        assert not methods[name](np.full(shape, value, dtype), window=window).any()
        if dtype not in (np.uint8, np.uint16):
            assert not methods[name](np.full(shape, -value / 3, dtype), window=window).any()


def test_infinities_spread_as_far_as_the_gaussian() -> None:
    image = np.zeros((9, 40), np.float32)
    image[:, ::2] = 1
    expected = methods["local_gaussian"](image, window=7)
    image[4, 20] = -np.inf
    mask = methods["local_gaussian"](image, window=7)
    assert mask[4, 17:20].all()
    np.testing.assert_array_equal(mask[:, :16], expected[:, :16])


@pytest.mark.parametrize("name", LOCAL)
def test_dark_is_the_other_side(name: str, volume: np.ndarray) -> None:
    entry = methods[name]
    np.testing.assert_array_equal(entry(volume, objects="dark"), ~entry(volume))


@pytest.mark.parametrize("name", LOCAL)
@pytest.mark.parametrize("shape", [(0, 4), (1, 1), (1, 5), (2, 1, 7)])
def test_windows_larger_than_the_image(name: str, shape: tuple[int, ...]) -> None:
    assert methods[name](np.ones(shape, np.uint8), window=9).shape == shape


@pytest.mark.parametrize("name", ["local_mean", "niblack", "local_median"])
def test_nan_is_left_out_of_the_window(name: str) -> None:
    rng = np.random.default_rng(0)
    image = rng.normal(size=(20, 20)).astype(np.float32)
    image[5:8, 5:8] = np.nan
    image[12, 12], image[13, 13] = np.inf, -np.inf
    mask, dark = (methods[name](image, window=5, objects=o) for o in ("bright", "dark"))
    assert not (mask | dark)[np.isnan(image)].any()
    assert (mask | dark)[~np.isnan(image)].all()
    assert mask[12, 12]
    assert dark[13, 13]


def test_local_mean_next_to_nan_by_hand() -> None:
    image = np.array([[1.0, np.nan, 4.0, 3.0]])
    mask = methods["local_mean"](image, window=3)
    assert mask.tolist() == [[False, False, True, False]]  # means 1, 2.5, 3.5, 10/3


def test_windows_in_units_follow_the_spacing() -> None:
    image = np.zeros((8, 30, 30), np.uint8)
    assert radii(image, (0.5, 0.1, 0.1), 15, "voxels") == (7, 7, 7)
    assert radii(image, (0.5, 0.1, 0.1), 1.5, "physical") == (1, 7, 7)
    assert radii(image, (0.5, 0.1, 0.1), 1.0, "physical") == (1, 5, 5)


def test_units_and_pixels_agree(volume: np.ndarray) -> None:
    for name in LOCAL:
        units = methods[name](volume, (0.3, 0.3, 0.3), window=2.1, units="physical")
        np.testing.assert_array_equal(units, methods[name](volume, window=7))


def test_a_unit_mistaken_for_another() -> None:
    with pytest.raises(SettingError, match="units"):
        methods["sauvola"](np.zeros((4, 4)), (1e-6, 1e-6), window=15, units="physical")
    with pytest.raises(InputError, match="real numbers"):
        methods["sauvola"](np.zeros((4, 4), complex))


def test_flips_commute(volume: np.ndarray) -> None:
    for name in LOCAL:
        np.testing.assert_array_equal(
            methods[name](volume[::-1, :, ::-1]), methods[name](volume)[::-1, :, ::-1]
        )


@pytest.mark.parametrize("name", ["local_gaussian", "local_mean", "local_median", "sauvola"])
def test_a_spacing_may_be_an_array(name):
    image = np.random.default_rng(2).random((20, 21))
    settings = {"window": 3.0, "units": "physical"}
    expected = methods[name](image, (1.0, 0.5), **settings)
    np.testing.assert_array_equal(methods[name](image, np.array([1.0, 0.5]), **settings), expected)
