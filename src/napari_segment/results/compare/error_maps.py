"""Maps of errors: what is right, false, missed, merged or split, voxel by voxel."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Array
from napari_segment.blocks import is_lazy, map_blocks, overlaps
from napari_segment.image import Holds, Labels
from napari_segment.results.compare.objects import Overlap
from napari_segment.results.compare.pairing import IgnoreIndex, annotated, paired, times

RIGHT, FALSE, MISSED, MERGED, SPLIT, WRONG = range(1, 7)
ERRORS = {
    RIGHT: "true positive", FALSE: "false positive", MISSED: "missed", MERGED: "merged",
    SPLIT: "split", WRONG: "wrong class",
}  # fmt: skip
OCCURRING: dict[Holds, tuple[int, ...]] = {
    "mask": (RIGHT, FALSE, MISSED), "classes": (RIGHT, FALSE, MISSED, WRONG),
    "objects": (RIGHT, FALSE, MISSED, MERGED, SPLIT),
}  # fmt: skip
SLABS = 12  # as of `map_blocks`


def error_map(
    labels: Labels | Any, reference: Labels | Any, *, ignore_index: IgnoreIndex = "none"
) -> Labels:
    """Say of each voxel what is wrong with it.

    Objects are matched as by `compare`, at IoU 0.5. Of a reference object the voxels in the object
    that it is matched with are true positives; those in an object that also holds more than half of
    another reference object are merged; those in one of several objects that lie in it by more than
    half are split; all others are missed. Foreground outside of the reference is false positive.

    Parameters
    ----------
    labels, reference, ignore_index
        As of `compare`.

    Returns
    -------
    Labels
        Classes with the names of ``ERRORS`` on the grid and the axes of the reference: 1 true
        positive, 2 false positive, 3 missed, 4 merged, 5 split, 6 wrong class; 0 where both are
        background and where the reference has no annotation. Lazy where one of the two is.

    Raises
    ------
    GeometryError
        If the two do not overlap in the world, or, where a position is unknown, differ in shape or
        spacing.
    InputError
        If they hold different things.

    Examples
    --------
    >>> error_map(np.array([[1, 1, 1, 0, 2]]), np.array([[1, 1, 0, 0, 0]])).data
    array([[1, 1, 2, 0, 2]], dtype=uint8)
    """
    axes = reference.axes if isinstance(reference, Labels) else ""
    labels, reference, holds = paired(labels, reference)
    maps = [_map(a.data, b.data, holds, ignore_index) for a, b in times(labels, reference)]
    data = _stacked(maps) if "T" in reference.axes else maps[0]
    errors = Labels(
        data, reference.axes, reference.spacing, reference.unit, reference.affine,
        reference.interval, "errors", holds="classes",
        names={number: ERRORS[number] for number in OCCURRING[holds]},
    )  # fmt: skip
    return errors.transpose(axes) if axes else errors


def _map(labels: Array, reference: Array, holds: Holds, ignore_index: IgnoreIndex) -> Array:
    """The errors of one time point."""
    table = annotated(*overlaps(labels, reference), ignore_index)
    kinds = kinds_of(table, holds)
    marked = np.flatnonzero(kinds)
    look_up = partial(_looked_up, table.pairs[marked], kinds[marked])
    return map_blocks(look_up, labels, reference, dtype=np.uint8, slabs=SLABS)


def kinds_of(table: Overlap, holds: Holds) -> NDArray[np.uint8]:
    """Return the kind of error, one of `ERRORS`, of each pair of labels; 0 for background.

    Parameters
    ----------
    table : Overlap
        Of one time point.
    holds : {"mask", "classes", "objects"}
        What is compared.
    """
    ours, theirs = table.pairs[:, 0] > 0, table.pairs[:, 1] > 0
    kinds = np.where(theirs, MISSED, np.where(ours, FALSE, 0)).astype(np.uint8)
    both = table.touching
    if holds == "mask":
        kinds[both] = RIGHT
    elif holds == "classes":
        pairs = table.pairs[both]
        kinds[both] = np.where(pairs[:, 0] == pairs[:, 1], RIGHT, WRONG)
    else:
        kinds[both[table.split]] = SPLIT
        kinds[both[table.merged]] = MERGED
        kinds[both[table.matched(0.5)]] = RIGHT
    return kinds


def _looked_up(
    pairs: NDArray[np.int64], kinds: NDArray[np.uint8], *blocks: NDArray[Any]
) -> NDArray[np.uint8]:
    """Look up the kind of each voxel; pairs that are not listed are 0."""
    shape = blocks[0].shape
    if not len(pairs):
        return np.zeros(shape, np.uint8)
    keys, given = np.zeros(len(pairs), np.int64), np.zeros(shape, np.int64)
    listed = np.ones(shape, bool)
    for side, block in enumerate(blocks):
        ids, index = np.unique(pairs[:, side], return_inverse=True)
        numbers = block.astype(np.int64, copy=False)
        at = np.minimum(np.searchsorted(ids, numbers), len(ids) - 1)
        listed &= ids[at] == numbers
        keys, given = keys * len(ids) + index, given * len(ids) + at
    at = np.minimum(np.searchsorted(keys, given), len(keys) - 1)
    return np.where(listed & (keys[at] == given), kinds[at], np.uint8(0))


def _stacked(maps: list[Array]) -> Array:
    """Time points as one array, time first."""
    if not any(is_lazy(errors) for errors in maps):
        return np.stack(maps)
    import dask.array as da

    return da.stack(maps)
