"""Tables of all labels of an array: how often, where first, with whom; and maps through them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_segment.arrays import Array
from napari_segment.blocks.maps import Location, map_blocks, reduce_blocks
from napari_segment.blocks.slabs import over_slabs
from napari_segment.errors import InputError

Ids = NDArray[np.int64]
Pairs = NDArray[np.int64]

_LARGEST = 2**63 - 1
_DENSE = 1 << 24  # labels up to here are looked up in a table, larger ones by bisection


def counts(labels: Array) -> tuple[Ids, Ids]:
    """Count the voxels of each label.

    Parameters
    ----------
    labels : ndarray or dask Array
        Booleans or non-negative integers.

    Returns
    -------
    ids, voxels : ndarray (N,)
        The labels but 0 that occur, rising, and how many voxels each has.
    """
    ids, voxels = reduce_blocks(_count, labels, merge=_sum_counts)
    return ids[ids > 0], voxels[ids > 0]


def first_voxels(labels: Array) -> tuple[Ids, Ids]:
    """Find where each label comes first.

    Parameters
    ----------
    labels : ndarray or dask Array
        Booleans or non-negative integers.

    Returns
    -------
    ids, first : ndarray (N,)
        The labels but 0 that occur, rising, and the flat index (C order) of their first voxels.
    """
    return reduce_blocks(_first, labels, merge=_earliest)


def at_border(labels: Array, axes: Iterable[int] = range(3)) -> Ids:
    """Find the labels that touch the border of the array.

    Parameters
    ----------
    labels : ndarray or dask Array
        Booleans or non-negative integers.
    axes : iterable of int
        Whose ends are border.

    Returns
    -------
    ndarray (N,)
        Labels but 0, rising.
    """
    sides = tuple(axis for axis in axes if axis < labels.ndim)
    return reduce_blocks(partial(_outermost, axes=sides), labels, merge=_union)


def overlaps(a: Array, b: Array) -> tuple[Pairs, Ids]:
    """Count the voxels that each label of one array shares with each of another.

    Parameters
    ----------
    a, b : ndarray or dask Array
        Of one shape; booleans or non-negative integers.

    Returns
    -------
    pairs : ndarray (N, 2)
        Label of `a`, label of `b`, 0 included; sorted.
    voxels : ndarray (N,)
        How many voxels have both.
    """
    table = reduce_blocks(_overlap, a, b, merge=_sum_pairs)
    return table.pairs, table.counts[:, 0]


def contacts(labels: Array, *, background: bool = False) -> tuple[Pairs, Pairs]:
    """Count the voxel faces in which labels touch each other.

    Parameters
    ----------
    labels : ndarray or dask Array
        Non-negative integers.
    background : bool
        Whether contacts with 0 count too.

    Returns
    -------
    pairs : ndarray (N, 2)
        The smaller label, the larger label; sorted.
    faces : ndarray (N, D)
        Number of shared faces across each axis.
    """
    gather = partial(_touching, background=background)
    table = reduce_blocks(gather, labels, merge=_sum_pairs, before=1)
    return table.pairs, table.counts


def replace_labels(labels: Array, ids: Ids, values: NDArray[Any], dtype: DTypeLike) -> Array:
    """Give labels other values; labels that are not listed, and 0, become 0.

    Parameters
    ----------
    labels : ndarray or dask Array
        Booleans or non-negative integers.
    ids : ndarray (N,)
        Labels, rising.
    values : ndarray (N,)
        What each becomes.
    dtype : dtype
        Of the result, which is of native byte order.

    Returns
    -------
    ndarray or dask Array
        Of the shape of `labels`; lazy where it is.
    """
    dtype = np.dtype(dtype).newbyteorder("=")
    values = np.asarray(values).astype(dtype)
    if labels.dtype == bool:
        labels = labels.view(np.uint8)
    if len(ids) and ids[-1] > _DENSE:
        return map_blocks(partial(_searched, ids, values), labels, dtype=dtype)
    # One entry more than the largest, to which all others beyond the table are sent.
    table = np.zeros((int(ids[-1]) if len(ids) else 0) + 2, dtype)
    table[ids] = values
    return map_blocks(partial(_looked_up, table), labels, dtype=dtype)


def _looked_up(table: NDArray[Any], block: NDArray[Any]) -> NDArray[Any]:
    from napari_segment.blocks.label_kernels import look_up

    block = np.ascontiguousarray(block)
    out = np.empty(block.shape, table.dtype)
    over_slabs(lambda a, b: look_up(table, block[a:b].ravel(), out[a:b].ravel()), len(block))
    return out


def _searched(ids: Ids, values: NDArray[Any], block: NDArray[Any]) -> NDArray[Any]:
    block = block.astype(ids.dtype, copy=False)  # else both are compared as float64
    index = np.minimum(np.searchsorted(ids, block), len(ids) - 1)
    return np.where(ids[index] == block, values[index], values.dtype.type(0))


# ---- one block, and the sum of blocks ----


def _runs(*blocks: NDArray[Any]) -> tuple[list[NDArray[Any]], Ids, Ids]:
    """Cut flat blocks where one of them changes: the values, starts and lengths of the runs."""
    flat = [np.ravel(b) for b in blocks]
    changes = np.zeros(flat[0].size, bool)
    changes[:1] = True
    for values in flat:
        changes[1:] |= values[1:] != values[:-1]
    starts = np.flatnonzero(changes)
    lengths = np.diff(starts, append=flat[0].size)
    return [values[starts] for values in flat], starts, lengths


def _summed(keys: NDArray[Any], weights: Ids) -> tuple[NDArray[Any], Ids]:
    ids, index = np.unique(keys, return_inverse=True)
    return ids, np.bincount(index, weights, len(ids)).astype(np.int64)


def _check(block: NDArray[Any]) -> None:
    """Refuse what is no number of a label, or none that a table holds."""
    if block.dtype.kind == "i" and block.min(initial=0) < 0:
        raise InputError(
            f"Labels count from 0, but the smallest is {block.min()}. Set what is no object to 0."
        )
    if block.dtype == np.uint64 and block.max(initial=0) > _LARGEST:
        raise InputError(
            f"Labels count up to {_LARGEST}, but the largest is {block.max()}. Number them anew, "
            "such as by np.unique(labels, return_inverse=True)."
        )


def _count(_location: Location, block: NDArray[Any]) -> tuple[Ids, Ids]:
    _check(block)
    if block.dtype == bool:
        voxels = int(np.count_nonzero(block))
        return np.array([0, 1]), np.array([block.size - voxels, voxels])
    if block.size and block.max() <= _DENSE:
        from napari_segment.blocks.label_kernels import count

        counted = count(block.ravel(), int(block.max()))
        ids = np.flatnonzero(counted)
        return ids, counted[ids]
    (values,), _, lengths = _runs(block)
    ids, sums = _summed(values, lengths)
    return ids.astype(np.int64), sums


def _sum_counts(parts: Sequence[tuple[Ids, Ids]]) -> tuple[Ids, Ids]:
    ids, voxels = _summed(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    return ids[voxels > 0], voxels[voxels > 0]


def _first(location: Location, block: NDArray[Any]) -> tuple[Ids, Ids]:
    _check(block)
    (values,), starts, _ = _runs(block)
    ids, where = np.unique(values, return_index=True)
    starts = starts[where[ids > 0]]
    inside = np.unravel_index(starts, block.shape)
    index = tuple(i + s for i, s in zip(inside, location.start, strict=True))
    return ids[ids > 0].astype(np.int64), np.ravel_multi_index(index, location.shape).astype(
        np.int64
    )


def _earliest(parts: Sequence[tuple[Ids, Ids]]) -> tuple[Ids, Ids]:
    ids, first = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.lexsort((first, ids))
    ids, where = np.unique(ids[order], return_index=True)
    return ids, first[order][where]


def _outermost(location: Location, block: NDArray[Any], *, axes: tuple[int, ...]) -> Ids:
    outermost = [np.empty(0, np.int64)]
    for axis in axes if block.size else ():
        if location.start[axis] == 0:
            outermost.append(np.unique(block.take(0, axis)).astype(np.int64))
        if location.stop[axis] == location.shape[axis]:
            outermost.append(np.unique(block.take(-1, axis)).astype(np.int64))
    return _union(outermost)


def _union(parts: Sequence[Ids]) -> Ids:
    ids = np.unique(np.concatenate(list(parts)))
    return ids[ids > 0]


@dataclass(frozen=True)
class _Table:
    """Counts by pair of labels."""

    pairs: Pairs  # (N, 2), sorted
    counts: NDArray[np.int64]  # (N, K)


def _sum_pairs(parts: Sequence[_Table]) -> _Table:
    pairs = np.concatenate([part.pairs for part in parts])
    weights = np.concatenate([part.counts for part in parts])
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    pairs, weights = pairs[order], weights[order]
    new = np.ones(len(pairs), bool)
    new[1:] = (pairs[1:] != pairs[:-1]).any(1)
    starts = np.flatnonzero(new)
    if not len(starts):
        return _Table(pairs, weights)
    return _Table(pairs[starts], np.add.reduceat(weights, starts))


def _overlap(_location: Location, a: NDArray[Any], b: NDArray[Any]) -> _Table:
    values, _, lengths = _runs(a, b)
    return _sum_pairs([_Table(np.stack(values, 1).astype(np.int64), lengths[:, None])])


def _touching(location: Location, block: NDArray[Any], *, background: bool) -> _Table:
    """Faces between a block's own voxels and their predecessors along each axis."""
    parts = [_Table(np.empty((0, 2), np.int64), np.empty((0, block.ndim), np.int64))]
    own = tuple(slice(b, None) for b in location.before)
    for axis in range(block.ndim):
        later = block[(*own[:axis], slice(1, None), *own[axis + 1 :])]
        earlier = block[(*own[:axis], slice(None, -1), *own[axis + 1 :])]
        touch = later != earlier
        if not background:
            touch &= (later != 0) & (earlier != 0)
        pairs = np.stack([earlier[touch], later[touch]], 1).astype(np.int64)
        pairs.sort(axis=1)
        faces = np.zeros((len(pairs), block.ndim), np.int64)
        faces[:, axis] = 1
        parts.append(_sum_pairs([_Table(pairs, faces)]))
    return _sum_pairs(parts)
