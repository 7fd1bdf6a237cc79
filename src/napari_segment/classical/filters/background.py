"""Remove a background that changes slowly: top-hat, and the rolling ball."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.blocks import map_blocks
from napari_segment.classical._slabs import over_slabs
from napari_segment.classical.filters.local import as_volume, on_blocks
from napari_segment.classical.grid import (
    checked,
    float_type,
    in_voxels,
    kernel_type,
    require_finite,
)
from napari_segment.classical.histogram import finite_range
from napari_segment.image import Spacing
from napari_segment.registry import filters
from napari_segment.runtime import threads

Radius = Annotated[float, Field(gt=0)]

_LINE = 512  # columns of a plane that are worth a call


@filters.add("top_hat", title="Top-hat", group="background")
def top_hat(
    image: Array,
    spacing: Spacing = (),
    *,
    radius: Radius = 10.0,
    objects: Literal["bright", "dark"] = "bright",
) -> Array:
    """Keep what is brighter (or darker) than its surroundings and narrower than a ball.

    The opening of the image by a ball, the greatest image below it in which no bright spot is
    narrower than the ball, is subtracted from it; for dark objects the image from its closing.
    What lies outside of the image takes no part.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers of any type, without NaN; NumPy or Dask.
    radius : float
        Of the ball (disc in a plane) in the unit of the spacing.
    objects : {"bright", "dark"}
        What remains.

    Returns
    -------
    array
        Of the image's type, 0 for background.

    References
    ----------
    F. Meyer, "Iterative image transformations for an automatic screening of cervical smears",
    Journal of Histochemistry and Cytochemistry 27, 128–135, 1979. :doi:`10.1177/27.1.438499`
    """
    spacing = checked(image, spacing)
    widths = in_voxels(radius, spacing, name="radius")
    require_finite(image, "a top-hat")
    reach = [int(w) for w in widths]
    function = partial(_top_hat, widths=widths, bright=objects == "bright")
    return on_blocks(function, image, [2 * r for r in reach], image.dtype)


@filters.add("rolling_ball", title="Rolling ball", group="background")
def rolling_ball(image: Array, spacing: Spacing = (), *, radius: Radius = 50.0) -> Array:
    """Subtract the background under which a ball can roll.

    The image is seen as a landscape, and a paraboloid pushed up against it from below wherever it
    goes; the background is the surface that it reaches. The paraboloid takes the ball's place
    because it does not depend on the order of the axes, and so on the dimension: it rises by the
    image's range of intensities within `radius`. What lies outside of the image takes no part.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers of any type, without NaN; NumPy or Dask.
    radius : float
        In the unit of the spacing. It should be greater than that of the largest object.

    Returns
    -------
    array
        Of the image's type (differences of integers are rounded), 0 for background.

    References
    ----------
    S. R. Sternberg, "Biomedical image processing", Computer 16(1), 22–34, 1983.
    :doi:`10.1109/MC.1983.1654163`
    """
    spacing = checked(image, spacing)
    widths = in_voxels(radius, spacing, name="radius")
    require_finite(image, "a rolling ball")
    low, high = finite_range(image)
    if not high > low:
        return map_blocks(np.zeros_like, image, dtype=image.dtype)
    dtype = float_type(image.dtype)
    heights = [((np.arange(int(w) + 1) / w) ** 2 * (high - low)).astype(dtype) for w in widths]
    reach = [2 * (len(h) - 1) for h in heights]
    return on_blocks(partial(_rolling_ball, heights=heights), image, reach, image.dtype)


def _top_hat(block: NDArray[Any], *, widths: Sequence[float], bright: bool) -> NDArray[Any]:
    volume, around = as_volume(block, widths, fill=0.5)
    volume = np.require(volume, kernel_type(block.dtype), ["C", "W"])
    reach = _ball_rows(around)
    if bright:
        opened = _extreme(_extreme(volume, reach, most=False), reach, most=True)
        result = volume - opened
    else:
        closed = _extreme(_extreme(volume, reach, most=True), reach, most=False)
        result = closed - volume
    if block.dtype.kind == "i":  # a difference beyond the type has wrapped around
        result[result < 0] = np.iinfo(block.dtype).max
    given: NDArray[Any] = result.reshape(block.shape).astype(block.dtype, copy=False)
    return given


def _ball_rows(widths: Sequence[float]) -> NDArray[np.int64]:
    """How far an ellipsoid extends along X at each offset in Z and Y; -1 where it does not."""
    rz, ry = (int(w) for w in widths[:2])
    z, y = np.mgrid[-rz : rz + 1, -ry : ry + 1]
    left = 1 - (z / widths[0]) ** 2 - (y / widths[1]) ** 2
    # A hair is added so that voxels on the surface are in, however their distance is rounded.
    half = np.floor(np.sqrt(np.maximum(left, 0)) * widths[2] + 1e-9)
    rows: NDArray[np.int64] = np.where(left >= -1e-9, half, -1).astype(np.int64)
    return rows


def _extreme(volume: NDArray[Any], reach: NDArray[np.int64], *, most: bool) -> NDArray[Any]:
    from napari_segment.classical.filters.background_kernels import extreme_of_ball

    limits = np.finfo(volume.dtype) if volume.dtype.kind == "f" else np.iinfo(volume.dtype)
    beyond = volume.dtype.type(limits.min if most else limits.max)
    out = np.empty_like(volume)
    over_slabs(
        lambda a, b: extreme_of_ball(volume, a, b, reach, most, beyond, out[a:b]), len(volume)
    )
    return out


def _rolling_ball(block: NDArray[Any], *, heights: Sequence[NDArray[Any]]) -> NDArray[Any]:
    surface = block.astype(heights[0].dtype)
    for sign in (1, -1):
        for axis, rises in enumerate(heights):
            _lowest_plus(surface, axis, rises, sign)
    rest = np.empty_like(block)

    def subtract(a: int, b: int) -> None:
        above = np.subtract(block[a:b], surface[a:b], out=surface[a:b])
        np.maximum(above, 0, out=above)
        if block.dtype.kind in "bui":
            np.clip(np.rint(above, out=above), 0, _greatest(block.dtype), out=above)
        rest[a:b] = above

    over_slabs(subtract, len(block))
    return rest


def _greatest(dtype: np.dtype[Any]) -> float:
    """The greatest float that is not above all numbers of an integer type."""
    most = np.iinfo(dtype).max if dtype.kind in "ui" else 1
    return float(most) if int(float(most)) <= most else float(np.nextafter(float(most), 0))


def _lowest_plus(image: NDArray[Any], axis: int, heights: NDArray[Any], sign: int) -> None:
    """Lowest, or highest, value plus height along an axis, in place."""
    from napari_segment.classical.filters.background_kernels import lowest_plus

    moved = np.moveaxis(image, axis, 0)

    def work(a: int, b: int) -> None:
        part = np.ascontiguousarray(moved[:, a:b])
        volume = part.reshape(len(part), -1, part.shape[-1])
        out = np.empty_like(volume)
        lowest_plus(volume, heights, 0, len(volume), heights.dtype.type(sign), out)
        moved[:, a:b] = out.reshape(part.shape)

    least = _LINE if image.ndim == 2 else 1  # short lines are slow
    over_slabs(work, moved.shape[1], max(least, -(-moved.shape[1] // (4 * threads()))))
