"""Edits of an object's outline: holes, smoothing, growing, shrinking."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.errors import InputError
from napari_segment.registry import edits
from napari_segment.results.edits.objects import Numbers
from napari_segment.results.edits.view import Box, Patch, Target, View

Distance = Annotated[float, Field(gt=0, description="Distance in the unit of the spacing.")]
ToEdge = Annotated[
    bool,
    Field(description="Whether to stop at the strongest edge of the image within the distance."),
]
_EDGE_SIGMA = 1.0  # voxels: smooths the image before its gradient is taken


@edits.add("fill_holes", title="Fill holes", group="shape")
def fill_holes(labels: Target, *, numbers: Numbers) -> list[Patch]:
    """Fill the background that an object encloses; other objects in it stay."""
    from scipy import ndimage as ndi

    patches = []
    for number in dict.fromkeys(numbers):
        box, mask = labels.mask(number)
        filled = ndi.binary_fill_holes(mask) & (labels[box] == 0)
        patches.append(Patch(box, number, filled))
    return patches


@edits.add("smooth", title="Smooth", group="shape")
def smooth(
    labels: Target,
    *,
    numbers: Numbers,
    sigma: Annotated[float, Field(gt=0, le=1000)] = 2.0,
) -> list[Patch]:
    """Smooth the outline of objects by a Gaussian of their mask.

    Parameters
    ----------
    sigma : float
        Standard deviation in the unit of the spacing. Other objects are not overwritten.
    """
    from scipy import ndimage as ndi

    patches = []
    scales = [sigma / s for s in labels.spacing]
    for number in dict.fromkeys(numbers):
        box = labels.around(labels.mask(number)[0], sigma)
        part = labels[box]
        mask = part == number
        inside = ndi.gaussian_filter(mask.astype(np.float32), scales, mode="nearest") >= 0.5
        if not (inside & (mask | (part == 0))).any():
            raise InputError(
                f"Object {number} would vanish: smooth it by less than {sigma:g}, or delete it."
            )
        changed = (inside & (part == 0)) | (mask & ~inside)
        patches.append(Patch(box, np.where(inside, number, 0), changed))
    return patches


@edits.add("grow", title="Grow", group="shape")
def grow(
    labels: Target,
    image: View | None = None,
    *,
    numbers: Numbers,
    distance: Distance = 3.0,
    to_edge: ToEdge = False,
) -> list[Patch]:
    """Grow objects into the background, by a distance or to the image's edge within it."""
    chosen = tuple(dict.fromkeys(numbers))
    patches = []
    for number in chosen:
        box = labels.around(labels.mask(number)[0], distance)
        part = labels[box]
        reached = _within(part, number, chosen, distance, labels.spacing) & (part == 0)
        if to_edge:
            core, outer = part == number, (part != number) & ~reached
            reached &= _inside_edge(_pixels(image, box, "Growing"), core, outer, labels.spacing)
        patches.append(Patch(box, number, reached))
    return patches


@edits.add("shrink", title="Shrink", group="shape")
def shrink(
    labels: Target,
    image: View | None = None,
    *,
    numbers: Numbers,
    distance: Distance = 3.0,
    to_edge: ToEdge = False,
) -> list[Patch]:
    """Shrink objects, by a distance or to the image's edge within it."""
    from napari_segment.results.distance import distance_to_others

    patches = []
    for number in dict.fromkeys(numbers):
        box = labels.around(labels.mask(number)[0], max(labels.spacing))
        mask = labels[box] == number
        depth = distance_to_others(mask, labels.spacing)
        core = mask & (depth > distance)
        if to_edge:
            core = core if core.any() else mask & (depth >= depth[mask].max())
            pixels = _pixels(image, box, "Shrinking")
            core = mask & _inside_edge(pixels, core, ~mask, labels.spacing)
        if not core.any():
            raise InputError(
                f"Object {number} would vanish: shrink it by less than {distance:g}, or delete it."
            )
        patches.append(Patch(box, 0, mask & ~core))
    return patches


def _within(
    part: NDArray[Any],
    number: int,
    numbers: tuple[int, ...],
    distance: float,
    spacing: tuple[float, ...],
) -> NDArray[np.bool_]:
    """Where no other of the growing objects is nearer, up to a distance."""
    from scipy import ndimage as ndi

    far, nearest = ndi.distance_transform_edt(
        ~np.isin(part, numbers), sampling=spacing, return_indices=True
    )
    return np.asarray((far <= distance) & (part[tuple(nearest)] == number))


def _pixels(image: View | None, box: Box, work: str) -> NDArray[np.float64]:
    if image is None:
        raise InputError(f"{work} to an edge needs the image. Give image=…, or use to_edge=False.")
    return np.nan_to_num(image[box].astype(np.float64))


def _inside_edge(
    pixels: NDArray[np.float64],
    core: NDArray[np.bool_],
    outer: NDArray[np.bool_],
    spacing: tuple[float, ...],
) -> NDArray[np.bool_]:
    """What a flood of the gradient from inside reaches before the one from outside."""
    from scipy import ndimage as ndi
    from skimage.segmentation import watershed

    finest = min(spacing)
    scales = [_EDGE_SIGMA * finest / s for s in spacing]
    edges = ndi.gaussian_gradient_magnitude(pixels, scales, mode="nearest")
    markers = core + 2 * outer.astype(np.int64)
    return np.asarray(watershed(edges, markers) == 1)
