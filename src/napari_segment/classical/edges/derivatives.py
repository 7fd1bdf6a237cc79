"""Derivatives by wider separable kernels: Farid, Gaussians and their Laplacians."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.blocks import map_blocks
from napari_segment.classical.edges.operator import operator
from napari_segment.classical.edges.stencil import Response, axis_of
from napari_segment.classical.filters.separable import (
    Kernel,
    convolve,
    convolve_block,
    gaussian_kernel,
)
from napari_segment.classical.grid import checked, float_type, in_voxels
from napari_segment.image import Spacing

_FARID_SMOOTH = Kernel((0.426374573253687, 0.249153396177344, 0.0376593171958126))
_FARID_EDGE = Kernel((0.0, 0.276690988455557, 0.109603762960254), odd=True)

Kernels = tuple[Kernel, ...]
Sigma: TypeAlias = Annotated[
    float,
    Field(
        gt=0,
        description="Standard deviation of the Gaussian in the unit of the spacing. Along an axis "
        "it is never less than half a voxel, below which derivatives cannot be sampled.",
    ),
]


@operator(
    "farid",
    title="Farid and Simoncelli",
    group="gradient",
    marks="Mark voxels at which the gradient of Farid and Simoncelli is large.",
)
def farid(image: Array, spacing: Spacing = (), *, response: Response = "magnitude") -> Array:
    """Estimate the gradient with kernels of five voxels that err least when edges turn.

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
    H. Farid and E. P. Simoncelli, "Differentiation of discrete multidimensional signals", IEEE
    Transactions on Image Processing 13(4), 496–508, 2004. :doi:`10.1109/TIP.2004.823819`
    """
    spacing = checked(image, spacing)
    smooth = (_FARID_SMOOTH,) * image.ndim
    return _gradient(image, spacing, smooth, (_FARID_EDGE,) * image.ndim, response)


@operator(
    "gaussian_gradient",
    title="Gaussian gradient",
    group="gradient",
    marks="Mark voxels at which the gradient of the smoothed image is large.",
)
def gaussian_gradient(
    image: Array,
    spacing: Spacing = (),
    *,
    sigma: Sigma = 1.0,
    response: Response = "magnitude",
) -> Array:
    """Give the gradient of the image smoothed with a Gaussian, by derivatives of the Gaussian.

    The Gaussian is cut at four standard deviations. Values beyond the edge are mirrored
    (d c b a|a b c d).

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers of any type; NumPy or Dask.

    Returns
    -------
    array
        Intensity per unit of the spacing: float32, or float64 for float64 and integers of 32 and
        64 bits.
    """
    spacing = checked(image, spacing)
    widths = _sampled(in_voxels(sigma, spacing))
    smooth = tuple(gaussian_kernel(w) for w in widths)
    edge = tuple(gaussian_kernel(w, 1) for w in widths)
    return _gradient(image, spacing, smooth, edge, response)


@operator(
    "log",
    title="Laplacian of Gaussian",
    group="second derivative",
    marks="Mark where the Laplacian of the smoothed image passes through zero steeply.",
    crossings=True,
)
def log(image: Array, spacing: Spacing = (), *, sigma: Sigma = 2.0) -> Array:
    """Give the Laplacian of the image smoothed with a Gaussian (Marr and Hildreth).

    It is negative on bright spots and ridges of about the Gaussian's width, and changes its sign
    at edges. The Gaussian is cut at four standard deviations. Values beyond the edge are mirrored
    (d c b a|a b c d).

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers of any type; NumPy or Dask.

    Returns
    -------
    array
        Intensity per squared unit of the spacing: float32, or float64 for float64 and integers
        of 32 and 64 bits.

    References
    ----------
    D. Marr and E. Hildreth, "Theory of edge detection", Proceedings of the Royal Society B 207,
    187–217, 1980. :doi:`10.1098/rspb.1980.0020`
    """
    spacing = checked(image, spacing)
    widths = _sampled(in_voxels(sigma, spacing))
    smooth, second = ([gaussian_kernel(w, order) for w in widths] for order in (0, 2))
    terms = tuple((_one_of(smooth, second, axis), float(s**-2)) for axis, s in enumerate(spacing))
    return _combined(image, terms, squared=False)


@operator(
    "dog",
    title="Difference of Gaussians",
    group="second derivative",
    marks="Mark where the difference of two Gaussians passes through zero steeply.",
    crossings=True,
)
def dog(
    image: Array,
    spacing: Spacing = (),
    *,
    sigma: Annotated[float, Field(ge=0)] = 1.0,
    ratio: Annotated[float, Field(gt=1, le=16)] = 1.6,
) -> Array:
    """Subtract from the image smoothed with a Gaussian the one smoothed with a wider Gaussian.

    It is positive on bright spots and ridges of a size between the two, and changes its sign at
    edges. The Gaussians are cut at four standard deviations. Values beyond the edge are mirrored
    (d c b a|a b c d).

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers of any type; NumPy or Dask.
    sigma : float
        Standard deviation of the narrow Gaussian in the unit of the spacing.
    ratio : float
        How much wider the wide Gaussian is; 1.6 comes close to a Laplacian of Gaussian.

    Returns
    -------
    array
        Intensity: float32, or float64 for float64 and integers of 32 and 64 bits.

    References
    ----------
    D. Marr and E. Hildreth, "Theory of edge detection", Proceedings of the Royal Society B 207,
    187–217, 1980. :doi:`10.1098/rspb.1980.0020`
    """
    spacing = checked(image, spacing)
    narrow, wide = in_voxels(sigma, spacing), in_voxels(sigma * ratio, spacing)
    terms = (
        (tuple(gaussian_kernel(s) for s in narrow), 1.0),
        (tuple(gaussian_kernel(s) for s in wide), -1.0),
    )
    return _combined(image, terms, squared=False)


def _gradient(
    image: Array, spacing: Sequence[float], smooth: Kernels, edge: Kernels, response: Response
) -> Array:
    """The gradient by one kernel along each axis and another across."""
    terms = tuple((_one_of(smooth, edge, axis), 1 / s) for axis, s in enumerate(spacing))
    axis = axis_of(response, image.ndim)
    if axis < 0:
        return _combined(image, terms, squared=True)
    kernels, scale = terms[axis]
    return convolve(image, kernels, scale=scale)


def _one_of(most: Sequence[Kernel], one: Sequence[Kernel], axis: int) -> Kernels:
    return tuple(one[i] if i == axis else kernel for i, kernel in enumerate(most))


def _sampled(widths: Sequence[float]) -> list[float]:
    return [max(w, 0.5) for w in widths]


def _combined(image: Array, terms: tuple[tuple[Kernels, float], ...], *, squared: bool) -> Array:
    """The sum of scaled convolutions, or the root of the sum of their squares."""
    radius = [max(kernels[a].radius for kernels, _ in terms) for a in range(image.ndim)]
    halo = [min(r, n) for r, n in zip(radius, image.shape, strict=True)]
    function = partial(_combined_block, terms=terms, squared=squared)
    return map_blocks(function, image, dtype=float_type(image.dtype), halo=halo)


def _combined_block(
    block: NDArray[Any], *, terms: tuple[tuple[Kernels, float], ...], squared: bool
) -> NDArray[Any]:
    def term(number: int) -> NDArray[Any]:
        kernels, scale = terms[number]
        part = convolve_block(block, kernels=kernels, scale=scale)
        return np.multiply(part, part, out=part) if squared else part

    with np.errstate(invalid="ignore", over="ignore"):  # infinities of both signs make NaN
        total = term(0)
        for number in range(1, len(terms)):
            total += term(number)  # one at a time is held besides the sum
    return np.sqrt(total, out=total) if squared else total
