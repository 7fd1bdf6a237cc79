"""Edits from plane to plane, or from one time point to another."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.errors import InputError
from napari_segment.registry import edits
from napari_segment.results.edits.objects import Numbers
from napari_segment.results.edits.view import Box, Patch, Target

Axis: TypeAlias = Annotated[
    Literal["T", "Z", "Y", "X"], Field(description="Axis from plane to plane.")
]
Plane = Annotated[int, Field(ge=0, description="Position of the plane along the axis.")]
Chosen = Annotated[
    tuple[Annotated[int, Field(ge=1)], ...],
    Field(description="Numbers of the objects; empty for all."),
]
Mask = NDArray[np.bool_]


@edits.add("interpolate", title="Interpolate", pointwise=True, group="planes")
def interpolate(
    labels: Target,
    *,
    numbers: Chosen = (),
    axis: Axis = "Z",
    planes: tuple[Annotated[int, Field(ge=0)], ...] = (),
) -> list[Patch]:
    """Fill the planes between those in which objects were drawn, by their signed distances.

    The two outlines are moved onto one another by their centres, so that objects that move from
    plane to plane, or from one time point to the next, are followed. Where several objects claim a
    voxel, the one that lies deeper gets it; other objects are not overwritten.

    Parameters
    ----------
    planes : tuple of int
        Positions of the planes that hold; what the objects have between them is replaced. Empty
        takes every plane that holds the object, and fills those that do not.

    References
    ----------
    S. P. Raya, J. K. Udupa, Shape-based interpolation of multidimensional objects, IEEE
    Transactions on Medical Imaging 9, 32 (1990), doi:10.1109/42.52980.
    """
    k = axis_of(labels, axis)
    depths: dict[int, list[tuple[int, Box, NDArray[np.float32]]]] = {}
    erased: list[Patch] = []
    for number in numbers or labels.numbers():
        box, mask = labels.mask(number)
        for first, last in _gaps(mask, box[k].start, k, planes):
            erased += _between(box, mask, k, first, last)
            for plane, sides, depth in _shapes(labels, box, mask, k, first, last):
                depths.setdefault(plane, []).append((number, sides, depth))
    if not depths:
        raise InputError(
            f"There is nothing to fill along {axis}: no object has two planes with one between "
            "them that lacks it. Draw it in at least two planes."
        )
    filled = [_joined(labels, k, p, claims, bool(planes)) for p, claims in sorted(depths.items())]
    return [*erased, *filled]


@edits.add("extend", title="Extend", pointwise=True, group="planes")
def extend(
    labels: Target, *, numbers: Numbers, plane: Plane, to: Plane, axis: Axis = "Z"
) -> list[Patch]:
    """Extend objects as they are in one plane through the stack, up to and with another plane.

    Parameters
    ----------
    to : int
        Position of the last plane that they are extended to. Other objects are not overwritten.
    """
    k = axis_of(labels, axis)
    _check_planes(labels, k, plane, to)
    patches = []
    step = 1 if to > plane else -1
    for number in dict.fromkeys(numbers):
        box, mask = _section(labels, number, k, plane, axis)
        span = slice(min(plane + step, to), max(plane + step, to) + 1)
        where = (*box[:k], span, *box[k + 1 :])
        free = labels[where] == 0
        patches.append(Patch(where, number, mask & free))
    return patches


@edits.add("copy_plane", title="Copy to a plane", pointwise=True, group="planes")
def copy_plane(
    labels: Target,
    *,
    plane: Plane,
    to: Plane,
    numbers: Chosen = (),
    axis: Axis = "Z",
    overwrite: bool = False,
) -> list[Patch]:
    """Copy the objects of one plane to another, or of one time point to another.

    Parameters
    ----------
    to : int
        Position of the plane that they are copied to.
    overwrite : bool
        Whether they replace voxels of other objects.
    """
    k = axis_of(labels, axis)
    _check_planes(labels, k, plane, to)
    if numbers:
        sections = [_section(labels, number, k, plane, axis) for number in dict.fromkeys(numbers)]
        return [
            _copied(labels, box, np.where(mask, number, 0), k, to, overwrite)
            for number, (box, mask) in zip(dict.fromkeys(numbers), sections, strict=True)
        ]
    box = _at(labels.all(), k, plane)
    part = labels[box]
    if not (part > 0).any():
        raise InputError(f"Plane {plane} along {axis} holds no object that could be copied.")
    return [_copied(labels, box, np.maximum(part, 0), k, to, overwrite)]


def axis_of(labels: Target, axis: str) -> int:
    """Return the number of an axis of the view.

    Raises
    ------
    InputError
        If it is not there.
    """
    if axis not in labels.axes:
        raise InputError(f"The labels have the axes {labels.axes}, so no planes along {axis}.")
    return labels.axes.index(axis)


def _check_planes(labels: Target, k: int, plane: int, to: int) -> None:
    size = labels.shape[k]
    if plane == to or max(plane, to) >= size:
        raise InputError(
            f"Give two planes from 0 to {size - 1} along {labels.axes[k]}, not {plane} and {to}."
        )


def _at(box: Box, k: int, position: int) -> Box:
    return (*box[:k], slice(position, position + 1), *box[k + 1 :])


def _section(labels: Target, number: int, k: int, plane: int, axis: str) -> tuple[Box, Mask]:
    """Return an object's box and mask in one plane."""
    box = labels.box(number)
    where = _at(box, k, plane)
    mask = np.asarray(labels[where] == number)
    if not mask.any():
        raise InputError(f"Object {number} is not in plane {plane} along {axis}.")
    return where, mask


def _copied(
    labels: Target, box: Box, values: NDArray[Any], k: int, to: int, overwrite: bool
) -> Patch:
    where = _at(box, k, to)
    mask = values > 0
    return Patch(where, values, mask if overwrite else mask & (labels[where] == 0))


def _gaps(mask: Mask, start: int, k: int, planes: tuple[int, ...]) -> list[tuple[int, int]]:
    """Return the planes (within the box) before and after each gap that is to be filled."""
    others = tuple(axis for axis in range(mask.ndim) if axis != k)
    drawn = np.flatnonzero(mask.any(others))
    if planes:
        drawn = np.intersect1d(drawn, np.asarray(planes) - start)
    pairs = zip(drawn[:-1].tolist(), drawn[1:].tolist(), strict=True)
    return [(a, b) for a, b in pairs if b - a > 1]


def _between(box: Box, mask: Mask, k: int, first: int, last: int) -> list[Patch]:
    """Return the patch that removes what an object has between two planes."""
    inner = (*(slice(None),) * k, slice(first + 1, last))
    if not mask[inner].any():
        return []
    start = box[k].start
    where = (*box[:k], slice(start + first + 1, start + last), *box[k + 1 :])
    return [Patch(where, 0, mask[inner])]


def _shapes(
    labels: Target, box: Box, mask: Mask, k: int, first: int, last: int
) -> list[tuple[int, Box, NDArray[np.float32]]]:
    """Return how deep each voxel lies in an object, for each plane between two."""
    sides = tuple(s for axis, s in enumerate(box) if axis != k)
    spacing = tuple(s for axis, s in enumerate(labels.spacing) if axis != k)
    ends = [np.asarray(mask.take([plane], k)).squeeze(k) for plane in (first, last)]
    centres = [np.argwhere(end).mean(0) for end in ends]
    depths = [_depth(end, spacing) for end in ends]
    shapes = []
    for plane in range(first + 1, last):
        share = (plane - first) / (last - first)
        centre = centres[0] * (1 - share) + centres[1] * share
        moved = [_moved(d, centre - c) for d, c in zip(depths, centres, strict=True)]
        depth = moved[0] * np.float32(1 - share) + moved[1] * np.float32(share)
        shapes.append((box[k].start + plane, sides, depth))
    return shapes


def _depth(mask: Mask, spacing: tuple[float, ...]) -> NDArray[np.float32]:
    """Return the distance to the outline, positive inside; the border of the box is outside."""
    from napari_segment.results.distance import distance_to_others

    line = mask.ndim == 1  # which is given as a plane of one row
    padded = np.pad(mask, 1)[None] if line else np.pad(mask, 1)
    lengths = (1.0, *spacing) if line else spacing
    inside, outside = (distance_to_others(m, lengths) for m in (padded, ~padded))
    inner = (0, slice(1, -1)) if line else (slice(1, -1),) * mask.ndim
    half = np.float32(min(spacing) / 2)
    return np.asarray(np.where(padded, inside - half, half - outside)[inner])


def _moved(depth: NDArray[np.float32], offset: NDArray[np.float64]) -> NDArray[np.float32]:
    from scipy import ndimage as ndi

    if not offset.any():
        return depth
    return np.asarray(ndi.shift(depth, offset, order=1, mode="nearest"))


def _joined(
    labels: Target,
    k: int,
    plane: int,
    claims: list[tuple[int, Box, NDArray[np.float32]]],
    erased: bool,
) -> Patch:
    """Return the patch of one plane: each voxel goes to the object that it lies deepest in."""
    axes = range(len(claims[0][1]))
    sides = tuple(
        slice(min(box[a].start for _, box, _ in claims), max(box[a].stop for _, box, _ in claims))
        for a in axes
    )
    deepest = np.zeros([s.stop - s.start for s in sides], np.float32)
    numbers = np.zeros(deepest.shape, np.int64)
    for number, box, depth in claims:
        inner = tuple(
            slice(b.start - s.start, b.stop - s.start) for b, s in zip(box, sides, strict=True)
        )
        wins = depth > deepest[inner]
        deepest[inner][wins] = depth[wins]
        numbers[inner][wins] = number
    where = (*sides[:k], slice(plane, plane + 1), *sides[k:])
    present = labels[where]
    free = present == 0
    if erased:
        free |= np.isin(present, [number for number, _, _ in claims])
    values = np.expand_dims(numbers, k)
    return Patch(where, values, (values > 0) & free)
