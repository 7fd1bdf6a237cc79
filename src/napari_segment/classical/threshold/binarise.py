"""From a threshold to a mask: one rule for all methods.

Bright objects are the values above the threshold, dark objects the finite or infinite values at
or below it. NaN is background in both. A threshold of NaN stands for "there is nothing to
separate" (no finite values, or all of them equal) and gives an empty mask.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.blocks import map_blocks
from napari_segment.classical.histogram import Histogram, histogram, real

Objects: TypeAlias = Annotated[
    Literal["bright", "dark"],
    Field(description='"bright" for the values above the threshold, "dark" for all others.'),
]
Mask: TypeAlias = NDArray[np.bool_]

_TILE = 1 << 20  # voxels that stay in the cache while they are compared with every level


def binarise_by(
    image: Array, criterion: Callable[[Histogram], float], *, bins: int, objects: Objects
) -> Array:
    """Mask of an image by the threshold that a criterion finds in its histogram."""
    return binarise(image, criterion(histogram(image, bins=bins)), objects)


def binarise(image: Array, threshold: float, objects: Objects) -> Array:
    """Mask of the values on the objects' side of a threshold.

    Parameters
    ----------
    image : array (*S)
        Real numbers, in memory or lazy.
    threshold : float
        Belongs to the dark side. NaN gives an empty mask.
    objects : {"bright", "dark"}
        Which side.

    Returns
    -------
    array of bool (*S)
        Lazy where the image is.
    """
    image = real(image)
    level = _level(threshold, image.dtype)
    return map_blocks(partial(_binarised, level=level, objects=objects), image, dtype=np.bool_)


def _binarised(block: NDArray[Any], *, level: np.generic | float, objects: Objects) -> Mask:
    if math.isnan(level):  # np.isnan refuses integers beyond 64 bits
        return np.zeros(block.shape, np.bool_)
    compare = np.greater if objects == "bright" else np.less_equal
    mask: Mask = compare(block, level)
    return mask


def _level(threshold: float, dtype: np.dtype[Any]) -> np.generic | float:
    """The greatest number of the image's own type not above the threshold.

    Comparing in that type gives the same mask, and reads the image at full speed.
    """
    if not np.isfinite(threshold):
        return threshold
    if dtype.kind in "ui":
        return int(np.floor(threshold))
    with np.errstate(over="ignore"):
        level: np.generic = dtype.type(threshold)
        below: np.generic = np.nextafter(level, dtype.type(-np.inf))
    return below if float(level) > threshold else level


def digitise(image: Array, thresholds: Iterable[float], objects: Objects = "bright") -> Array:
    """Number values by the thresholds that they lie beyond.

    Parameters
    ----------
    image : array (*S)
        Real numbers, in memory or lazy.
    thresholds : iterable of float
        Rising; at most 255.
    objects : {"bright", "dark"}
        "bright" numbers classes from 0 for the darkest, "dark" from 0 for the brightest.

    Returns
    -------
    array of uint8 (*S)
        NaN is in class 0.
    """
    image = real(image)
    levels = [_level(t, image.dtype) for t in thresholds]
    return map_blocks(partial(_count_beyond, levels=levels, objects=objects), image, dtype=np.uint8)


def _count_beyond(block: NDArray[Any], *, levels: list[Any], objects: Objects) -> NDArray[np.uint8]:
    from napari_segment.classical._slabs import over_slabs

    number: NDArray[np.uint8] = np.empty(block.shape, np.uint8)
    values, numbers = block, number
    if block.flags.c_contiguous:
        values, numbers = block.reshape(-1), number.reshape(-1)

    def count(start: int, stop: int) -> None:
        part = numbers[start:stop]
        part[...] = 0
        for level in levels:
            part += _binarised(values[start:stop], level=level, objects=objects).view(np.uint8)

    over_slabs(count, len(values), thickness=max(1, _TILE // max(values[:1].size, 1)))
    return number
