"""Percentiles of images of any size, which values far away do not move."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Array
from napari_segment.blocks import map_blocks
from napari_segment.classical.grid import float_type
from napari_segment.classical.histogram import histogram

_BINS = 65_536
_ENOUGH = 1024  # bins between two percentiles


def percentiles(image: Array, low: float, high: float) -> tuple[float, float]:
    """Two percentiles of the finite values, the same for every chunking.

    They are the middles of bins of a histogram. Where both lie in few bins, the values in these
    are counted again.

    Parameters
    ----------
    image : array (*S)
        Real numbers; NumPy or Dask.
    low, high : float
        In percent.

    Returns
    -------
    tuple of float
        NaN where no value is finite.

    Examples
    --------
    >>> percentiles(np.array([1, 2, 3, 60_000], np.uint16), 0, 50)
    (1.0, 2.0)
    """
    counts, centers, uppers = histogram(image, bins=_BINS)
    ranks = np.array((low, high)) / 100 * counts.sum()
    while len(counts):
        upto = np.cumsum(counts)
        first, last = np.minimum(np.searchsorted(upto, ranks), len(upto) - 1)
        levels = image.dtype.kind in "bui" and uppers[-1] - uppers[0] < _BINS
        if levels or last - first >= _ENOUGH or len(counts) == 1:
            return float(centers[first]), float(centers[last])
        below = uppers[first - 1] if first else -np.inf
        ranks = ranks - (upto[first - 1] if first else 0)
        clip = partial(_between, low=below, high=uppers[last])
        image = map_blocks(clip, image, dtype=float_type(image.dtype), slabs=1)
        counts, centers, uppers = histogram(image, bins=_BINS)
    return float("nan"), float("nan")


def _between(block: NDArray[Any], *, low: float, high: float) -> NDArray[Any]:
    """Values above `low` and not above `high`; NaN elsewhere."""
    inside = (block > low) & (block <= high)
    return np.where(inside, block, np.nan).astype(float_type(block.dtype))
