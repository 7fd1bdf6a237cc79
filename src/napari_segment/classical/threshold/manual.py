"""Thresholds that a person sets."""

from __future__ import annotations

import math
from functools import partial
from itertools import pairwise
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.blocks import connected_to, map_blocks
from napari_segment.classical.histogram import real
from napari_segment.classical.threshold.binarise import Objects, binarise, digitise
from napari_segment.errors import SettingError
from napari_segment.registry import methods

GROUP = "threshold set by hand"


@methods.add("manual", title="Manual threshold", gives="mask", group=GROUP, pointwise=True)
def manual(image: Array, *, value: float = 0.5, objects: Objects = "bright") -> Array:
    """Separate bright from dark at a value.

    Parameters
    ----------
    image : array (*S)
        Real numbers. NaN is background.
    value : float
        Values above it are bright; the value itself and all below are dark.
    objects : {"bright", "dark"}
        Which of them are the objects.

    Returns
    -------
    array of bool (*S)

    Examples
    --------
    >>> import numpy as np
    >>> manual(np.array([[1, 2, 3]]), value=2)
    array([[False, False,  True]])
    """
    return binarise(image, value, objects)


@methods.add("range", title="Range of values", gives="mask", group=GROUP, pointwise=True)
def between(
    image: Array, *, low: float = 0.5, high: float = 1.0, objects: Objects = "bright"
) -> Array:
    """Take the values from one bound to another, both included.

    Parameters
    ----------
    image : array (*S)
        Real numbers. NaN is background.
    low, high : float
        Smallest and greatest value of the range.
    objects : {"bright", "dark"}
        "bright" takes what lies within the range, "dark" what lies outside.

    Returns
    -------
    array of bool (*S)

    Examples
    --------
    >>> import numpy as np
    >>> between(np.array([[1, 2, 3, 4]]), low=2, high=3)
    array([[False,  True,  True, False]])
    """
    _check_order(low, high)
    return map_blocks(
        partial(_between, low=low, high=high, objects=objects), real(image), dtype=np.bool_
    )


@methods.add(
    "levels", title="Several thresholds by hand", gives="classes", group=GROUP, pointwise=True
)
def levels(
    image: Array,
    *,
    thresholds: Annotated[tuple[float, ...], Field(min_length=1, max_length=255)] = (0.5, 1.0),
    objects: Objects = "bright",
) -> Array:
    """Separate classes at several thresholds.

    Parameters
    ----------
    image : array (*S)
        Real numbers. NaN is background.
    thresholds : tuple of float
        Thresholds between the classes, rising. A threshold itself belongs to the class below it.
    objects : {"bright", "dark"}
        "bright" numbers the classes from 0 for the darkest, "dark" from 0 for the brightest.

    Returns
    -------
    array of uint8 (*S)

    Examples
    --------
    >>> import numpy as np
    >>> levels(np.array([[1, 2, 3, 4]]), thresholds=(1, 3))
    array([[0, 1, 1, 2]], dtype=uint8)
    """
    if any(low > high for low, high in pairwise(thresholds)):
        listed = ", ".join(f"{value:g}" for value in thresholds)
        raise SettingError(
            f"The thresholds are {listed}: give them from the smallest to the greatest."
        )
    return digitise(image, thresholds, objects)


@methods.add("hysteresis", title="Hysteresis threshold", gives="mask", group=GROUP)
def hysteresis(
    image: Array,
    *,
    low: float = 0.5,
    high: float = 1.0,
    connectivity: Annotated[int, Field(ge=1, le=3)] = 1,
    objects: Objects = "bright",
) -> Array:
    """Take the connected regions beyond a weak threshold that somewhere pass a strong one.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers. NaN is background.
    low, high : float
        The thresholds. Bright regions lie above `low` and hold a value above `high`; dark regions
        lie at or below `high` and hold a value at or below `low`.
    connectivity : int
        How far neighbours may lie: 1 for those sharing a face, 2 also an edge, 3 also a corner
        (a corner in 2-D is 2).
    objects : {"bright", "dark"}
        Which regions are the objects.

    Returns
    -------
    array of bool, of the image's shape

    Examples
    --------
    >>> import numpy as np
    >>> hysteresis(np.array([[2, 3, 2, 0, 2]]), low=1, high=2)
    array([[ True,  True,  True, False, False]])
    """
    _check_order(low, high)
    weak, strong = (low, high) if objects == "bright" else (high, low)
    return connected_to(
        binarise(image, strong, objects), binarise(image, weak, objects), connectivity
    )


def _check_order(low: float, high: float) -> None:
    if low > high:
        raise SettingError(f"'low' is {low:g} and 'high' is {high:g}: low must not be above high.")


def _between(
    block: NDArray[Any], *, low: float, high: float, objects: Objects
) -> NDArray[np.bool_]:
    if block.dtype.kind == "f":  # compare as float64, in which the bounds are exact
        low, high = np.float64(low), np.float64(high)
    else:  # compare as whole numbers: not all of 64 bits are floats
        low, high = math.ceil(low), math.floor(high)
    inside: NDArray[np.bool_] = (block >= low) & (block <= high)
    return inside if objects == "bright" else ~inside & ~np.isnan(block)
