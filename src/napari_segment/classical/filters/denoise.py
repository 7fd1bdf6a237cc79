"""Smoothing that spares edges: bilateral, non-local means and total variation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.classical._slabs import over_slabs
from napari_segment.classical.filters.local import as_volume, on_blocks, with_margin
from napari_segment.classical.filters.noise import noise_level
from napari_segment.classical.grid import checked, float_type, in_voxels
from napari_segment.classical.histogram import finite_range
from napari_segment.image import Spacing
from napari_segment.registry import filters
from napari_segment.runtime import threads

_PLAIN = (np.uint8, np.uint16, np.float32, np.float64)  # images that kernels take as they are
_FRONT = 16  # sheets that total variation advances by before threads wait for each other


@filters.add("bilateral", title="Bilateral", group="smoothing")
def bilateral(
    image: Array,
    spacing: Spacing = (),
    *,
    sigma: Annotated[float, Field(gt=0)] = 1.5,
    intensity_sigma: Annotated[float, Field(ge=1e-6, le=10)] = 0.1,
) -> Array:
    """Average neighbours that are near in space and alike in intensity.

    Both weights are Gaussians, that of space cut at two standard deviations.
    Values beyond the edge are mirrored (d c b a|a b c d); NaN spreads as far as the window.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers of any type; NumPy or Dask.
    sigma : float
        Standard deviation of the spatial kernel in the unit of the spacing.
    intensity_sigma : float
        Standard deviation of the range kernel, as a fraction of the image's range of intensities.
        Steps higher than that are preserved.

    Returns
    -------
    array
        float32, or float64 for float64 and integers of 32 and 64 bits.

    References
    ----------
    C. Tomasi and R. Manduchi, "Bilateral filtering for gray and color images", ICCV 1998.
    :doi:`10.1109/ICCV.1998.710815`
    """
    spacing = checked(image, spacing)
    low, high = finite_range(image)
    dtype = float_type(image.dtype)
    if not high > low:
        return image.astype(dtype)
    widths = in_voxels(sigma, spacing)
    radius = [int(2 * w) for w in widths]
    function = partial(
        _bilateral, widths=widths, radius=radius, intensity_sigma=intensity_sigma, span=high - low
    )
    return on_blocks(function, image, radius, dtype, slabs=24)


def _bilateral(
    block: NDArray[Any],
    *,
    widths: Sequence[float],
    radius: Sequence[int],
    intensity_sigma: float,
    span: float,
) -> NDArray[Any]:
    from napari_segment.classical.filters.denoise_kernels import bilateral as kernel

    dtype, power = float_type(block.dtype), _power(span)
    around = np.array([(o - r) / w for o, r, w in zip(
        np.indices([2 * r + 1 for r in radius]), radius, widths, strict=True)])  # fmt: skip
    distance = (around**2).sum(0)
    inside = distance <= 4.0
    padded, reach = as_volume(_divided(with_margin(block, radius), power), radius, fill=0)
    offsets = np.argwhere(inside if block.ndim == 3 else inside[None])
    nearness = np.exp(-0.5 * distance[inside]).astype(dtype)
    decay = dtype.type(1 / (2048 * (intensity_sigma * math.ldexp(span, -power)) ** 2))
    out = np.empty(as_volume(block, (), fill=0)[0].shape, dtype)
    over_slabs(
        lambda a, b: kernel(padded, a, b, np.array(reach), offsets, nearness, decay, out[a:b]),
        len(out),
    )
    return _divided(out, -power).reshape(block.shape)


def _power(difference: float) -> int:
    """The power of two that intensities are divided by, lest squares of differences overflow."""
    return 0 if 1e-12 < difference < 1e12 else math.frexp(difference)[1]


def _divided(values: NDArray[Any], power: int) -> NDArray[Any]:
    """Values divided by a power of two, which changes no digit."""
    return np.ldexp(values, -power, out=values) if power else values


@filters.add("nonlocal_means", title="Non-local means", group="smoothing")
def nonlocal_means(
    image: Array,
    *,
    patch_radius: Annotated[int, Field(ge=0, le=5)] = 1,
    search_radius: Annotated[int, Field(ge=1, le=15)] = 3,
    strength: Annotated[float, Field(ge=1e-3, le=10)] = 0.8,
) -> Array:
    """Average voxels whose surroundings are alike.

    The noise is measured on the whole image (see `noise_level`); an image without noise is given
    back as it is. Values beyond the edge are mirrored (d c b a|a b c d); NaN spreads as far as
    the search.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers of any type; NumPy or Dask.
    patch_radius : int
        Radius in voxels of the patches that are compared: a patch has 2 r + 1 voxels along each
        axis.
    search_radius : int
        Radius in voxels of the window in which similar patches are searched. In a volume the time
        grows with its third power.
    strength : float
        How unlike patches may be, in standard deviations of the noise.

    Returns
    -------
    array
        float32, or float64 for float64 and integers of 32 and 64 bits.

    References
    ----------
    A. Buades, B. Coll and J.-M. Morel, "A non-local algorithm for image denoising", CVPR 2005.
    :doi:`10.1109/CVPR.2005.38`
    """
    checked(image)
    noise = noise_level(image)
    dtype = float_type(image.dtype)
    if not noise > 0:
        return image.astype(dtype)
    function = partial(
        _nonlocal, patch=patch_radius, search=search_radius, noise=noise, strength=strength
    )
    reach = patch_radius + search_radius
    return on_blocks(function, image, [reach] * image.ndim, dtype, slabs=12)


def _nonlocal(
    block: NDArray[Any], *, patch: int, search: int, noise: float, strength: float
) -> NDArray[Any]:
    from napari_segment.classical.filters.denoise_kernels import nonlocal_means as kernel

    dtype, power = float_type(block.dtype), _power(noise)
    margin = [patch + search] * block.ndim
    padded, margins = as_volume(_divided(with_margin(block, margin), power), margin, fill=0)
    flat = 0 if block.ndim == 2 else 1
    radii = (np.array([r * flat, r, r]) for r in (search, patch))
    noise = math.ldexp(noise, -power)
    decay = dtype.type(1 / (1024 * (strength * noise) ** 2))
    floor = dtype.type(2 * noise**2)
    searched, compared = radii
    out = np.empty(as_volume(block, (), fill=0)[0].shape, dtype)
    over_slabs(
        lambda a, b: kernel(
            padded, a, b, searched, compared, np.array(margins), decay, floor, out[a:b]
        ),
        len(out),
    )
    return _divided(out, -power).reshape(block.shape)


@filters.add("total_variation", title="Total variation", group="smoothing")
def total_variation(
    image: Array,
    spacing: Spacing = (),
    *,
    weight: Annotated[float, Field(ge=1e-6, le=10)] = 0.05,
    iterations: Annotated[int, Field(ge=1, le=1000)] = 50,
) -> Array:
    """Find the image of least total variation that stays near the given one (Chambolle).

    Noise goes, regions become flat, and edges stay sharp. The number of iterations is fixed, so a
    voxel depends on no other farther away than that many voxels: blocks of a Dask array are given
    so wide a halo. NaN and infinities stay where they are; their neighbours are smoothed as at the
    border. The dual field is held in whole steps of 1/32767 of its bound, two bytes for each axis,
    and only in the sheets that iterations are at: for about `iterations` rows or planes.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers of any type; NumPy or Dask.
    spacing : sequence of float
        Distance between neighbours along each axis; empty for 1. Differences along an axis of
        wider spacing count less.
    weight : float
        Strength, as a fraction of the image's range of intensities.
    iterations : int
        Steps of the descent.

    Returns
    -------
    array
        float32, or float64 for float64 and integers of 32 and 64 bits.

    References
    ----------
    A. Chambolle, "An algorithm for total variation minimization and applications", Journal of
    Mathematical Imaging and Vision 20, 89–97, 2004. :doi:`10.1023/B:JMIV.0000011325.36760.1e`
    """
    spacing = checked(image, spacing)
    low, high = finite_range(image)
    dtype = float_type(image.dtype)
    if not high > low:
        return image.astype(dtype)
    ratio = tuple(min(spacing) / s for s in spacing)
    function = partial(
        _total_variation, ratio=ratio, weight=weight, span=high - low, iterations=iterations
    )
    return on_blocks(function, image, [iterations + 1] * image.ndim, dtype)


def _total_variation(
    block: NDArray[Any], *, ratio: Sequence[float], weight: float, span: float, iterations: int
) -> NDArray[Any]:
    from napari_segment.classical.filters.denoise_kernels import DUAL, descend

    dtype, power = float_type(block.dtype), _power(span)
    plain = block.dtype in _PLAIN and block.flags.carray and not power
    values = block if plain else _divided(np.array(block, dtype, order="C"), power)
    image, scale = as_volume(values, ratio, fill=0.0)
    weight *= math.ldexp(span, -power)
    factors, unit = np.array(scale, dtype), dtype.type(weight / DUAL)
    speed = dtype.type(DUAL / (2 * weight * sum(r * r for r in ratio)))
    along = int(image.shape[1] >= image.shape[0])
    sheets, lines = image.shape[along], image.shape[1 - along]
    steps = iterations - 1
    shares = max(min(threads(), steps), 1)
    window = min(shares * _FRONT + steps + 2, sheets)
    dual, out = np.empty((3, window, lines, image.shape[2]), np.int16), image.astype(dtype)
    for front in range(0, sheets + steps + shares * _FRONT, _FRONT):

        def work(share: int, _: int, front: int = front) -> None:
            begin = front - share * _FRONT
            first, last = share * steps // shares, (share + 1) * steps // shares
            descend(
                image, dual, factors, unit, speed, along, begin, begin + _FRONT, first, last, out
            )

        over_slabs(work, shares, 1)
    return _divided(out, -power).reshape(block.shape)
