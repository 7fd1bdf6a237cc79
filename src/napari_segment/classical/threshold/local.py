"""Thresholds from the neighbourhood of each voxel."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal, TypeAlias

import numpy as np
from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.blocks import map_blocks
from napari_segment.classical.filters.separable import gaussian_kernel
from napari_segment.classical.histogram import real
from napari_segment.classical.threshold.binarise import Objects
from napari_segment.classical.threshold.neighbourhood import (
    Rule,
    beyond_gaussian,
    beyond_median,
    by_moments,
    levels_in_use,
)
from napari_segment.classical.threshold.window import Unit, Window, on_windows, radii
from napari_segment.image import Spacing
from napari_segment.registry import methods

GROUP = "local threshold"
Weight: TypeAlias = Annotated[float, Field(ge=-10, le=10)]
Fall: TypeAlias = Annotated[
    Weight,
    Field(description="How far the threshold falls below the mean where the spread is small."),
]
Offset: TypeAlias = Annotated[
    float, Field(description="Constant that is subtracted from the local mean or median.")
]
DynamicRange: TypeAlias = Annotated[float, Field(gt=0)] | Literal["auto"]


@methods.add("local_mean", title="Local mean threshold", gives="mask", group=GROUP)
def local_mean(
    image: Array,
    spacing: Spacing = (),
    *,
    window: Window = 15.0,
    units: Unit = "voxels",
    offset: Offset = 0.0,
    objects: Objects = "bright",
) -> Array:
    """Separate at the mean of the window around each voxel.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers. NaN is background; NaN and infinities are left out of the means.

    Returns
    -------
    array of bool, of the image's shape

    Notes
    -----
    Beyond the edge the image is mirrored (d c b a|a b c d). Sums are of whole numbers, so they are
    exact and the same for every chunking; floats, and integers of more than 24 bits, are first
    rounded to 2²⁴ steps between their extremes (fewer for windows of more than 32,768 voxels).
    """
    rule = Rule("MEAN", k=offset)
    return by_moments(image, spacing, window, units, rule, objects, edge="repeat")


@methods.add("niblack", title="Niblack threshold", gives="mask", group=GROUP)
def niblack(
    image: Array,
    spacing: Spacing = (),
    *,
    window: Window = 15.0,
    units: Unit = "voxels",
    k: Weight = 0.2,
    objects: Objects = "bright",
) -> Array:
    """Separate at the mean less k standard deviations of the window around each voxel.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers. NaN is background; NaN and infinities are left out of the statistics.
    k : float
        Standard deviations taken from the mean.

    Returns
    -------
    array of bool, of the image's shape

    Notes
    -----
    Sums as in `local_mean`; beyond the edge the image is mirrored about its first voxel
    (d c b|a b c d).

    References
    ----------
    Niblack W. (1986) An introduction to digital image processing. Prentice-Hall.
    """
    rule = Rule("NIBLACK", k=k)
    return by_moments(image, spacing, window, units, rule, objects)


@methods.add("sauvola", title="Sauvola threshold", gives="mask", group=GROUP)
def sauvola(
    image: Array,
    spacing: Spacing = (),
    *,
    window: Window = 15.0,
    units: Unit = "voxels",
    k: Fall = 0.2,
    dynamic_range: DynamicRange = "auto",
    objects: Objects = "bright",
) -> Array:
    """Separate at m · (1 + k · (s / r − 1)) of the mean m and spread s around each voxel.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers from 0 up. NaN is background; NaN and infinities are left out.
    dynamic_range : float or "auto"
        Largest standard deviation r that is expected. "auto" takes half of the levels of as many
        bits as the greatest integer has (at least 8), or half of the range of floats.

    Returns
    -------
    array of bool, of the image's shape

    Notes
    -----
    Sums as in `local_mean`; beyond the edge the image is mirrored about its first voxel
    (d c b|a b c d).

    References
    ----------
    Sauvola J., Pietikäinen M. (2000) Adaptive document image binarization. Pattern Recognition
    33:225–236. :doi:`10.1016/S0031-3203(99)00055-2`
    """
    rule = Rule("SAUVOLA", k=k, unit=1 / _dynamic_range(image, dynamic_range))
    return by_moments(image, spacing, window, units, rule, objects)


@methods.add("phansalkar", title="Phansalkar threshold", gives="mask", group=GROUP)
def phansalkar(  # noqa: PLR0913
    image: Array,
    spacing: Spacing = (),
    *,
    window: Window = 15.0,
    units: Unit = "voxels",
    k: Fall = 0.25,
    p: Annotated[float, Field(ge=0, le=100)] = 2.0,
    q: Annotated[float, Field(ge=0, le=1000)] = 10.0,
    dynamic_range: DynamicRange = "auto",
    objects: Objects = "bright",
) -> Array:
    """Separate as `sauvola` does, with a higher threshold where the mean is low.

    The threshold is m · (1 + p · exp(−q · m) + k · (s / r − 1)), with intensities from 0 to 1
    and r = 0.5. Suits stained sections and dim fluorescence.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers from 0 up. NaN is background; NaN and infinities are left out.
    p, q : float
        How much, and how far up from 0, low means raise the threshold.
    dynamic_range : float or "auto"
        Half of the intensity that counts as 1. "auto" takes half of the levels of as many bits
        as the greatest integer has (at least 8), or half of the range of floats.

    Returns
    -------
    array of bool, of the image's shape

    Notes
    -----
    Sums as in `local_mean`; beyond the edge the image is mirrored about its first voxel
    (d c b|a b c d).

    References
    ----------
    Phansalkar N. et al. (2011) Adaptive local thresholding for detection of nuclei in diversity
    stained cytology images. ICCSP 218–220. :doi:`10.1109/ICCSP.2011.5739305`
    """
    rule = Rule("PHANSALKAR", k=k, unit=1 / (2 * _dynamic_range(image, dynamic_range)), p=p, q=q)
    return by_moments(image, spacing, window, units, rule, objects)


@methods.add("local_gaussian", title="Local Gaussian threshold", gives="mask", group=GROUP)
def local_gaussian(
    image: Array,
    spacing: Spacing = (),
    *,
    window: Window = 15.0,
    units: Unit = "voxels",
    offset: Offset = 0.0,
    objects: Objects = "bright",
) -> Array:
    """Separate at a Gaussian mean around each voxel.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers. NaN and infinities spread as far as the Gaussian reaches; NaN is background.
    window : float
        Six standard deviations and one voxel: the width of a box of about the same effect.

    Returns
    -------
    array of bool, of the image's shape

    Notes
    -----
    The Gaussian is cut at four standard deviations; beyond the edge the image is mirrored
    (d c b a|a b c d). What differs from the mean by no more than its rounding (about a millionth)
    counts as equal, so that nothing is bright where all values are equal.
    """
    image = real(image)
    radii(image, spacing, window, units)  # refuses what is too wide
    steps = (tuple(spacing) if units == "physical" else ()) or (1.0,) * image.ndim
    kernels = [gaussian_kernel(max(window / step - 1, 0) / 6) for step in steps]
    if not image.size:
        return map_blocks(np.isnan, image, dtype=np.bool_)
    beyond = partial(beyond_gaussian, kernels=kernels, offset=offset, objects=objects)
    halo = [kernel.radius for kernel in kernels]
    return map_blocks(beyond, image, dtype=np.bool_, halo=halo)


@methods.add("local_median", title="Local median threshold", gives="mask", group=GROUP)
def local_median(
    image: Array,
    spacing: Spacing = (),
    *,
    window: Window = 15.0,
    units: Unit = "voxels",
    offset: Offset = 0.0,
    objects: Objects = "bright",
) -> Array:
    """Separate at the median of the window around each voxel.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers. NaN is background and left out of the medians.

    Returns
    -------
    array of bool, of the image's shape

    Notes
    -----
    Exact for every type (64-bit integers up to 2⁵³): a value lies above the median where most of
    its window lies below it, so of an even number of known values the upper median counts. Time
    grows with the volume of the window. Beyond the edge the image is mirrored (d c b a|a b c d).
    """
    image = real(image)
    reach = radii(image, spacing, window, units)
    work = partial(beyond_median, offset=offset, bright=objects == "bright")
    return on_windows(work, image, reach, "repeat")


def _dynamic_range(image: Array, given: float | Literal["auto"]) -> float:
    """Return the given dynamic range, or half of the levels that the image uses."""
    return levels_in_use(image) / 2 if given == "auto" else given
