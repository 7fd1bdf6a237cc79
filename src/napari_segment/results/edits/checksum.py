"""Checksum of labels that follows each edit without reading the whole array again.

It is a sum over voxels of a number mixed from position and value, modulo 2**64: a change adds what
the changed voxels have become and takes off what they were. It does not depend on the integer type.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Sliceable

_AT_ONCE = 1 << 26  # voxels that are read at once


def checksum(labels: Sliceable) -> int:
    """Return the checksum of labels, in memory or read part by part.

    Parameters
    ----------
    labels : ndarray, zarr or dask Array
        Integers of any type.

    Returns
    -------
    int
        From 0 to 2**64 - 1; 0 where all voxels are background.
    """
    from napari_segment.results.edits.checksum_kernels import summed

    shape = tuple(labels.shape)
    row = int(np.prod(shape[1:]))
    rows = shape[0] if isinstance(labels, np.ndarray) else max(_AT_ONCE // max(row, 1), 1)
    total = 0
    for start in range(0, shape[0], max(rows, 1)):
        part = np.asarray(labels[(slice(start, start + rows),)])
        values = part.view(np.uint8) if part.dtype == bool else part
        total += int(summed(np.ascontiguousarray(values).reshape(-1), start * row))
    return total % (1 << 64)


def changed(
    total: int, positions: NDArray[np.int64], before: NDArray[Any], after: NDArray[Any]
) -> int:
    """Return the checksum after a change.

    Parameters
    ----------
    total : int
        The checksum before.
    positions : ndarray (N,)
        The changed voxels by their number in C order.
    before, after : ndarray (N,)
        Their values.
    """
    from napari_segment.results.edits.checksum_kernels import difference

    return (total + int(difference(positions, before, after))) % (1 << 64)


def as_text(total: int, shape: Sequence[int]) -> str:
    """Return a checksum and the shape that it is of as text, such as ``"00ab…-64x64"``."""
    return f"{total:016x}-{'x'.join(map(str, shape))}"
