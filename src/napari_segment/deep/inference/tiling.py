"""Positions of overlapping tiles, the weights of their voxels, and reading them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_segment.errors import SettingError

Prepare: TypeAlias = Callable[[NDArray[Any]], NDArray[np.float32]]
Where: TypeAlias = tuple[slice, ...]


def starts(size: int, tile: int, overlap: float) -> tuple[int, ...]:
    """Return the first voxels of the tiles along one axis.

    The steps are equal; the last tile is shifted back to end with the axis.

    Parameters
    ----------
    size, tile : int
        Length of the axis and of a tile, in voxels.
    overlap : float
        Fraction of a tile shared with the next, in [0, 1).

    Returns
    -------
    tuple of int
        Ascending; ``(0,)`` where the tile is as long as the axis, or longer.

    Examples
    --------
    >>> starts(100, 40, 0.5)
    (0, 20, 40, 60)
    >>> starts(90, 40, 0.25)
    (0, 30, 50)
    """
    if size <= tile:
        return (0,)
    step = max(1, int(tile * (1 - overlap)))
    return (*range(0, size - tile, step), size - tile)


def gaussian_profile(tile: int, sigma: float = 0.125) -> NDArray[np.float32]:
    """Return a tile's weights along one axis: a Gaussian with its maximum in the middle.

    Parameters
    ----------
    tile : int
        Length in voxels.
    sigma : float
        Standard deviation as a fraction of the tile's length.

    Returns
    -------
    ndarray (tile,)
        float32, from 1/1000 to 1, so that no voxel has weight 0.
    """
    x = np.arange(tile) - (tile - 1) / 2
    return np.maximum(np.exp(-0.5 * (x / (sigma * tile)) ** 2), 1e-3).astype(np.float32)


@dataclass(frozen=True)
class Grid:
    """Overlapping tiles over a volume.

    ::

        axis     |----------------------------------|        16 voxels long
        tiles    |---------|                                 start 0
                      |---------|                            start 5
                           |---------|    …   |---------|    the last ends with the axis
        slabs    |----|----|----…                            finished after tile 1, 2, …

    An axis shorter than its tile is mirrored at both ends until it is as long.

    Parameters
    ----------
    shape, tile : tuple of int
        Of the volume and of a tile, spatial axes only.
    overlap : float
        Fraction of a tile shared with its neighbour along each axis, in [0, 1).
    axis : int
        The axis along which results are finished, slab by slab.
    """

    shape: tuple[int, ...]
    tile: tuple[int, ...]
    overlap: float = 0.5
    axis: int = 0

    def __post_init__(self) -> None:
        if len(self.tile) != len(self.shape) or min(self.tile) < 1:
            raise SettingError(
                f"A tile of {self.tile} voxels does not fit an image of shape {self.shape}: give "
                "one positive size for each spatial axis."
            )
        if not 0 <= self.overlap < 1:
            raise SettingError(f"The overlap of tiles is {self.overlap}: give 0 ≤ overlap < 1.")

    @cached_property
    def padding(self) -> tuple[int, ...]:
        """Number of mirrored voxels before the first voxel of each axis."""
        return tuple(max(t - s, 0) // 2 for s, t in zip(self.shape, self.tile, strict=True))

    @cached_property
    def starts(self) -> tuple[tuple[int, ...], ...]:
        """First voxels of the tiles along each axis, in padded coordinates."""
        pairs = zip(self.shape, self.tile, strict=True)
        return tuple(starts(s, t, self.overlap) for s, t in pairs)

    @cached_property
    def profiles(self) -> tuple[NDArray[np.float32], ...]:
        """Weights of a tile along each axis; a voxel's weight is the product."""
        return tuple(gaussian_profile(t) for t in self.tile)

    @cached_property
    def totals(self) -> tuple[NDArray[np.float32], ...]:
        """Summed weights along each axis of the volume; a voxel's sum is the product.

        The tiles lie on a product grid and their weight is a product, so is the sum: it is never
        held as a volume.
        """
        return tuple(self._total(a) for a in range(len(self.shape)))

    def _total(self, axis: int) -> NDArray[np.float32]:
        size, tile = self.shape[axis], self.tile[axis]
        total = np.zeros(max(size, tile), np.float32)
        for start in self.starts[axis]:
            total[start : start + tile] += self.profiles[axis]
        return total[self.padding[axis] : self.padding[axis] + size]

    def __len__(self) -> int:
        return prod(len(s) for s in self.starts)

    @property
    def cross(self) -> int:
        """Return the axis along which a slab may be finished in parts."""
        return 1 if self.axis == 0 else 0

    def rows(self, first: int = 0, *, partial_slabs: bool = False) -> Iterator[Row]:
        """Yield the tiles in rows across the slab axis, each with what is finished after it.

        Parameters
        ----------
        first : int
            The first voxel along the slab axis that is wanted; rows that end before are left out.
        partial_slabs : bool
            Whether the rows are cut along `cross`, for parts of a slab that are finished before
            the rest of it.
        """
        whole = slice(0, self.shape[self.cross])
        for start, stop in self._steps(self.axis):
            if start + self.tile[self.axis] - self.padding[self.axis] <= first:
                continue
            others = [s for a, s in enumerate(self.starts) if a != self.axis]
            if not partial_slabs:
                corners = [_insert(rest, self.axis, start) for rest in product(*others)]
                yield Row(start, stop, corners, whole)
                continue
            for low, high in self._steps(self.cross):
                rest = ((low, *more) for more in product(*others[1:]))
                pad, size = self.padding[self.cross], self.shape[self.cross]
                across = slice(max(low - pad, 0), min(high - pad, size))
                yield Row(start, stop, [_insert(r, self.axis, start) for r in rest], across)

    def _steps(self, axis: int) -> Iterator[tuple[int, int]]:
        """Return the starts of an axis's tiles, each with the end of what is finished after it."""
        along = self.starts[axis]
        return zip(along, (*along[1:], along[-1] + self.tile[axis]), strict=True)


@dataclass(frozen=True)
class Row:
    """The tiles that start at one position of the slab axis.

    Parameters
    ----------
    start, stop : int
        After these tiles the voxels from `start` to before `stop` are finished.
    corners : list of tuple of int
        The first voxel of each tile, in padded coordinates.
    across : slice
        The part of the volume along the cross axis that is finished.
    """

    start: int
    stop: int
    corners: list[tuple[int, ...]]
    across: slice


def slab_axis(array: Any, tile: Sequence[int]) -> int:
    """Return the axis along which the fewest voxels are blended at once.

    Parameters
    ----------
    array : array (C, *S)
        A chunked array is only cut along axes along which it is chunked, so that no chunk is read
        for every slab.
    tile : sequence of int
        Of the spatial axes.
    """
    shape = array.shape[1:]
    chunks = getattr(array, "chunksize", None) or getattr(array, "chunks", None)
    cut = [True] * len(shape) if chunks is None else _is_cut(chunks[1:], shape)
    share = [min(t / s, 1.0) if c else 2.0 for s, t, c in zip(shape, tile, cut, strict=True)]
    return int(np.argmin(share))


def _is_cut(chunks: Sequence[int], shape: Sequence[int]) -> list[bool]:
    return [c < s for c, s in zip(chunks, shape, strict=True)]


class Reader:
    """Reader of the tiles of a volume, mirrored beyond its borders, or 0 there.

    A NumPy array is read tile by tile. Of any other array (Dask, zarr, a view that computes) the
    rows that a slab of tiles needs are held, and each row is read once.

    Parameters
    ----------
    array : array (C, *S)
        Anything with ``shape`` and slicing.
    grid : Grid
        The tiles.
    prepare : callable
        Turns a block ``(C, *block)`` into the float32 input of the network, voxel by voxel.
    border : {"mirror", "zero"}
        What the network sees beyond the borders: mirrored voxels, or 0 after `prepare`.
    """

    def __init__(
        self, array: Any, grid: Grid, prepare: Prepare, border: Literal["mirror", "zero"] = "mirror"
    ) -> None:
        self.array, self.grid, self.prepare, self.border = array, grid, prepare, border
        self._rows: NDArray[Any] | None = None
        self._first = 0

    def __call__(self, corner: Sequence[int]) -> NDArray[np.float32]:
        """Read the tile (C, *tile) that starts at a corner in padded coordinates.

        Of a tile whose channels are constant one voxel is prepared and a view of it returned.
        """
        grid = self.grid
        begin = [c - p for c, p in zip(corner, grid.padding, strict=True)]
        inside = tuple(
            slice(max(b, 0), min(b + t, s))
            for b, t, s in zip(begin, grid.tile, grid.shape, strict=True)
        )
        margins = [
            (w.start - b, b + t - w.stop) for b, t, w in zip(begin, grid.tile, inside, strict=True)
        ]
        whole = not any(map(any, margins))
        raw = self._block(inside)
        voxel = raw[(slice(None), *(slice(0, 1),) * len(grid.shape))]
        if (whole or self.border == "mirror") and _is_constant(raw, voxel):
            prepared = np.asarray(self.prepare(np.asarray(voxel)), np.float32)
            return np.broadcast_to(prepared, (len(prepared), *grid.tile))
        block = np.asarray(self.prepare(raw), np.float32)
        if whole:
            return block
        mode: Any = "symmetric" if self.border == "mirror" else "constant"
        return np.pad(block, [(0, 0), *margins], mode=mode)

    def _block(self, where: Where) -> NDArray[Any]:
        if isinstance(self.array, np.ndarray):
            return self.array[(slice(None), *where)]
        axis = self.grid.axis
        self._load(where[axis])
        assert self._rows is not None
        shift = slice(where[axis].start - self._first, where[axis].stop - self._first)
        return self._rows[(slice(None), *where[:axis], shift, *where[axis + 1 :])]

    def _load(self, rows: slice) -> None:
        """Hold exactly these rows of the slab axis; read those not yet held."""
        axis = self.grid.axis + 1
        held = self._first + (0 if self._rows is None else self._rows.shape[axis])
        if self._rows is not None and self._first == rows.start and held == rows.stop:
            return
        parts, new = [], rows.start
        if self._rows is not None and self._first <= rows.start < held <= rows.stop:
            parts = [self._rows[(slice(None),) * axis + (slice(rows.start - self._first, None),)]]
            new = held
        where = (slice(None),) * axis + (slice(new, rows.stop),)
        if new < rows.stop:
            parts.append(np.asarray(self.array[where]))
        self._rows, self._first = np.concatenate(parts, axis=axis), rows.start


def _is_constant(block: NDArray[Any], voxel: NDArray[Any]) -> bool:
    """Return whether all voxels equal the first; a few are compared before all of them."""
    few = block[(slice(None), *(slice(None, None, 1 + n // 4) for n in block.shape[1:]))]
    return bool((few == voxel).all()) and bool((block == voxel).all())


def as_float(block: NDArray[Any]) -> NDArray[np.float32]:
    """Return the voxels unchanged, in float32."""
    return np.asarray(block, np.float32)


def _insert(values: tuple[int, ...], at: int, value: int) -> tuple[int, ...]:
    return (*values[:at], value, *values[at:])
