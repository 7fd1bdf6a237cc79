"""Normalisation: measured once, the same for every array and chunking."""

import dask.array as da
import numpy as np
import pytest

from napari_segment.deep.planning.normalisation import Normalisation, apply, grid_sample, statistics


def test_zscore_by_hand():
    image = np.array([[0.0, 2.0], [4.0, 6.0]])
    numbers = Normalisation(scheme="zscore", percentiles=(0, 100)).measure(image)
    assert (numbers.shift, numbers.scale) == (3.0, np.sqrt(5.0))
    np.testing.assert_allclose(numbers(image), (image - 3) / np.sqrt(5), rtol=1e-6)


def test_percentiles_become_zero_and_one():
    image = np.arange(101, dtype=np.uint16).reshape(1, 101)
    rescale = Normalisation(scheme="percentile", percentiles=(10, 90)).measure(image)
    changed = rescale(image)[0]
    assert changed[10] == 0
    assert changed[90] == 1
    assert changed[100] > 1


def test_fixed_clips_before_it_scales():
    fixed = Normalisation(scheme="fixed", clip=(-10, 10), shift=2, scale=4)
    np.testing.assert_array_equal(fixed.measure(None)(np.array([-99, 2, 99])), [-3, 0, 2])


@pytest.mark.parametrize("scheme", ["zscore", "percentile"])
@pytest.mark.parametrize("value", [0, 7, 1e6])
def test_a_constant_image_becomes_finite(scheme, value):
    image = np.full((4, 5), value, np.float32)
    np.testing.assert_allclose(Normalisation(scheme=scheme).measure(image)(image), 0, atol=1e-5)


def test_nan_becomes_zero_and_does_not_spoil_the_rest():
    image = np.array([[np.nan, 0.0, 2.0]])
    changed = Normalisation(percentiles=(0, 100)).measure(image)(image)
    np.testing.assert_allclose(changed, [[0, -1, 1]])


def test_every_chunking_gives_the_same_numbers():
    image = np.random.default_rng(0).integers(0, 999, (2, 150, 120, 90), np.uint16)
    schemes = (Normalisation(), Normalisation(scheme="percentile"))
    expected = statistics(image, schemes)
    lazy = da.from_array(image, chunks=(1, 37, 50, 90))
    assert statistics(lazy, schemes) == expected
    block = (slice(None), slice(3, 9), slice(0, 5), slice(2, 4))
    np.testing.assert_array_equal(apply(image[block], expected), apply(image, expected)[block])


def test_a_sample_is_small_and_finite():
    image = np.ones((300, 300, 300), np.uint8)
    assert grid_sample(image, 1000).size <= 1000
    assert grid_sample(np.array([np.inf, 1.0])).tolist() == [1.0]
