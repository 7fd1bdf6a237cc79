"""From the strength of edges to a mask: thresholds that suit them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_segment.blocks import map_blocks, reduce
from napari_segment.classical._slabs import over_slabs

Threshold: TypeAlias = Literal["otsu", "percentile", "value"]

BINS = 4096


def marked(strength: Any, threshold: Threshold, percentile: float, value: float) -> Any:
    """Where edges are stronger than a threshold.

    Parameters
    ----------
    strength : array
        Floats; NaN and infinities are left out of the statistics, and NaN is never marked.
    threshold : {"otsu", "percentile", "value"}
        How the threshold is found; the first two look at 4096 equal bins from 0 to the largest
        strength, which are the same for every chunking.
    percentile, value : float
        For the threshold of that name.

    Returns
    -------
    array of bool
        Lazy where `strength` is.
    """
    limit = value if threshold == "value" else _from_counts(strength, threshold, percentile)
    return map_blocks(partial(_above, limit=limit), strength, dtype=bool)


def largest(strength: Any) -> float:
    """The largest finite value of an array, at least 0."""
    return reduce(strength, _largest, _greatest)


def _from_counts(strength: Any, threshold: Threshold, percentile: float) -> float:
    top = largest(strength)
    if top == 0:
        return 0.0
    counts = reduce(strength, partial(_counts, top=top), sum_counts)
    share = otsu_bin(counts) if threshold == "otsu" else percentile_bin(counts, percentile)
    return top * share / BINS


def otsu_bin(counts: NDArray[np.int64]) -> int:
    """The number of bins below the threshold with the largest variance between two classes."""
    below = np.cumsum(counts)[:-1].astype(np.float64)
    total = float(counts.sum())
    mass = np.cumsum(counts * (np.arange(len(counts)) + 0.5))
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (mass[-1] * below - mass[:-1] * total) ** 2 / (below * (total - below))
    return int(np.nanargmax(np.nan_to_num(variance, nan=-1.0))) + 1


def percentile_bin(counts: NDArray[np.int64], percentile: float) -> int:
    """The number of bins that hold at most this percentage of the values."""
    wanted = counts.sum() * (percentile / 100)
    return int(np.searchsorted(np.cumsum(counts), wanted, side="right"))


def _greatest(parts: Sequence[float]) -> float:
    return max(parts)


def sum_counts(parts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Histograms of blocks added up."""
    total: NDArray[np.int64] = np.sum(parts, axis=0, dtype=np.int64)
    return total


def _above(block: NDArray[Any], *, limit: float) -> NDArray[np.bool_]:
    mask: NDArray[np.bool_] = block > block.dtype.type(limit)
    return mask


def _flat(block: NDArray[Any]) -> NDArray[Any]:
    return np.require(block, None, ["C", "W"]).reshape(-1)


def _largest(block: NDArray[Any]) -> float:
    from napari_segment.classical.edges._histogram import largest

    values = _flat(block)
    bits = values.view(f"i{values.itemsize}")
    infinity = np.array(np.inf, values.dtype).view(bits.dtype)[()]
    most = over_slabs(lambda a, b: largest(bits[a:b], infinity), len(bits))
    return float(np.array(max(most, default=0), bits.dtype).view(values.dtype))


def _counts(block: NDArray[Any], *, top: float) -> NDArray[np.int64]:
    from napari_segment.classical.edges._histogram import count

    values = _flat(block)

    def part(a: int, b: int) -> NDArray[np.int64]:
        counts = np.zeros(BINS + 1, np.int64)
        count(values[a:b], BINS / top, counts)
        return counts

    found = sum_counts(over_slabs(part, len(values)) or [np.zeros(BINS + 1, np.int64)])
    found[BINS - 1] += found[BINS]
    return found[:BINS]
