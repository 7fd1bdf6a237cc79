"""Blocks of sums: every voxel in one cell, memory reused."""

from __future__ import annotations

import numpy as np
import torch

from napari_segment.deep.inference import Grid
from napari_segment.deep.inference.compute.accumulators_torch import TileSums


def test_cells_cover_a_box_and_tell_what_is_new():
    sums = TileSums(Grid((20, 12, 9), (8, 8, 9), 0.5), partial_slabs=True)
    count = np.zeros((20, 12, 9), int)
    fresh = np.zeros(count.shape, bool)
    for cell, is_new in sums.cells((4, 0, 0), (12, 8, 9), (8, 0, 3)):
        count[cell] += 1
        fresh[cell] = is_new
    assert count.sum() == 8 * 8 * 9
    assert (count[4:12, :8] == 1).all()
    assert fresh[8:12, :8, 3:].all()
    assert fresh.sum() == 4 * 8 * 6


def test_finished_blocks_serve_the_next_ones():
    sums = TileSums(Grid((16, 8), (8, 8), 0.5), partial_slabs=False)
    device = torch.device("cpu")
    first = (slice(0, 4), slice(0, 8))
    held = sums.view(first, 3, device)
    held[:] = 7
    assert sums.view((slice(1, 3), slice(2, 4)), 3, device).shape == (3, 2, 2)
    assert (sums.view((slice(1, 3), slice(2, 4)), 3, device) == 7).all()
    sums.release(first)
    assert sums.view((slice(8, 12), slice(0, 8)), 3, device).data_ptr() == held.data_ptr()
    assert sums.view((slice(12, 16), slice(0, 8)), 3, device).data_ptr() != held.data_ptr()
