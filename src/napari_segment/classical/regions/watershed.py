"""Watershed of the gradient."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.blocks import map_blocks
from napari_segment.classical.edges import gaussian_gradient
from napari_segment.classical.filters.separable import gaussian_kernel
from napari_segment.classical.grid import checked, float_type, in_voxels, require_finite
from napari_segment.classical.regions.markers import checked_markers
from napari_segment.image import Spacing, smallest_integers
from napari_segment.registry import methods

_LEVELS = 4096
GradientSigma: TypeAlias = Annotated[
    float,
    Field(
        gt=0,
        description="Standard deviation of the Gaussian whose derivatives give the gradient, in "
        "the unit of the spacing.",
    ),
]


@methods.add(
    "watershed",
    title="Watershed of the gradient",
    gives="objects",
    group="regions from edges",
    whole="Flooding goes from the lowest voxel of the image to the highest, wherever they are.",
)
def watershed(
    image: Array,
    spacing: Spacing = (),
    markers: Array | None = None,
    *,
    sigma: GradientSigma = 1.0,
    depth: Annotated[float, Field(ge=0, le=1)] = 0.1,
) -> NDArray[Any]:
    """Cut the image into regions that meet where the gradient is largest.

    The gradient magnitude is flooded from markers: those given by hand, one number for each
    region, or else its own minima that are deep enough. Every voxel then belongs to a region, and
    so does the background: give it a marker of its own.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers of any type, without NaN.
    markers : array of the image's shape, optional
        Positive numbers where a region is known to be, 0 elsewhere.
    depth : float
        Without markers: how far a minimum must lie below the pass to a lower one, as a fraction of
        the largest gradient. Smaller values give more regions. The gradient is taken in 4096
        levels.

    Returns
    -------
    array of unsigned integers
        Numbers of the markers; without markers 1, 2, … in the order of the minima.

    References
    ----------
    F. Meyer, "Topographic distance and watershed lines", Signal Processing 38, 113–125, 1994.
    :doi:`10.1016/0165-1684(94)90060-4`
    """
    from napari_segment.classical.regions.watershed_kernels import LARGEST, minima

    spacing = checked(image, spacing)
    require_finite(image, "a watershed")
    given = checked_markers(markers, image.shape)
    if not image.size:
        return np.zeros(image.shape, np.uint8)
    levels = _levels(image, spacing, sigma)
    levels = levels if levels.ndim == 3 else levels[None]
    if given is None:
        labels = np.empty(levels.shape, np.int32 if levels.size <= LARGEST else np.int64)
        minima(levels, _LEVELS, max(1, round(depth * (_LEVELS - 1))), labels)
    else:
        few = levels.size <= LARGEST and given.max() <= np.iinfo(np.int32).max
        labels = np.array(given.reshape(levels.shape), np.int32 if few else np.int64, order="C")
    flooded(levels, labels, _LEVELS)
    del levels  # before the labels are copied
    result = labels.reshape(image.shape)
    return np.asarray(result, smallest_integers(int(result.max())))


def flooded(levels: NDArray[Any], labels: NDArray[Any], count: int) -> None:
    """Spread labels over a landscape with so many levels, in place."""
    from napari_segment.classical.regions.watershed_kernels import flood, sources

    starts = np.zeros(count + 1, np.int64)
    sources(levels, labels, count, starts, np.empty(0, np.int64))
    indices = np.empty(int(starts[-1]), np.int64)
    if indices.size:
        sources(levels, labels, count, starts, indices)
        flood(levels, labels, count, starts, indices)


def _levels(image: Array, spacing: Sequence[float], sigma: float) -> NDArray[np.uint16]:
    """The gradient's magnitude from 0 to the highest level."""
    strength = gradient_strength(image, spacing, sigma)
    top = float(strength.max())
    strength *= strength.dtype.type((_LEVELS - 1) / top if top > 0 else 0.0)
    np.minimum(strength, strength.dtype.type(_LEVELS - 1), out=strength)
    levels: NDArray[np.uint16] = strength.astype(np.uint16)
    return levels


def gradient_strength(image: Array, spacing: Sequence[float], sigma: float) -> NDArray[Any]:
    """The gradient's magnitude, in slabs for the sake of memory.

    Where its squares have no room, the image and the spacing are taken in units in which they do.
    """
    strength = _magnitude(image, spacing, sigma)
    faint = 1e3 * np.sqrt(np.finfo(strength.dtype).tiny)
    if faint < strength.max(initial=0) < np.inf or not image.any():
        return strength
    largest, unit = np.abs(image).max(), min(spacing)
    image = np.asarray(image / largest, np.float64)
    return _magnitude(image, [s / unit for s in spacing], sigma / unit)


def _magnitude(image: Array, spacing: Sequence[float], sigma: float) -> NDArray[Any]:
    halo = [gaussian_kernel(max(w, 0.5)).radius for w in in_voxels(sigma, spacing)]
    gradient = partial(gaussian_gradient, spacing=spacing, sigma=sigma)
    magnitude = map_blocks(gradient, image, dtype=float_type(image.dtype), halo=halo, slabs=12)
    return np.asarray(magnitude)
