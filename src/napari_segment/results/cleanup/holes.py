"""Fill what is enclosed."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.blocks import (
    at_border,
    contacts,
    counts,
    label,
    map_blocks,
    overlaps,
    replace_labels,
)
from napari_segment.image import smallest_integers
from napari_segment.registry import cleanups
from napari_segment.results.cleanup.instances import Spacing, Unit, max_voxels


@cleanups.add("fill_holes", title="Fill holes", group="shape")
def fill_holes(
    labels: Array,
    spacing: Spacing = (),
    *,
    max_size: Annotated[float, Field(ge=0)] | Literal["none"] = "none",
    units: Unit = "voxels",
) -> Any:
    """Fill background that is enclosed by one label.

    Parameters
    ----------
    labels : array (Y, X) or (Z, Y, X)
        A mask, classes or objects.
    max_size : float or "none"
        Size of the largest hole that is filled; "none" fills holes of any size.

    Returns
    -------
    array
        As `labels`. A hole is background that cannot reach the border of the image from face to
        face without crossing the label; it takes the label that encloses it, the innermost of
        several. Other labels inside stay what they are.

    Examples
    --------
    >>> fill_holes(np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]]))
    array([[1, 1, 1],
           [1, 1, 1],
           [1, 1, 1]])
    """
    gaps, count = label(labels == 0, 1)
    ids, voxels = counts(gaps)
    limit = np.inf if max_size == "none" else max_voxels(max_size, labels, spacing, units)
    small = voxels <= limit
    if labels.dtype == bool:
        ids = np.setdiff1d(ids[small], at_border(gaps), assume_unique=True)
        filled = replace_labels(gaps, ids, np.ones(len(ids), bool), bool)
        del gaps
        return map_blocks(np.logical_or, labels, filled, dtype=bool)
    filling = np.where(small, _enclosing(labels, gaps, count), 0)
    filled = replace_labels(gaps, ids, filling, labels.dtype)
    return map_blocks(np.add, labels, filled, dtype=labels.dtype)


def _enclosing(labels: Array, gaps: Array, count: int) -> NDArray[np.int64]:
    """Return for each gap the label that encloses it, 0 for none.

    Gaps and the components of labels are the nodes of a graph; an edge says that they touch. A
    label encloses a gap if every way from the gap to the outside crosses one component of it.
    """
    from napari_segment.results.cleanup.holes_kernels import owners

    islands, more = label(labels, labels.ndim)
    outside = count + more + 1
    dtype = smallest_integers(outside)
    stacked = partial(_stacked, offset=dtype.type(count))
    regions = map_blocks(stacked, gaps, islands, dtype=dtype, slabs=1)
    touching, _ = contacts(regions)
    border = at_border(regions)
    edges = np.concatenate([touching, np.stack([border, np.full_like(border, outside)], 1)])
    value = np.zeros(outside + 1, np.int64)
    pairs, _ = overlaps(islands, labels)
    value[pairs[:, 0] + count * (pairs[:, 0] > 0)] = pairs[:, 1]
    both = np.concatenate([edges, edges[:, ::-1]])
    both = both[np.argsort(both[:, 0], kind="stable")]
    starts = np.searchsorted(both[:, 0], np.arange(outside + 2))
    return np.asarray(owners(starts, both[:, 1].copy(), outside, value)[1 : count + 1])


def _stacked(gaps: NDArray[Any], islands: NDArray[Any], *, offset: np.integer[Any]) -> NDArray[Any]:
    """Number the islands after the gaps."""
    numbered = islands.astype(offset.dtype)
    return np.where(islands > 0, numbered + offset, gaps)
