"""Cleanups that number, choose and join whole components and objects."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.blocks import (
    at_border,
    contacts,
    counts,
    first_voxels,
    label,
    overlaps,
    replace_labels,
)
from napari_segment.image import Holds, smallest_integers
from napari_segment.registry import cleanups
from napari_segment.results.cleanup.instances import (
    Connectivity,
    Spacing,
    Unit,
    full_spacing,
    instances_of,
    max_voxels,
    min_voxels,
    select_instances,
)

GROUP = "components"


@cleanups.add("connected_components", title="Connected components", gives="objects", group=GROUP)
def connected_components(
    labels: Array,
    spacing: Spacing = (),
    *,
    connectivity: Connectivity = 1,
    min_size: Annotated[float, Field(ge=0)] = 0,
    units: Unit = "voxels",
) -> Any:
    """Number the connected components: each becomes an object.

    Parameters
    ----------
    labels : array (Y, X) or (Z, Y, X)
        A mask, classes or objects. Voxels are connected where their labels are equal.
    min_size : float
        The smallest size of a component that becomes an object. `remove_small` afterwards would
        leave gaps between the numbers, and take more time and memory.

    Returns
    -------
    array
        Unsigned integers, numbered from 1 by first voxel (top left first).

    Examples
    --------
    >>> connected_components(np.array([[True, False, True]]))
    array([[1, 0, 2]], dtype=uint8)
    """
    return label(labels, connectivity, min_voxels(min_size, labels, spacing, units))[0]


@cleanups.add("remove_small", title="Remove small", group=GROUP)
def remove_small(
    labels: Array,
    spacing: Spacing = (),
    holds: Holds = "mask",
    *,
    min_size: Annotated[float, Field(ge=0)] = 64,
    units: Unit = "voxels",
    connectivity: Connectivity = 1,
) -> Any:
    """Remove what is smaller than a size.

    Parameters
    ----------
    labels : array (Y, X) or (Z, Y, X)
        A mask, classes or objects.
    holds : {"mask", "classes", "objects"}
        Whether sizes are those of components or of objects.
    min_size : float
        The smallest size that stays.

    Returns
    -------
    array
        As `labels`; the numbers of what stays are unchanged.

    Examples
    --------
    >>> remove_small(np.array([[True, True, False, True]]), min_size=2)
    array([[ True,  True, False, False]])
    """
    parts = instances_of(labels, holds, connectivity)
    ids, voxels = counts(parts)
    return select_instances(
        labels, parts, ids[voxels >= min_voxels(min_size, labels, spacing, units)]
    )


@cleanups.add("remove_large", title="Remove large", group=GROUP)
def remove_large(
    labels: Array,
    spacing: Spacing = (),
    holds: Holds = "mask",
    *,
    max_size: Annotated[float, Field(ge=0)] = 10_000,
    units: Unit = "voxels",
    connectivity: Connectivity = 1,
) -> Any:
    """Remove what is larger than a size.

    Parameters
    ----------
    labels : array (Y, X) or (Z, Y, X)
        A mask, classes or objects.
    holds : {"mask", "classes", "objects"}
        Whether sizes are those of components or of objects.
    max_size : float
        The largest size that stays.

    Returns
    -------
    array
        As `labels`; the numbers of what stays are unchanged.

    Examples
    --------
    >>> remove_large(np.array([[True, True, False, True]]), max_size=1)
    array([[False, False, False,  True]])
    """
    parts = instances_of(labels, holds, connectivity)
    ids, voxels = counts(parts)
    return select_instances(
        labels, parts, ids[voxels <= max_voxels(max_size, labels, spacing, units)]
    )


@cleanups.add("keep_largest", title="Keep largest", group=GROUP)
def keep_largest(
    labels: Array,
    holds: Holds = "mask",
    *,
    count: Annotated[int, Field(ge=1)] = 1,
    connectivity: Connectivity = 1,
) -> Any:
    """Keep only the largest component (of each class), or the largest object.

    Parameters
    ----------
    labels : array (Y, X) or (Z, Y, X)
        A mask, classes or objects.
    holds : {"mask", "classes", "objects"}
        Whether components are ranked, components within each class, or objects.
    count : int
        How many stay. Of equally large ones, the first (by first voxel, or by number) stays.

    Returns
    -------
    array
        As `labels`; the numbers of what stays are unchanged.

    Examples
    --------
    >>> keep_largest(np.array([[1, 1, 0, 1, 2]]), holds="classes")
    array([[1, 1, 0, 0, 2]])
    """
    parts = instances_of(labels, holds, connectivity)
    ids, voxels = counts(parts)
    group = overlaps(parts, labels)[0] if holds == "classes" else np.zeros((len(ids), 2), np.int64)
    group = group[group[:, 0] > 0, 1] if holds == "classes" else group[:, 1]
    order = np.lexsort((ids, -voxels, group))  # the largest of each group first
    starts = np.searchsorted(group[order], group[order])
    rank = np.arange(len(ids)) - starts
    return select_instances(labels, parts, np.sort(ids[order[rank < count]]))


@cleanups.add("clear_border", title="Clear border", group=GROUP)
def clear_border(
    labels: Array,
    holds: Holds = "mask",
    *,
    border: Literal["all", "plane"] = "all",
    connectivity: Connectivity = 1,
) -> Any:
    """Remove what touches the border of the image.

    Parameters
    ----------
    labels : array (Y, X) or (Z, Y, X)
        A mask, classes or objects.
    holds : {"mask", "classes", "objects"}
        Whether components or objects are removed.
    border : {"all", "plane"}
        All sides of a volume, or only those of its planes, so that what is cut by the first and
        last plane stays.

    Returns
    -------
    array
        As `labels`; the numbers of what stays are unchanged.

    Examples
    --------
    >>> clear_border(np.array([[0, 0, 0, 0], [1, 0, 2, 0], [0, 0, 0, 0]]), holds="objects")
    array([[0, 0, 0, 0],
           [0, 0, 2, 0],
           [0, 0, 0, 0]])
    """
    parts = instances_of(labels, holds, connectivity)
    axes = range(labels.ndim) if border == "all" else range(labels.ndim - 2, labels.ndim)
    ids, _ = counts(parts)
    return select_instances(
        labels, parts, np.setdiff1d(ids, at_border(parts, axes), assume_unique=True)
    )


@cleanups.add("relabel", title="Number anew", group=GROUP)
def relabel(
    labels: Array, holds: Holds = "objects", *, order: Literal["position", "size"] = "position"
) -> Any:
    """Number the objects from 1 without gaps.

    Parameters
    ----------
    labels : array (Y, X) or (Z, Y, X)
        Objects. A mask and classes come back unchanged: their numbers have a meaning.
    holds : {"mask", "classes", "objects"}
        What the numbers mean.
    order : {"position", "size"}
        In the order of their first voxels (top left first), or the largest first; of equally
        large ones, the first by position.

    Returns
    -------
    array
        Of the smallest unsigned type that holds the largest number.

    Examples
    --------
    >>> relabel(np.array([[7, 0, 3, 3]]), order="size")
    array([[2, 0, 1, 1]], dtype=uint8)
    """
    if holds != "objects":
        return labels
    ids, first = first_voxels(labels)
    ranking = np.argsort(first) if order == "position" else np.lexsort((first, -counts(labels)[1]))
    number = np.empty(len(ids), np.int64)
    number[ranking] = np.arange(1, len(ids) + 1)
    return replace_labels(labels, ids, number, smallest_integers(len(ids)))


@cleanups.add("merge", title="Merge touching", group=GROUP)
def merge(
    labels: Array,
    spacing: Spacing = (),
    holds: Holds = "objects",
    *,
    min_fraction: Annotated[float, Field(ge=0, le=1)] = 0.3,
) -> Any:
    """Merge objects that touch each other over a large part of their surface.

    Parameters
    ----------
    labels : array (Y, X) or (Z, Y, X)
        Objects. A mask and classes come back unchanged: their parts do not touch.
    holds : {"mask", "classes", "objects"}
        What the numbers mean.
    min_fraction : float
        Two objects become one where their contact is at least this fraction of the surface of the
        one with the smaller surface; 0 merges all that touch. Surfaces are sums of voxel faces;
        the border of the image is none.

    Returns
    -------
    array
        As `labels`. Merged objects take the smallest of their numbers.

    Examples
    --------
    >>> merge(np.array([[1, 1, 2, 0, 3]]), min_fraction=0.1)
    array([[1, 1, 1, 0, 3]])
    """
    if holds != "objects":
        return labels
    ids, _ = counts(labels)
    pairs, faces = contacts(labels, background=True)
    areas = faces @ _face_areas(full_spacing(spacing, labels.ndim))
    surface = np.zeros(len(ids) + 1)
    index = np.searchsorted(ids, pairs) + (pairs > 0)  # 0 for background, from 1 for objects
    for side in (0, 1):
        np.add.at(surface, index[:, side], areas)
    smaller = surface[index].min(1)
    join = (pairs[:, 0] > 0) & (areas >= min_fraction * smaller)
    return replace_labels(
        labels, ids, ids[_first_of_group(len(ids), index[join] - 1)], labels.dtype
    )


def _face_areas(spacing: Spacing) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the area of the face between two voxels, across each axis."""
    return np.asarray(np.prod(spacing) / np.asarray(spacing))


def _first_of_group(count: int, pairs: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return for each of `count` items the first one that it is connected with by the pairs."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components as groups_of

    graph = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    _, group = groups_of(graph, directed=False)
    _, first = np.unique(group, return_index=True)
    return np.asarray(first[group])
