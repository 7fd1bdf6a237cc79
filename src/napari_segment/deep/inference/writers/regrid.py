"""Interpolate finished slabs from the network's grid onto the image's own, as they come."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_segment.deep.data.resample import coordinates, interpolate
from napari_segment.deep.inference.decoding import Decode, Slab
from napari_segment.deep.inference.tiling import Grid, Where

if TYPE_CHECKING:
    from torch import Tensor

_ROWS = 8  # of the image's grid, interpolated at once


class Regrid:
    """Take slabs of blended outputs, interpolate them linearly, decode, and write.

    A row of the image's grid is interpolated as soon as the two rows of the network's grid
    around it are finished; the last row of a slab is held for the next.

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
    """

    def __init__(
        self,
        grid: Grid,
        shape: tuple[int, ...],
        decode: Decode,
        write: Callable[[Where, Any], None],
    ) -> None:
        self.grid, self.shape, self.decode, self.write = grid, shape, decode, write
        sizes = zip(grid.shape, shape, strict=True)
        self._coordinates = [coordinates(size, target) for size, target in sizes]
        self._held: Tensor | None = None
        self._next = 0

    def first_row(self, done: int) -> int:
        """Return the first row of the network's grid that is needed after `done` written rows."""
        self._next = done
        if done >= len(self._coordinates[self.grid.axis]):
            return self.grid.shape[self.grid.axis]
        return int(self._coordinates[self.grid.axis][done])

    def __call__(self, slab: Slab) -> None:
        import torch

        axis = self.grid.axis
        mean = slab.mean()
        begin, end = slab.where[axis].start, slab.where[axis].stop
        if self._held is not None:
            mean, begin = torch.cat([self._held, mean], axis + 1), begin - 1
        rows = self._coordinates[axis]
        last = end >= self.grid.shape[axis]
        ready = len(rows) if last else int(np.searchsorted(rows, end - 1, side="right"))
        for start in range(self._next, ready, _ROWS):
            self._rows(mean, begin, slice(start, min(start + _ROWS, ready)))
        self._next = max(self._next, ready)
        self._held = mean.narrow(axis + 1, mean.shape[axis + 1] - 1, 1).clone()

    def _rows(self, mean: Tensor, begin: int, rows: slice) -> None:
        axis = self.grid.axis
        values = interpolate(mean, axis + 1, self._coordinates[axis][rows] - begin)
        for other, positions in enumerate(self._coordinates):
            if other != axis:
                values = interpolate(values, other + 1, positions)
        where = tuple(rows if a == axis else slice(0, n) for a, n in enumerate(self.shape))
        self.write(where, self.decode(Slab(values, where, ())))
