"""Edits that draw: new objects, and the strokes of a brush."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from napari_segment.errors import InputError
from napari_segment.registry import edits
from napari_segment.results.edits.shapes import (
    Across,
    Outline,
    Runs,
    outline_box,
    outline_mask,
    plane_axes,
    runs_mask,
    through,
)
from napari_segment.results.edits.view import Patch, Target


@edits.add("new_object", title="New object", group="draw")
def new_object(
    labels: Target,
    *,
    outline: Outline = (),
    runs: Runs = "",
    number: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto",
    overwrite: bool = False,
    axis: Across = "Z",
) -> list[Patch]:
    """Draw a new object as an outline, or as painted voxels.

    Parameters
    ----------
    number : int or "auto"
        Its number; "auto" takes the next free one.
    overwrite : bool
        Whether it replaces voxels of other objects.
    """
    if bool(outline) == bool(runs):
        raise InputError("A new object takes either an outline or runs of voxels.")
    if runs:
        box, mask = runs_mask(runs, labels.shape)
    else:
        axes = plane_axes(labels, axis)
        flat = outline_box(outline, [labels.shape[a] for a in axes])
        sides = list(labels.all())
        sides[axes[0]], sides[axes[1]] = flat
        box = tuple(sides)
        shape = [s.stop - s.start for s in box]
        mask = np.broadcast_to(through(outline_mask(outline, flat), axes, labels.ndim), shape)
    mask = mask if overwrite else mask & (labels[box] == 0)
    if not mask.any():
        raise InputError("Nothing of it lies on background. Draw elsewhere, or use overwrite=True.")
    return [Patch(box, labels.free()[0] if number == "auto" else number, mask)]


@edits.add("paint", title="Paint", pointwise=True, group="draw")
def paint(labels: Target, *, runs: Runs, number: Annotated[int, Field(ge=0)]) -> list[Patch]:
    """Paint voxels, as a brush does.

    Parameters
    ----------
    number : int
        What they become; 0 is background.
    """
    box, mask = runs_mask(runs, labels.shape)
    return [Patch(box, number, mask)]
