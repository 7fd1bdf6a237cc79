"""Scores of objects, from the sparse table of their overlaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.results.compare.scores import ObjectScores
from napari_segment.results.matching import best_matching

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Overlap:
    """How many voxels each object shares with each reference object.

    Parameters
    ----------
    pairs : array (N, 2)
        Label and reference label, 0 for background included.
    voxels : array (N,)
        Shared voxels.
    """

    pairs: NDArray[np.int64]
    voxels: NDArray[np.int64]

    @cached_property
    def sizes(self) -> tuple[dict[int, int], dict[int, int]]:
        """Voxels of each object, and of each reference object."""
        sizes = []
        for side in (0, 1):
            ids, index = np.unique(self.pairs[:, side], return_inverse=True)
            total = np.bincount(index, self.voxels, len(ids)).astype(np.int64)
            sizes.append({int(i): int(n) for i, n in zip(ids, total, strict=True) if i})
        return sizes[0], sizes[1]

    @cached_property
    def touching(self) -> NDArray[np.int64]:
        """Rows of pairs of two objects."""
        return np.flatnonzero((self.pairs > 0).all(1))

    @cached_property
    def union(self) -> NDArray[np.int64]:
        """Voxels in either object of each pair in `touching`."""
        ours, theirs = self.sizes
        pairs = self.pairs[self.touching].tolist()
        both = np.array([ours[a] + theirs[b] for a, b in pairs], np.int64)
        return both - self.voxels[self.touching]

    @cached_property
    def iou(self) -> NDArray[np.float64]:
        """Intersection over union of each pair in `touching`."""
        return np.asarray(self.voxels[self.touching] / self.union)

    @cached_property
    def jaccard(self) -> tuple[int, int]:
        """Intersection and union of each reference object with the object of the highest IoU.

        Objects that are paired with none count as union.
        """
        ours, theirs = self.sizes
        pairs = self.pairs[self.touching]
        best = _best_of_each(pairs[:, 1], self.iou)
        used, paired = set(pairs[best, 0].tolist()), set(pairs[best, 1].tolist())
        unpaired = [n for label, n in ours.items() if label not in used]
        unpaired += [n for label, n in theirs.items() if label not in paired]
        common = int(self.voxels[self.touching][best].sum())
        return common, int(self.union[best].sum()) + sum(unpaired)

    @cached_property
    def merged(self) -> NDArray[np.bool_]:
        """Which of `touching` are a reference object and the object that merges it with others.

        More than half of each of these reference objects lies in that object.
        """
        return self._gathered(0)

    @cached_property
    def split(self) -> NDArray[np.bool_]:
        """Which of `touching` are a reference object and one of the pieces that it is split into.

        More than half of each of these pieces lies in that reference object.
        """
        return self._gathered(1)

    def _gathered(self, side: int) -> NDArray[np.bool_]:
        """Which pairs hold a part that lies mostly in a whole, where that whole has several."""
        pairs, sizes = self.pairs[self.touching], self.sizes[1 - side]
        whole = np.array([sizes[n] for n in pairs[:, 1 - side].tolist()], np.int64)
        mostly = 2 * self.voxels[self.touching] > whole
        _, index = np.unique(pairs[:, side], return_inverse=True)
        parts = np.bincount(index[mostly], minlength=len(index))
        return np.asarray(mostly & (parts[index] > 1))

    def matched(self, threshold: float) -> NDArray[np.int64]:
        """Return the matches among `touching`: the best one-to-one assignment."""
        enough = np.flatnonzero(self.iou >= threshold)
        return enough[best_matching(self.pairs[self.touching[enough]], self.iou[enough])]


def score_objects(tables: Sequence[Overlap], thresholds: tuple[float, ...]) -> ObjectScores:
    """Score the objects of all time points together.

    Parameters
    ----------
    tables : sequence of Overlap
        One for each time point.
    thresholds : tuple of float
        Rising.
    """
    detected, expected = (sum(len(t.sizes[side]) for t in tables) for side in (0, 1))
    matched = tuple(sum(len(t.matched(level)) for t in tables) for level in thresholds)
    halves = np.concatenate([t.iou[t.matched(0.5)] for t in tables])
    common, union = (sum(t.jaccard[side] for t in tables) for side in (0, 1))
    return ObjectScores(
        detected, expected, thresholds, matched, len(halves), float(halves.sum()), (common, union)
    )


def _best_of_each(keys: NDArray[Any], values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return for each key the index of its largest value."""
    order = np.lexsort((-values, keys))
    _, first = np.unique(keys[order], return_index=True)
    return np.asarray(order[first])


def per_object(tables: Sequence[Overlap], timed: bool) -> pd.DataFrame:
    """Return a row for each reference object and each unmatched object: what it was matched with.

    Parameters
    ----------
    tables : sequence of Overlap
        One for each time point.
    timed : bool
        Whether there is a time axis.

    Returns
    -------
    pandas.DataFrame
        Columns (``time``,) ``label``, ``reference`` (0 for none), ``voxels``,
        ``reference_voxels``, ``iou`` of the match at IoU 0.5, or of the best pair where there is
        none, ``matched``, and ``outcome``: "matched", "missed", "false positive", "merged" (more
        than half of this and of another reference object lie in one object) or "split" (more than
        half of each of several objects lies in one reference object).
    """
    import pandas as pd

    columns = ["label", "reference", "voxels", "reference_voxels", "iou", "matched", "outcome"]
    frames = [pd.DataFrame(_rows(table), columns=columns) for table in tables]
    for time, frame in enumerate(frames if timed else ()):
        frame.insert(0, "time", time)
    return pd.concat(frames, ignore_index=True)


def _rows(table: Overlap) -> list[tuple[int, int, int, int, float, bool, str]]:
    ours, theirs = table.sizes
    pairs = table.pairs[table.touching]
    matched = table.matched(0.5)
    best = _best_of_each(pairs[:, 1], table.iou)
    partner = _by_reference(pairs[best], table.iou[best])
    right = _by_reference(pairs[matched], table.iou[matched])
    rows = []
    for label, voxels in theirs.items():
        a, iou = right.get(label) or partner.get(label, (0, 0.0))
        rows.append((a, label, ours.get(a, 0), voxels, iou, label in right))
    taken = {a for a, _ in right.values()}
    rows += [(a, 0, n, 0, 0.0, False) for a, n in ours.items() if a not in taken]
    outcomes = [_outcomes(table, side) for side in (0, 1)]
    return [(*row, "matched" if row[-1] else _outcome(row[0], row[1], outcomes)) for row in rows]


def _outcomes(table: Overlap, side: int) -> dict[int, str]:
    """What became of each label of one side that is merged or split."""
    numbers = table.pairs[table.touching][:, side]
    split = dict.fromkeys(numbers[table.split].tolist(), "split")
    return split | dict.fromkeys(numbers[table.merged].tolist(), "merged")


def _outcome(label: int, reference: int, outcomes: Sequence[dict[int, str]]) -> str:
    """What became of a reference object, or of an object where there is none."""
    if reference:
        return outcomes[1].get(reference, "missed")
    return outcomes[0].get(label, "false positive")


def _by_reference(
    pairs: NDArray[np.int64], iou: NDArray[np.float64]
) -> dict[int, tuple[int, float]]:
    """Map each reference label to its partner and their IoU."""
    return {b: (a, i) for (a, b), i in zip(pairs.tolist(), iou.tolist(), strict=True)}
