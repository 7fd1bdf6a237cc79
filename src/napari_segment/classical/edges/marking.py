"""From the strength of edges to a mask: thresholds that suit them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.blocks import reduce
from napari_segment.classical.histogram import Histogram, histogram
from napari_segment.classical.threshold import criteria
from napari_segment.classical.threshold.binarise import binarise

Threshold: TypeAlias = Annotated[
    Literal["otsu", "percentile", "value"],
    Field(
        description="Threshold of the edge strength: Otsu's, a percentile, or a value. The first "
        "two are computed from 4096 equal bins of the strength."
    ),
]
Percentile: TypeAlias = Annotated[
    float,
    Field(
        ge=0,
        le=100,
        description='Percentage of voxels that are not edges, for the threshold "percentile".',
    ),
]
Value: TypeAlias = Annotated[
    float,
    Field(
        ge=0, description='Edge strength above which a voxel is an edge, for the threshold "value".'
    ),
]

BINS = 4096


def marked(strength: Array, threshold: Threshold, percentile: float, value: float) -> Array:
    """Where edges are stronger than a threshold.

    Parameters
    ----------
    strength : array
        Floats; NaN and infinities are left out of the statistics, and NaN is never marked.
    threshold : {"otsu", "percentile", "value"}
        How the threshold is found; the first two look at 4096 equal bins, the same for every
        chunking.
    percentile, value : float
        For the threshold of that name.

    Returns
    -------
    array of bool
        Lazy where `strength` is.
    """
    if threshold != "value":
        value = limit(histogram(strength, bins=BINS), threshold, percentile, value)
    return binarise(strength, value, "bright")


def limit(counted: Histogram, threshold: Threshold, percentile: float, value: float) -> float:
    """The strength above which voxels are marked; NaN where there is nothing to part.

    Parameters
    ----------
    counted : Histogram
        Of the strength, in `BINS` bins.
    threshold, percentile, value
        As of `marked`.
    """
    if threshold == "value":
        return value
    return criteria.otsu(counted) if threshold == "otsu" else percentile_of(counted, percentile)


def max_strength(strength: Array) -> float:
    """The greatest finite strength; 0 where there is none."""
    return reduce(strength, _largest, _greatest)


def percentile_of(counted: Histogram, percentile: float) -> float:
    """The upper end of the bin up to which lie this percentage of the values; NaN if none."""
    if not len(counted.counts):
        return float("nan")
    upto = np.cumsum(counted.counts)
    wanted = percentile / 100 * upto[-1]
    return float(counted.uppers[min(np.searchsorted(upto, wanted), len(upto) - 1)])


def _largest(block: NDArray[Any]) -> float:
    return float(block.max(initial=0, where=np.isfinite(block)))


def _greatest(parts: Sequence[float]) -> float:
    return max(parts)
