"""Flows: from every voxel of an object the way to the object's middle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

_STEPS = 200  # that a voxel is followed at most


def flows(labels: NDArray[Any]) -> NDArray[np.float32]:
    """Unit vectors that lead every voxel of an object to its middle, along paths inside it.

    Heat spreads from the middle of each object through it alone; the flow is the direction in
    which the heat rises. So it also finds its way in objects that are bent.

    Parameters
    ----------
    labels : ndarray (*S)
        Object numbers; 0 is background.

    Returns
    -------
    ndarray of float32 (D, *S)
        One component an axis, in voxels; 0 outside objects and at the middle.

    References
    ----------
    .. [1] Stringer et al., Cellpose: a generalist algorithm for cellular segmentation, Nature
       Methods 18, 2021. :doi:`10.1038/s41592-020-01018-x`

    Examples
    --------
    >>> flows(np.array([[0, 3, 3, 3, 3, 3, 0]]))[1]
    array([[ 0.,  1.,  1.,  0., -1., -1.,  0.]], dtype=float32)
    """
    from napari_segment.deep.data.targets import flow_kernels as _flow

    padded = np.pad(labels, 1).astype(np.int64)
    flat = padded.ravel()
    voxels = np.flatnonzero(flat)
    field = np.zeros((labels.ndim, *padded.shape), np.float32)
    if voxels.size:
        voxels = voxels[np.argsort(flat[voxels], kind="stable")]
        starts = np.flatnonzero(np.diff(flat[voxels], prepend=-1))
        starts = np.append(starts, voxels.size)
        strides = np.array([s // padded.itemsize for s in padded.strides])
        middles, sides = _middles(voxels, starts, padded.shape)
        heat = np.zeros(flat.size)
        _flow.spread(flat, voxels, starts, middles, sides, strides, heat)
        _flow.rise(flat, voxels, strides, heat, field.reshape(labels.ndim, -1))
        field.reshape(labels.ndim, -1)[:, middles] = 0
    return np.ascontiguousarray(field[(slice(None), *(slice(1, -1),) * labels.ndim)])


def _middles(
    voxels: NDArray[np.int64], starts: NDArray[np.int64], shape: tuple[int, ...]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The voxel of each object that is nearest to its centroid, and the object's longest side."""
    positions = np.stack(np.unravel_index(voxels, shape))
    first, counts = starts[:-1], np.diff(starts)
    centroid = np.add.reduceat(positions, first, axis=1) / counts
    away = ((positions - np.repeat(centroid, counts, axis=1)) ** 2).sum(0)
    nearest = np.repeat(np.minimum.reduceat(away, first), counts) == away
    at = np.flatnonzero(nearest)
    which = np.searchsorted(starts, at, side="right") - 1
    at = at[np.flatnonzero(np.diff(which, prepend=-1))]
    lowest, highest = (f.reduceat(positions, first, axis=1) for f in (np.minimum, np.maximum))
    return voxels[at], (highest - lowest + 1).max(0)


def gather(
    flow: NDArray[np.float32], inside: NDArray[np.bool_], agreement: float
) -> NDArray[np.int32]:
    """Follow every voxel of the foreground along a flow; those that meet are one object.

    Parameters
    ----------
    flow : ndarray of float32 (D, *S)
        As `flows` gives it.
    inside : ndarray of bool (*S)
        The foreground.
    agreement : float
        Objects whose own flow agrees less with the given one (mean cosine) are left out.

    Returns
    -------
    ndarray of int32 (*S)
        Objects; 0 is background.
    """
    from napari_segment.blocks import label
    from napari_segment.deep.data.targets import flow_kernels as _flow

    shape, missing = inside.shape, 3 - inside.ndim
    start = np.argwhere(inside)
    if not len(start):
        return np.zeros(shape, np.int32)
    volume = np.zeros((3, *(1,) * missing, *shape), np.float32)
    volume[missing:] = (flow * inside).reshape(volume[missing:].shape)
    path = np.zeros((len(start), 3), np.float32)
    path[:, missing:] = start
    _in_threads(_flow.follow, volume, path)
    ends = tuple(np.rint(path[:, missing:]).astype(np.int64).T)
    visited = np.zeros(shape, bool)
    visited[ends] = True
    meeting, _ = label(_grown(visited), inside.ndim)
    objects = np.zeros(shape, np.int32)
    objects[tuple(start.T)] = meeting[ends]
    return _agreeing(objects, flow, agreement)


def _agreeing(
    objects: NDArray[np.int32], flow: NDArray[np.float32], agreement: float
) -> NDArray[np.int32]:
    if agreement <= 0:
        return objects
    own = flows(objects)
    length = np.sqrt((flow**2).sum(0))
    cosine = (own * flow).sum(0) / np.maximum(length, 1e-6)
    moving = (own**2).sum(0) > 0
    counts = np.bincount(objects[moving], minlength=int(objects.max()) + 1)
    sums = np.bincount(objects[moving], cosine[moving], minlength=len(counts))
    keep = (sums >= agreement * counts) | (counts == 0)
    keep[0] = False
    return np.where(keep[objects], objects, 0).astype(np.int32)


def _grown(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return a mask with the neighbours of its voxels: ends that lie close have met."""
    from scipy.ndimage import maximum_filter

    grown: NDArray[np.bool_] = maximum_filter(mask, size=3, mode="constant")
    return grown


def _in_threads(
    follow: Callable[[NDArray[np.float32], NDArray[np.float32], int], object],
    volume: NDArray[np.float32],
    path: NDArray[np.float32],
) -> None:
    """Follow parts of the voxels in threads."""
    from concurrent.futures import ThreadPoolExecutor

    from napari_segment.runtime import threads

    count = threads()
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(lambda part: follow(volume, part, _STEPS), np.array_split(path, count)))
