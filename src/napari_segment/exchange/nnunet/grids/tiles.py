"""Tiles at the positions and with the weights of nnU-Net's sliding window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil

import numpy as np
from numpy.typing import NDArray

from napari_segment.deep.inference.tiling import Grid


@dataclass(frozen=True)
class SlidingWindow(Grid):
    """Tiles at equal distances of at most a step, the first and last at the ends of each axis.

    The parameters are those of `Grid`; a step is a tile less the overlap.
    """

    @cached_property
    def starts(self) -> tuple[tuple[int, ...], ...]:
        """First voxels of the tiles along each axis, in padded coordinates."""
        pairs = zip(self.shape, self.tile, strict=True)
        return tuple(_starts(max(s, t), t, 1 - self.overlap) for s, t in pairs)

    @cached_property
    def profiles(self) -> tuple[NDArray[np.float32], ...]:
        """Weights of a tile along each axis; a voxel's weight is the product."""
        return tuple(_profile(t) for t in self.tile)


def sliding_window(
    shape: Sequence[int], patch: Sequence[int], overlap: float, axis: int
) -> SlidingWindow:
    """Return the tiles over a volume; those of a 2-D network are one plane thick."""
    tile = (*(1,) * (len(shape) - len(patch)), *patch)
    return SlidingWindow(tuple(shape), tile, overlap, axis)


def _starts(size: int, tile: int, step: float) -> tuple[int, ...]:
    if tile == 1:
        return tuple(range(size))
    count = ceil((size - tile) / (tile * step)) + 1
    distance = (size - tile) / max(count - 1, 1)
    return tuple(dict.fromkeys(int(np.round(distance * i)) for i in range(count)))


def _profile(tile: int) -> NDArray[np.float32]:
    """Return a Gaussian of an eighth of the tile around its middle voxel."""
    x = np.arange(tile) - tile // 2
    return np.exp(-0.5 * (x / (tile / 8)) ** 2).astype(np.float32)
