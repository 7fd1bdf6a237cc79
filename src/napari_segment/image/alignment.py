"""Alignment: bring one stack onto the voxel grid of another, by their positions in the world."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from itertools import product
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Array
from napari_segment.errors import AlignmentWarning, GeometryError
from napari_segment.image.image import Image
from napari_segment.image.labels import Labels
from napari_segment.image.orientation import Turn, index_matrix
from napari_segment.image.stack import Stack
from napari_segment.image.units import length_factor

S = TypeVar("S", bound=Stack)

TOLERANCE = 0.1  # voxels: files round positions and directions
_CHUNK = 2**22  # voxels resampled at once


def align(
    stack: S, target: Stack, *, what: str = "labels", onto: str = "image", resample: bool = True
) -> S:
    """Bring a stack onto the voxel grid of another one.

    Equal grids pass. Axes that are stored in another order or direction are turned exactly. Another
    grid in the same part of the world is resampled: labels by nearest neighbour, images linearly,
    with an `AlignmentWarning`. Where one of the two does not know its position in the world, both
    must have one shape and, where both know their unit, one spacing.

    Parameters
    ----------
    stack : Image or Labels
        What is brought onto the other grid.
    target : Stack
        The grid. Its channel axis plays no part.
    what, onto : str
        What the two are, for messages.
    resample : bool
        Whether a different grid is resampled; otherwise it is refused.

    Returns
    -------
    Image or Labels
        With the target's axes (and the stack's own C), shape, spacing, unit and affine. Outside of
        the stack it is 0.

    Raises
    ------
    GeometryError
        If the two do not fit or do not overlap, with both geometries.
    """
    turned = _with_axes_of(stack, target, what, onto)
    between = _index_map(turned, target)
    if between is None:
        _check_same_shape(turned, target, what, onto)
        return _placed(turned, target, turned.data)
    if _is_identity(between, turned, target):
        return _placed(turned, target, turned.data)
    turn = _as_turn(between, turned, target)
    if turn is not None:
        return _turned(turned, target, turn)
    return _resampled(turned, target, between, (what, onto), resample)


def nearest_index(position: NDArray[np.float64]) -> NDArray[np.intp]:
    """Round positions between voxels to the nearest voxel, those in the middle to the even one.

    Were they all rounded up, labels that are resampled and brought back would move by half a voxel.
    """
    return np.asarray(np.rint(position.round(9)).astype(np.intp))


def fits_exactly(stack: Stack, target: Stack) -> bool:
    """Return whether `align` would only turn axes, or move nothing at all."""
    turned = _with_axes_of(stack, target, "stack", "target")
    between = _index_map(turned, target)
    if between is None or _is_identity(between, turned, target):
        return True
    return _as_turn(between, turned, target) is not None


def describe(stack: Stack) -> str:
    """Say a stack's shape, spacing and position in the world in one line."""
    spatial = stack.spatial_axes
    shape = "×".join(str(stack.size(a)) for a in spatial)
    spacing = "×".join(f"{s:.4g}" for s in stack.spacing)
    text = f"{shape} voxels ({spatial}) of {spacing} {stack.unit}"
    if stack.affine is None:
        return f"{text}, position unknown"
    low, high = _extent(stack)
    spans = ", ".join(f"{a} {b:.4g} to {c:.4g}" for a, b, c in zip(spatial, low, high, strict=True))
    return f"{text}, from {spans}"


# ---- axes ----


def _with_axes_of(stack: S, target: Stack, what: str, onto: str) -> S:
    """Drop or add axes of length 1, and put the axes into the target's order."""
    wanted = target.axes.replace("C", "")
    own = stack.axes.replace("C", "") if isinstance(stack, Image) else stack.axes
    for letter in own:
        if letter not in wanted and stack.size(letter) == 1:
            stack = stack.take(letter, 0)
    for letter in wanted:
        if letter not in stack.axes and target.size(letter) == 1:
            stack = _with_axis(stack, letter, target)
    own = stack.axes.replace("C", "") if isinstance(stack, Image) else stack.axes
    if sorted(own) != sorted(wanted):
        raise GeometryError(
            f"The axes of the {what} are {own}, those of the {onto} are {wanted}. Name "
            f"them, such as axes={wanted!r}, or take one position along those that are too many."
        )
    lead = "C" if "C" in stack.axes else ""
    return stack.transpose(lead + wanted)


def _with_axis(stack: S, letter: str, target: Stack) -> S:
    """Insert an axis of length 1; along a spatial one the stack lies where the target lies."""
    axes = letter + stack.axes
    data = stack.data[None]
    if letter not in target.spatial_axes:
        return stack.replace(data=data, axes=axes)
    spacing = (target.spacing[target.spatial_axes.index(letter)], *stack.spacing)
    return stack.replace(data=data, axes=axes, spacing=spacing, affine=None)


# ---- geometry ----


def _index_map(stack: Stack, target: Stack) -> NDArray[np.float64] | None:
    """Map target indices to stack indices, (D + 1, D + 1); None where a position is unknown."""
    if stack.affine is None or target.affine is None:
        return None
    factor = length_factor(stack.unit, target.unit)
    if factor is None:
        return None
    world = np.diag([*[factor] * len(stack.spacing), 1.0]) @ stack.affine
    if min(abs(np.linalg.det(m[:-1, :-1])) for m in (world, target.affine)) < 1e-12:
        return None
    return np.asarray(np.linalg.solve(world, target.affine))


def _spatial_shape(stack: Stack) -> tuple[int, ...]:
    return tuple(stack.size(a) for a in stack.spatial_axes)


def _corners(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the indices of the corner voxels (2^D, D + 1)."""
    ends = product(*((0, n - 1) for n in shape))
    return np.array([[*corner, 1.0] for corner in ends])


def _extent(stack: Stack) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    world = (_corners(_spatial_shape(stack)) @ stack.world().T)[:, :-1]
    return world.min(0), world.max(0)


def _is_identity(between: NDArray[np.float64], stack: Stack, target: Stack) -> bool:
    shape = _spatial_shape(target)
    corners = _corners(shape)
    moved = np.abs(corners @ between.T - corners).max()
    return _spatial_shape(stack) == shape and bool(moved < TOLERANCE)


def _as_turn(between: NDArray[np.float64], stack: Stack, target: Stack) -> Turn | None:
    """Return the turn that maps the stack's grid onto the target's exactly, or None."""
    linear = between[:-1, :-1]
    order = tuple(int(i) for i in np.abs(linear).argmax(0))
    if len(set(order)) < len(order):
        return None
    reverse = tuple(bool(linear[row, column] < 0) for column, row in enumerate(order))
    shape, own = _spatial_shape(target), _spatial_shape(stack)
    if tuple(own[axis] for axis in order) != shape:
        return None
    turn = Turn(order, reverse)
    exact = index_matrix(turn, own)
    corners = _corners(shape)
    moved = np.abs(corners @ (between - exact).T).max()
    return turn if moved < TOLERANCE else None


# ---- pixels ----


def _placed(stack: S, target: Stack, data: Array) -> S:
    """Return the stack with new pixels on the target's grid."""
    known = target.affine is not None or target.unit != "pixel"
    source = target if known else stack
    changes: dict[str, Any] = {
        "data": data, "spacing": source.spacing, "unit": source.unit, "affine": source.affine
    }  # fmt: skip
    return stack.replace(**changes)


def _turned(stack: S, target: Stack, turn: Turn) -> S:
    """Permute and reverse the spatial axes; the maps of labels with them."""
    placed = _placed(stack, target, turn.apply(stack.data))
    return _with_parts(stack, placed, lambda chart: _turned(chart, target, turn), turn)


def _with_parts(stack: S, placed: S, move: Callable[[Image], Image], turn: Turn | None = None) -> S:
    """Bring what belongs to labels along: maps, and the boxes among their features."""
    if not isinstance(stack, Labels) or not isinstance(placed, Labels):
        return placed
    maps = {name: move(_aligned_axes(chart, stack)) for name, chart in stack.maps.items()}
    features = dict(stack.features)
    if turn is not None:
        features = turn.boxes(features, _spatial_shape(stack), stack.spatial_axes)
    else:  # of a resampled grid boxes would have to be measured anew
        features = {k: v for k, v in features.items() if not k.startswith("bbox_")}
    return placed.replace(maps=maps, features=features)


def _aligned_axes(chart: Image, labels: Labels) -> Image:
    return chart.transpose(("C" if "C" in chart.axes else "") + labels.axes)


def _resampled(
    stack: S, target: Stack, between: NDArray[np.float64], names: tuple[str, str], allowed: bool
) -> S:
    what, onto = names
    covered = _covered(between, stack, target)
    both = f"The {what}: {describe(stack)}. The {onto}: {describe(target)}."
    if covered == 0:
        raise GeometryError(
            f"The {what} and the {onto} do not overlap in the world. {both} Are they of the same "
            "case? Choose the right pair of files, or mend the affine of one of them."
        )
    if not allowed:
        raise GeometryError(
            f"The grid of the {what} is not that of the {onto}. {both} Resample one of them first."
        )
    by = "nearest neighbour" if isinstance(stack, Labels) else "linear interpolation"
    warnings.warn(
        f"Resampled the {what} onto the grid of the {onto} by {by}; {covered:.1%} of it is "
        f"covered. {both}",
        AlignmentWarning,
        stacklevel=4,
    )
    return _interpolated(stack, target, between)


def _interpolated(stack: S, target: Stack, between: NDArray[np.float64]) -> S:
    shape, lead = _spatial_shape(target), len(stack.axes) - len(target.spacing)
    source = stack.compute().data
    result = np.zeros((*source.shape[:lead], *shape), source.dtype)
    nearest = isinstance(stack, Labels)
    for index in np.ndindex(source.shape[:lead]):
        _fill(source[index], result[index], between, nearest)
    placed = _placed(stack, target, result)
    return _with_parts(stack, placed, lambda chart: _interpolated(chart, target, between))


def _fill(
    source: NDArray[Any], result: NDArray[Any], between: NDArray[np.float64], nearest: bool
) -> None:
    """Sample `source` at the voxels of `result`, slab by slab along its first axis."""
    from scipy.ndimage import map_coordinates

    rows = max(1, _CHUNK // max(1, int(np.prod(result.shape[1:]))))
    for first in range(0, result.shape[0], rows):
        slab = result[first : first + rows]
        grid = np.indices(slab.shape, np.float64)
        grid[0] += first
        where = np.tensordot(between[:-1, :-1], grid, 1)
        where += between[:-1, -1].reshape(-1, *[1] * slab.ndim)
        if nearest:
            slab[...] = _nearest(source, where)
        else:
            slab[...] = map_coordinates(
                source, where, order=1, mode="grid-constant", output=slab.dtype
            )


def _nearest(source: NDArray[Any], where: NDArray[np.float64]) -> NDArray[Any]:
    """Return the nearest voxel; 0 outside. Labels of 64 bits stay exact."""
    index = nearest_index(where)
    inside = np.ones(where.shape[1:], bool)
    for axis, n in enumerate(source.shape):
        inside &= (index[axis] >= 0) & (index[axis] < n)
        np.clip(index[axis], 0, n - 1, out=index[axis])
    picked: NDArray[Any] = np.where(inside, source[tuple(index)], source.dtype.type(0))
    return picked


def _covered(between: NDArray[np.float64], stack: Stack, target: Stack) -> float:
    """Return the fraction of the target's voxels that lie in the stack, on a sample of them."""
    shape, own = _spatial_shape(target), np.array(_spatial_shape(stack))
    axes = [np.unique(np.linspace(0, n - 1, min(n, 64)).round()) for n in shape]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(shape))
    where = points @ between[:-1, :-1].T + between[:-1, -1]
    return float(((where > -0.5) & (where < own - 0.5)).all(1).mean())


def _check_same_shape(stack: Stack, target: Stack, what: str, onto: str) -> None:
    own = tuple(stack.size(a) for a in stack.axes if a != "C")
    wanted = tuple(target.size(a) for a in target.axes if a != "C")
    both = f"The {what}: {describe(stack)}. The {onto}: {describe(target)}."
    if own != wanted:
        raise GeometryError(
            f"The shape of the {what} is {own}, that of the {onto} is {wanted} (axes "
            f"{target.axes.replace('C', '')}), and their positions in the world are not both "
            f"known. {both} Give both on one grid, or with their affines."
        )
    factor = length_factor(stack.unit, target.unit)
    known = {stack.unit, target.unit}.isdisjoint({"pixel", ""})
    if factor is None or not known:
        return
    if not np.allclose(np.multiply(stack.spacing, factor), target.spacing, rtol=1e-3):
        raise GeometryError(
            f"The spacing of the {what} is not that of the {onto}, though their shapes are equal. "
            f"{both} Are they of the same image?"
        )
