"""Several classes from one histogram, exactly: multi-Otsu, which is k-means of one channel."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_segment.classical.threshold.histogram import Histogram


class Grouping(NamedTuple):
    """The best cut of a histogram into k runs of levels.

    Parameters
    ----------
    thresholds : array of float64 (k - 1,)
        Greatest value of each run but the last.
    means : array of float64 (k,)
        Of each run.
    inertia : float
        Sum of squared distances of all voxels to the mean of their run.
    """

    thresholds: NDArray[np.float64]
    means: NDArray[np.float64]
    inertia: float


def groupings(histogram: Histogram, most: int) -> list[Grouping]:
    """The best cuts into 1, 2, … `most` runs, all from one dynamic programme.

    Parameters
    ----------
    histogram : Histogram
        At least one level.
    most : int
        Greatest number of runs; fewer come out where fewer levels are occupied.

    Returns
    -------
    list of Grouping
        Of 1, 2, … runs.
    """
    from napari_segment.classical.threshold._optimal import cuts

    occupied = np.flatnonzero(histogram.counts)
    weights = histogram.counts[occupied].astype(np.float64)
    middle = np.average(histogram.centers[occupied], weights=weights)
    values = histogram.centers[occupied] - middle
    starts, gains = cuts(values, weights, min(most, len(occupied)))
    spread = float(weights @ values**2)
    found = []
    for k in range(1, len(gains)):
        first = starts[k, :k]
        mass = np.add.reduceat(weights, first)
        means = np.add.reduceat(weights * values, first) / mass + middle
        ends = occupied[first[1:] - 1]
        found.append(Grouping(histogram.uppers[ends], means, max(spread - float(gains[k]), 0.0)))
    return found


def between_classes(histogram: Histogram, *, classes: int = 3) -> tuple[float, ...]:
    """Thresholds between classes with the greatest variance between them.

    Parameters
    ----------
    histogram : Histogram
        Of any number of levels.
    classes : int
        How many; fewer where fewer levels are occupied.

    Returns
    -------
    tuple of float
        ``classes - 1`` thresholds or fewer, rising.
    """
    if len(histogram.counts) < 2:
        return ()
    return tuple(float(t) for t in groupings(histogram, classes)[-1].thresholds)
