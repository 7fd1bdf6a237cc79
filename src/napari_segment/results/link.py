"""Link objects from plane to plane into 3-D, and from time point to time point into tracks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Annotated, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.blocks import counts, is_lazy, map_blocks, overlaps, replace_labels
from napari_segment.errors import InputError
from napari_segment.image import Labels, smallest_integers
from napari_segment.registry import cleanups
from napari_segment.results.cleanup.components import relabel
from napari_segment.results.features import followed
from napari_segment.results.matching import best_matching

MinOverlap: TypeAlias = Annotated[float, Field(gt=0, le=1)]
MaxGap: TypeAlias = Annotated[int, Field(ge=0, le=100)]


@cleanups.add("link_planes", title="Link planes into 3-D", gives="objects", ndim=(3,), group="link")
def link_planes(labels: Array, *, min_overlap: MinOverlap = 0.5, max_gap: MaxGap = 1) -> Any:
    """Join the 2-D objects of consecutive planes into 3-D objects.

    Parameters
    ----------
    labels : array (Z, Y, X)
        Objects of each plane; the same number in two planes says nothing.
    min_overlap : float
        Least overlap of two objects, as a fraction of the smaller of the two.
    max_gap : int
        Largest number of planes in a row that an object may be missing from.

    Returns
    -------
    array (Z, Y, X)
        Objects, numbered by first voxel; missing planes are not filled in. From each plane to
        the next the objects are paired so that the sum of overlaps is largest.

    Examples
    --------
    >>> link_planes(np.array([[[1, 1, 0, 2]], [[7, 7, 0, 0]], [[3, 0, 0, 1]]]))[:, 0]
    array([[1, 1, 0, 2],
           [1, 1, 0, 0],
           [1, 0, 0, 2]], dtype=uint8)
    """
    return relabel(link_along(labels, 0, min_overlap=min_overlap, max_gap=max_gap))


def track(labels: Labels, *, min_overlap: float = 0.5, max_gap: int = 1) -> Labels:
    """Give an object the same number at all time points.

    Parameters
    ----------
    labels : Labels
        Objects with a time axis, in 2-D or 3-D; the same number at two time points says nothing.
    min_overlap : float
        Least overlap of an object with itself at the next time point, as a fraction of the smaller
        of the two.
    max_gap : int
        Largest number of time points in a row that an object may be missing from.

    Returns
    -------
    Labels
        Objects numbered by track, in the order in which they appear. An object that divides goes
        on as the part that overlaps it most.
    """
    if "T" not in labels.axes or labels.holds != "objects":
        raise InputError(
            f"Tracks need objects with a time axis, but these labels hold {labels.holds} and have "
            f"axes {labels.axes}."
        )
    ordered = labels.canonical()
    linked = ordered.replace(
        data=link_along(ordered.data, 0, min_overlap=min_overlap, max_gap=max_gap)
    )
    linked = linked.replace(features=followed(ordered.features, ordered, linked))
    return linked.transpose(labels.axes)


def link_along(labels: Array, axis: int, *, min_overlap: float = 0.5, max_gap: int = 1) -> Any:
    """Link objects along one axis.

    Parameters
    ----------
    labels : ndarray or dask Array
        Objects within each position along the axis.
    axis : int
        Along which they are linked.
    min_overlap, max_gap
        As for `link_planes`.

    Returns
    -------
    ndarray or dask Array
        Numbered in the order of the planes, and within a plane of its numbers.
    """
    planes = [labels[(slice(None),) * axis + (i,)] for i in range(labels.shape[axis])]
    ids, numbers, total = _chains(planes, min_overlap, max_gap)
    dtype = smallest_integers(total)
    linked = (
        replace_labels(plane, i, n, dtype) for plane, i, n in zip(planes, ids, numbers, strict=True)
    )
    if is_lazy(labels):
        if not planes:
            return labels.astype(dtype)
        import dask.array as da

        return da.stack(list(linked), axis).rechunk(labels.chunks)
    out = np.empty(labels.shape, dtype)
    for plane, own in zip(np.moveaxis(out, axis, 0), linked, strict=True):
        plane[:] = own
    return out


def _chains(
    planes: Sequence[Any], min_overlap: float, max_gap: int
) -> tuple[list[NDArray[np.int64]], list[NDArray[np.int64]], int]:
    """Return for each plane its labels, and the number of the chain that each belongs to."""
    ids: list[NDArray[np.int64]] = []
    sizes: list[NDArray[np.int64]] = []
    numbers: list[NDArray[np.int64]] = []
    total = 0
    for z, plane in enumerate(planes):
        own, voxels = counts(plane)
        number = np.zeros(len(own), np.int64)
        for before in range(z - 1, max(-1, z - 2 - max_gap), -1):  # the nearest plane first
            ended = ~np.isin(numbers[before], [n for later in numbers[before + 1 :] for n in later])
            pairs, shares = _shares(planes[before], plane, ids[before], own, sizes[before], voxels)
            open_ = ended[pairs[:, 0]] & (number[pairs[:, 1]] == 0) & (shares >= min_overlap)
            pairs = pairs[open_][best_matching(pairs[open_], shares[open_])]
            chain = numbers[before][pairs[:, 0]]
            free = ~np.isin(chain, number)
            number[pairs[free, 1]] = chain[free]
        new = number == 0
        number[new] = total + np.arange(1, new.sum() + 1)
        total += int(new.sum())
        ids.append(own)
        sizes.append(voxels)
        numbers.append(number)
    return ids, numbers, total


def _shares(
    a: Array,
    b: Array,
    ids_a: NDArray[np.int64],
    ids_b: NDArray[np.int64],
    sizes_a: NDArray[np.int64],
    sizes_b: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the pairs (index in a, in b) of overlapping objects, with the smaller's share."""
    pairs, voxels = overlaps(a, b)
    both = (pairs > 0).all(1)
    i = np.searchsorted(ids_a, pairs[both, 0])
    j = np.searchsorted(ids_b, pairs[both, 1])
    return np.stack([i, j], 1), voxels[both] / np.minimum(sizes_a[i], sizes_b[j])


# ---- several opinions ----


def consensus(volumes: Sequence[Any], *, iou: float = 0.25) -> Any:
    """Return what most of several segmentations into objects agree on.

    With planes segmented and linked along each of three orthogonal axes, an object that one
    direction split, merged or missed is put right by the two others.

    Parameters
    ----------
    volumes : sequence of ndarray or dask Array
        Objects, all of one shape; the numbers of one say nothing in another.
    iou : float
        From which overlap on two objects of different volumes can be the same.

    Returns
    -------
    ndarray or dask Array
        Objects, numbered by first voxel. A voxel belongs to an object where more than half of the
        volumes say so.
    """
    if len({tuple(v.shape) for v in volumes}) != 1:
        raise InputError("A consensus needs volumes of one shape, at least one.")
    ids = [counts(v)[0] for v in volumes]
    groups = _groups(volumes, ids, iou)
    total = max((int(g.max(initial=0)) for g in groups), default=0)
    dtype = smallest_integers(total)
    named = [replace_labels(v, i, g, dtype) for v, i, g in zip(volumes, ids, groups, strict=True)]
    return relabel(map_blocks(_majority, *named, dtype=dtype))


def _groups(
    volumes: Sequence[Any], ids: Sequence[NDArray[np.int64]], iou: float
) -> list[NDArray[np.int64]]:
    """Number the objects of all volumes so that the same object has the same number.

    The best pairs are joined first; no group holds two objects of one volume.
    """
    offsets = np.cumsum([0, *map(len, ids)])
    tables = [np.empty((0, 3))]
    for a, b in combinations(range(len(volumes)), 2):
        pairs, value = _ious(volumes[a], volumes[b])
        i = np.searchsorted(ids[a], pairs[:, 0]) + offsets[a]
        j = np.searchsorted(ids[b], pairs[:, 1]) + offsets[b]
        tables.append(np.stack([-value, i, j], 1)[value >= iou])
    table = np.concatenate(tables)
    table = table[np.lexsort(table.T[::-1])]
    group = np.arange(1, offsets[-1] + 1)
    members = {int(n): [k] for k, n in enumerate(group)}
    volume = np.repeat(np.arange(len(volumes)), [len(i) for i in ids])
    for i, j in table[:, 1:].astype(int).tolist():
        one, other = int(group[i]), int(group[j])
        if one != other and not set(volume[members[one]]) & set(volume[members[other]]):
            members[one] += members.pop(other)
            group[members[one]] = one
    return np.split(group, offsets[1:-1])


def _ious(a: Array, b: Array) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    from napari_segment.results.compare.objects import Overlap

    table = Overlap(*overlaps(a, b))
    return table.pairs[table.touching], table.iou


def _majority(*volumes: NDArray[Any]) -> NDArray[Any]:
    chosen = np.zeros_like(volumes[0])
    for volume in volumes:
        votes = np.sum([volume == other for other in volumes], axis=0, dtype=np.uint8)
        chosen = np.where((votes * 2 > len(volumes)) & (volume > 0), volume, chosen)
    return chosen
