"""Edits that part objects: a line, points, a lasso."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.errors import InputError
from napari_segment.registry import edits
from napari_segment.results.edits.objects import Number
from napari_segment.results.edits.shapes import (
    Across,
    Line,
    Outline,
    Points,
    Vertices,
    line_mask,
    outline_box,
    outline_mask,
    plane_axes,
    through,
)
from napari_segment.results.edits.view import Box, Patch, Target, View

_CRUMB = 2  # voxels: a smaller piece next to a cut joins its neighbour
Selected = Annotated[
    tuple[Annotated[int, Field(ge=1)], ...],
    Field(description="Numbers of the objects; empty for all that the outline meets."),
]


@edits.add("split", title="Split", group="shape")
def split(
    labels: Target,
    image: View | None = None,
    *,
    number: Number,
    line: Line = (),
    points: Points = (),
    landscape: Literal["distance", "intensity"] = "distance",
    objects: Literal["bright", "dark"] = "bright",
    axis: Across = "Z",
) -> list[Patch]:
    """Split an object along a line, or between points by a watershed.

    The largest piece keeps the number, the others get the next free ones.

    Parameters
    ----------
    line : tuple of (float, float)
        Vertices of a line across the object, in voxels of the plane; of a volume it parts all
        planes across `axis`.
    points : tuple of tuple of float
        One point for each wanted piece, in voxels, instead of a line.
    landscape : {"distance", "intensity"}
        What the watershed from the points floods: the distance to the border of the object, so
        that necks part, or the image.
    objects : {"bright", "dark"}
        Whether objects are brighter or darker than what parts them, for
        ``landscape="intensity"``.
    """
    box, mask = labels.mask(number)
    if bool(line) == bool(points):
        raise InputError("Splitting takes either a line or at least two points.")
    if line:
        pieces = _along_line(labels, box, mask, line, axis)
        reason = "Draw the line from one side of the object to the other."
    else:
        heights = _landscape(labels, image, box, mask, landscape, objects)
        pieces = _between_points(box, mask, heights, points, number)
        reason = "Set the points apart."
    if pieces.max() < 2:
        raise InputError(f"Object {number} is not parted. {reason}")
    return [Patch(box, _numbered(labels, pieces, number), mask)]


@edits.add("cut", title="Cut by a lasso", group="shape")
def cut(
    labels: Target,
    *,
    outline: Outline,
    numbers: Selected = (),
    result: Literal["object", "background"] = "object",
    axis: Across = "Z",
) -> list[Patch]:
    """Cut what lies in an outline out of objects, as new objects or away.

    Parameters
    ----------
    result : {"object", "background"}
        Whether what is cut out of each object becomes an object of its own, or background.
    """
    axes = plane_axes(labels, axis)
    flat = outline_box(outline, [labels.shape[a] for a in axes])
    box = list(labels.all())
    box[axes[0]], box[axes[1]] = flat
    part = labels[tuple(box)]
    inside = through(outline_mask(outline, flat), axes, labels.ndim) & (part > 0)
    met = [int(n) for n in np.unique(part[inside]) if not numbers or n in numbers]
    if not met:
        raise InputError("The outline holds no voxel of an object that could be cut.")
    new = labels.free(len(met)) if result == "object" else [0] * len(met)
    table = dict(zip(met, new, strict=True))
    values = np.zeros(part.shape, np.int64)
    for number in met:
        values[inside & (part == number)] = table[number]
    return [Patch(tuple(box), values, inside & np.isin(part, met))]


def _numbered(labels: Target, pieces: NDArray[np.int64], number: int) -> NDArray[np.int64]:
    """Return the number of each piece: the largest keeps that of the object."""
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    order = np.argsort(-sizes, kind="stable")[: np.count_nonzero(sizes)]
    table = np.zeros(len(sizes), np.int64)
    table[order] = [number, *labels.free(len(order) - 1)]
    return np.asarray(table[pieces])


def _along_line(
    labels: Target, box: Box, mask: NDArray[np.bool_], line: Vertices, axis: str
) -> NDArray[np.int64]:
    """Return the pieces of an object next to a line, numbered from 1, without a gap."""
    from scipy import ndimage as ndi

    axes = plane_axes(labels, axis)
    if len(line) < 2:
        raise InputError("A line has at least two vertices.")
    flat = (box[axes[0]], box[axes[1]])
    barrier = through(line_mask(line, flat), axes, labels.ndim) & mask
    parts, count = ndi.label(mask & ~barrier)
    near = ndi.binary_dilation(barrier, np.ones((3,) * mask.ndim))
    adjacent = np.unique(parts[near & (parts > 0)])
    sizes = np.bincount(parts.ravel(), minlength=count + 1)
    cut_off = [p for p in adjacent if sizes[p] > _CRUMB]
    if len(cut_off) < 2:
        return mask.astype(np.int64)
    table = np.zeros(count + 1, np.int64)
    table[cut_off] = np.arange(1, len(cut_off) + 1)
    return _nearest(table[parts], mask, labels.spacing)


def _nearest(
    pieces: NDArray[np.int64], mask: NDArray[np.bool_], spacing: tuple[float, ...]
) -> NDArray[np.int64]:
    """Give each voxel of the mask that has no piece that of the nearest which has."""
    from scipy import ndimage as ndi

    nearest = ndi.distance_transform_edt(
        pieces == 0, sampling=spacing, return_distances=False, return_indices=True
    )
    return np.asarray(np.where(mask, pieces[tuple(nearest)], 0))


def _landscape(
    labels: Target,
    image: View | None,
    box: Box,
    mask: NDArray[np.bool_],
    landscape: str,
    objects: str,
) -> NDArray[np.float64]:
    """Return what is flooded, lowest in the middle of the pieces."""
    if landscape == "distance":
        from napari_segment.results.distance import distance_to_others

        padded = np.pad(mask, 1)
        inner = (slice(1, -1),) * mask.ndim
        return -distance_to_others(padded, labels.spacing)[inner].astype(np.float64)
    if image is None:
        raise InputError(
            "Splitting by intensity needs the image. Give image=…, or use landscape='distance'."
        )
    values = np.nan_to_num(image[box].astype(np.float64))
    return -values if objects == "bright" else values


def _between_points(
    box: Box,
    mask: NDArray[np.bool_],
    heights: NDArray[np.float64],
    points: Sequence[Sequence[float]],
    number: int,
) -> NDArray[np.int64]:
    """Return the basins that points lie in, numbered from 1."""
    from skimage.segmentation import watershed

    voxels = np.rint(np.asarray([[*p] for p in points], float)).astype(int)
    if voxels.ndim != 2 or voxels.shape[1] != mask.ndim or len(voxels) < 2:
        raise InputError(
            f"Splitting takes at least two points of {mask.ndim} coordinates each, not "
            f"{[tuple(p) for p in points]}."
        )
    voxels -= [s.start for s in box]
    inside = ((voxels >= 0) & (voxels < mask.shape)).all(1)
    inside[inside] = mask[tuple(voxels[inside].T)]
    if not inside.all():
        outside = points[int(np.argmin(inside))]
        raise InputError(f"The point {tuple(outside)} does not lie in object {number}.")
    markers = np.zeros(mask.shape, np.int64)
    markers[tuple(voxels.T)] = np.arange(1, len(voxels) + 1)
    return np.asarray(watershed(heights, markers, connectivity=mask.ndim, mask=mask), np.int64)
