"""First differences with smoothing across: Sobel, Scharr and Prewitt."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.blocks import map_blocks
from napari_segment.classical._slabs import over_slabs, slab
from napari_segment.classical.edges.operator import Response, axis_of, operator
from napari_segment.classical.grid import checked, float_type

SOBEL = (1 / 4, 2 / 4)
SCHARR = (3 / 16, 10 / 16)
PREWITT = (1 / 3, 1 / 3)


@operator(
    "sobel",
    title="Sobel",
    group="gradient",
    marks="Mark voxels at which the Sobel gradient is large.",
)
def sobel(image: Any, spacing: Sequence[float] = (), *, response: Response = "magnitude") -> Any:
    """Estimate the gradient by central differences, smoothed 1-2-1 across.

    Values beyond the edge are mirrored (d c b a|a b c d). The magnitude is the length of the
    gradient, so twice scikit-image's `sobel` is ``sqrt(ndim)`` times ours.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers of any type; NumPy or Dask.
    spacing : sequence of float
        Distance between neighbours along each axis; empty for 1.
    response : {"magnitude", "z", "y", "x"}
        The length of the gradient, or its component along one axis (positive where the image
        grows brighter with the index).

    Returns
    -------
    array
        Intensity per unit of the spacing: float32, or float64 for float64 and integers of 32 and
        64 bits.

    References
    ----------
    I. Sobel and G. Feldman, "A 3×3 isotropic gradient operator for image processing", 1968.

    Examples
    --------
    >>> import numpy as np
    >>> sobel(np.array([[0, 2, 4], [0, 2, 4], [0, 2, 4]]), response="x")[1, 1]
    np.float64(2.0)
    """
    return gradient(image, spacing, SOBEL, response)


def gradient(
    image: Any, spacing: Sequence[float], smooth: tuple[float, float], response: Response
) -> Any:
    """The gradient from neighbours along each axis and the smoothing across it.

    Parameters
    ----------
    image, spacing
        As in `sobel`.
    smooth : tuple of float
        Weights of either neighbour and of the centre; ``2 * smooth[0] + smooth[1] == 1``.
    response : {"magnitude", "z", "y", "x"}
        What is given of it.

    Returns
    -------
    array
        Of the `float_type` of the image.
    """
    spacing = checked(image, spacing)
    scale = (*(0.0,) * (3 - image.ndim), *(0.5 / s for s in spacing))
    which = axis_of(response, image.ndim) + 1
    function = partial(gradient_block, smooth=smooth, scale=scale, which=which)
    halo = [min(1, n) for n in image.shape]
    return map_blocks(function, image, dtype=float_type(image.dtype), halo=halo)


def gradient_block(
    block: NDArray[Any], *, smooth: tuple[float, float], scale: tuple[float, ...], which: int
) -> NDArray[Any]:
    """`gradient` of an array in memory; ``scale`` holds ½ / spacing for Z, Y, X."""
    from napari_segment.classical.edges._gradient import gradient as kernel

    dtype = float_type(block.dtype)
    volume = block if block.ndim == 3 else block[None]
    out = np.empty(volume.shape, dtype)
    weights, factors = np.array(smooth, dtype), np.array(scale, dtype)

    def planes(a: int, b: int) -> None:
        low, high = max(a - 1, 0), min(b + 1, len(volume))
        part = slab(volume, low, high, dtype)
        kernel(part, a - low, b - low, out[a:b], which, weights, factors)

    if out.size:
        over_slabs(planes, len(volume))
    return out.reshape(block.shape)
