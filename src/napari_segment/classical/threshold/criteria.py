"""Thresholds from histograms: each function takes a `Histogram` and gives one number.

A threshold t separates the levels up to t from those above. All give NaN where fewer than two
levels are occupied.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_segment.classical.histogram import Histogram

Floats: TypeAlias = NDArray[np.float64]
Criterion: TypeAlias = Callable[[Histogram], float]


def of_two_levels(criterion: Criterion) -> Criterion:
    """Give NaN where there is nothing to separate."""

    @wraps(criterion)
    def guarded(histogram: Histogram) -> float:
        if len(histogram.counts) < 2:
            return float("nan")
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(criterion(histogram))

    return guarded


@of_two_levels
def mean(histogram: Histogram) -> float:
    """The mean (to half a bin's width where there are bins)."""
    return float(np.average(histogram.centers, weights=histogram.counts))


@of_two_levels
def otsu(histogram: Histogram) -> float:
    """Greatest variance between the two classes (Otsu 1979)."""
    count, total = sums(histogram)
    between = (total[:-1] * count[-1] - total[-1] * count[:-1]) ** 2
    between /= count[:-1] * (count[-1] - count[:-1])
    return upper(histogram, np.argmax(between))


@of_two_levels
def isodata(histogram: Histogram) -> float:
    """Lowest level midway between the means of the classes it makes (Ridler and Calvard 1978)."""
    count, total = sums(histogram)
    below = total[:-1] / count[:-1]
    above = (total[-1] - total[:-1]) / (count[-1] - count[:-1])
    fixed = np.floor((below + above) / 2) == np.arange(len(below))
    return upper(histogram, np.argmax(fixed))


@of_two_levels
def li(histogram: Histogram) -> float:
    """Minimum cross entropy by fixed-point iteration from the mean (Li and Tam 1998)."""
    count, total = sums(histogram)
    threshold, previous = total[-1] / count[-1], -np.inf
    while abs(threshold - previous) > 0.5:
        previous = threshold
        k = int(threshold)
        below = total[k] / count[k]
        above = (total[-1] - total[k]) / (count[-1] - count[k])
        if below == 0:
            break
        threshold = (above - below) / np.log(above / below)
    width = histogram.centers[1] - histogram.centers[0]
    return float(threshold * width + histogram.centers[0])


@of_two_levels
def triangle(histogram: Histogram) -> float:
    """Farthest level from the line between the peak and the longer tail (Zack et al. 1977)."""
    counts = histogram.counts.astype(np.float64)
    peak, last = int(np.argmax(counts)), len(counts) - 1
    tail_above = last - peak > peak
    if tail_above:
        counts, peak = counts[::-1], last - peak
    below = np.arange(peak)
    level = int(np.argmax(counts[peak] * below - peak * counts[:peak]))
    return upper(histogram, last - level if tail_above else level)


@of_two_levels
def yen(histogram: Histogram) -> float:
    """Greatest correlation of the two classes (Yen, Chang and Chang 1995)."""
    p = probabilities(histogram)
    below, squares = np.cumsum(p)[:-1], np.cumsum(p**2)
    above_squares = np.cumsum(p[::-1] ** 2)[::-1][1:]
    criterion = 2 * np.log(below * (1 - below)) - np.log(squares[:-1] * above_squares)
    return upper(histogram, np.argmax(criterion))


def least(cost: Callable[[int], float], count: int, grid: int = 256) -> int:
    """Where a cost at 0, 1, … count − 1 is least.

    Up to 1,024 places are all looked at. Of more, a grid of at least `grid` places comes first,
    then the neighbourhood of the best, ever more closely.
    """
    low, high, step = 0, count, 1
    while count > 1024 and 2 * step * grid <= count:
        step *= 2
    while True:
        candidates = range(low, high, step)
        best = candidates[int(np.argmin([cost(k) for k in candidates]))]
        if step == 1:
            return best
        low, high, step = max(best - step, 0), min(best + step + 1, count), max(step // 8, 1)


def sums(histogram: Histogram) -> tuple[Floats, Floats]:
    """Running sums of the counts, and of the places of the bins, whatever the units."""
    counts = histogram.counts.astype(np.float64)
    return np.cumsum(counts), np.cumsum(counts * np.arange(len(counts)))


def probabilities(histogram: Histogram) -> Floats:
    """Part of the voxels in each bin."""
    probabilities: Floats = histogram.counts / histogram.counts.sum()
    return probabilities


def upper(histogram: Histogram, k: int | np.intp) -> float:
    """The threshold that separates bins 0 to k from the others."""
    return float(histogram.uppers[k])
