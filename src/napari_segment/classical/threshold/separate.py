"""From a threshold to a mask: one rule for all methods.

Bright objects are the values above the threshold, dark objects the finite or infinite values at
or below it. NaN is background in both. A threshold of NaN stands for "there is nothing to
separate" (no finite values, or all of them equal) and gives an empty mask.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_segment.blocks import map_blocks
from napari_segment.classical.threshold.histogram import Histogram, histogram, real

Objects: TypeAlias = Literal["bright", "dark"]
Mask: TypeAlias = NDArray[np.bool_]


def separate(
    image: Any, criterion: Callable[[Histogram], float], *, bins: int, objects: Objects
) -> Any:
    """Mask of an image by the threshold that a criterion finds in its histogram."""
    return beyond(image, criterion(histogram(image, bins=bins)), objects)


def beyond(image: Any, threshold: float, objects: Objects) -> Any:
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
    return map_blocks(partial(_beyond, level=level, objects=objects), image, dtype=np.bool_)


def _beyond(block: NDArray[Any], *, level: Any, objects: Objects) -> Mask:
    if np.isnan(level):
        return np.zeros(block.shape, np.bool_)
    compare = np.greater if objects == "bright" else np.less_equal
    mask: Mask = compare(block, level)
    return mask


def _level(threshold: float, dtype: np.dtype[Any]) -> Any:
    """The greatest number of the image's own type not above the threshold.

    Comparing in that type gives the same mask, and reads the image at full speed.
    """
    if not np.isfinite(threshold):
        return threshold
    if dtype.kind in "ui":
        return int(np.floor(threshold))
    with np.errstate(over="ignore"):
        level = dtype.type(threshold)
    return np.nextafter(level, dtype.type(-np.inf)) if float(level) > threshold else level
