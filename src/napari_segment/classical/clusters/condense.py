"""A whole image as a few thousand weighted points, on which many starts cost little."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_segment.blocks import reduce, reduce_blocks
from napari_segment.classical.clusters.features import HOLE, Features, stacked_planes

SAMPLE = 1 << 16
_CELL_BITS = 15  # of a cell's number: 32,768 cells
_FEW = 3  # features for which cells are small enough


class Points(NamedTuple):
    """Weighted points: `values` (D, N) in weighted codes, `mass` (N,) in voxels."""

    values: NDArray[np.float64]
    mass: NDArray[np.float64]


def condense(features: Features) -> Points:
    """Summarise all voxels.

    Up to three features fall into 32,768 cells of a grid, each with the mean of its voxels, so
    that every voxel counts. More features would leave hardly a cell shared by two voxels; of these
    a lattice of about 65,000 voxels is taken.

    Parameters
    ----------
    features : Features
        In memory or lazy; lazy ones are read once or twice.

    Returns
    -------
    Points
        None at all where no voxel has a place.
    """
    scale = np.asarray(features.weights)[:, None]
    if len(features.codes) > _FEW:
        codes = features.sample(SAMPLE)
        return Points(codes * scale, np.ones(codes.shape[1]))
    depth = len(features.codes)
    bits = _CELL_BITS // depth
    low, high = np.array([_code_range(codes, features.holes) for codes in features.codes]).T
    shift = np.array([max(int(span).bit_length() - bits, 0) for span in high - low])
    hole = HOLE if features.holes else -1
    gather = partial(_cells_of_blocks, low, shift, bits, hole)
    cells = reduce_blocks(gather, *features.codes, merge=_sum)
    cells = cells[cells[:, depth] > 0]
    return Points((cells[:, :depth] / cells[:, depth:]).T * scale, cells[:, depth].astype(float))


def _cells_of_blocks(
    low: NDArray[Any], shift: NDArray[Any], bits: int, hole: int, _place: Any, *blocks: NDArray[Any]
) -> NDArray[np.int64]:
    from napari_segment.classical.clusters._lloyd import accumulate_cells

    shape = (1 << (bits * len(blocks)), len(blocks) + 1)

    def part(codes: NDArray[np.uint16]) -> NDArray[np.int64]:
        cells = np.zeros(shape, np.int64)
        accumulate_cells(codes, low, shift, bits, hole, cells)
        return cells

    return _sum([np.zeros(shape, np.int64), *stacked_planes(part, blocks)])


def _code_range(codes: Any, holes: bool) -> tuple[int, int]:
    if codes.dtype == np.uint8:
        return 0, 255
    if holes:
        return 0, HOLE
    return reduce(codes, _extremes, _widest)


def _extremes(block: NDArray[Any]) -> tuple[int, int]:
    return (int(block.min()), int(block.max())) if block.size else (HOLE, 0)


def _widest(parts: Sequence[tuple[int, int]]) -> tuple[int, int]:
    return min(low for low, _ in parts), max(high for _, high in parts)


def _sum(parts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    total: NDArray[np.int64] = np.sum(parts, axis=0)
    return total
