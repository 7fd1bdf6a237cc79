"""Verbs that join several opinions on objects, and that say where an opinion is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from napari_segment.api.coercion import as_image, as_labels
from napari_segment.api.types import ImageLike, LabelsLike
from napari_segment.errors import InputError
from napari_segment.image import Labels, align

Count = Annotated[int, Field(ge=1)]


def consensus(
    labels: Sequence[LabelsLike], *, iou: Annotated[float, Field(gt=0, le=1)] = 0.25
) -> Labels:
    """Join several segmentations into objects to what most of them agree on.

    For volumes that were segmented plane by plane and linked along each of three directions
    (``apply_to="directions"`` does all of it), or by several methods or people.

    Parameters
    ----------
    labels : sequence of Labels, ndarray, str, Path or napari layer
        Objects, all on one grid.
    iou : float
        Overlap (intersection over union) from which on two objects can be the same.

    Returns
    -------
    Labels
        A voxel belongs to an object where more than half of the segmentations say so.
    """
    from napari_segment.results.link import consensus as agreed

    stacks = [as_labels(one).canonical() for one in labels]
    if not stacks:
        raise InputError("A consensus needs at least one segmentation, but none was given.")
    first = stacks[0]
    aligned = [align(s, first, what=f"labels {i}", onto="first") for i, s in enumerate(stacks)]
    if "T" in first.axes:
        raise InputError("A consensus is of one time point: take each by itself.")
    return first.replace(
        data=agreed([s.data for s in aligned], iou=iou), holds="objects", features={}, maps={}
    )


def slices_to_label_next(
    uncertainty: ImageLike,
    *,
    count: Count = 5,
    axis: Literal["T", "Z", "Y", "X"] = "Z",
    apart: Count = 1,
) -> list[int]:
    """Rank the planes of a stack by how unsure a network is of them.

    Parameters
    ----------
    uncertainty : Image, ndarray, str, Path or napari layer
        A map of ``segment(image, "network", maps=["entropy"])``, or "disagreement".
    count : int
        How many planes are wanted.
    axis : {"T", "Z", "Y", "X"}
        The axis across the planes.
    apart : int
        Planes nearer than this to a chosen one are left out, for neighbours look alike.

    Returns
    -------
    list of int
        Positions along the axis, counted from 0, the most unsure first.
    """
    from napari_segment.deep.inference.slice_ranking import slices_to_label_next as ranked

    image = as_image(uncertainty)
    if axis not in image.axes:
        raise InputError(f"The map has axes {image.axes!r}, so its planes cannot lie along {axis}.")
    return ranked(image.data, count=count, axis=image.axes.index(axis), apart=apart)
