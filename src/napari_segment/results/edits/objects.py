"""Edits that give whole objects other numbers."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from napari_segment.errors import InputError
from napari_segment.registry import edits
from napari_segment.results.edits.view import Patch, Target

Number = Annotated[int, Field(ge=1, description="Number of the object.")]
Numbers = Annotated[
    tuple[Annotated[int, Field(ge=1)], ...],
    Field(min_length=1, description="Numbers of the objects."),
]
Pair = Annotated[
    tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]],
    Field(description="Numbers of the two objects."),
]


def renumbered(labels: Target, number: int, new: int) -> Patch:
    """Return the patch that gives all voxels of an object another number."""
    box, mask = labels.mask(number)
    return Patch(box, new, mask)


@edits.add("delete", title="Delete", pointwise=True, group="objects")
def delete(labels: Target, *, numbers: Numbers) -> list[Patch]:
    """Delete objects: their voxels become background."""
    return [renumbered(labels, number, 0) for number in dict.fromkeys(numbers)]


@edits.add("merge", title="Merge", pointwise=True, group="objects")
def merge(labels: Target, *, numbers: Numbers) -> list[Patch]:
    """Merge objects: all get the number of the first.

    Parameters
    ----------
    numbers : tuple of int
        Numbers of at least two objects; the first one stays.
    """
    first, *others = dict.fromkeys(numbers)
    labels.mask(first)
    if not others:
        raise InputError(f"Only object {first} was given: merging takes at least two objects.")
    return [renumbered(labels, number, first) for number in others]


@edits.add("relabel", title="Relabel", pointwise=True, group="objects")
def relabel(
    labels: Target,
    *,
    number: Number,
    new: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto",
) -> list[Patch]:
    """Give an object another number that is free.

    Parameters
    ----------
    number : int
        Number of the object.
    new : int or "auto"
        The new number; "auto" takes the next free one.
    """
    target = labels.free()[0] if new == "auto" else new
    if target == number:
        raise InputError(f"The object has the number {number} already.")
    if new != "auto" and _is_there(labels, target):
        raise InputError(
            f"Number {target} is taken by another object. Choose a free number, such as "
            f"{labels.free()[0]}, or use 'merge' or 'swap'."
        )
    return [renumbered(labels, number, target)]


@edits.add("swap", title="Swap", pointwise=True, group="objects")
def swap(labels: Target, *, numbers: Pair, start: Annotated[int, Field(ge=0)] = 0) -> list[Patch]:
    """Swap the numbers of two objects, such as of tracks that were mixed up at some time point.

    Parameters
    ----------
    numbers : tuple of int
        Numbers of the two objects.
    start : int
        First time point at which they are swapped; of labels without time there is only 0.
    """
    first, second = numbers
    if first == second:
        raise InputError(f"Swapping takes two objects, but both are number {first}.")
    patches = [renumbered(labels, first, second), renumbered(labels, second, first)]
    if "T" not in labels.axes or not start:
        return patches
    later = [_since(patch, labels.axes.index("T"), start) for patch in patches]
    if not any(patch.mask is not None and patch.mask.any() for patch in later):
        raise InputError(f"Neither of the objects {first} and {second} is there from T {start} on.")
    return later


def _since(patch: Patch, axis: int, start: int) -> Patch:
    """Return a patch without what lies before a position along an axis."""
    mask = np.array(patch.mask)
    earlier = max(start - patch.where[axis].start, 0)
    mask[(slice(None),) * axis + (slice(0, earlier),)] = False
    return Patch(patch.where, patch.values, mask)


@edits.add("accept", title="Accept", pointwise=True, group="objects")
def accept(labels: Target, *, numbers: Numbers) -> list[Patch]:
    """Accept objects as they are: nothing changes, but the review has seen them."""
    for number in numbers:
        labels.mask(number)
    return []


def _is_there(labels: Target, number: int) -> bool:
    try:
        _, mask = labels.mask(number)
    except InputError:
        return False
    return bool(np.any(mask))
