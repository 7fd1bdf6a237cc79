"""Connected components of any array, joined across the faces of its blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Array, Lazy
from napari_segment.blocks.maps import is_lazy, native
from napari_segment.blocks.passes import computed
from napari_segment.blocks.slabs import over_slabs
from napari_segment.blocks.tables import overlaps, replace_labels
from napari_segment.errors import InputError
from napari_segment.image import smallest_integers

_SLAB = 1 << 20  # voxels for one thread at a time

Index = tuple[int, ...]
Direction = tuple[int, ...]


def label(array: Array, connectivity: int = 1, smallest: float = 0) -> tuple[Any, int]:
    """Number the connected components of voxels of equal, non-zero value.

    Parameters
    ----------
    array : ndarray or dask Array (Y, X) or (Z, Y, X)
        Booleans or integers. Zero is background.
    connectivity : int
        How many coordinates may differ by one between neighbours: 1 for faces, 2 for edges too,
        3 for corners too. More than the array's dimensions mean all of them.
    smallest : float
        Components of fewer voxels become background, and are not counted.

    Returns
    -------
    components : ndarray or dask Array
        Unsigned integers of the smallest type, numbered from 1 by first voxel in C order, and so
        the same for every chunking. Lazy where `array` is: the blocks are then read once at the
        call, to join components across their faces, and once more when the result is computed.
    count : int
        How many components there are.

    Raises
    ------
    InputError
        If the array has not two or three dimensions.

    Examples
    --------
    >>> label(np.array([[1, 0, 2], [1, 0, 0]]))[0]
    array([[1, 0, 2],
           [1, 0, 0]], dtype=uint8)
    """
    array = _in_space(array)
    connectivity = min(connectivity, array.ndim)
    if not array.size:
        return array.astype(np.uint8), 0
    if is_lazy(array):
        return _label_lazily(array, connectivity, smallest)
    components, first, _ = _label_block(array, connectivity, smallest)
    return components, len(first)


def connected_to(seeds: Array, mask: Array, connectivity: int = 1) -> Array:
    """Keep the components of a mask that hold at least one seed.

    Parameters
    ----------
    seeds, mask : ndarray or dask Array (Y, X) or (Z, Y, X)
        Of one shape and bool.
    connectivity : int
        As of `label`.

    Returns
    -------
    ndarray or dask Array of bool
        Lazy where `mask` is.
    """
    components, _ = label(mask, connectivity)
    pairs, _ = overlaps(components, seeds)
    retained = np.unique(pairs[(pairs > 0).all(1), 0])
    return replace_labels(components, retained, np.ones(len(retained), np.bool_), np.bool_)


@dataclass(frozen=True)
class Runs:
    """Connected components as runs of voxels along the last axis of an array.

    Parameters
    ----------
    at, length : ndarray (N,)
        The flat index of each run's first voxel, and how many voxels it has; component by
        component, rising in each.
    starts : ndarray (C + 1,)
        Where the runs of each component begin, and their number.
    """

    at: NDArray[np.int64]
    length: NDArray[np.int32]
    starts: NDArray[np.int64]


def runs(array: Array, connectivity: int = 1) -> Runs:
    """Find the connected components of an array in memory, without painting them.

    Parameters
    ----------
    array : ndarray (Y, X) or (Z, Y, X)
        Booleans or integers, not empty. Zero is background.
    connectivity : int
        As of `label`.

    Returns
    -------
    Runs
        Components in the order of their first voxels.
    """
    from napari_segment.blocks.component_kernels import sort_runs

    array = _in_space(array)
    offsets, begin, end, number, first, _ = _joined_runs(array, min(connectivity, array.ndim))
    starts = np.zeros(len(first) + 2, np.int64)
    at, length = np.empty(len(begin), np.int64), np.empty(len(begin), np.int32)
    sort_runs(offsets, begin, end, number, array.shape[-1], starts, at, length)
    return Runs(at, length, starts[:-1])


def _in_space(array: Array) -> Array:
    """An array in native byte order; time points or channels would be joined as planes are."""
    if array.ndim not in (2, 3):
        raise InputError(
            f"Components are found in planes or volumes, but the array has {array.ndim} dimensions "
            f"{tuple(array.shape)}. Give one time point and one channel at a time."
        )
    return native(array)


def _label_block(
    block: NDArray[Any], connectivity: int, smallest: float = 0
) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]]:
    """Components numbered by first voxel, the flat indices of the first voxels, and sizes."""
    from napari_segment.blocks.component_kernels import paint_runs

    offsets, begin, end, number, first, sizes = _joined_runs(block, connectivity)
    stays = sizes >= smallest
    if not stays.all():
        number = np.append(0, np.cumsum(stays) * stays).astype(np.int32)[number]
        first, sizes = first[stays], sizes[stays]
    painted = np.zeros((len(offsets) - 1, block.shape[-1]), smallest_integers(len(first)))
    over_slabs(
        lambda a, b: paint_runs(offsets[a : b + 1], begin, end, number, painted[a:b]),
        len(painted),
        _thickness(painted),
    )
    row = np.searchsorted(offsets, first, side="right") - 1
    return painted.reshape(block.shape), row * painted.shape[1] + begin[first], sizes


def _joined_runs(block: NDArray[Any], connectivity: int) -> tuple[NDArray[Any], ...]:
    """Where the runs of each row begin; begin, end and component of each; first runs and sizes.

    Runs of equal values along the last axis are joined across rows and planes (He, Chao and
    Suzuki 2008, doi:10.1109/TIP.2008.919369); memory goes with the runs.
    """
    from napari_segment.blocks.component_kernels import join_runs

    values = block.view(np.uint8) if block.dtype == bool else block
    rows = np.ascontiguousarray(values).reshape(-1, block.shape[-1])
    most = -(-block.shape[-1] // (2 if block.dtype == bool else 1))
    runs_of_slabs = over_slabs(lambda a, b: _runs(rows[a:b], most), len(rows), _thickness(rows))
    counts, begin, end, value = (
        np.concatenate(parts) for parts in zip(*runs_of_slabs, strict=True)
    )
    del runs_of_slabs
    offsets = np.concatenate([[0], np.cumsum(counts)])
    number = np.arange(len(begin), dtype=np.int32)
    first, sizes = np.zeros((2, len(begin)), np.int64)  # most of it is never touched
    count = join_runs(
        offsets, begin, end, value, block.shape[-2], connectivity, number, first, sizes
    )
    return offsets, begin, end, number, first[:count].copy(), sizes[:count].copy()


def _runs(rows: NDArray[Any], most: int) -> tuple[NDArray[Any], ...]:
    """How many runs (at `most`) each row has; of each run its begin, end and value."""
    from napari_segment.blocks.component_kernels import find_runs

    counts = np.empty(len(rows), np.int64)
    begin, end = np.empty((2, len(rows) * most), np.int32)
    value = np.empty(len(rows) * most, rows.dtype)
    n = find_runs(rows, counts, begin, end, value)
    return counts, begin[:n].copy(), end[:n].copy(), value[:n].copy()


def _thickness(rows: NDArray[Any]) -> int:
    """Rows for one thread: of little data all, else few enough that their runs need little room."""
    return max(1, _SLAB // max(int(rows.shape[1]), 1))


# ---- block by block ----


@dataclass(frozen=True)
class _Part:
    """What the rest of the array must know of one block: little."""

    first: NDArray[np.int64]  # of each component, the flat index of its first voxel in the array
    sizes: NDArray[np.int64]  # of each component, how many voxels it has
    values: NDArray[Any]  # of each component, its value
    faces: Mapping[tuple[int, int], NDArray[Any]]  # (axis, side) -> components on that face


def _label_lazily(array: Lazy, connectivity: int, smallest: float) -> tuple[Lazy, int]:
    import dask
    import dask.array as da

    array = array.rechunk(tuple(tuple(c for c in sizes if c) or (0,) for sizes in array.chunks))
    blocks = array.to_delayed()
    starts = [np.cumsum([0, *sizes[:-1]]) for sizes in array.chunks]
    parts = {
        index: dask.delayed(_part)(
            blocks[index],
            tuple(int(s[i]) for s, i in zip(starts, index, strict=True)),
            array.shape,
            connectivity,
        )
        for index in np.ndindex(blocks.shape)
    }
    summaries = {index: dask.delayed(_summary)(part) for index, part in parts.items()}
    seams = _all_seams(parts, connectivity)
    summaries, seams = computed([dask.delayed(summaries), dask.delayed(seams)])
    tables, count = _joined(summaries, seams, smallest)
    dtype = smallest_integers(count)
    pieces = np.empty(blocks.shape, object)
    for index in np.ndindex(blocks.shape):
        shape = tuple(sizes[i] for sizes, i in zip(array.chunks, index, strict=True))
        table = tables[index].astype(dtype)
        piece = dask.delayed(_numbered)(blocks[index], table, connectivity)
        pieces[index] = da.from_delayed(piece, shape, dtype)
    return da.block(pieces.tolist()), count


def _part(block: NDArray[Any], start: Index, shape: Index, connectivity: int) -> _Part:
    components, begins, sizes = _label_block(block, connectivity)
    inside = np.unravel_index(begins, block.shape)
    first = np.ravel_multi_index(
        tuple(i + s for i, s in zip(inside, start, strict=True)), shape
    ).astype(np.int64)
    values = np.concatenate([np.zeros(1, block.dtype), block.ravel()[begins]])
    faces = {
        (axis, side): components.take(0 if side < 0 else -1, axis)
        for axis in range(block.ndim)
        for side in (-1, 1)
    }
    return _Part(first, sizes, values, faces)


def _summary(part: _Part) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return part.first, part.sizes


def _numbered(block: NDArray[Any], table: NDArray[Any], connectivity: int) -> NDArray[Any]:
    numbered: NDArray[Any] = table[_label_block(block, connectivity)[0]]
    return numbered


def _all_seams(parts: Mapping[Index, Any], connectivity: int) -> list[tuple[Index, Index, Any]]:
    """For each pair of touching blocks, their indices and the pairs of components that touch."""
    import dask

    dimensions = len(next(iter(parts)))
    seams = []
    for index, part in parts.items():
        for direction in product((-1, 0, 1), repeat=dimensions):
            if direction <= (0,) * dimensions or np.count_nonzero(direction) > connectivity:
                continue  # each pair once
            other = tuple(i + d for i, d in zip(index, direction, strict=True))
            if other in parts:
                pairs = dask.delayed(_seam)(part, parts[other], direction, connectivity)
                seams.append((index, other, pairs))
    return seams


def _seam(a: _Part, b: _Part, direction: Direction, connectivity: int) -> NDArray[np.int64]:
    """Pairs (component of a, component of b) of equal value that touch, (N, 2)."""
    ours, theirs = _facing(a, direction, 1), _facing(b, direction, -1)
    left = connectivity - np.count_nonzero(direction)
    touching = [np.empty((0, 2), np.int64)]
    for shift in product((-1, 0, 1), repeat=ours.ndim):
        if np.count_nonzero(shift) > left:
            continue
        p = ours[
            tuple(slice(max(-s, 0), n - max(s, 0)) for s, n in zip(shift, ours.shape, strict=True))
        ]
        q = theirs[
            tuple(slice(max(s, 0), n - max(-s, 0)) for s, n in zip(shift, ours.shape, strict=True))
        ]
        both = (p != 0) & (q != 0) & (a.values[p] == b.values[q])
        pairs = np.stack([p[both], q[both]], axis=1).astype(np.int64)
        touching.append(np.unique(pairs, axis=0))
    return np.unique(np.concatenate(touching), axis=0)


def _facing(part: _Part, direction: Direction, sign: int) -> NDArray[Any]:
    """The voxels of a block that face its neighbour in a direction: a face, edge or corner."""
    axes = [axis for axis, d in enumerate(direction) if d]
    face = part.faces[axes[0], sign * direction[axes[0]]]
    rest: list[slice | int] = [slice(None)] * face.ndim
    for axis in axes[1:]:
        rest[axis - 1] = -1 if sign * direction[axis] > 0 else 0  # axes[0] is gone from the face
    return np.asarray(face[tuple(rest)])


def _joined(
    summaries: Mapping[Index, tuple[NDArray[np.int64], NDArray[np.int64]]],
    seams: list[tuple[Index, Index, NDArray[np.int64]]],
    smallest: float,
) -> tuple[dict[Index, NDArray[np.int64]], int]:
    """For each block, the table from its own components to those of the whole array."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    lengths = {index: len(own) for index, (own, _) in summaries.items()}
    offsets = dict(zip(lengths, np.cumsum([0, *lengths.values()]), strict=False))
    first, sizes = (np.concatenate(parts) for parts in zip(*summaries.values(), strict=True))
    pairs = [np.add(pair, (offsets[a] - 1, offsets[b] - 1)) for a, b, pair in seams]
    ours, theirs = np.concatenate([np.empty((0, 2), np.int64), *pairs]).T
    graph = coo_array((np.ones(len(ours), bool), (ours, theirs)), shape=(len(first),) * 2)
    count, group = connected_components(graph, directed=False)
    earliest = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(earliest, group, first)
    voxels = np.zeros(count, np.int64)
    np.add.at(voxels, group, sizes)
    stays = np.flatnonzero(voxels >= smallest)
    rank = np.zeros(count, np.int64)
    rank[stays[np.argsort(earliest[stays])]] = np.arange(1, len(stays) + 1)
    numbers = rank[group]
    tables = {
        index: np.concatenate([[0], numbers[offsets[index] : offsets[index] + length]])
        for index, length in lengths.items()
    }
    return tables, len(stays)
