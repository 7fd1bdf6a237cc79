"""Two stacks of labels on one grid, and the overlaps of what they hold."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_segment.arrays import Array
from napari_segment.errors import InputError
from napari_segment.image import Holds, Labels, align
from napari_segment.results.compare.objects import Overlap

IgnoreIndex: TypeAlias = int | Literal["none"]


def paired(labels: Labels | Any, reference: Labels | Any) -> tuple[Labels, Labels, Holds]:
    """Bring labels onto the grid of their reference, and say what both hold.

    Parameters
    ----------
    labels, reference : Labels or array
        As of `compare`.

    Returns
    -------
    labels, reference : Labels
        With their axes in the order ``TZYX``.
    holds : {"mask", "classes", "objects"}
        What is compared.
    """
    reference = _as_labels(reference)
    labels = align(_as_labels(labels), reference, onto="reference")
    return labels, reference, _common(labels, reference)


def annotated(
    pairs: NDArray[np.int64], voxels: NDArray[np.int64], ignore_index: IgnoreIndex
) -> Overlap:
    """Leave out the pairs of voxels to which the reference gives no annotation."""
    given = pairs[:, 1] >= 0
    if ignore_index != "none":
        given &= pairs[:, 1] != ignore_index
    return Overlap(pairs[given], voxels[given])


def times(labels: Labels, reference: Labels) -> list[tuple[Labels, Labels]]:
    """Return the pairs of stacks of each time point, or the one pair there is."""
    if "T" not in labels.axes:
        return [(labels, reference)]
    return [(labels.take("T", t), reference.take("T", t)) for t in range(labels.size("T"))]


def _as_labels(given: Labels | Array | ArrayLike) -> Labels:
    if isinstance(given, Labels):
        return given.canonical()
    array = given if hasattr(given, "dtype") else np.asarray(given)
    return Labels(array, holds="mask" if array.dtype == bool else "objects")


def _common(labels: Labels, reference: Labels) -> Holds:
    held = {labels.holds, reference.holds}
    if held == {"classes", "objects"}:
        raise InputError(
            f"The labels hold {labels.holds}, the reference {reference.holds}. Say what both hold, "
            "such as Labels(array, holds='classes')."
        )
    return labels.holds if len(held) == 1 else "mask"
