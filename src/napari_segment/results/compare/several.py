"""Scores of several cases: the mean over cases, and those of all objects and voxels together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.errors import InputError
from napari_segment.results.compare.scores import ClassScores, ObjectScores, Scores, plain_values

CONFIDENCE = 0.95
RESAMPLES = 1000

Numbers = dict[str, float]
Intervals = dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Aggregate:
    """The scores of several cases in numbers of both kinds, named as in `Scores.summary`.

    Parameters
    ----------
    cases : int
        How many there are.
    mean : mapping of str to float
        Mean over the cases; each case counts alike, undefined scores are left out.
    pooled : mapping of str to float
        Scores of all objects and all voxels of all cases together; each object counts alike.
        Distances between surfaces are not pooled.
    mean_interval, pooled_interval : mapping of str to (float, float)
        95 % bootstrap interval over the cases (1000 resamples, percentiles); empty for one case.
    """

    cases: int
    mean: Mapping[str, float]
    pooled: Mapping[str, float]
    mean_interval: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    pooled_interval: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return everything in plain values for JSON; None where a score is not defined."""
        return {name: plain_values(value) for name, value in vars(self).items()}

    def __str__(self) -> str:
        kinds = {
            "mean over cases": (self.mean, self.mean_interval),
            "pooled": (self.pooled, self.pooled_interval),
        }
        return "\n".join(
            f"{title}: " + ", ".join(_shown(k, v, intervals) for k, v in numbers.items())
            for title, (numbers, intervals) in kinds.items()
        )


def aggregate(scores: Iterable[Scores], *, seed: int = 0) -> Aggregate:
    """Join the scores of several cases, as their mean and pooled.

    Parameters
    ----------
    scores : iterable of Scores
        One of each case, all for the same IoU thresholds.
    seed : int
        Random seed of the bootstrap.

    Returns
    -------
    Aggregate
        ``mean``, ``pooled``, and an interval of each.

    Examples
    --------
    >>> from napari_segment.results.compare import compare
    >>> small, large = np.array([[1, 0]]), np.array([[1, 0, 2, 0, 3]])
    >>> both = aggregate([compare(small, small), compare(np.array([[1, 0, 0, 0, 0]]), large)])
    >>> both.mean["recall"], both.pooled["recall"]
    (0.6666666666666666, 0.5)
    """
    cases = list(scores)
    if not cases:
        return Aggregate(0, {}, {})
    pool = _Pool(cases)
    counts = np.array([pool.counts(case) for case in cases])
    names, values = _table([case.summary for case in cases])
    every = np.ones((1, len(cases)))
    mean = dict(zip(names, _means(every, values)[0].tolist(), strict=True))
    pooled = pool.scores(counts.sum(0)).summary
    if len(cases) == 1:
        return Aggregate(1, mean, pooled)
    share = np.full(len(cases), 1 / len(cases))
    weights = np.random.default_rng(seed).multinomial(len(cases), share, RESAMPLES)
    resampled = [pool.scores(row).summary for row in weights @ counts]
    return Aggregate(
        len(cases), mean, pooled, _intervals(names, _means(weights, values)),
        _intervals(*_table(resampled)),
    )  # fmt: skip


class _Pool:
    """Counts of cases, which can be added, as vectors of one layout.

    Parameters
    ----------
    cases : sequence of Scores
        Which say what classes and thresholds there are.
    """

    def __init__(self, cases: Sequence[Scores]) -> None:
        self.names = {c.label: c.name for case in cases for c in case.classes}
        thresholds = {case.objects.thresholds for case in cases if case.objects}
        if len(thresholds) > 1:
            raise InputError(
                f"Scores for different IoU thresholds cannot be joined: {sorted(thresholds)}. "
                "Compare all cases with the same ones."
            )
        self.thresholds = next(iter(thresholds), None)

    def counts(self, case: Scores) -> list[float]:
        """Return the counts of one case: three of each class, then those of objects."""
        classes = {c.label: (c.common, c.voxels, c.reference_voxels) for c in case.classes}
        numbers: list[float] = [n for label in self.names for n in classes.get(label, (0, 0, 0))]
        if self.thresholds is None:
            return numbers
        o = case.objects
        if o is None:
            return numbers + [0] * (6 + len(self.thresholds))
        head = (o.detected, o.expected, o.panoptic_matches, o.panoptic_iou, *o.jaccard)
        return [*numbers, *head, *o.matched]

    def scores(self, counts: NDArray[Any]) -> Scores:
        """Return the scores of a sum of counts; classes that do not occur in it are left out."""
        split = 3 * len(self.names)
        rows = counts[:split].astype(np.int64).reshape(-1, 3).tolist()
        classes = tuple(
            ClassScores(label, name, common, ours, theirs)
            for (label, name), (common, ours, theirs) in zip(self.names.items(), rows, strict=True)
            if ours + theirs
        )
        if self.thresholds is None:
            return Scores("classes", classes)
        detected, expected, matches, iou, common, union = counts[split : split + 6].tolist()
        objects = ObjectScores(
            int(detected), int(expected), self.thresholds,
            tuple(map(int, counts[split + 6 :])), int(matches), iou, (int(common), int(union)),
        )  # fmt: skip
        return Scores("objects", classes, objects)


def _table(rows: Sequence[Numbers]) -> tuple[list[str], NDArray[np.float64]]:
    """Return the names of all numbers, and a row of values a mapping; NaN where one lacks it."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return names, np.array([[row.get(name, math.nan) for name in names] for row in rows])


def _means(weights: NDArray[Any], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average over the rows, without NaN: a row of means for each row of weights."""
    defined = ~np.isnan(values)
    total = weights @ defined
    sums = weights @ np.where(defined, values, 0)
    return np.asarray(np.divide(sums, total, out=np.full(sums.shape, np.nan), where=total > 0))


def _intervals(names: Sequence[str], resampled: NDArray[np.float64]) -> Intervals:
    tail = (1 - CONFIDENCE) / 2
    limits: Intervals = {}
    for name, column in zip(names, resampled.T, strict=True):
        defined = column[~np.isnan(column)]
        if defined.size:
            low, high = np.quantile(defined, (tail, 1 - tail)).tolist()
            limits[name] = low, high
    return limits


def _shown(name: str, value: float, intervals: Mapping[str, tuple[float, float]]) -> str:
    if name not in intervals:
        return f"{name} {value:.4f}"
    low, high = intervals[name]
    return f"{name} {value:.4f} ({low:.4f} to {high:.4f})"
