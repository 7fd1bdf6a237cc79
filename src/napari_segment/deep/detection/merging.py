"""Merge the detections of overlapping tiles into a label image, each object once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_segment.image import smallest_integers


@dataclass(frozen=True, eq=False)
class Detection:
    """One detected object of one tile.

    Parameters
    ----------
    corner : tuple of int
        First row and column of the mask in the image.
    mask : ndarray of bool (H, W)
        Its pixels.
    score : float
        Confidence of the network, 0 to 1.
    class_index : int
        Class, from 1.
    truncated : bool
        Whether it touches a border of its tile that is not the image's.
    """

    corner: tuple[int, int]
    mask: NDArray[np.bool_]
    score: float
    class_index: int = 1
    truncated: bool = False

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns of the mask in the image."""
        (y, x), (h, w) = self.corner, self.mask.shape
        return slice(y, y + h), slice(x, x + w)


@dataclass(frozen=True, eq=False)
class DetectedObjects:
    """A label image with the score, class and box of each object.

    Parameters
    ----------
    labels : ndarray (Y, X)
        Objects 1 to N.
    scores, classes : ndarray (N,)
        Of object ``i + 1``.
    boxes : ndarray (N, 4)
        First row and column, last row and column (exclusive).
    """

    labels: NDArray[np.unsignedinteger]
    scores: NDArray[np.float32]
    classes: NDArray[np.int64]
    boxes: NDArray[np.int64]


def merge_detections(
    detections: Sequence[Detection],
    shape: tuple[int, int],
    *,
    score: float = 0.5,
    overlap: float = 0.5,
) -> DetectedObjects:
    """Merge detections into a label image by non-maximum suppression of their masks.

    Detections are drawn in the order of their scores, those that a tile's border truncates after
    all others. A detection whose intersection with a drawn object is more than `overlap` of the
    smaller of both is the same object: if both are truncated their masks are joined, else it is
    left out. Where different objects overlap, the pixels stay with the first.

    Parameters
    ----------
    detections : sequence of Detection
        Of all tiles.
    shape : tuple of int
        Of the image.
    score : float
        Smallest score.
    overlap : float
        Largest intersection of two objects, as a fraction of the smaller one.

    Returns
    -------
    DetectedObjects
    """
    canvas = np.zeros(shape, np.int32)
    merged: list[Detection] = []
    areas: list[int] = [0]
    for detection in sorted(detections, key=lambda d: (d.truncated, -d.score)):
        if detection.score < score or not detection.mask.any():
            continue
        under = canvas[detection.slices]
        same, common = _most_common(under[detection.mask])
        area = int(detection.mask.sum())
        if common > overlap * min(area, areas[same] if same else area):
            if detection.truncated and merged[same - 1].truncated:
                areas[same] += _draw(under, detection.mask, same)
            continue
        drawn = _draw(under, detection.mask, len(merged) + 1)
        if drawn:
            merged.append(detection)
            areas.append(drawn)
    return _objects(canvas, merged)


def _most_common(values: NDArray[np.int32]) -> tuple[int, int]:
    """Return the object to which most of some pixels belong, and how many do."""
    drawn = values[values > 0]
    if not drawn.size:
        return 0, 0
    numbers, counts = np.unique(drawn, return_counts=True)
    most = int(counts.argmax())
    return int(numbers[most]), int(counts[most])


def _draw(under: NDArray[np.int32], mask: NDArray[np.bool_], number: int) -> int:
    free = mask & (under == 0)
    under[free] = number
    return int(free.sum())


def _objects(canvas: NDArray[np.int32], merged: Sequence[Detection]) -> DetectedObjects:
    from napari_segment.deep.detection.anchors import boxes_of

    return DetectedObjects(
        canvas.astype(smallest_integers(len(merged))),
        np.array([d.score for d in merged], np.float32),
        np.array([d.class_index for d in merged], np.int64),
        boxes_of(canvas)[:, 1:],
    )
