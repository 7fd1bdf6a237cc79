"""Ranking of the planes of a stack by uncertainty, for the choice of what to label next."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_segment.blocks import is_lazy
from napari_segment.errors import InputError, SettingError

_FRACTION = 0.05  # of a plane: its most uncertain voxels, by which it is ranked


def slices_to_label_next(
    uncertainty: Any, *, count: int = 5, axis: int = 0, apart: int = 1
) -> list[int]:
    """Rank the planes of a stack by the uncertainty of a network.

    The score of a plane is the mean of its most uncertain twentieth: one uncertain object is
    enough, and the size of the background does not matter.

    Parameters
    ----------
    uncertainty : array (*S)
        Entropy or disagreement, as `predict_with` gives it; NumPy or Dask.
    count : int
        Number of planes, at least 1.
    axis : int
        The axis across the planes.
    apart : int
        Smallest distance between two chosen planes, at least 1: neighbours look alike.

    Returns
    -------
    list of int
        Positions along the axis, the most uncertain first; fewer than `count` where there are no
        more.

    Examples
    --------
    >>> import numpy as np
    >>> doubt = np.array([0.1, 0.8, 0.9, 0.2, 0.5])[:, None, None] * np.ones((5, 4, 4))
    >>> slices_to_label_next(doubt, count=3, apart=2)
    [2, 4, 0]
    """
    if count < 1 or apart < 1:
        raise SettingError(f"count is {count} and apart is {apart}: give numbers from 1.")
    if not -len(uncertainty.shape) <= axis < len(uncertainty.shape):
        raise InputError(
            f"The uncertainty has {len(uncertainty.shape)} axes, so there is no axis {axis}."
        )
    scores = [_score(_plane(uncertainty, i, axis)) for i in range(uncertainty.shape[axis])]
    chosen: list[int] = []
    for index in sorted(range(len(scores)), key=lambda i: -scores[i]):
        if all(abs(index - other) >= apart for other in chosen):
            chosen.append(index)
        if len(chosen) == count:
            break
    return chosen


def _plane(array: Any, index: int, axis: int) -> Any:
    where: list[Any] = [slice(None)] * len(array.shape)
    where[axis] = index
    plane = array[tuple(where)]
    return plane.compute() if is_lazy(plane) else np.asarray(plane)


def _score(plane: Any) -> float:
    values = np.ravel(plane)
    most = max(1, int(values.size * _FRACTION))
    return float(np.partition(values, values.size - most)[values.size - most :].mean())
