"""Thresholds from the histogram, against scikit-image and by hand."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from skimage import data, filters

from napari_segment.classical.histogram import exact_mean, finite_range
from napari_segment.classical.threshold import histogram, thresholds
from napari_segment.errors import InputError
from napari_segment.registry import methods

SHARED = ("otsu", "li", "yen", "triangle", "isodata", "mean")
GLOBAL = [n for n, e in methods.items() if e.group == "global threshold"]


def oracle(name: str, image: np.ndarray) -> np.ndarray:
    return image > getattr(filters, f"threshold_{name}")(image)


@pytest.fixture(scope="module")
def cells() -> np.ndarray:
    rng = np.random.default_rng(1)
    image = rng.normal(300, 40, (6, 40, 50))
    image[2:5, 10:30, 10:30] += 500
    return image.clip(0).astype(np.uint16)


@pytest.mark.parametrize("name", SHARED)
@pytest.mark.parametrize("picture", ["coins", "camera", "moon", "text"])
def test_like_scikit_image_on_8_bits(name: str, picture: str) -> None:
    image = getattr(data, picture)()
    np.testing.assert_array_equal(methods[name](image), oracle(name, image))


@pytest.mark.parametrize("name", SHARED)
@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.int32, np.uint32, np.int64, np.uint64])
def test_like_scikit_image_on_every_level(name: str, dtype: type, cells: np.ndarray) -> None:
    image = cells.astype(dtype)
    np.testing.assert_array_equal(methods[name](image), oracle(name, image))


@pytest.mark.parametrize("name", SHARED)
def test_floats_agree_with_scikit_image_to_a_bin(name: str, cells: np.ndarray) -> None:
    image = cells.astype(np.float32) / 7
    differs = methods[name](image) != oracle(name, image)
    assert differs.mean() < 0.02


@pytest.mark.parametrize("name", GLOBAL)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("chunks", [(1, 7, 50), (4, 40, 11)])
def test_any_chunking_gives_the_same(
    name: str, dtype: type, chunks: tuple[int, ...], cells: np.ndarray
) -> None:
    image = (cells / 4 if dtype is np.uint8 else cells / 1.7).astype(dtype)
    lazy = methods[name](da.from_array(image, chunks=chunks))
    assert isinstance(lazy, da.Array)
    np.testing.assert_array_equal(lazy.compute(), methods[name](image))


@pytest.mark.parametrize("name", GLOBAL)
def test_dark_is_the_other_side(name: str, cells: np.ndarray) -> None:
    entry = methods[name]
    if entry.gives == "mask":
        np.testing.assert_array_equal(entry(cells, objects="dark"), ~entry(cells))


@pytest.mark.parametrize("name", GLOBAL)
@pytest.mark.parametrize(
    "image",
    [
        np.zeros((0, 3)),
        np.full((4, 4), np.nan),
        np.full((4, 4), 7, np.uint8),
        np.array([[3.5]], np.float32),
        np.array([[np.inf, -np.inf, np.nan]]),
    ],
    ids=["empty", "all NaN", "constant", "one pixel", "infinite"],
)
@pytest.mark.parametrize("objects", ["bright", "dark"])
def test_nothing_to_separate_gives_an_empty_mask(
    name: str, image: np.ndarray, objects: str
) -> None:
    result = methods[name](image, objects=objects)
    assert result.shape == image.shape
    assert not result.any()


@pytest.mark.parametrize("name", GLOBAL)
@pytest.mark.parametrize("dtype", [np.complex64, object, "U3"])
def test_what_has_no_order_is_refused(name: str, dtype: object) -> None:
    with pytest.raises(InputError, match="real numbers"):
        methods[name](np.zeros((3, 3), dtype))


@pytest.mark.parametrize("name", SHARED)
def test_nan_is_background_and_infinity_keeps_its_side(name: str) -> None:
    image = np.array([[0.0, 1, 2, 3, 100, 101, 102, 103]])
    odd = np.concatenate([image, [[np.nan, np.inf, -np.inf, np.nan] * 2]])
    mask = methods[name](odd)
    np.testing.assert_array_equal(mask[0], methods[name](image)[0])
    assert mask[1].tolist() == [False, True, False, False] * 2
    assert not methods[name](odd, objects="dark")[1, 0]


def test_bool_and_odd_memory_layouts(cells: np.ndarray) -> None:
    truth = cells > 600
    np.testing.assert_array_equal(methods["otsu"](truth), truth)
    for view in (cells[:, ::2, ::-1], cells.T, np.asfortranarray(cells), cells.astype(">u2")):
        np.testing.assert_array_equal(methods["otsu"](view), oracle("otsu", view.astype("u2")))


@given(
    arrays(np.uint8, array_shapes(min_dims=2, max_dims=3, max_side=8)),
    st.floats(0.01, 100),
)
@settings(deadline=None, max_examples=100)
def test_scaling_does_not_move_otsu(image: np.ndarray, factor: float) -> None:
    mask = methods["otsu"](image.astype(np.float32))
    np.testing.assert_array_equal(methods["otsu"](image * np.float32(factor)), mask)


@pytest.mark.parametrize("name", GLOBAL)
def test_units_however_small_or_large_move_no_mask(name: str) -> None:
    rng = np.random.default_rng(0)
    image = np.append(rng.normal(2, 0.5, 3000), rng.normal(6, 1, 1000)).reshape(40, 100) - 4
    image *= 1.7e308 / np.abs(image).max()  # its range is no float
    expected = methods[name](image * 1e-308)
    assert expected.any()
    for scaled in (image, image * 1e-150, image * 1e-300 * 1e-290):
        np.testing.assert_array_equal(methods[name](scaled), expected)


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=8)))
@settings(deadline=None, max_examples=50)
def test_rotation_and_flips_commute(image: np.ndarray) -> None:
    for name in GLOBAL:
        entry = methods[name]
        np.testing.assert_array_equal(np.rot90(entry(image)), entry(np.rot90(image)))
        np.testing.assert_array_equal(entry(image)[::-1], entry(image[::-1]))


def test_histogram_of_integers_has_every_level() -> None:
    counts, levels, uppers = histogram(np.array([[10, 12], [12, 1000]], np.uint16))
    assert len(counts) == 991
    assert counts[[0, 2, 990]].tolist() == [1, 2, 1]
    assert counts.sum() == 4
    np.testing.assert_array_equal(levels, np.arange(10, 1001))
    np.testing.assert_array_equal(levels, uppers)


def test_histogram_of_floats_is_numpys_in_general_position() -> None:
    image = np.random.default_rng(0).normal(size=(100, 100))
    counts, centers, _ = histogram(image, bins=50)
    expected, edges = np.histogram(image, 50)
    assert np.abs(counts - expected).sum() <= 2 * 20  # a thousandth of a bin is moved
    np.testing.assert_allclose(centers, (edges[1:] + edges[:-1]) / 2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("offset", [0.0, 1e6, 1e-30, 1e30])
@pytest.mark.parametrize("width", [1e-40, 1e-3, 1.0, 1e30])
@pytest.mark.parametrize("bins", [2, 17, 256, 65_536])
def test_bins_hold_what_lies_up_to_their_upper_edge(
    dtype: type, offset: float, width: float, bins: int
) -> None:
    """However little the range is compared with the values: edges are then rounded themselves."""
    values = np.random.default_rng(0).normal(offset, width, 3000)
    limit = 2.0**62 if dtype is np.int64 else np.finfo(dtype).max
    image = values.clip(-limit, limit).astype(dtype)
    if dtype is np.int64:
        image[:2] = 0, 1 << 20  # wider than what is counted level by level
    counts, _, uppers = histogram(image, bins=bins)
    expected = np.searchsorted(np.sort(image).astype(float), uppers, side="right")
    np.testing.assert_array_equal(np.cumsum(counts), expected)


@pytest.mark.parametrize("kind", ["u4", "u8"])
@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_the_range_is_of_what_is_finite(kind: str, data: st.DataObject) -> None:
    """Of any bits at all: both zeros, subnormal numbers, infinities, NaN."""
    bits = data.draw(arrays(np.dtype(kind), st.integers(0, 9)))
    values = bits.view(kind.replace("u", "f"))
    finite = values[np.isfinite(values)]
    expected = (finite.min(), finite.max()) if len(finite) else (np.inf, -np.inf)
    assert finite_range(values) == expected
    assert finite_range(da.from_array(values, chunks=2)) == expected


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_exact_mean_does_not_depend_on_order(dtype: type) -> None:
    values = np.array([1e30, 1.0, -1e30, 3.0, 1e-40, np.nan], dtype)
    assert exact_mean(values) == exact_mean(values[::-1]) == 0.8
    assert exact_mean(np.array([2**63 - 1, 2**63 - 1, 1])) == (2**64 - 1) / 3


ITK = {
    "huang": sitk.HuangThresholdImageFilter,
    "max_entropy": sitk.MaximumEntropyThresholdImageFilter,
    "renyi_entropy": sitk.RenyiEntropyThresholdImageFilter,
    "shanbhag": sitk.ShanbhagThresholdImageFilter,
    "moments": sitk.MomentsThresholdImageFilter,
}


def itk_threshold(name: str, image: np.ndarray) -> float:
    """SimpleITK's, whose bins are a little narrower than a level: equal to two levels."""
    criterion = ITK[name]()
    criterion.SetNumberOfHistogramBins(int(image.max()) - int(image.min()) + 1)
    criterion.Execute(sitk.GetImageFromArray(image))
    return float(criterion.GetThreshold())


@pytest.mark.parametrize("name", ITK)
@pytest.mark.parametrize("picture", ["camera", "page", "moon", "text", "cell"])
def test_like_simpleitk(name: str, picture: str) -> None:
    image = getattr(data, picture)()
    (actual,) = thresholds(name, histogram(image))
    assert actual == pytest.approx(itk_threshold(name, image), abs=2)
