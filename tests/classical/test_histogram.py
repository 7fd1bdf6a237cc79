"""Counting levels: every type and length, wherever in memory the values begin."""

import numpy as np
import pytest

from napari_segment.classical import histogram as module
from napari_segment.classical.histogram import histogram


@pytest.fixture(autouse=True, params=["numpy", "compiled"])
def counted_by(request, monkeypatch):
    """Small arrays by NumPy, or by the kernels that count large ones."""
    if request.param == "compiled":
        monkeypatch.setattr(module, "_SMALL", -1)


TYPES = ["u1", "i1", "u2", "i2", ">u2", "u4", "i4", "u8", "i8", "?"]


def drawn(dtype, size):
    rng = np.random.default_rng(size)
    kind = np.dtype(dtype)
    if kind.kind == "b":
        return rng.random(size) < 0.3
    low, high = np.iinfo(kind).min, np.iinfo(kind).max
    if kind.itemsize > 2:  # counted level by level where they span at most 65,536 levels
        low, high = (high - 999, high) if kind.itemsize == 4 else (1 << 40, (1 << 40) + 999)
    return rng.integers(low, high, size, dtype=kind.newbyteorder("="), endpoint=True).astype(kind)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 31, 1000])
@pytest.mark.parametrize("dtype", TYPES)
def test_levels_are_counted_as_by_unique(dtype, size):
    values = drawn(dtype, size)
    levels, counts = np.unique(values, return_counts=True)
    actual = histogram(values)
    occupied = np.flatnonzero(actual.counts)
    np.testing.assert_array_equal(actual.counts[occupied], counts)
    np.testing.assert_array_equal(actual.centers[occupied], levels.astype(np.float64))
    assert {occupied[0], occupied[-1]} == {0, len(actual.counts) - 1}


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2"])
@pytest.mark.parametrize("skip", range(9))
def test_values_may_begin_anywhere_in_memory(dtype, skip):
    values = drawn(dtype, 60)
    actual, copied = histogram(values[skip:-1]), histogram(values[skip:-1].tolist())
    np.testing.assert_array_equal(actual.counts, copied.counts)
    np.testing.assert_array_equal(actual.centers, copied.centers)


def test_parts_in_threads_add_up():
    values = np.random.default_rng(0).integers(0, 300, (3, 5, 1 << 20)).astype(np.int16) - 100
    np.testing.assert_array_equal(histogram(values).counts, np.bincount(values.ravel() + 100))


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f8"])
@pytest.mark.parametrize("bins", [2, 7, 256])
def test_floats_are_counted_in_their_bins(dtype, bins):
    rng = np.random.default_rng(bins)
    values = np.concatenate([rng.normal(0, 9, 500), [np.nan, np.inf, -np.inf, -0.0, 0.0]])
    values = np.concatenate([values, np.arange(-20.0, 21.0)]).astype(dtype)
    actual = histogram(values, bins=bins)
    finite = values[np.isfinite(values)].astype(np.float64)
    below = np.array([(finite <= upper).sum() for upper in actual.uppers])
    np.testing.assert_array_equal(np.cumsum(actual.counts), below)
    assert below[-1] == finite.size


def test_floats_that_are_not_finite_leave_nothing():
    assert not histogram(np.array([np.nan, np.inf, -np.inf])).counts.size
