"""Thresholds by the shape of the histogram: its modes, its moments, two bells fitted to it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from napari_segment.classical.histogram import Histogram
from napari_segment.classical.threshold.criteria import (
    Floats,
    of_two_levels,
    probabilities,
    upper,
)

_PASSES = 1000  # of smoothing before neighbouring bins are joined


class Modes(NamedTuple):
    """A smoothed histogram with two modes, each of its bins being `width` bins wide."""

    smooth: Floats
    first: int
    second: int
    width: int


@of_two_levels
def minimum(histogram: Histogram) -> float:
    """Lowest point between the modes of the smoothed histogram (Prewitt and Mendelsohn 1966)."""
    modes = two_modes(histogram)
    if modes is None:
        return float("nan")
    valley = modes.first + int(np.argmin(modes.smooth[modes.first : modes.second + 1]))
    return upper(histogram, _level(valley, modes, histogram))


@of_two_levels
def intermodes(histogram: Histogram) -> float:
    """Midway between the two modes of the smoothed histogram (Prewitt and Mendelsohn 1966)."""
    modes = two_modes(histogram)
    if modes is None:
        return float("nan")
    first, second = (_level(mode, modes, histogram) for mode in (modes.first, modes.second))
    return upper(histogram, (first + second) // 2)


@of_two_levels
def moments(histogram: Histogram) -> float:
    """Two levels with the image's first three moments (Tsai 1985)."""
    p = probabilities(histogram)
    x = np.linspace(0, 1, len(p))
    m1, m2, m3 = (float(p @ x**order) for order in (1, 2, 3))
    spread = m2 - m1**2
    c0 = (m1 * m3 - m2**2) / spread
    c1 = (m1 * m2 - m3) / spread
    root = np.sqrt(max(c1**2 - 4 * c0, 0.0))
    dark, bright = (-c1 - root) / 2, (-c1 + root) / 2
    part = (bright - m1) / (bright - dark)
    k = int(np.searchsorted(np.cumsum(p), part, side="right"))
    return upper(histogram, min(k, len(p) - 2))


@of_two_levels
def kittler_illingworth(histogram: Histogram) -> float:
    """Least error of two normal distributions fitted to the classes (Kittler and Illingworth 1986).

    A level's own width adds 1/12 of its square to the variances, so that a class of one level has
    some.
    """
    p = probabilities(histogram)
    x = np.arange(len(p)) - float(p @ np.arange(len(p)))
    below = np.cumsum(p)[:-1]
    error = np.zeros(len(below))
    for mass, first, second in (
        (below, np.cumsum(p * x)[:-1], np.cumsum(p * x**2)[:-1]),
        (1 - below, _rest(p * x), _rest(p * x**2)),
    ):
        variance = np.maximum(second / mass - (first / mass) ** 2, 0) + 1 / 12
        error += mass * np.log(variance) - 2 * mass * np.log(mass)
    return upper(histogram, int(np.nanargmin(error)))


def two_modes(histogram: Histogram) -> Modes | None:
    """Smooth a histogram by running means of three until two modes are left.

    After 1,000 passes, when bins hold hardly more than their neighbours, pairs of bins are joined
    and smoothing goes on.

    Returns
    -------
    Modes or None
        None where the histogram has only one mode.
    """
    from napari_segment.classical.threshold.criteria_kernels import smooth_to_two_modes

    smooth, width = histogram.counts.astype(np.float64), 1
    while len(smooth) > 2:
        modes, first, second = smooth_to_two_modes(smooth, _PASSES)
        if modes < 3:
            return Modes(smooth, first, second, width) if modes == 2 else None
        smooth = np.append(smooth, 0.0) if len(smooth) % 2 else smooth
        smooth, width = smooth[::2] + smooth[1::2], 2 * width
    return None


def _level(k: int, modes: Modes, histogram: Histogram) -> int:
    return min(k * modes.width + modes.width // 2, len(histogram.counts) - 1)


def _rest(values: Floats) -> Floats:
    """Sums of all after each place but the last."""
    sums: Floats = np.cumsum(values[::-1])[::-1][1:]
    return sums
