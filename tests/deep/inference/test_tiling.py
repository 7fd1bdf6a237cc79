"""Positions of tiles, their weights, and the reader."""

from __future__ import annotations

import numpy as np
import pytest

from napari_segment.deep.inference import Grid
from napari_segment.deep.inference.tiling import (
    Reader,
    as_float,
    gaussian_profile,
    slab_axis,
    starts,
)
from napari_segment.errors import SettingError


@pytest.fixture
def image():
    return np.random.default_rng(0).normal(size=(1, 30, 41, 50)).astype(np.float32)


def test_starts_cover_the_axis_and_end_with_it():
    assert starts(10, 4, 0.5) == (0, 2, 4, 6)
    assert starts(9, 4, 0.5) == (0, 2, 4, 5)
    assert starts(4, 4, 0.5) == (0,)
    assert starts(3, 4, 0.5) == (0,)
    assert starts(5, 2, 0.99) == (0, 1, 2, 3)


def test_starts_are_those_of_monai():
    from monai.data.utils import dense_patch_slices

    for size, tile, step in ((100, 32, 16), (97, 32, 24), (33, 32, 24)):
        wanted = [s[0].start for s in dense_patch_slices((size,), (tile,), (step,))]
        assert list(starts(size, tile, 1 - step / tile)) == wanted


def test_a_profile_is_symmetric_and_never_zero():
    weights = gaussian_profile(64)
    assert np.array_equal(weights, weights[::-1])
    assert weights.min() >= 1e-3
    assert gaussian_profile(1) == [1]


def test_totals_are_the_summed_weights():
    grid = Grid((13, 9), (6, 4), 0.5)
    total = np.zeros((13, 9))
    for row in grid.rows():
        for y, x in row.corners:
            total[y : y + 6, x : x + 4] += np.outer(*grid.profiles)
    assert np.allclose(np.outer(*grid.totals), total)


def test_a_grid_refuses_what_does_not_fit():
    with pytest.raises(SettingError, match="tile"):
        Grid((10, 10), (4,))
    with pytest.raises(SettingError, match="overlap"):
        Grid((10,), (4,), 1.0)


def test_slabs_lie_across_the_axis_with_most_tiles(image):
    assert slab_axis(image, (15, 10, 25)) == 1
    import dask.array as da

    assert slab_axis(da.from_array(image, chunks=(1, 5, -1, -1)), (15, 10, 25)) == 0


def test_tiles_are_mirrored_beyond_the_border():
    grid = Grid((4,), (8,))
    tile = Reader(np.arange(4.0)[None], grid, as_float)((0,))
    assert tile.tolist() == [[1, 0, 0, 1, 2, 3, 3, 2]]


def test_rows_in_pieces_finish_every_voxel_once():
    for axis in (0, 1, 2):
        grid = Grid((50, 31, 44), (16, 40, 20), 0.3, axis=axis)
        finished = np.zeros(grid.shape, int)
        corners = []
        for row in grid.rows(partial_slabs=True):
            pad, size = grid.padding[axis], grid.shape[axis]
            where = [slice(None)] * 3
            where[axis] = slice(max(row.start - pad, 0), min(max(row.stop - pad, 0), size))
            where[grid.cross] = row.across
            finished[tuple(where)] += 1
            corners += row.corners
        assert (finished == 1).all()
        assert len(set(corners)) == len(corners) == len(grid)
