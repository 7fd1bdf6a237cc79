"""What came of a segmentation, in numbers and in one sentence."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass

import numpy as np

from napari_segment.api.filtering import apply_filters
from napari_segment.api.types import ImageLike
from napari_segment.errors import SegmentError
from napari_segment.image import Holds, Labels
from napari_segment.recipe import Recipe

_LIMIT = 1 << 27  # voxels up to which the pieces of a mask are counted
_NAMES = {"objects": ("object", "objects"), "classes": ("class", "classes")}


@dataclass(frozen=True)
class Outcome:
    """What labels hold.

    Parameters
    ----------
    holds : {"mask", "classes", "objects"}
        As of the labels.
    count : int or None
        Objects, summed over time points; classes other than background that occur; connected pieces
        of a mask. None where they were not counted, because the labels are lazy or very large.
    fraction : float or None
        Foreground voxels divided by all voxels; None where `count` is.
    text : str
        One sentence for a person.
    """

    holds: Holds
    count: int | None
    fraction: float | None
    text: str


def outcome_of(labels: Labels, image: ImageLike | None = None, *, pieces: bool = True) -> Outcome:
    """Count what a segmentation found, and say why where it found nothing.

    Parameters
    ----------
    labels : Labels
        In memory; lazy ones are not counted.
    image : Image, ndarray, str, Path, or napari layer, optional
        What was segmented. With it, and the labels' recipe, an empty result is explained.
    pieces : bool
        Whether the connected pieces of a mask are counted. It takes a compiler's import at the
        first call of a process.

    Returns
    -------
    Outcome

    Examples
    --------
    >>> outcome_of(Labels(np.array([[1, 0, 2]]), "YX", holds="objects")).text
    '2 objects'
    """
    if labels.is_lazy or labels.data.size > _LIMIT:
        return Outcome(labels.holds, None, None, "")
    uncounted = labels.holds == "mask" and not pieces
    count = None if uncounted and labels.data.any() else _count(labels)
    fraction = float(np.count_nonzero(labels.data)) / max(labels.data.size, 1)
    if count is None:
        return Outcome("mask", None, fraction, f"A mask of {fraction:.2g} of all voxels")
    if not count:
        return Outcome(labels.holds, 0, 0.0, _reason(labels.recipe, image))
    return Outcome(labels.holds, count, fraction, _sentence(labels, count, fraction))


def _count(labels: Labels) -> int:
    if not labels.data.any():
        return 0
    from napari_segment.blocks.components import label
    from napari_segment.blocks.tables import counts

    if labels.holds == "classes":
        return len(counts(labels.data)[0])
    times = labels.size("T") if "T" in labels.axes else 1
    parts = (labels.take("T", i) if "T" in labels.axes else labels for i in range(times))
    if labels.holds == "mask":
        return sum(label(part.canonical().data != 0)[1] for part in parts)
    return sum(len(counts(part.data)[0]) for part in parts)


def _sentence(labels: Labels, count: int, fraction: float) -> str:
    times = labels.size("T") if "T" in labels.axes else 1
    over = f" in {times:,} time points" if times > 1 else ""
    if labels.holds == "mask":
        pieces = "1 piece" if count == 1 else f"{count:,} pieces"
        return f"A mask of {pieces}{over}, {fraction:.2g} of all voxels"
    return f"{count:,} {_NAMES[labels.holds][count != 1]}{over}"


def _reason(recipe: Recipe | None, image: ImageLike | None) -> str:
    """Say that nothing was found, and why if that can be seen."""
    cause = ""
    if recipe is not None and image is not None:
        with contextlib.suppress(SegmentError, MemoryError):  # no more than a help
            cause = _cause(recipe, *_range(recipe, image))
    return f"Nothing was found{cause and ': '}{cause}"


def _cause(recipe: Recipe, low: float, high: float) -> str:
    if not (math.isfinite(low) and math.isfinite(high)):
        return "the image has no finite value"
    if low == high:
        return f"every voxel of the image has the value {low:g}"
    if recipe.cleanups and not _beyond(recipe, low, high):
        return "the cleanups may have removed all of it"
    return _beyond(recipe, low, high)


def _range(recipe: Recipe, image: ImageLike) -> tuple[float, float]:
    """Smallest and largest finite value that the method sees."""
    values = np.asarray(apply_filters(image, recipe).data)
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    if not finite.size:
        return math.nan, math.nan
    return float(finite.min()), float(finite.max())


def _beyond(recipe: Recipe, low: float, high: float) -> str:
    """Say that a threshold set by hand lies beyond all values."""
    settings = recipe.method.settings
    if recipe.method.name != "manual" or "value" not in settings:
        return ""
    threshold = float(settings["value"])
    if settings.get("objects") == "dark" and threshold < low:
        return f"the threshold {threshold:g} is below every voxel (the smallest is {low:g})"
    if settings.get("objects") != "dark" and threshold >= high:
        return f"the threshold {threshold:g} is above every voxel (the largest is {high:g})"
    return ""
