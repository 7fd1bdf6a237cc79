"""A whole image as a few thousand weighted points, on which many starts cost little."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Array
from napari_segment.blocks import Location, reduce_blocks
from napari_segment.classical.clusters.features import HOLE, Features, code_range, sum_of_codes

SAMPLE = 1 << 16
_HEAVY = 64  # a cell that holds more than this part of all voxels is looked into
_CELL_BITS = 15  # of a cell's number: 32,768 cells
_FEW = 3  # features for which cells are small enough


class Points(NamedTuple):
    """Weighted points: `values` (D, N) in weighted codes, `mass` (N,) in voxels."""

    values: NDArray[np.float64]
    mass: NDArray[np.float64]


class Grid(NamedTuple):
    """Cells of equal size in the space of the features.

    Parameters
    ----------
    low : array of int64 (D,)
        The least codes.
    shift : array of int64 (D,)
        A cell is 2**shift codes wide.
    bits : int
        There are 2**bits cells along each feature.
    hole : int
        The first feature's code of voxels without a place; −1 where there are none.
    """

    low: NDArray[np.int64]
    shift: NDArray[np.int64]
    bits: int
    hole: int

    @classmethod
    def over(cls, features: Features) -> Grid:
        """32,768 cells over up to three features; of more, everything in one cell."""
        depth, hole = len(features.codes), HOLE if features.holes else -1
        if depth > _FEW:
            return cls(np.zeros(depth, np.int64), np.full(depth, 16), 0, hole)
        bits = _CELL_BITS // depth
        low, high = np.array([_gridded_range(codes, features.holes) for codes in features.codes]).T
        shift = [max(int(span).bit_length() - bits, 0) for span in high - low]
        return cls(low, np.array(shift), bits, hole)

    def cells(self, codes: NDArray[np.uint16]) -> NDArray[np.int64]:
        """The cells in which codes (D, N) lie."""
        indices = (codes - self.low[:, None]) >> self.shift[:, None]
        cells: NDArray[np.int64] = np.ravel_multi_index(
            tuple(indices), (1 << self.bits,) * len(indices)
        )
        return cells

    @property
    def shape(self) -> tuple[int, int]:
        """Of the totals: a row for each cell and one for holes."""
        depth = len(self.low)
        return (1 << (self.bits * depth)) + 1, depth + 1


class Summary(NamedTuple):
    """An image as weighted points, and what the voxels in each cell of a grid add up to.

    `totals` (M + 1, D + 1) holds sums of codes, and last the numbers of voxels; its last row is of
    voxels without a place. Of more than three features, nothing is added up.
    """

    points: Points
    grid: Grid
    totals: NDArray[np.int64]


def summarise(features: Features) -> Summary:
    """Summarise all voxels.

    Up to three features fall into 32,768 cells of a grid, each with the mean of its voxels, so
    that every voxel counts. A cell that holds more than 1/64 of them, as where a few bright voxels
    stretch the range, is a point for each value that it has on a lattice of up to 65,536 voxels
    instead. More features would leave hardly a cell shared by two voxels; of these the lattice is
    all.

    Parameters
    ----------
    features : Features
        In memory or lazy; lazy ones are read up to three times.

    Returns
    -------
    Summary
        Without points where no voxel has a place.
    """
    depth, grid = len(features.codes), Grid.over(features)
    if depth > _FEW:
        return Summary(sampled(features), grid, np.zeros(grid.shape, np.int64))
    totals = reduce_blocks(partial(_totals_of_blocks, grid), *features.codes, merge=added)
    return Summary(_points_of_cells(features, grid, totals[:-1]), grid, totals)


def sampled(features: Features) -> Points:
    """Up to 65,536 voxels on a lattice, a point for each value."""
    codes, counts = _distinct(features.sample(SAMPLE))
    return Points(codes * np.asarray(features.weights)[:, None], counts)


def _points_of_cells(features: Features, grid: Grid, totals: NDArray[np.int64]) -> Points:
    """A point for each cell that holds voxels, several for one that holds very many."""
    mass = totals[:, -1].astype(float)
    codes, share = _values_in(mass > mass.sum() / _HEAVY, mass, features, grid)
    whole = totals[(mass > 0) & ~np.isin(np.arange(len(mass)), grid.cells(codes))]
    means = whole[:, :-1].T / whole[:, -1]
    values = np.concatenate([means, codes], axis=1) * np.asarray(features.weights)[:, None]
    return Points(values, np.concatenate([whole[:, -1], share]))


def _values_in(
    heavy: NDArray[np.bool_], mass: NDArray[np.float64], features: Features, grid: Grid
) -> tuple[NDArray[np.uint16], NDArray[np.float64]]:
    """Codes (D, N) that a lattice finds in heavy cells, and their shares of the cells' mass."""
    depth = len(features.codes)
    if not (heavy.any() and grid.shift.any()):
        return np.empty((depth, 0), np.uint16), np.empty(0)
    codes = features.sample(SAMPLE)
    codes, counts = _distinct(codes[:, heavy[grid.cells(codes)]])
    cells = grid.cells(codes)
    return codes, counts * (mass / np.bincount(cells, counts, len(mass)).clip(1))[cells]


def _distinct(codes: NDArray[np.uint16]) -> tuple[NDArray[np.uint16], NDArray[np.float64]]:
    """Different columns (D, N), and how often each occurs."""
    codes = codes[:, np.lexsort(codes)]
    other = np.ones(codes.shape[1], np.bool_)
    other[1:] = (codes[:, 1:] != codes[:, :-1]).any(0)
    starts = np.flatnonzero(other)
    return codes[:, starts], np.diff(starts, append=len(other)).astype(np.float64)


def _totals_of_blocks(grid: Grid, _location: Location, *blocks: NDArray[Any]) -> NDArray[np.int64]:
    from napari_segment.classical.clusters.lloyd_kernels import add_to_cells

    def add(codes: NDArray[np.uint16], totals: NDArray[np.int64]) -> None:
        add_to_cells(codes, *grid, totals)

    return sum_of_codes(add, blocks, grid.shape)


def _gridded_range(codes: Array, holes: bool) -> tuple[int, int]:
    if codes.dtype == np.uint8:
        return 0, 255
    if holes:
        return 0, HOLE
    return code_range(codes, -1)


def added(parts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """The sum of sums."""
    total: NDArray[np.int64] = np.sum(parts, axis=0)
    return total
