"""Outlines of objects as COCO writes them, polygons or run lengths, and their pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.errors import FormatError
from napari_segment.image import Labels, smallest_integers

CROWD = -1


@dataclass(frozen=True)
class Outlines:
    """Objects of one image, painted when asked for.

    Parameters
    ----------
    size : tuple of int
        Height and width.
    objects, crowds : tuple
        COCO segmentations: lists of polygons, or run lengths.
    """

    size: tuple[int, int]
    objects: tuple[Any, ...]
    crowds: tuple[Any, ...] = ()

    def __call__(self) -> Labels:
        """Paint the objects, numbered from 1 in their order, large ones first."""
        masks = [fill(s, self.size) for s in self.objects]
        dtype = np.int32 if self.crowds else smallest_integers(len(masks))
        labels: NDArray[Any] = np.zeros(self.size, dtype)
        for crowd in self.crowds:
            labels[fill(crowd, self.size)] = CROWD
        areas = [-int(m.sum()) for m in masks]
        for i in np.argsort(areas, kind="stable"):
            labels[masks[i]] = i + 1
        return Labels(labels, "YX", holds="objects")


def fill(segmentation: Any, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the pixels of a COCO segmentation.

    Parameters
    ----------
    segmentation : list or dict
        Polygons ``[[x0, y0, x1, y1, …], …]``, of which the union is taken: a pixel belongs to
        one if its centre, half a pixel from its corner, lies within. Or run lengths
        ``{"size": [h, w], "counts": …}``, as numbers or as COCO's compressed string.
    size : tuple of int
        Height and width.

    Returns
    -------
    bool array of shape `size`

    Examples
    --------
    >>> fill([[1, 0, 3, 0, 3, 2, 1, 2]], (2, 4)).astype(int)
    array([[0, 1, 1, 0],
           [0, 1, 1, 0]])
    >>> fill({"size": [2, 3], "counts": [1, 2, 3]}, (2, 3)).astype(int)
    array([[0, 1, 0],
           [1, 0, 0]])
    """
    if isinstance(segmentation, Mapping):
        return _runs(segmentation)
    from skimage.draw import polygon

    mask = np.zeros(size, bool)
    for points in polygons_of(segmentation):
        if len(points) < 6 or len(points) % 2:
            raise FormatError(f"A polygon of {len(points)} numbers has no three corners (x, y).")
        xy = np.asarray(points, float).reshape(-1, 2) - 0.5
        mask[polygon(xy[:, 1], xy[:, 0], size)] = True
    return mask


def _runs(segmentation: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Paint runs of background and object in turns, down the columns."""
    (height, width), runs = run_lengths(segmentation)
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, runs).reshape(width, height).T


def run_lengths(segmentation: Mapping[str, Any]) -> tuple[tuple[int, int], list[int]]:
    """Return the height and width, and the runs that fill them."""
    height, width = map(int, segmentation["size"])
    counts = segmentation["counts"]
    runs = _unpacked(counts) if isinstance(counts, str | bytes) else [int(c) for c in counts]
    if sum(runs) != height * width or min(runs, default=0) < 0:
        raise FormatError(f"Run lengths of {sum(runs)} pixels for a picture of {height} x {width}.")
    return (height, width), runs


def _unpacked(text: str | bytes) -> list[int]:
    """Decode COCO's compressed runs: five bits a character, each a change from two before."""
    codes = text if isinstance(text, bytes) else text.encode()
    numbers: list[int] = []
    value = shift = 0
    for code in codes:
        bits = code - 48
        value |= (bits & 0x1F) << shift
        shift += 5
        if not bits & 0x20:
            numbers.append(value - (1 << shift) if bits & 0x10 else value)
            value = shift = 0
    for i in range(3, len(numbers)):
        numbers[i] += numbers[i - 2]
    return numbers


def polygons_of(segmentation: Any) -> list[Any]:
    """Return the polygons of a segmentation; one that stands alone counts as a list of one."""
    if not isinstance(segmentation, list | tuple):
        raise TypeError(type(segmentation).__name__)
    flat = bool(segmentation) and all(isinstance(v, int | float) for v in segmentation)
    return [segmentation] if flat else list(segmentation)
