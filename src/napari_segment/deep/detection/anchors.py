"""Anchors: sides of the reference boxes of a detector, fitted to the objects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.recipe import Spec

LEVELS = 4  # of the feature pyramid: strides 4, 8, 16, 32
PER_LEVEL = 2
DEFAULT = (12.0, 17.0, 24.0, 34.0, 48.0, 68.0, 96.0, 136.0)


def boxes_of(labels: NDArray[Any]) -> NDArray[np.int64]:
    """Return the boxes of the objects in a label image.

    Parameters
    ----------
    labels : ndarray (Y, X)
        0 and negative numbers are no objects.

    Returns
    -------
    ndarray (N, 5)
        Label, first row, first column, last row and last column (exclusive).
    """
    from scipy.ndimage import find_objects

    numbers, index = np.unique(labels, return_inverse=True)
    slices = find_objects(index.reshape(labels.shape).astype(np.int32) + 1)
    rows = [
        (number, where[0].start, where[1].start, where[0].stop, where[1].stop)
        for number, where in zip(numbers, slices, strict=True)
        if number > 0 and where is not None
    ]
    return np.array(rows, np.int64).reshape(-1, 5)


def fit_anchors(labels: Iterable[NDArray[Any]]) -> tuple[float, ...]:
    """Fit the sides of anchors to the objects of label images.

    They are a geometric series from the 5th percentile of the objects' sides to the 95th, but at
    least over a factor of eight, so that the coarse levels of the pyramid are not responsible for
    objects smaller than their stride.

    Parameters
    ----------
    labels : iterable of ndarray (Y, X)
        Label images.

    Returns
    -------
    tuple of float
        ``LEVELS * PER_LEVEL`` sides in pixels, ascending.
    """
    sides = [_sides(boxes_of(image)) for image in labels]
    every = np.concatenate(sides) if sides else np.zeros(0)
    if not every.size:
        return DEFAULT
    low, high = np.percentile(every, (5, 95))
    low = max(float(low), 4.0)
    series = np.geomspace(low, max(float(high), 8 * low), LEVELS * PER_LEVEL)
    return tuple(round(float(s), 1) for s in series)


def with_anchors(model: Spec, labels: Iterable[NDArray[Any]]) -> Spec:
    """Return the model with anchors fitted to the objects, where they are "auto".

    Parameters
    ----------
    model : Spec
        Of `mask_rcnn`.
    labels : iterable of ndarray (Y, X) or (Z, Y, X)
        Of the training images.
    """
    if (
        model.settings.get("anchors", "auto") != "auto"
        or model.settings.get("backbone") == "torchvision"
    ):
        return model
    planes = (p for image in labels for p in (image if image.ndim == 3 else image[None]))
    return Spec(name=model.name, settings={**model.settings, "anchors": fit_anchors(planes)})


def anchors_by_level(anchors: Sequence[float]) -> tuple[tuple[float, ...], ...]:
    """Return the anchors of each level of the pyramid, the finest first."""
    count = len(anchors) // LEVELS
    return tuple(tuple(anchors[i * count : (i + 1) * count]) for i in range(LEVELS))


def _sides(boxes: NDArray[np.int64]) -> NDArray[np.float64]:
    heights, widths = boxes[:, 3] - boxes[:, 1], boxes[:, 4] - boxes[:, 2]
    return np.sqrt(heights * widths.astype(float))
