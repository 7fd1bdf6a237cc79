"""Interpolate finished slabs from the network's grid onto the image's own, as they come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.deep.data.resample import coordinates, interpolate
from napari_segment.deep.inference.decoding import Decode, Slab
from napari_segment.deep.inference.tiling import Grid, Where

if TYPE_CHECKING:
    from torch import Tensor

_LARGEST = 2**26  # bytes of interpolated outputs, and of values that are written at once


class Regrid:
    """Take slabs of blended outputs, interpolate them, decode, and write.

    A row of the image's grid is interpolated as soon as the two rows of the network's grid
    around it are finished; the last row of a slab is held for the next. Some rows at a time are
    interpolated, so that the outputs of all classes never exist on the whole grid of the image.

    Parameters
    ----------
    grid : Grid
        Of the tiles, in the network's spacing.
    shape : tuple of int
        Of the image's grid.
    decode : callable
        From a `Slab` to values.
    write : callable
        Takes the position in the image's grid and the values.
    positions : sequence of array, optional
        For each axis where the image's rows lie on the network's grid, ascending; whole numbers
        take the nearest voxel. By default both grids cover the same field of view.
    """

    def __init__(
        self,
        grid: Grid,
        shape: tuple[int, ...],
        decode: Decode,
        write: Callable[[Where, Any], None],
        positions: Sequence[NDArray[np.float64]] = (),
    ) -> None:
        self.grid, self.shape, self.decode, self.write = grid, shape, decode, write
        sizes = zip(grid.shape, shape, strict=True)
        self._positions = list(positions) or [coordinates(size, target) for size, target in sizes]
        self._held: Tensor | None = None
        self._next = 0

    def first_row(self, done: int) -> int:
        """Return the first row of the network's grid that is needed after `done` written rows."""
        self._next = done
        if done >= len(self._positions[self.grid.axis]):
            return self.grid.shape[self.grid.axis]
        return int(self._positions[self.grid.axis][done])

    def __call__(self, slab: Slab) -> None:
        axis = self.grid.axis
        rows, end = self._positions[axis], slab.where[axis].stop
        last = end >= self.grid.shape[axis]
        ready = len(rows) if last else int(np.searchsorted(rows, end - 1, side="right"))
        step = self._rows_at_once(slab.sums.shape[0])
        waiting: list[Any] = []
        begin = self._next
        for start in range(self._next, ready, step):
            stop = min(start + step, ready)
            waiting.append(self._decoded(slab, slice(start, stop)))
            if stop == ready or _bytes(waiting) > _LARGEST:
                self.write(self._where(slice(begin, stop)), _joined(waiting, axis, len(self.shape)))
                waiting, begin = [], stop
        self._next = max(self._next, ready)
        self._held = _mean(slab, axis, end - 1, end)

    def _decoded(self, slab: Slab, rows: slice) -> Any:
        """Interpolate and decode some rows of the image's grid."""
        axis = self.grid.axis
        positions = self._positions[axis][rows]
        low = int(positions[0])
        high = min(int(positions[-1]) + 2, slab.where[axis].stop)
        values = interpolate(self._means(slab, low, high), axis + 1, positions - low)
        for other, along in enumerate(self._positions):
            if other != axis:
                values = interpolate(values, other + 1, along)
        return self.decode(Slab(values, self._where(rows), ()))

    def _means(self, slab: Slab, low: int, high: int) -> Tensor:
        """Return blended outputs of some rows of the network's grid, of this slab or held."""
        import torch

        axis = self.grid.axis
        begin = slab.where[axis].start
        if low >= begin or self._held is None:
            return _mean(slab, axis, low, high)
        if high <= begin:
            return self._held
        return torch.cat([self._held, _mean(slab, axis, begin, high)], axis + 1)

    def _where(self, rows: slice) -> Where:
        axis = self.grid.axis
        return tuple(rows if a == axis else slice(0, n) for a, n in enumerate(self.shape))

    def _rows_at_once(self, channels: int) -> int:
        sizes = [max(n, m) for n, m in zip(self.shape, self.grid.shape, strict=True)]
        row = 4 * channels * int(np.prod(sizes)) // max(sizes[self.grid.axis], 1)
        return max(1, _LARGEST // max(row, 1))


def _mean(slab: Slab, axis: int, low: int, high: int) -> Tensor:
    """Return the blended outputs of the rows `low` to before `high` of the volume."""
    start = slab.where[axis].start
    part = slab.sums.narrow(axis + 1, low - start, high - low)
    weights = [
        w[low - start : high - start] if a == axis else w for a, w in enumerate(slab.weights)
    ]
    return Slab(part, slab.where, weights).mean()


def _bytes(parts: Sequence[Any]) -> int:
    arrays = (a for part in parts for a in (part.values() if isinstance(part, dict) else [part]))
    return sum(int(array.nbytes) for array in arrays)


def _joined(parts: Sequence[Any], axis: int, ndim: int) -> Any:
    """Join decoded rows along the slab axis, each result by its name where there are several."""
    if len(parts) == 1:
        return parts[0]
    if isinstance(parts[0], dict):
        return {name: _joined([p[name] for p in parts], axis, ndim) for name in parts[0]}
    return np.concatenate(parts, axis + parts[0].ndim - ndim)
