"""Bounding boxes of labels, and work on whole labels however an array is cut into blocks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_segment.arrays import Array, Lazy
from napari_segment.blocks.maps import Location, as_volume, reduce_blocks
from napari_segment.blocks.memory import free_memory
from napari_segment.errors import InputError

Ids = NDArray[np.int64]
Boxes = NDArray[np.int64]
Index = tuple[int, ...]
_AT_ONCE = 1 << 20  # voxels
_BYTES = 16  # for a voxel of a region: its number twice, and about as much for the work on it


def boxes(labels: Array) -> tuple[Ids, Boxes]:
    """Find the bounding box of each label.

    Parameters
    ----------
    labels : ndarray or dask Array
        Booleans or non-negative integers.

    Returns
    -------
    ids : ndarray (N,)
        The labels but 0 that occur, rising.
    boxes : ndarray (N, D, 2)
        First index of each along each axis, and one past its last.
    """
    return reduce_blocks(_boxes, labels, merge=_unions)


def _boxes(location: Location, block: NDArray[Any]) -> tuple[Ids, Boxes]:
    from napari_segment.blocks.label_kernels import bound, extent

    volume = as_volume(block)
    kinds = {"bool": np.uint8, "uint64": np.int64}
    volume = volume.view(kinds.get(volume.dtype.name, volume.dtype))
    low, high = extent(volume.reshape(-1))
    bounds = np.zeros((high - low + 1, 3, 2), np.int64)
    bounds[:, :, 0] = max(volume.shape, default=0)
    bound(volume, low, bounds)
    ids = np.flatnonzero(bounds[:, 0, 1])
    return ids + low, bounds[ids, 3 - block.ndim :] + np.array(location.start)[:, None]


def _unions(parts: Sequence[tuple[Ids, Boxes]]) -> tuple[Ids, Boxes]:
    ids = np.concatenate([ids for ids, _ in parts])
    bounds = np.concatenate([boxes for _, boxes in parts])
    order = np.argsort(ids, kind="stable")
    ids, first = np.unique(ids[order], return_index=True)
    if not len(ids):
        return ids, bounds
    low = np.minimum.reduceat(bounds[order, :, 0], first)
    return ids, np.stack([low, np.maximum.reduceat(bounds[order, :, 1], first)], -1)


# ---- labels that reach across blocks ----


@dataclass(frozen=True)
class Region:
    """Labels that lie in the same blocks, and in which box.

    Parameters
    ----------
    location : Location
        The box around them all.
    ids : ndarray (N,)
        Rising.
    blocks : tuple of slice
        The blocks that the labels lie in, along each axis.
    """

    location: Location
    ids: Ids
    blocks: tuple[slice, ...]

    def indices(self) -> Iterable[Index]:
        """Of all its blocks."""
        return product(*(range(s.start, s.stop) for s in self.blocks))


def regions(ids: Ids, boxes: Boxes, chunks: Sequence[Sequence[int]]) -> list[Region]:
    """Put labels that lie in the same blocks together.

    Parameters
    ----------
    ids, boxes : ndarray (N,), (N, D, 2)
        As from `boxes`.
    chunks : sequence of sequence of int
        Sizes of the blocks along each axis.

    Returns
    -------
    list of Region
        One for each block with labels that lie in no other, and one for each set of blocks across
        which labels reach: never more than a few times the number of blocks.
    """
    edges = [np.cumsum([0, *sizes]) for sizes in chunks]
    shape = tuple(int(e[-1]) for e in edges)
    first = [np.searchsorted(e, boxes[:, d, 0], "right") - 1 for d, e in enumerate(edges)]
    last = [np.searchsorted(e, boxes[:, d, 1] - 1, "right") for d, e in enumerate(edges)]
    ranges, group = np.unique(np.stack([*first, *last], 1), axis=0, return_inverse=True)
    order = np.argsort(group.ravel(), kind="stable")
    result = []
    for key, members in zip(
        ranges, np.split(order, np.cumsum(np.bincount(group.ravel()))[:-1]), strict=False
    ):
        start = tuple(boxes[members, :, 0].min(0).tolist())
        stop = tuple(boxes[members, :, 1].max(0).tolist())
        blocks = tuple(map(slice, key[: len(edges)].tolist(), key[len(edges) :].tolist()))
        result.append(Region(Location(start, stop, (0,) * len(start), shape), ids[members], blocks))
    return result


def map_regions(
    work: Callable[..., Any], groups: Sequence[Region], labels: Lazy, *arrays: Array
) -> list[Any]:
    """Call `work` on each region of lazy labels, without what does not belong to it.

    Parameters
    ----------
    work : callable
        From a `Location`, the labels there (other regions' are 0) and the arrays there to anything.
    groups : sequence of Region
        Of `labels`.
    labels : dask Array
        Non-negative integers.
    *arrays : dask Array
        With the same blocks.

    Returns
    -------
    list of Delayed
        What `work` returns for each region. Of blocks only the cut that lies in the region is
        held for it. A region for which there is no memory where it is to be worked on raises an
        `InputError` there, before anything is gathered.
    """
    import dask

    edges = [np.cumsum([0, *sizes]) for sizes in labels.chunks]
    blocks = [a.to_delayed() for a in (labels, *arrays)]
    results = []
    for region in groups:
        cuts = []
        for delayed in blocks:
            parts = []
            for index in region.indices():
                begin = [int(e[i]) for e, i in zip(edges, index, strict=True)]
                end = [int(e[i + 1]) for e, i in zip(edges, index, strict=True)]
                ours, theirs = overlap(region.location, begin, end)
                parts.append((ours, dask.delayed(_cut)(delayed[index], theirs)))
            cuts.append(dask.delayed(_joined)(region.location, parts))
        retained = dask.delayed(_only)(cuts[0], region.ids)
        results.append(dask.delayed(work)(region.location, retained, *cuts[1:]))
    return results


def assemble(
    combine: Callable[..., NDArray[Any]],
    groups: Sequence[Region],
    results: Sequence[Any],
    *arrays: Lazy,
    dtype: DTypeLike,
) -> Lazy:
    """Make a lazy array of the results of regions.

    Parameters
    ----------
    combine : callable
        From the blocks of `arrays` and a list of ``(where in the block, where in the region,
        result)`` to a block.
    groups, results : sequences
        The regions, and what `map_regions` returned for them or what was made of that.
    *arrays : dask Array
        At least one; with the blocks of the labels.
    dtype : dtype
        Of the result.

    Returns
    -------
    dask Array
    """
    import dask
    import dask.array as da

    chunks = arrays[0].chunks
    edges = [np.cumsum([0, *sizes]) for sizes in chunks]
    blocks = [a.to_delayed() for a in arrays]
    here: dict[Index, list[Any]] = {index: [] for index in np.ndindex(blocks[0].shape)}
    for region, result in zip(groups, results, strict=True):
        for index in region.indices():
            begin = [int(e[i]) for e, i in zip(edges, index, strict=True)]
            end = [int(e[i + 1]) for e, i in zip(edges, index, strict=True)]
            ours, theirs = overlap(region.location, begin, end)
            here[index].append((theirs, ours, result))
    pieces = np.empty(blocks[0].shape, object)
    for index, parts in here.items():
        shape = tuple(sizes[i] for sizes, i in zip(chunks, index, strict=True))
        piece = dask.delayed(combine)(*(b[index] for b in blocks), parts)
        pieces[index] = da.from_delayed(piece, shape, dtype)
    return da.block(pieces.tolist())


def overlap(
    location: Location, begin: Sequence[int], end: Sequence[int]
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Where a place and a block share voxels, as slices of the one and of the other."""
    low = [max(a, b) for a, b in zip(location.start, begin, strict=True)]
    high = [min(a, b) for a, b in zip(location.stop, end, strict=True)]
    ours = tuple(slice(a - s, b - s) for a, b, s in zip(low, high, location.start, strict=True))
    theirs = tuple(slice(a - s, b - s) for a, b, s in zip(low, high, begin, strict=True))
    return ours, theirs


def _cut(block: NDArray[Any], where: tuple[slice, ...]) -> NDArray[Any]:
    return block[where].copy()


def _joined(
    location: Location, parts: Sequence[tuple[tuple[slice, ...], NDArray[Any]]]
) -> NDArray[Any]:
    shape = [b - a for a, b in zip(location.start, location.stop, strict=True)]
    _require_memory(shape)
    out = np.empty(shape, parts[0][1].dtype)
    for where, part in parts:
        out[where] = part
    return out


def _require_memory(shape: Sequence[int]) -> None:
    need, free = math.prod(shape) * _BYTES, free_memory()
    if need > free:
        raise InputError(
            f"Components that hang together across {'×'.join(map(str, shape))} voxels need about "
            f"{need / 1e9:,.1f} GB at once, but {free / 1e9:,.1f} GB are free. Use a stricter "
            "threshold or a smaller connectivity, so that they fall apart, or work plane by plane "
            "(apply_to='plane')."
        )


def _only(labels: NDArray[Any], ids: Ids) -> NDArray[Any]:
    """The labels that are among some, a part at a time: indices take eight bytes a voxel."""
    table = np.zeros(int(ids[-1] - ids[0]) + 3, labels.dtype)  # a 0 on either side
    table[ids - ids[0] + 1] = ids
    retained = np.empty(labels.shape, labels.dtype)  # rows in C order, whatever the labels are in
    whole, out = labels.reshape(-1), retained.reshape(-1)
    for start in range(0, whole.size, _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        index = whole[part].astype(np.int64) - (int(ids[0]) - 1)
        out[part] = table[index.clip(0, len(table) - 1, out=index)]
    return retained
