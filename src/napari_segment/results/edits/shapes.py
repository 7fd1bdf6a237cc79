"""Lines, outlines and runs that a person draws, as voxels."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.errors import InputError
from napari_segment.results.edits.view import Box, Target

Vertices: TypeAlias = tuple[tuple[float, float], ...]
Line = Annotated[
    tuple[tuple[float, float], ...],
    Field(description="Vertices of a line in voxels, along the two axes of the plane it lies in."),
]
Outline = Annotated[
    tuple[tuple[float, float], ...],
    Field(description="Vertices of a closed outline in voxels, along the two axes of its plane."),
]
Points = Annotated[
    tuple[tuple[float, ...], ...],
    Field(description="Points in voxels, one coordinate for each axis."),
]
Runs = Annotated[
    str,
    Field(
        pattern=r"^(\d{1,18}\+\d{1,18} ?)*$",
        description="Painted voxels as runs in C order, such as '40+70 150+3': the number of the "
        "first voxel, and how many follow each other.",
    ),
]
Across = Annotated[
    Literal["Z", "Y", "X"],
    Field(description="Axis across the plane that was drawn in; what is drawn goes through it."),
]


def plane_axes(labels: Target, across: str) -> tuple[int, int]:
    """Return the two axes of the view in which a line or an outline lies.

    Raises
    ------
    InputError
        If the view has no such plane.
    """
    axes = tuple(i for i, a in enumerate(labels.axes) if labels.ndim == 2 or a != across)
    if len(axes) != 2:
        raise InputError(
            f"A line is drawn in a plane, but the labels have the axes {labels.axes}. Hold the "
            "edit to one position along the others, such as at={'T': 0}."
        )
    return axes[0], axes[1]


def line_mask(vertices: Vertices, box: Box) -> NDArray[np.bool_]:
    """Return the pixels of a box (2 slices) on a line, each next to the one before."""
    mask = np.zeros([s.stop - s.start for s in box], bool)
    points = np.asarray(vertices, float)
    for start, end in pairwise(points):
        count = int(np.ceil(np.abs(end - start).max() * 2)) + 1
        pixels = np.rint(np.linspace(start, end, count)).astype(int)
        pixels -= [s.start for s in box]
        inside = ((pixels >= 0) & (pixels < mask.shape)).all(1)
        mask[tuple(pixels[inside].T)] = True
    return mask


def outline_box(vertices: Vertices, shape: Sequence[int]) -> Box:
    """Return the box (2 slices) of the pixels whose centres an outline can hold.

    Raises
    ------
    InputError
        If it has fewer than three vertices, or lies outside.
    """
    points = np.asarray(vertices, float)
    if len(points) < 3:
        raise InputError(f"An outline has at least three vertices, but {len(points)} were given.")
    low = np.maximum(np.ceil(points.min(0)).astype(int), 0)
    high = np.minimum(np.floor(points.max(0)).astype(int) + 1, shape)
    if (low >= high).any():
        raise InputError("The outline holds no voxel of the labels.")
    return tuple(map(slice, low.tolist(), high.tolist()))


def outline_mask(vertices: Vertices, box: Box) -> NDArray[np.bool_]:
    """Return the pixels of a box (2 slices) whose centres lie in an outline (even-odd rule)."""
    mask = np.zeros([s.stop - s.start for s in box], bool)
    points = np.asarray(vertices, float)
    ends = np.roll(points, -1, 0)
    columns = np.arange(box[1].start, box[1].stop)
    for i, y in enumerate(range(box[0].start, box[0].stop)):
        crosses = (points[:, 0] <= y) != (ends[:, 0] <= y)
        (y0, x0), (y1, x1) = points[crosses].T, ends[crosses].T
        crossings = np.sort(x0 + (y - y0) / (y1 - y0) * (x1 - x0))
        mask[i] = np.searchsorted(crossings, columns, "right") % 2 == 1
    return mask


def through(mask: NDArray[np.bool_], axes: tuple[int, int], ndim: int) -> NDArray[np.bool_]:
    """Return a plane's mask with axes of length 1 for those across it."""
    others = [axis for axis in range(ndim) if axis not in axes]
    return np.expand_dims(mask, others)


def runs_of(indices: NDArray[Any], shape: Sequence[int]) -> str:
    """Return voxels (N, D) as runs in C order.

    Examples
    --------
    >>> runs_of(np.array([[0, 1], [0, 2], [1, 3]]), (2, 4))
    '1+2 7+1'
    """
    if not len(indices):
        return ""
    flat = np.unique(np.ravel_multi_index(tuple(indices.T), tuple(shape)))
    starts = np.flatnonzero(np.diff(flat, prepend=flat[0] - 2) != 1)
    lengths = np.diff(starts, append=len(flat))
    pairs = zip(flat[starts].tolist(), lengths.tolist(), strict=True)
    return " ".join(f"{start}+{length}" for start, length in pairs)


def runs_mask(runs: str, shape: Sequence[int]) -> tuple[Box, NDArray[np.bool_]]:
    """Return the box around runs, and where in it they lie.

    Raises
    ------
    InputError
        If there are none, or they lie outside.
    """
    pairs = np.array(runs.replace("+", " ").split(), np.int64).reshape(-1, 2)
    size = int(np.prod(shape))
    if not len(pairs):
        raise InputError("Nothing was painted: give at least one run of voxels.")
    if (pairs[:, 1] < 1).any() or (pairs > size).any() or (pairs.sum(1) > size).any():
        raise InputError(
            f"The runs do not lie in labels of shape {tuple(shape)}: they go from 0 to {size - 1}."
        )
    starts, lengths = pairs.T
    offsets = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    flat = np.repeat(starts, lengths) + offsets
    indices = np.stack(np.unravel_index(flat, tuple(shape)))
    low, high = indices.min(1), indices.max(1) + 1
    mask = np.zeros(high - low, bool)
    mask[tuple(indices - low[:, None])] = True
    return tuple(map(slice, low.tolist(), high.tolist())), mask
