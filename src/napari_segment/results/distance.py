"""Exact Euclidean distances between labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def distance_to_others(labels: NDArray[Any], spacing: tuple[float, ...]) -> NDArray[np.float32]:
    """Return the distance from each label to the nearest other value, infinite without any.

    Parameters
    ----------
    labels : ndarray (Y, X) or (Z, Y, X)
        Booleans or unsigned integers. The distance of 0 is 0.
    spacing : tuple of float
        Distance between voxels along each axis.
    """
    import edt

    # edt reads through writable buffers; it takes three times as long for booleans as for bytes.
    values = labels.view(np.uint8) if labels.dtype == bool else labels
    writable = np.require(values, requirements=("C", "W"))
    distance = edt.edt(writable, anisotropy=spacing, black_border=False, parallel=2)
    return np.asarray(distance)
