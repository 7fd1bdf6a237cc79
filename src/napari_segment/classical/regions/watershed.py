"""Watershed of the gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.classical.edges import gaussian_gradient
from napari_segment.classical.grid import checked, require_finite
from napari_segment.classical.regions.markers import checked_markers
from napari_segment.image import smallest_integers
from napari_segment.registry import methods

_LEVELS = 4096


@methods.add(
    "watershed",
    title="Watershed of the gradient",
    gives="objects",
    group="regions from edges",
    whole="Flooding goes from the lowest voxel of the image to the highest, wherever they are.",
)
def watershed(
    image: Any,
    spacing: Sequence[float] = (),
    markers: Any = None,
    *,
    sigma: Annotated[float, Field(gt=0)] = 1.0,
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
    spacing : sequence of float
        Distance between neighbours along each axis; empty for 1.
    markers : array of the image's shape, optional
        Positive numbers where a region is known to be, 0 elsewhere.
    sigma : float
        Standard deviation of the Gaussian whose derivatives give the gradient, in the unit of the
        spacing.
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
    from napari_segment.classical.regions._flood import flood, minima

    spacing = checked(image, spacing)
    require_finite(image, "a watershed")
    given = checked_markers(markers, image.shape)
    if not image.size:
        return np.zeros(image.shape, np.uint8)
    levels = _levels(gaussian_gradient(image, spacing, sigma=sigma))
    levels = levels if levels.ndim == 3 else levels[None]
    if given is None:
        labels = minima(levels, _LEVELS, max(1, round(depth * (_LEVELS - 1))))
    else:
        labels = given.reshape(levels.shape).astype(np.int64)
    flood(levels, labels, _LEVELS)
    found = labels.reshape(image.shape)
    return np.asarray(found, smallest_integers(int(found.max())))


def _levels(strength: NDArray[Any]) -> NDArray[np.uint16]:
    top = float(strength.max())
    scale = (_LEVELS - 1) / top if top > 0 else 0.0
    levels: NDArray[np.uint16] = (strength * strength.dtype.type(scale)).astype(np.uint16)
    return np.minimum(levels, np.uint16(_LEVELS - 1))
