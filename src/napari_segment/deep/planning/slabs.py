"""Slabs of an array: rows of its first axis that are processed at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

_SLAB = 2**24  # voxels that are processed at once


def slabs(shape: Sequence[int], size: int = _SLAB) -> Iterator[slice]:
    """Rows of the first axis that hold about `size` voxels, one after the other.

    Examples
    --------
    >>> list(slabs((5, 10, 10), 200))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    rows = max(1, size // max(prod(shape[1:]), 1))
    for first in range(0, shape[0], rows):
        yield slice(first, min(first + rows, shape[0]))
