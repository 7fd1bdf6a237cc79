"""Gaussian smoothing."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.classical.filters.separable import convolve, gaussian_kernel
from napari_segment.classical.grid import checked, in_voxels
from napari_segment.image import Spacing
from napari_segment.registry import filters


@filters.add("gaussian", title="Gaussian", group="smoothing")
def gaussian(
    image: Array,
    spacing: Spacing = (),
    *,
    sigma: Annotated[float, Field(ge=0)] = 1.0,
) -> Array:
    """Smooth with a Gaussian of the same physical width along every axis.

    The Gaussian is sampled and cut at four standard deviations. Values beyond the edge are
    mirrored (d c b a|a b c d). NaN and infinities spread as far as the Gaussian reaches.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers of any type; NumPy or Dask.
    sigma : float
        Standard deviation in the unit of the spacing (voxels where it is 1).

    Returns
    -------
    array
        float32, or float64 for float64 and integers of 32 and 64 bits.

    Examples
    --------
    >>> import numpy as np
    >>> dot = np.zeros((5, 5))
    >>> dot[2, 2] = 1
    >>> gaussian(dot, sigma=0.5).round(3)[2]
    array([0.   , 0.084, 0.619, 0.084, 0.   ])
    """
    spacing = checked(image, spacing)
    return convolve(image, [gaussian_kernel(s) for s in in_voxels(sigma, spacing)])
