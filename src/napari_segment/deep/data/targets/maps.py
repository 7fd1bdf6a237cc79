"""Maps: class indices and the maps of objects, drawn from labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_segment.deep.planning.label_semantics import Objects

Task: TypeAlias = Literal["auto", "classes", "objects"]

UNKNOWN = -1  # of a class index or a map: nothing is asked of this voxel

_INNER = 0.5  # relative depth from which a voxel belongs to its object's seed


def not_annotated(labels: NDArray[Any], ignore_index: int | None = None) -> NDArray[np.bool_]:
    """Mark the voxels without annotation: negative labels, and those of `ignore_index`.

    Examples
    --------
    >>> not_annotated(np.array([0, 1, -1, 255]), 255)
    array([False, False,  True,  True])
    """
    ignored = np.asarray(labels < 0)
    return ignored if ignore_index is None else ignored | (labels == ignore_index)


def class_indices(
    labels: NDArray[Any], values: Sequence[int], ignore_index: int | None = None
) -> NDArray[np.int16]:
    """Turn label numbers into class indices.

    Parameters
    ----------
    labels : ndarray (*S)
        Label numbers.
    values : sequence of int
        The label of each class, background first. Other labels count as background.
    ignore_index : int, optional
        The label of voxels without annotation; they become -1, as negative labels do.

    Returns
    -------
    ndarray of int16 (*S)
    """
    indices = np.zeros(labels.shape, np.int16)
    for k, value in enumerate(values[1:], 1):
        indices[labels == value] = k
    indices[not_annotated(labels, ignore_index)] = UNKNOWN
    return indices


def object_maps(
    labels: NDArray[Any], objects: Objects, spacing: Sequence[float] = ()
) -> NDArray[np.float32]:
    """Draw the maps from which a network learns objects.

    Parameters
    ----------
    labels : ndarray (*S)
        Object numbers; 0 is background, and of what is negative nobody knows what it is.
        Touching objects are distinguished by their numbers.
    objects : Objects
        Which maps.
    spacing : sequence of float
        Of the axes; empty for 1.

    Returns
    -------
    ndarray of float32 (K, *S)
        Foreground and distance, border or seeds; or foreground and the flow along each axis, of
        which 0.5 stands still. In [0, 1]; -1 where a map has nothing to say: all of them where
        the labels are negative, flow outside objects.
    """
    known = labels >= 0
    marked = np.where(known, labels, 0)
    maps = np.stack([(marked > 0).astype(np.float32), *_telling_apart(marked, objects, spacing)])
    maps[:, ~known] = UNKNOWN
    return maps


def _telling_apart(
    marked: NDArray[Any], objects: Objects, spacing: Sequence[float]
) -> Sequence[NDArray[np.float32]]:
    if objects.target == "border":
        return [borders(marked)]
    if objects.target == "flow":
        from napari_segment.deep.data.targets.flow import flows

        flow_channels = (flows(marked) + 1) / 2
        return list(np.where(marked > 0, flow_channels, np.float32(UNKNOWN)))
    depth = relative_depth(marked, spacing)
    return [depth if objects.target == "distance" else (depth > _INNER).astype(np.float32)]


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

    compact, count = _compacted(labels)
    depth = edt.edt(
        compact, anisotropy=tuple(spacing) or None, black_border=False, parallel=1
    ).astype(np.float32)
    # An object that fills the whole array has no edge: its depth is infinite.
    depth = np.where(compact > 0, np.minimum(depth, np.float32(1e6)), 0).astype(np.float32)
    most = np.zeros(count + 1, np.float32)
    np.maximum.at(most, compact.ravel(), depth.ravel())
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
    border = np.zeros(labels.shape, bool)
    for axis in range(labels.ndim):
        low = tuple(slice(None, -1) if a == axis else slice(None) for a in range(labels.ndim))
        high = tuple(slice(1, None) if a == axis else slice(None) for a in range(labels.ndim))
        differs = labels[low] != labels[high]
        border[low] |= differs
        border[high] |= differs
    return border.astype(np.float32)


def _compacted(labels: NDArray[Any]) -> tuple[NDArray[np.uint32], int]:
    import fastremap

    compact, mapping = fastremap.renumber(labels.astype(np.uint32), in_place=False)
    return compact.astype(np.uint32), max(mapping.values(), default=0)
