"""Several classes from one histogram, exactly: multi-Otsu, which is k-means of one channel."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_segment.classical.histogram import Histogram


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
    occupied = np.flatnonzero(histogram.counts)
    weights = histogram.counts[occupied].astype(np.float64)
    centers = histogram.centers[occupied]
    exponent = np.frexp(np.abs(centers).max())[1]  # scaling by a power of two rounds nothing,
    centers = np.ldexp(centers, -exponent)  # and keeps squares of any floats finite
    middle = np.average(centers, weights=weights)
    values = centers - middle
    spread = float(weights @ values**2)
    result = []
    for starts, gain in best_cuts(values, weights, min(most, len(occupied))):
        means = np.add.reduceat(weights * values, starts) / np.add.reduceat(weights, starts)
        ends = occupied[starts[1:] - 1]
        means, inertia = np.ldexp(means + middle, exponent), max(spread - gain, 0.0)
        with np.errstate(over="ignore"):
            result.append(
                Grouping(histogram.uppers[ends], means, float(np.ldexp(inertia, 2 * exponent)))
            )
    return result


def best_cuts(
    values: NDArray[np.float64], weights: NDArray[np.float64], most: int
) -> list[tuple[NDArray[np.int64], float]]:
    """Cut sorted values into 1, 2, … runs of least squared distance to the runs' means.

    Parameters
    ----------
    values : array (N,)
        Rising; near zero for precision.
    weights : array (N,)
        Positive.
    most : int
        Greatest number of runs, at most N.

    Returns
    -------
    list of (array of int64 (k,), float)
        First index of each run, and the sum over runs of (weighted sum)² / weight: the squared
        distance of all values from zero less that from the runs' means.
    """
    from napari_segment.classical.threshold.multilevel_kernels import extend

    mass = np.concatenate([[0.0], np.cumsum(weights)])
    moment = np.concatenate([[0.0], np.cumsum(weights * values)])
    best = np.concatenate([[-np.inf], moment[1:] ** 2 / mass[1:]])
    first = [np.zeros(len(best), np.int32)]
    cuts = [(np.zeros(1, np.int64), float(best[-1]))]
    for k in range(2, most + 1):
        previous, best = best, np.full_like(best, -np.inf)
        first.append(np.zeros(len(best), np.int32))
        least = k if k < most else len(values)  # from the last row only the whole is cut
        extend(mass, moment, previous, best, first[-1], k, least)
        starts = [len(values)]
        for row in reversed(first):
            starts.append(int(row[starts[-1]]))
        cuts.append((np.array(starts[:0:-1]), float(best[-1])))
    return cuts


def multi_otsu_thresholds(histogram: Histogram, *, classes: int = 3) -> tuple[float, ...]:
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
