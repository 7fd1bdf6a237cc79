"""Decode: objects from the maps that a network says."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.deep.planning.label_semantics import Objects


def decode(probabilities: NDArray[Any], objects: Objects) -> NDArray[np.int32]:
    """Find the objects in a network's maps.

    Parameters
    ----------
    probabilities : ndarray (K, *S)
        As `object_maps` draws them, in [0, 1].
    objects : Objects
        What the maps are, thresholds, smoothing and least size.

    Returns
    -------
    ndarray of int32 (*S)
        Objects from 1 on; 0 is background. Foreground without a heart is background.
    """
    inside = probabilities[0] > objects.foreground
    if objects.target == "flow":
        from napari_segment.deep.data.targets.flow import gather

        flow_field = np.asarray(probabilities[1:], np.float32) * 2 - 1
        return _without_small(gather(flow_field, inside, objects.seed), objects.size)
    return _without_small(_flooded(probabilities[1], inside, objects), objects.size)


def decode_planes(probabilities: NDArray[Any], objects: Objects) -> NDArray[np.int32]:
    """Find the objects of every plane of a stack ``(K, Z, Y, X)`` by itself.

    Each object has a number of its own through the stack: what belongs together from plane to
    plane is for `link` to say.
    """
    labels = np.zeros(probabilities.shape[1:], np.int32)
    last = 0
    for z in range(len(labels)):
        plane = decode(probabilities[:, z], objects)
        labels[z] = np.where(plane > 0, plane + last, 0)
        last = int(labels[z].max(initial=last))
    return labels


def _flooded(
    second: NDArray[Any], inside: NDArray[np.bool_], objects: Objects
) -> NDArray[np.int32]:
    """Watershed of the foreground from the hearts that the second map shows."""
    from scipy.ndimage import gaussian_filter
    from skimage.segmentation import watershed

    from napari_segment.blocks import label

    height = np.asarray(second, np.float32)
    if objects.target == "border":
        height = 1 - height
    if objects.smooth:
        height = gaussian_filter(height, objects.smooth, mode="nearest")
    hearts, _ = label(inside & (height > objects.seed))
    labels: NDArray[np.int32] = watershed(-height, hearts.astype(np.int32), mask=inside)
    return labels


def _without_small(labels: NDArray[Any], size: int) -> NDArray[np.int32]:
    """Leave out objects under a size and number the others from 1 on."""
    counts = np.bincount(labels.ravel())
    keep = counts >= max(size, 1)
    keep[0] = False
    numbers = np.where(keep, np.cumsum(keep), 0).astype(np.int32)
    return np.asarray(numbers[labels])
