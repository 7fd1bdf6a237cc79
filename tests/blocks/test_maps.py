"""Functions of neighbourhoods on blocks: how halos and edges are handed over."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from scipy import ndimage as ndi

from napari_segment.blocks import map_blocks, reduce, reduce_blocks
from napari_segment.registry import cleanups

RNG = np.random.default_rng(0)


def counts_around(block: np.ndarray) -> np.ndarray:
    """Set voxels in the box of 7, with nothing known beyond what is handed over."""
    return ndi.convolve(block.astype(np.int64), np.ones((7,) * block.ndim), mode="constant", cval=0)


@pytest.mark.parametrize("shape", [(1, 20), (2, 20), (3, 3), (4, 1), (1, 1, 9), (2, 11, 3)])
@pytest.mark.parametrize("outside", [None, 1.0])
def test_axes_shorter_than_the_halo(shape, outside) -> None:
    image = RNG.integers(0, 2, shape)
    lazy = da.from_array(image, chunks=tuple(-(-n // 2) for n in shape))
    expected = map_blocks(counts_around, image, dtype=np.int64, halo=3, outside=outside)
    result = map_blocks(counts_around, lazy, dtype=np.int64, halo=3, outside=outside)
    assert isinstance(result, da.Array)
    np.testing.assert_array_equal(result, expected)
    value = 0 if outside is None else outside
    truth = ndi.convolve(image, np.ones((7,) * image.ndim), mode="constant", cval=value)
    np.testing.assert_array_equal(expected, truth)


@pytest.mark.parametrize("shape", [(60, 31), (5, 30, 20), (40, 6, 7), (1, 1), (50,)])
@pytest.mark.parametrize("outside", [None, 1.0])
def test_slabs_in_memory(shape, outside, monkeypatch) -> None:
    image = RNG.integers(0, 2, shape)
    expected = map_blocks(counts_around, image, dtype=np.int64, halo=3, outside=outside)
    monkeypatch.setattr("napari_segment.blocks.maps._WORTH_THREADS", 1)
    for halo in (3, [3, 4, 3][: len(shape)]):
        given = image if len(shape) < 3 else image.transpose(1, 0, 2).copy().transpose(1, 0, 2)
        result = map_blocks(
            counts_around, given, dtype=np.int32, halo=halo, outside=outside, slabs=2
        )
        assert result.dtype == np.int32
        np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("name", ["dilate", "erode", "open", "close", "smooth"])
@pytest.mark.parametrize("shape", [(1, 12, 13), (2, 9, 14), (3, 17)])
def test_cleanups_of_thin_stacks(name, shape) -> None:
    mask = ndi.uniform_filter(RNG.random(shape), 3) > 0.5
    lazy = da.from_array(mask, chunks=(1, 5, 4)[-len(shape) :])
    expected = cleanups[name](mask, radius=3)
    np.testing.assert_array_equal(cleanups[name](lazy, radius=3), expected)


@pytest.mark.parametrize("dtype", [">u2", ">f4", ">i8"])
@pytest.mark.parametrize("lazy", [False, True])
def test_blocks_are_of_native_byte_order(dtype, lazy) -> None:
    image = RNG.integers(0, 9, (5, 6)).astype(dtype)
    given = da.from_array(image, chunks=(2, 4)) if lazy else image

    def total(block: np.ndarray) -> int:
        assert block.dtype.isnative
        return int(block.sum())

    assert reduce(given, total, sum) == image.sum()
    assert reduce_blocks(lambda _, block: total(block), given, merge=sum) == image.sum()

    def same(block: np.ndarray) -> np.ndarray:
        assert block.dtype.isnative
        return block

    np.testing.assert_array_equal(map_blocks(same, given, dtype=np.float64, halo=1), image)
