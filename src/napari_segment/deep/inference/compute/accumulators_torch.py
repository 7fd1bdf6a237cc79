"""Sums of overlapping tiles, in blocks whose memory is reused (torch)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise, product
from math import prod
from typing import TypeAlias

import torch
from torch import Tensor

from napari_segment.deep.inference.tiling import Grid, Where

Key: TypeAlias = tuple[int, ...]
Cell: TypeAlias = tuple[Where, bool]


class TileSums:
    """Weighted sums over a volume, of which only the unfinished parts take memory.

    Blocks are cut along the slab axis, and along the cross axis where partial slabs are
    emitted, where tiles begin and end. The memory of a finished block serves the next one.

    Parameters
    ----------
    grid : Grid
        The tiles.
    partial_slabs : bool
        Whether slabs are cut along the cross axis too.
    """

    def __init__(self, grid: Grid, *, partial_slabs: bool) -> None:
        self.grid = grid
        cut = (grid.axis, grid.cross) if partial_slabs else (grid.axis,)
        axes = range(len(grid.shape))
        self._edges = [_edges(grid, a) if a in cut else [0, grid.shape[a]] for a in axes]
        self._blocks: dict[Key, Tensor] = {}
        self._free: list[Tensor] = []  # flat

    def cells(self, low: Sequence[int], high: Sequence[int], new: Sequence[int]) -> Iterator[Cell]:
        """Cut a box into parts that lie in one block and in which no or every voxel is new.

        Parameters
        ----------
        low, high : sequence of int
            The box, in voxels of the volume.
        new : sequence of int
            No tile has reached a voxel with all coordinates from here on.
        """
        sides = zip(low, high, new, self._edges, strict=True)
        for cell in product(*(_cut(*side) for side in sides)):
            fresh = all(part.start >= n for part, n in zip(cell, new, strict=True))
            yield cell, fresh

    def finished(self, box: Where) -> list[Where]:
        """Return the parts of the blocks in a box."""
        sides = zip(box, self._edges, strict=True)
        return list(product(*(_cut(b.start, b.stop, b.start, edges) for b, edges in sides)))

    def view(self, cell: Where, channels: int, device: torch.device) -> Tensor:
        """Return the sums (K, *cell) of a part of one block; a new block is not initialised."""
        key = self._key(cell)
        if key not in self._blocks:
            ends = [e[bisect_right(e, k)] for k, e in zip(key, self._edges, strict=True)]
            shape = (channels, *(end - k for k, end in zip(key, ends, strict=True)))
            self._blocks[key] = self._memory(prod(shape), device).view(shape)
        where = (slice(c.start - k, c.stop - k) for c, k in zip(cell, key, strict=True))
        return self._blocks[key][(slice(None), *where)]

    def release(self, cell: Where) -> None:
        """Free the memory of a block for reuse."""
        block = self._blocks.pop(self._key(cell), None)
        if block is not None:
            self._free.append(block.flatten())

    def move(self, device: torch.device) -> None:
        """Move all sums to another device."""
        self.trim()
        for key in self._blocks:
            self._blocks[key] = self._blocks[key].to(device)

    def trim(self) -> None:
        """Release the memory that no block uses."""
        self._free.clear()

    def _memory(self, size: int, device: torch.device) -> Tensor:
        """Return free memory that is large enough, or allocate."""
        fitting = [i for i, flat in enumerate(self._free) if flat.numel() >= size]
        if not fitting:
            return torch.empty(size, device=device)
        return self._free.pop(min(fitting, key=lambda i: self._free[i].numel()))[:size]

    def _key(self, cell: Where) -> Key:
        sides = zip(cell, self._edges, strict=True)
        return tuple(edges[bisect_right(edges, part.start) - 1] for part, edges in sides)


def _edges(grid: Grid, axis: int) -> list[int]:
    """Return the voxels of the volume at which tiles begin and end along an axis."""
    pad, size, tile = grid.padding[axis], grid.shape[axis], grid.tile[axis]
    ends = {min(max(s + t - pad, 0), size) for s in grid.starts[axis] for t in (0, tile)}
    return sorted(ends)


def _cut(low: int, high: int, new: int, edges: Sequence[int]) -> list[slice]:
    """Cut an interval at edges and at the first new voxel."""
    inner = edges[bisect_right(edges, low) : bisect_left(edges, high)]
    cuts = sorted({low, high, *inner, min(max(new, low), high)})
    return [slice(a, b) for a, b in pairwise(cuts)]
