"""Thresholds that a person sets."""

from __future__ import annotations

from typing import Any

from napari_segment.classical.threshold.separate import Objects, beyond
from napari_segment.registry import methods

GROUP = "threshold set by hand"


@methods.add("manual", title="Manual threshold", gives="mask", group=GROUP, pointwise=True)
def manual(image: Any, *, value: float = 0.5, objects: Objects = "bright") -> Any:
    """Separate bright from dark at a value.

    Parameters
    ----------
    image : array (*S)
        Real numbers.
    value : float
        Values above it are bright; the value itself and all below are dark. NaN is background.
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
    return beyond(image, value, objects)
