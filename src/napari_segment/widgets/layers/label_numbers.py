"""What the numbers of a Labels layer without provenance look like: classes or objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Array
from napari_segment.widgets.layers.conversion import KEY

if TYPE_CHECKING:
    from napari.layers import Layer

Task: TypeAlias = Literal["", "classes", "objects"]

MANY = 30  # more numbers than this in one layer count objects
VOXELS = 2**22  # of a layer that are looked at, around its middle


@dataclass(frozen=True)
class Numbers:
    """The numbers of one Labels layer.

    Parameters
    ----------
    values : tuple of int
        The numbers other than 0.
    pieces : tuple of int
        How many connected pieces each of them has; empty for more than `MANY` numbers.
    """

    values: tuple[int, ...]
    pieces: tuple[int, ...]


def recorded_holds(layer: Layer) -> str:
    """Return the label semantics in a layer's provenance; "" where it has none."""
    return str(((layer.metadata or {}).get(KEY) or {}).get("holds", ""))


def numbers_of(layer: Layer) -> Numbers:
    """Count the numbers of a Labels layer and their connected pieces."""
    data = _middle(layer.data[0] if layer.multiscale else layer.data)
    values = tuple(int(v) for v in np.unique(data) if v)
    if len(values) > MANY:
        return Numbers(values, ())
    return Numbers(values, tuple(_pieces(data == value) for value in values))


def likely_task(layers: Sequence[Numbers]) -> Task:
    """Decide whether numbers are classes or objects; "" where both are as likely.

    Numbers are classes if most of them have several pieces, if all layers have the same few
    numbers, or if there is one number only. They are objects if they are many, or differ between
    layers while each is one piece.
    """
    marked = [numbers for numbers in layers if numbers.values]
    if any(len(numbers.values) > MANY for numbers in marked):
        return "objects"
    pieces = [count for numbers in marked for count in numbers.pieces]
    if not pieces:
        return ""
    sets = {numbers.values for numbers in marked}
    if sum(count > 1 for count in pieces) * 2 > len(pieces) or len(set().union(*sets)) == 1:
        return "classes"
    if len(sets) > 1:
        return "objects" if max(pieces) == 1 else ""
    return "classes" if len(marked) > 1 else ""


def describe(layers: Sequence[Numbers]) -> str:
    """Describe the numbers of some layers in one sentence."""
    values = set().union(*(numbers.values for numbers in layers))
    pieces = [count for numbers in layers for count in numbers.pieces]
    if not values:
        return "The labels are empty."
    shown = f"{len(values)} label number" + "s" * (len(values) != 1)
    if not pieces:
        return f"{shown}."
    low, high = min(pieces), max(pieces)
    count = f"{low}" if low == high else f"{low} to {high}"
    return f"{shown}, each in {count} connected piece" + "s" * (high != 1) + "."


def _middle(data: Array) -> NDArray[Any]:
    """Return the middle part of an array along its first axes, of at most `VOXELS` voxels."""
    for axis in range(data.ndim):
        rest = max(int(np.prod(data.shape)) // max(data.shape[axis], 1), 1)
        length = min(max(VOXELS // rest, 1), data.shape[axis])
        start = (data.shape[axis] - length) // 2
        data = data[(slice(None),) * axis + (slice(start, start + length),)]
    return np.asarray(data)


def _pieces(mask: NDArray[np.bool_]) -> int:
    from scipy.ndimage import find_objects, generate_binary_structure, label

    (box,) = find_objects(mask.astype(np.uint8))
    return int(label(mask[box], generate_binary_structure(mask.ndim, mask.ndim))[1])
