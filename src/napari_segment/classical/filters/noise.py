"""How much noise an image has."""

from __future__ import annotations

import numpy as np

from napari_segment.arrays import Array
from napari_segment.classical.filters.percentiles import percentiles
from napari_segment.classical.filters.separable import Kernel, convolve
from napari_segment.classical.grid import checked

_SECOND_DIFFERENCE = Kernel((-2.0, 1.0))
_MEDIAN_OF_NORMAL = 0.6744897501960817  # of the absolute value, in standard deviations


def noise_level(image: Array) -> float:
    """The standard deviation of white noise, from what neighbouring voxels cannot explain.

    Second differences along all axes cancel everything smooth; the median of their absolute value
    is hardly touched by edges.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers; NumPy or Dask.

    Returns
    -------
    float
        In the image's intensities; 0 where the image is empty or not finite.

    References
    ----------
    J. Immerkær, "Fast noise variance estimation", Computer Vision and Image Understanding 64,
    300–302, 1996. :doi:`10.1006/cviu.1996.0060`
    """
    checked(image)
    if not image.size:
        return 0.0
    inside = tuple(slice(1, -1) if n > 2 else slice(None) for n in image.shape)
    axes = [_SECOND_DIFFERENCE if n > 2 else Kernel((1.0,)) for n in image.shape]
    rest = abs(convolve(image, axes)[inside])
    _, median = percentiles(rest, 0, 50)
    if np.isnan(median):
        return 0.0
    gain = np.prod([np.sqrt(6.0) if n > 2 else 1.0 for n in image.shape])
    return float(median / _MEDIAN_OF_NORMAL / gain)
