"""Markers: voxels of which a person, or the histogram, knows where they belong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Array
from napari_segment.classical.histogram import histogram
from napari_segment.classical.threshold import criteria
from napari_segment.errors import InputError


def checked_markers(markers: Array | None, shape: Sequence[int]) -> NDArray[Any] | None:
    """Check markers, which a user may leave out.

    Parameters
    ----------
    markers : array or None
        Positive integers at markers, 0 elsewhere.
    shape : sequence of int
        The image's.

    Returns
    -------
    array or None
        The markers in memory; None where there are none.

    Raises
    ------
    InputError
        If the shape is another, the type is no integer, or nothing is marked.
    """
    if markers is None:
        return None
    marks: NDArray[Any] = np.asarray(markers)
    if marks.shape != tuple(shape):
        raise InputError(
            f"The markers have the shape {marks.shape}, the image {tuple(shape)}. "
            "Give one number for each voxel, 0 where nothing is marked."
        )
    if marks.dtype.kind not in "bui" or (marks.size and marks.min() < 0):
        raise InputError(
            f"The markers are of type {marks.dtype}: give positive integers, and 0 where "
            "nothing is marked."
        )
    if marks.size and not marks.any():
        raise InputError(
            "The markers are all 0. Mark at least one voxel of each region, in each plane or time "
            "point that is segmented by itself."
        )
    return marks


def seeds_of_two_classes(image: Array) -> NDArray[np.uint8]:
    """Mark what is surely dark with 1 and surely bright with 2: beyond either class's mean.

    The classes are those of Otsu's threshold.
    """
    counted = histogram(image, bins=4096)
    threshold = criteria.otsu(counted)
    seeds = np.zeros(image.shape, np.uint8)
    if np.isnan(threshold):
        seeds[...] = 1
        return seeds
    below = counted.uppers <= threshold
    for number, part in ((1, below), (2, ~below)):
        mean = np.average(counted.centers[part], weights=counted.counts[part])
        seeds[(image <= mean) if number == 1 else (image >= mean)] = number
    return seeds
