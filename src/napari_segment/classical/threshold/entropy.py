"""Thresholds by information: entropies of the two classes."""

from __future__ import annotations

import numpy as np

from napari_segment.classical.histogram import Histogram
from napari_segment.classical.threshold.criteria import (
    Floats,
    least,
    of_two_levels,
    probabilities,
    upper,
)


@of_two_levels
def max_entropy(histogram: Histogram) -> float:
    """Greatest sum of the entropies of the two classes (Kapur, Sahoo and Wong 1985)."""
    return upper(histogram, _kapur(probabilities(histogram)))


@of_two_levels
def renyi_entropy(histogram: Histogram) -> float:
    """A mean of the thresholds of Rényi entropies of order 1/2, 1 and 2 (Sahoo et al. 1997).

    Thresholds within 5/256 of the histogram count as neighbours.
    """
    p = probabilities(histogram)
    low, middle, high = sorted((_renyi(p, 0.5), _kapur(p), _renyi(p, 2.0)))
    near = 5 * max(len(p), 256) / 256
    if (middle - low <= near) == (high - middle <= near):
        parts = (1, 2, 1)
    else:
        parts = (0, 1, 3) if middle - low <= near else (3, 1, 0)
    below = np.cumsum(p)
    quarter = (below[high] - below[low]) / 4
    level = (
        low * (below[low] + quarter * parts[0])
        + middle * quarter * parts[1]
        + high * (1 - below[high] + quarter * parts[2])
    )
    return upper(histogram, int(level))


@of_two_levels
def shanbhag(histogram: Histogram) -> float:
    """Least difference of information between the two fuzzy classes (Shanbhag 1994)."""
    from napari_segment.classical.threshold.criteria_kernels import imbalance

    p = probabilities(histogram)
    below = np.cumsum(p)
    above = np.cumsum(p[::-1])[::-1] - p
    return upper(histogram, least(lambda k: imbalance(p, below, above, k), len(p) - 1, grid=64))


@of_two_levels
def huang(histogram: Histogram) -> float:
    """Least fuzziness of belonging to the nearer of two class means (Huang and Wang 1995)."""
    from napari_segment.classical.threshold.criteria_kernels import fuzziness

    counts = histogram.counts.astype(np.float64)
    indices = np.arange(len(counts))
    mass, moment = np.cumsum(counts), np.cumsum(counts * indices)
    below = np.rint(moment / mass).astype(np.int64)
    above = np.rint((moment[-1] - moment)[:-1] / (mass[-1] - mass)[:-1]).astype(np.int64)
    member = 1 / (1 + indices / indices[-1])
    entropy = _plogp(member) + _plogp(1 - member)
    fuzzy = least(lambda k: fuzziness(counts, k, below[k], above[k], entropy), len(counts) - 1)
    return upper(histogram, fuzzy)


def _kapur(p: Floats) -> int:
    below = np.cumsum(p)[:-1]
    entropy = np.cumsum(_plogp(p))
    total = np.log(below * (1 - below)) + entropy[:-1] / below
    total += (entropy[-1] - entropy[:-1]) / (1 - below)
    return int(np.argmax(total))


def _renyi(p: Floats, order: float) -> int:
    below = np.cumsum(p)[:-1]
    powers = np.cumsum(p**order)
    entropy = np.log(powers[:-1] / below**order) + np.log(
        (powers[-1] - powers[:-1]) / (1 - below) ** order
    )
    return int(np.nanargmax(entropy / (1 - order)))


def _plogp(p: Floats) -> Floats:
    """−p log p, 0 at 0."""
    return -p * np.log(np.where(p > 0, p, 1))
