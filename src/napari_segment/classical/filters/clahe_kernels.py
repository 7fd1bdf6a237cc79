"""Histograms of tiles, and the interpolation between what they make of a value."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from napari_segment.arrays import Floats, Integers


@njit(cache=True, nogil=True)
def count_tiles(
    src: Floats,
    start: Integers,
    size: Integers,
    low: float,
    scale: float,
    counts: NDArray[np.int64],
) -> None:
    """Add the values of a block, which lies at `start`, to the histograms of its tiles."""
    last = counts.shape[3] - 1
    for z in range(src.shape[0]):
        tz = (z + start[0]) // size[0]
        for y in range(src.shape[1]):
            ty = (y + start[1]) // size[1]
            for x in range(src.shape[2]):
                bin_ = (src[z, y, x] - low) * scale
                if bin_ >= 0 and bin_ < np.inf:
                    counts[tz, ty, (x + start[2]) // size[2], min(int(bin_), last)] += 1


@njit(cache=True, nogil=True)
def look_up(
    src: Floats, first: int, last: int, start: Integers, size: Integers, low: float, scale: float,
    tables: Floats, out: Floats,
) -> None:  # fmt: skip
    """Values by the tables of the nearest tiles, linearly between the tiles' centres."""
    nz, ny, nx, bins = tables.shape
    for z in range(first, last):
        z0, z1, wz = _between(z + start[0], size[0], nz)
        for y in range(src.shape[1]):
            y0, y1, wy = _between(y + start[1], size[1], ny)
            for x in range(src.shape[2]):
                value = (src[z, y, x] - low) * scale
                if not (value > -np.inf and value < np.inf):
                    out[z, y, x] = np.nan
                    continue
                i = min(max(int(value), 0), bins - 1)
                x0, x1, wx = _between(x + start[2], size[2], nx)
                a = (tables[z0, y0, x0, i] * (1 - wx) + tables[z0, y0, x1, i] * wx) * (1 - wy)
                a += (tables[z0, y1, x0, i] * (1 - wx) + tables[z0, y1, x1, i] * wx) * wy
                b = (tables[z1, y0, x0, i] * (1 - wx) + tables[z1, y0, x1, i] * wx) * (1 - wy)
                b += (tables[z1, y1, x0, i] * (1 - wx) + tables[z1, y1, x1, i] * wx) * wy
                out[z, y, x] = a * (1 - wz) + b * wz


@njit(cache=True, nogil=True)
def _between(position: int, size: int, count: int) -> tuple[int, int, float]:
    """The tiles whose centres lie before and after a position, and how far it is to the second."""
    at = (position + 0.5) / size - 0.5
    before = int(np.floor(at))
    weight = at - before
    return max(before, 0), min(before + 1, count - 1), weight
