"""Split what touches."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from operator import itemgetter
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.arrays import Array, Lazy
from napari_segment.blocks import (
    Location,
    assemble,
    boxes,
    computed,
    is_lazy,
    label,
    map_regions,
    plain,
    reduce_blocks,
    regions,
)
from napari_segment.errors import InputError
from napari_segment.image import smallest_integers
from napari_segment.registry import cleanups
from napari_segment.results.cleanup.instances import Spacing, full_spacing
from napari_segment.results.cleanup.split_components import SplitParameters, split

_LEVELS_PER_VOXEL = 64  # steps of the distance landscape within the smallest spacing
_LEVELS = 65534  # steps of an intensity landscape of floats


@cleanups.add(
    "split_touching",
    title="Split touching",
    gives="objects",
    group="split",
)
def split_touching(
    labels: Array,
    image: Array | None = None,
    spacing: Spacing = (),
    *,
    landscape: Literal["distance", "intensity"] = "distance",
    depth: Annotated[float, Field(ge=0)] = 0.1,
    depth_units: Literal["relative", "absolute"] = "relative",
    smoothing: Annotated[float, Field(ge=0, le=100)] = 1,
) -> Any:
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
        Intensities, for ``landscape="intensity"``: objects brighter than what parts them.
    landscape : {"distance", "intensity"}
        Split at necks, or along dark lines.
    depth : float
        Least height of a peak above the pass to a higher one (its dynamics), in `depth_units`.
    depth_units : {"relative", "absolute"}
        Whether `depth` is a fraction (0 to 1) of the peak's own height, or a distance in the unit
        of the spacing (for ``landscape="intensity"``: a difference of intensities).
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
    if not labels.size:
        return labels.astype(np.uint8)
    spacing = full_spacing(spacing, labels.ndim)
    low, step = (0.0, min(spacing) / _LEVELS_PER_VOXEL)
    if landscape == "intensity":
        image = _checked(image, labels)
        low, step = _intensity_steps(labels, image, smoothing)
    else:
        image = None
    absolute, relative = (0.0, depth) if depth_units == "relative" else (depth, 0.0)
    parameters = SplitParameters(labels.shape, spacing, smoothing, low, step, absolute, relative)
    if is_lazy(labels) or is_lazy(image):
        return _split_lazily(labels, image, parameters)
    location = Location((0,) * labels.ndim, labels.shape, (0,) * labels.ndim, labels.shape)
    return split(location, labels, image, parameters)[0]


def _checked(image: Array | None, labels: Array) -> Array:
    if image is None or image.shape != labels.shape:
        given = "none" if image is None else f"one of shape {image.shape}"
        raise InputError(
            f"Splitting by intensity needs the image of shape {labels.shape}; {given} was given. "
            "Give it, or use landscape='distance'."
        )
    return plain(image)


def _intensity_steps(labels: Array, image: Array, smoothing: float) -> tuple[float, float]:
    """Return the smallest intensity in labels, and the step of the levels above it."""
    low, high = reduce_blocks(_range, labels, image, merge=_widest)
    if low > high:
        return 0.0, 1.0
    if not np.isfinite([low, high]).all():
        raise InputError(
            "Splitting by intensity needs finite intensities, but some are NaN or inf."
        )
    exact = image.dtype.kind in "bui" and not smoothing and high - low <= _LEVELS
    return low, 1.0 if exact else (high - low) / _LEVELS or 1.0


def _range(_location: Location, labels: NDArray[Any], image: NDArray[Any]) -> tuple[float, float]:
    inside = image[labels != 0]
    return (float(inside.min()), float(inside.max())) if inside.size else (np.inf, -np.inf)


def _widest(parts: Sequence[tuple[float, float]]) -> tuple[float, float]:
    lows, highs = zip(*parts, strict=True)
    return float(np.min(lows)), float(np.max(highs))  # these pass NaN on


# ---- block by block ----


def _split_lazily(labels: Array, image: Array | None, parameters: SplitParameters) -> Lazy:
    """Split region by region; components that reach across blocks are gathered from them."""
    import dask
    import dask.array as da

    components = label(da.asarray(labels))[0]
    arrays = [] if image is None else [da.asarray(image).rechunk(components.chunks)]
    groups = regions(*boxes(components), components.chunks)
    results = map_regions(
        partial(_split_region, parameters=parameters), groups, components, *arrays
    )
    firsts = computed([dask.delayed(itemgetter(1))(result) for result in results])
    ranked = np.sort(np.concatenate([np.empty(0, np.int64), *firsts]))
    dtype = smallest_integers(len(ranked))
    tables = [np.searchsorted(ranked, first) + 1 for first in firsts]
    numbered = [
        dask.delayed(_numbered)(result, np.concatenate([[0], table]).astype(dtype))
        for result, table in zip(results, tables, strict=True)
    ]
    painted = partial(_painted, dtype=dtype)
    return assemble(painted, groups, numbered, components, dtype=dtype)


def _split_region(
    location: Location,
    labels: NDArray[Any],
    image: NDArray[Any] | None = None,
    *,
    parameters: SplitParameters,
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Split objects as `split` does, with the first voxels' indices in the whole image."""
    objects, first = split(location, labels, image, parameters)
    inside = np.unravel_index(first, labels.shape)
    index = tuple(i + s for i, s in zip(inside, location.start, strict=True))
    return objects, np.ravel_multi_index(index, location.shape).astype(np.int64)


def _numbered(result: tuple[NDArray[Any], Any], table: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(table[result[0]])


def _painted(
    block: NDArray[Any], regions: Sequence[tuple[Any, Any, NDArray[Any]]], *, dtype: np.dtype[Any]
) -> NDArray[Any]:
    """Return the objects of all regions in a block; each voxel is of one region."""
    out = np.zeros(block.shape, dtype)
    for here, there, objects in regions:
        out[here] |= objects[there]
    return out
