"""Split what touches."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.errors import InputError
from napari_segment.image import smallest_integers
from napari_segment.registry import cleanups
from napari_segment.results.cleanup.parts import Spacing, full
from napari_segment.results.distance import distance_to_others

_LEVELS_PER_VOXEL = 64  # steps of the distance landscape within the smallest spacing
_LEVELS = 65535  # steps of an intensity landscape of floats


@cleanups.add(
    "split_touching",
    title="Split touching",
    gives="objects",
    group="split",
    whole="Where water parts depends on the whole component.",
)
def split_touching(
    labels: NDArray[Any],
    image: NDArray[Any] | None = None,
    spacing: Spacing = (),
    *,
    by: Literal["distance", "intensity"] = "distance",
    depth: Annotated[float, Field(ge=0)] = 0.1,
    units: Literal["share", "absolute"] = "share",
    smoothing: Annotated[float, Field(ge=0, le=100)] = 1,
) -> NDArray[Any]:
    """Split touching objects by a watershed, at necks or along dark lines.

    The landscape is the distance to the background (in units of the spacing, so anisotropic
    voxels are respected), or the image itself. Each peak is an object; of two peaks, the lower
    is no object of its own if it hardly rises above the pass between them. This is the
    watershed of the h-maxima, found in one flooding.

    Parameters
    ----------
    labels : array (Y, X) or (Z, Y, X)
        A mask, classes or objects; each component of equal label is split.
    image : array of the same shape, optional
        Intensities, for ``by="intensity"``: objects brighter than what parts them.
    spacing : tuple of float
        Distance between voxels along each axis.
    by : {"distance", "intensity"}
        Split at necks, or along dark lines.
    depth : float
        How far a peak must rise above the pass to a higher one.
    units : {"share", "absolute"}
        `depth` as a share (0 to 1) of the peak's own height, or as a distance in the unit of the
        spacing (for intensities: in grey values).
    smoothing : float
        Standard deviation of a Gaussian that smooths the landscape first, in voxels of the finest
        axis; round in space.

    Returns
    -------
    array
        Objects, numbered by first voxel. The border of the image parts nothing and is no
        background.

    References
    ----------
    F. Meyer, Topographic distance and watershed lines, Signal Processing 38, 113 (1994),
    doi:10.1016/0165-1684(94)90060-4. M. Grimaud, New measure of contrast: the dynamics, Proc. SPIE
    1769, 292 (1992), doi:10.1117/12.60650.

    Examples
    --------
    >>> dumbbell = np.ones((5, 11), bool)
    >>> dumbbell[[0, 1, 3, 4], 5] = False
    >>> int(split_touching(dumbbell).max())
    2
    """
    from napari_segment.results.cleanup._kernels import split

    if not labels.size:
        return np.zeros(labels.shape, np.uint8)
    spacing = full(spacing, labels.ndim)
    values = _volume(labels.view(np.uint8) if labels.dtype == bool else labels)
    if by == "distance":
        levels, step = _distance_levels(labels, spacing, smoothing)
    else:
        levels, step = _intensity_levels(labels, image, spacing, smoothing)
    absolute, share = (0.0, depth) if units == "share" else (depth / step, 0.0)
    basins, count = split(values, _volume(levels), absolute, share)
    return np.asarray(basins.reshape(labels.shape).astype(smallest_integers(count), copy=False))


def _distance_levels(
    labels: NDArray[Any], spacing: Spacing, smoothing: float
) -> tuple[NDArray[np.int32], float]:
    """Distance to the next label in whole steps, at least 1 in labels, and the step."""
    distance = distance_to_others(labels, spacing)
    # Where one label is all there is the distance is infinite: a plain as high as the image.
    np.minimum(distance, float(np.linalg.norm(np.multiply(labels.shape, spacing))), out=distance)
    step = min(spacing) / _LEVELS_PER_VOXEL
    return _levels(labels, _smoothed(distance, smoothing, spacing), step), step


def _intensity_levels(
    labels: NDArray[Any], image: NDArray[Any] | None, spacing: Spacing, smoothing: float
) -> tuple[NDArray[np.int32], float]:
    """Intensity above the smallest in labels in whole steps, at least 1 in labels, and the step."""
    if image is None or image.shape != labels.shape:
        given = "none" if image is None else f"one of shape {image.shape}"
        raise InputError(
            f"Splitting by intensity needs the image of shape {labels.shape}; {given} was given. "
            "Give it, or use by='distance'."
        )
    inside = image[labels != 0]
    if not inside.size:
        return np.zeros(labels.shape, np.int32), 1.0
    if not np.isfinite(inside).all():
        raise InputError(
            "Splitting by intensity needs finite intensities, but some are NaN or inf."
        )
    low, high = float(inside.min()), float(inside.max())
    exact = image.dtype.kind in "bui" and not smoothing and high - low <= _LEVELS
    step = 1.0 if exact else (high - low) / _LEVELS or 1.0
    landscape = np.where(labels != 0, image, low).astype(np.float32) - np.float32(low)
    return _levels(labels, _smoothed(landscape, smoothing, spacing), step), step


def _smoothed(
    landscape: NDArray[np.float32], sigma: float, spacing: Spacing
) -> NDArray[np.float32]:
    """The landscape smoothed in place."""
    from scipy.ndimage import gaussian_filter

    if sigma:
        sigmas = [sigma * min(spacing) / s for s in spacing]
        gaussian_filter(landscape, sigmas, output=landscape)
    return landscape


def _levels(labels: NDArray[Any], landscape: NDArray[np.float32], step: float) -> NDArray[np.int32]:
    """The landscape, which is used up, in whole steps."""
    landscape *= np.float32(1 / step)
    levels = landscape.astype(np.int32)
    np.maximum(levels, 0, out=levels)
    levels += 1
    levels *= labels != 0
    return levels


def _volume(array: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(array if array.ndim == 3 else array[None])
