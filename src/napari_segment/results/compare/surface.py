"""Distances between surfaces, and the overlap of boundaries."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.image import Holds, Labels
from napari_segment.results.distance import distance_to_others

_BOUNDARY = 0.02  # of the image's diagonal


def surface_scores(
    labels: Labels, reference: Labels, holds: Holds, label: int, spacing: tuple[float, ...]
) -> dict[str, float]:
    """Score the surface of one class.

    Parameters
    ----------
    labels, reference : Labels
        On one grid.
    holds : {"mask", "classes", "objects"}
        Unless "classes", all that is not 0 is foreground.
    label : int
        The class.
    spacing : tuple of float
        Distance between voxels along each axis.

    Returns
    -------
    dict of str to float
        ``boundary_iou``: IoU of what lies within 2 % of the diagonal of a plane (and at least one
        voxel) from the outside (Cheng et al. 2021, doi:10.1109/CVPR46437.2021.01508).
        ``hd95``: the larger of the two 95th percentiles of the distances from surface voxels to the
        other surface; ``surface_distance``: the mean of all these distances. In the unit of the
        spacing. NaN where one of the two lacks the class. Over time points: the mean.
    """
    scores = []
    times = range(labels.size("T")) if "T" in labels.axes else (None,)
    for t in times:
        stacks = (labels, reference) if t is None else (labels.take("T", t), reference.take("T", t))
        a, b = (np.asarray(s.data == label if holds == "classes" else s.data != 0) for s in stacks)
        scores.append(_scores_of(a, b, spacing))
    defined = np.array(scores, float)
    with_values = ~np.isnan(defined).any(1)
    means = defined[with_values].mean(0) if with_values.any() else np.full(3, np.nan)
    return dict(zip(("boundary_iou", "hd95", "surface_distance"), means.tolist(), strict=True))


def _scores_of(
    a: NDArray[np.bool_], b: NDArray[np.bool_], spacing: tuple[float, ...]
) -> tuple[float, float, float]:
    if not (a.any() and b.any()):
        return (np.nan,) * 3
    width = max(_BOUNDARY * float(np.linalg.norm(np.multiply(a.shape, spacing)[-2:])), *spacing)
    where = _box(a | b)
    a, b = np.pad(a[where], 1), np.pad(b[where], 1)
    inner = [m & (distance_to_others(m, spacing) <= width) for m in (a, b)]
    iou = np.count_nonzero(inner[0] & inner[1]) / np.count_nonzero(inner[0] | inner[1])
    distances = surface_distances(a, b, spacing)
    return iou, _larger_95th(distances), float(np.concatenate(distances).mean())


def hausdorff_95(a: NDArray[np.bool_], b: NDArray[np.bool_], spacing: tuple[float, ...]) -> float:
    """Return the larger of the two 95th percentiles of the distances between two surfaces.

    Parameters
    ----------
    a, b : array
        Masks of one shape.
    spacing : tuple of float
        Distance between voxels along each axis.

    Returns
    -------
    float
        In the unit of the spacing; NaN where one of the two is empty.
    """
    if not (a.any() and b.any()):
        return float("nan")
    where = _box(a | b)
    return _larger_95th(surface_distances(np.pad(a[where], 1), np.pad(b[where], 1), spacing))


def _larger_95th(distances: tuple[NDArray[np.float32], NDArray[np.float32]]) -> float:
    return max(float(np.percentile(d, 95)) for d in distances)


def surface_distances(
    a: NDArray[np.bool_], b: NDArray[np.bool_], spacing: tuple[float, ...]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the distances from the surface of `a` to that of `b`, and back.

    Parameters
    ----------
    a, b : array
        Masks that are not empty and do not touch the array's border. Their surfaces are the
        voxels with a face to the outside.
    spacing : tuple of float
        Distance between voxels along each axis.
    """
    surfaces = [_surface(m) for m in (a, b)]
    to_a, to_b = (distance_to_others(~s, spacing) for s in surfaces)
    return to_b[surfaces[0]], to_a[surfaces[1]]


def _surface(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    from scipy.ndimage import binary_erosion

    return np.asarray(mask & ~binary_erosion(mask))


def _box(mask: NDArray[np.bool_]) -> tuple[Any, ...]:
    from scipy.ndimage import find_objects

    return tuple(find_objects(mask.view(np.uint8))[0])
