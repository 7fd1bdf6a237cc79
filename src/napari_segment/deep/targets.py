"""Targets: what a network is asked for, made from labels; and labels made from what it says.

``classes``
    One output a class, with the background; softmax. A *mask* is one output with a sigmoid.
``objects``
    Two outputs with a sigmoid each: foreground, and either the *distance* to the object's edge (1
    at its middle, in parts of the object's own depth) or the *border* against other objects and
    the background. Objects are found again by a watershed that starts from the hearts that the
    second output shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_segment.deep.plan import Objects

Task: TypeAlias = Literal["auto", "classes", "objects"]

UNKNOWN = -1  # of a class index: nothing is asked of this voxel


def class_indices(
    labels: NDArray[Any], values: Sequence[int], unlabelled: int | None = None
) -> NDArray[np.int16]:
    """Turn label numbers into class indices.

    Parameters
    ----------
    labels : ndarray (*S)
        Label numbers.
    values : sequence of int
        The label of each class, background first. Other labels count as background.
    unlabelled : int, optional
        The label of voxels that nobody labelled; they become -1.

    Returns
    -------
    ndarray of int16 (*S)
    """
    indices = np.zeros(labels.shape, np.int16)
    for k, value in enumerate(values[1:], 1):
        indices[labels == value] = k
    if unlabelled is not None:
        indices[labels == unlabelled] = UNKNOWN
    return indices


def object_maps(
    labels: NDArray[Any],
    objects: Objects,
    spacing: Sequence[float] = (),
    unlabelled: int | None = None,
) -> NDArray[np.float32]:
    """Draw the two maps of objects.

    Parameters
    ----------
    labels : ndarray (*S)
        Object numbers; 0 is background. Touching objects are told apart by their numbers.
    objects : Objects
        Which second map.
    spacing : sequence of float
        Of the axes; empty for 1.
    unlabelled : int, optional
        The label of voxels that nobody labelled; both maps are -1 there.

    Returns
    -------
    ndarray of float32 (2, *S)
        Foreground and distance, or foreground and border, in [0, 1].
    """
    known = labels != unlabelled if unlabelled is not None else np.ones(labels.shape, bool)
    marked = np.where(known, labels, 0)
    second = relative_depth(marked, spacing) if objects.target == "distance" else borders(marked)
    maps = np.stack([(marked > 0).astype(np.float32), second])
    maps[:, ~known] = UNKNOWN
    return maps


def relative_depth(labels: NDArray[Any], spacing: Sequence[float] = ()) -> NDArray[np.float32]:
    """Distance of each voxel to the edge of its object, over the largest in that object.

    Parameters
    ----------
    labels : ndarray (*S)
        Object numbers; 0 is background.
    spacing : sequence of float
        Of the axes; empty for 1.

    Returns
    -------
    ndarray of float32 (*S)
        0 outside objects, in (0, 1] inside, 1 at each object's deepest voxel.

    Examples
    --------
    >>> relative_depth(np.array([[0, 0, 0, 0, 0], [0, 7, 7, 7, 0], [0, 0, 0, 0, 0]]))[1]
    array([0., 1., 1., 1., 0.], dtype=float32)
    """
    import edt
    from scipy import ndimage

    compact, count = _compacted(labels)
    depth = edt.edt(
        compact, anisotropy=tuple(spacing) or None, black_border=False, parallel=1
    ).astype(np.float32)
    # An object that fills the whole array has no edge: its depth is infinite.
    depth = np.where(compact > 0, np.minimum(depth, np.float32(1e6)), 0).astype(np.float32)
    most = np.zeros(count + 1, np.float32)
    most[1:] = ndimage.maximum(depth, compact, np.arange(1, count + 1)) if count else 0
    return np.asarray(depth / np.maximum(most, 1e-6)[compact], np.float32)


def borders(labels: NDArray[Any]) -> NDArray[np.float32]:
    """Voxels at most one step from where one object meets another or the background.

    Parameters
    ----------
    labels : ndarray (*S)
        Object numbers; 0 is background.

    Returns
    -------
    ndarray of float32 (*S)
        1 on both sides of each border, else 0.
    """
    found = np.zeros(labels.shape, bool)
    for axis in range(labels.ndim):
        low = tuple(slice(None, -1) if a == axis else slice(None) for a in range(labels.ndim))
        high = tuple(slice(1, None) if a == axis else slice(None) for a in range(labels.ndim))
        differs = labels[low] != labels[high]
        found[low] |= differs
        found[high] |= differs
    return found.astype(np.float32)


def decode(probabilities: NDArray[Any], objects: Objects) -> NDArray[np.int32]:
    """Find the objects in a network's two maps.

    Parameters
    ----------
    probabilities : ndarray (2, *S)
        Foreground, and distance or border, in [0, 1].
    objects : Objects
        Thresholds and least size.

    Returns
    -------
    ndarray of int32 (*S)
        Objects from 1 on; 0 is background. A patch of foreground without a heart of its own is
        one object.
    """
    import cc3d
    from skimage.segmentation import watershed

    inside = probabilities[0] > objects.foreground
    second = np.asarray(probabilities[1], np.float32)
    if objects.target == "distance":
        heart, height = inside & (second > objects.seed), second
    else:
        heart, height = inside & (second < 1 - objects.seed), 1 - second
    seeds = np.asarray(cc3d.connected_components(heart, connectivity=_faces(inside.ndim)))
    found = watershed(-height, seeds.astype(np.int32), mask=inside)
    found = _with_lone_pieces(found, inside)
    return _without_small(found, objects.size)


def _with_lone_pieces(found: NDArray[Any], inside: NDArray[np.bool_]) -> NDArray[Any]:
    """Number the pieces of foreground that no seed reached."""
    import cc3d

    rest = inside & (found == 0)
    if not rest.any():
        return found
    pieces = np.asarray(cc3d.connected_components(rest, connectivity=_faces(inside.ndim)))
    return np.where(rest, pieces.astype(np.int32) + int(found.max(initial=0)), found)


def _without_small(found: NDArray[Any], size: int) -> NDArray[np.int32]:
    """Leave out objects under a size and number the others from 1 on."""
    counts = np.bincount(found.ravel())
    keep = counts >= max(size, 1)
    keep[0] = False
    numbers = np.where(keep, np.cumsum(keep), 0).astype(np.int32)
    return np.asarray(numbers[found])


def _compacted(labels: NDArray[Any]) -> tuple[NDArray[np.uint32], int]:
    import fastremap

    compact, mapping = fastremap.renumber(labels.astype(np.uint32), in_place=False)
    return compact.astype(np.uint32), max(mapping.values(), default=0)


def _faces(ndim: int) -> int:
    return 4 if ndim == 2 else 6
