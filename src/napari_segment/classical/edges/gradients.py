"""Differences of direct neighbours: Sobel, Scharr, Prewitt, Roberts and Laplace."""

from __future__ import annotations

from napari_segment.arrays import Array
from napari_segment.classical.edges.operator import operator
from napari_segment.classical.edges.stencil import (
    SOBEL,
    Response,
    component_of,
    gradient,
    in_volume,
    stencil,
)
from napari_segment.classical.grid import checked
from napari_segment.image import Spacing

SCHARR = (3 / 16, 10 / 16)
PREWITT = (1 / 3, 1 / 3)


@operator(
    "sobel",
    title="Sobel",
    group="gradient",
    marks="Mark voxels at which the Sobel gradient is large.",
)
def sobel(image: Array, spacing: Spacing = (), *, response: Response = "magnitude") -> Array:
    """Estimate the gradient by central differences, smoothed 1-2-1 across.

    Values beyond the edge are mirrored (d c b a|a b c d). The magnitude is the length of the
    gradient, so twice scikit-image's `sobel` is ``sqrt(ndim)`` times ours.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers of any type; NumPy or Dask.

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


@operator(
    "scharr",
    title="Scharr",
    group="gradient",
    marks="Mark voxels at which the Scharr gradient is large.",
)
def scharr(image: Array, spacing: Spacing = (), *, response: Response = "magnitude") -> Array:
    """Estimate the gradient by central differences, smoothed 3-10-3 across.

    The weights make the direction of the gradient more accurate than Sobel's. Values beyond the
    edge are mirrored (d c b a|a b c d).

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers of any type; NumPy or Dask.

    Returns
    -------
    array
        Intensity per unit of the spacing: float32, or float64 for float64 and integers of 32 and
        64 bits.

    References
    ----------
    B. Jähne, H. Scharr and S. Körkel, "Principles of filter design", in Handbook of Computer
    Vision and Applications, Academic Press, 1999.
    """
    return gradient(image, spacing, SCHARR, response)


@operator(
    "prewitt",
    title="Prewitt",
    group="gradient",
    marks="Mark voxels at which the Prewitt gradient is large.",
)
def prewitt(image: Array, spacing: Spacing = (), *, response: Response = "magnitude") -> Array:
    """Estimate the gradient by central differences, averaged over three voxels across.

    Values beyond the edge are mirrored (d c b a|a b c d).

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers of any type; NumPy or Dask.

    Returns
    -------
    array
        Intensity per unit of the spacing: float32, or float64 for float64 and integers of 32 and
        64 bits.

    References
    ----------
    J. M. S. Prewitt, "Object enhancement and extraction", in Picture Processing and
    Psychopictorics, Academic Press, 1970.
    """
    return gradient(image, spacing, PREWITT, response)


@operator(
    "roberts",
    title="Roberts cross",
    group="gradient",
    marks="Mark cells at which the gradient by Roberts' cross is large.",
)
def roberts(image: Array, spacing: Spacing = (), *, response: Response = "magnitude") -> Array:
    """Estimate the gradient of each 2 × 2 cell from the differences along its diagonals.

    In a volume this is the usual extension of Roberts' cross: the gradient that fits the
    differences along the four space diagonals of each 2 × 2 × 2 cell best. The result of a cell
    is put at its first voxel, half a voxel before the cell's centre along each axis. The last
    cells are completed by repeating the edge.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers of any type; NumPy or Dask.

    Returns
    -------
    array
        Intensity per unit of the spacing: float32, or float64 for float64 and integers of 32 and
        64 bits.

    References
    ----------
    L. G. Roberts, "Machine perception of three-dimensional solids", MIT, 1963.
    """
    spacing = checked(image, spacing)
    which = component_of(response, image.ndim)
    scale = in_volume(1 / s for s in spacing)
    return stencil("cell_gradient", image, which, scale)


@operator(
    "laplace",
    title="Laplace",
    group="second derivative",
    marks="Mark where the Laplacian passes through zero steeply.",
    crossings=True,
)
def laplace(image: Array, spacing: Spacing = ()) -> Array:
    """Add up the second differences along all axes.

    It is negative on bright ridges and spots, and changes its sign at edges. Values beyond the
    edge are mirrored (d c b a|a b c d). Without smoothing it answers to noise above all: see
    `log`.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers of any type; NumPy or Dask.

    Returns
    -------
    array
        Intensity per squared unit of the spacing: float32, or float64 for float64 and integers
        of 32 and 64 bits.
    """
    spacing = checked(image, spacing)
    return stencil("laplacian", image, in_volume(s**-2 for s in spacing))
