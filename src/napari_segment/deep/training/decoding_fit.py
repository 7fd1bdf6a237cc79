"""Fit how objects are decoded: the thresholds with which a network finds most of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.deep.planning.label_semantics import Objects

Decode = Callable[[NDArray[Any], Objects], NDArray[Any]]
Case = tuple[NDArray[np.float32], NDArray[Any]]

_TRIED: dict[str, tuple[float, ...]] = {
    "seed": (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8),
    "smooth": (0.0, 0.7, 1.0, 1.5, 2.0),
    "foreground": (0.3, 0.4, 0.5, 0.6, 0.7),
}
_COARSE = (0.3, 0.5, 0.7)
_ROUNDS = 2


TRIES = 30  # decodings of the cases in a usual fit


def _never(_: float) -> bool:
    return False


def fit(
    objects: Objects,
    cases: Sequence[Case],
    decode: Decode,
    is_late: Callable[[float], bool] = _never,
) -> tuple[Objects, float]:
    """Choose thresholds, smoothing and least size by the average precision at IoU 0.5.

    First a coarse grid of the two thresholds is tried, then one number is varied at a time, in
    turns.

    Parameters
    ----------
    objects : Objects
        Which maps there are, and where to begin.
    cases : sequence of (ndarray, ndarray)
        A network's outputs and the reference objects of validation cases.
    decode : callable
        From outputs and an `Objects` to objects.
    is_late : callable
        From the seconds that a decoding takes to whether there is no time for another.

    Returns
    -------
    objects : Objects
        The best.
    precision : float
        Of it: the mean over the cases, NaN where there are none.
    """
    if not cases:
        return objects, float("nan")
    known: dict[Objects, float] = {}
    seconds = 0.0

    def precision(tried: Objects) -> float:
        nonlocal seconds
        if tried not in known:
            if known and is_late(seconds):
                return -1.0
            begun = monotonic()
            known[tried] = _mean(tried, cases, decode)
            seconds = monotonic() - begun
        return known[tried]

    usual = objects.model_copy(update={"size": _least_size([r for _, r in cases])})
    coarse = [
        usual.model_copy(update={"seed": seed, "foreground": foreground})
        for seed, foreground in product(_COARSE, _COARSE)
    ]
    best = max([usual, *coarse], key=precision)
    for _ in range(_ROUNDS):
        before = best
        for name, values in _TRIED.items():
            if name == "smooth" and objects.target == "flow":
                continue
            tried = [best, *(best.model_copy(update={name: v}) for v in values)]
            best = max(tried, key=precision)
        if best == before:
            break
    return best, precision(best)


def average_precision(predicted: NDArray[Any], reference: NDArray[Any], iou: float = 0.5) -> float:
    """Return the average precision of objects at an IoU, TP / (TP + FP + FN)."""
    return pooled_precision([matched(predicted, reference, iou)])


def pooled_precision(cases: Sequence[tuple[int, int]]) -> float:
    """Return the average precision over the objects of all cases that `matched` has counted."""
    hits, total = (sum(counts) for counts in zip(*cases, strict=True)) if cases else (0, 0)
    return hits / total if total else float("nan")


def matched(predicted: NDArray[Any], reference: NDArray[Any], iou: float = 0.5) -> tuple[int, int]:
    """Return the number of objects found at an IoU, and of all that are in either: TP + FP + FN."""
    have, index_a = np.unique(predicted, return_inverse=True)
    want, index_b = np.unique(reference, return_inverse=True)
    count = int((have > 0).sum() + (want > 0).sum())
    first, second = index_a.ravel().astype(np.int64), index_b.ravel().astype(np.int64)
    pairs, both = np.unique(first * len(want) + second, return_counts=True)
    a, b = pairs // len(want), pairs % len(want)
    union = np.bincount(first)[a] + np.bincount(second)[b] - both
    hits = int(((both > iou * union) & (have[a] > 0) & (want[b] > 0)).sum())
    return hits, count - hits


def _mean(objects: Objects, cases: Sequence[Case], decode: Decode) -> float:
    from concurrent.futures import ThreadPoolExecutor

    from napari_segment.runtime import threads

    with ThreadPoolExecutor(threads()) as pool:
        precisions = list(pool.map(lambda c: average_precision(decode(c[0], objects), c[1]), cases))
    return float(np.nanmean(precisions)) if not np.isnan(precisions).all() else 0.0


def _least_size(references: Sequence[NDArray[Any]]) -> int:
    """Half the size that all but one object in a hundred reach."""
    sizes = np.concatenate([np.unique(r[r > 0], return_counts=True)[1] for r in references])
    return int(np.percentile(sizes, 1) / 2) if sizes.size else 0
