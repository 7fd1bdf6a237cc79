"""Grow, shrink and smooth labels by balls that are round in physical units."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.blocks import map_blocks
from napari_segment.errors import SettingError
from napari_segment.registry import cleanups
from napari_segment.results.cleanup.instances import Spacing, full_spacing
from napari_segment.results.distance import distance_to_others

GROUP = "shape"

Radius: TypeAlias = Annotated[float, Field(ge=0, le=1_000_000)]  # some count nanometers

RadiusUnit: TypeAlias = Annotated[
    Literal["voxels", "physical"],
    Field(
        description="Whether `radius` counts voxels along each axis, or is a length in the unit "
        "of the spacing (a ball that is round in space)."
    ),
]

_MOST = 20  # voxels along the radius of a ball in which labels are counted
_SLACK = 1 + 1e-6  # 3 × 0.1 is not more than 0.3


@cleanups.add("dilate", title="Dilate", group=GROUP)
def dilate(
    labels: Array, spacing: Spacing = (), *, radius: Radius = 1, units: RadiusUnit = "voxels"
) -> Any:
    """Grow labels into the background, by a ball.

    Parameters
    ----------
    labels : array (Y, X) or (Z, Y, X)
        A mask, classes or objects.
    radius : float
        Background no farther than this from a label takes the nearest one; of equally near ones
        the smallest number.

    Returns
    -------
    array
        As `labels`. Labels do not grow over each other.

    Examples
    --------
    >>> dilate(np.array([[1, 0, 0, 2, 0]]))
    array([[1, 1, 2, 2, 2]])
    """
    return _on_balls(_dilated, labels, spacing, radius, units, reach=1)


@cleanups.add("erode", title="Erode", group=GROUP)
def erode(
    labels: Array, spacing: Spacing = (), *, radius: Radius = 1, units: RadiusUnit = "voxels"
) -> Any:
    """Shrink labels by a ball: remove what is no farther than its radius from anything else.

    Parameters
    ----------
    labels : array (Y, X) or (Z, Y, X)
        A mask, classes or objects. Touching labels shrink from each other.
    radius : float
        Of the ball. The border of the image takes nothing away.

    Returns
    -------
    array
        As `labels`.

    Examples
    --------
    >>> erode(np.array([[1, 1, 1, 0, 2, 2]]))
    array([[1, 1, 0, 0, 0, 2]])
    """
    return _on_balls(_eroded, labels, spacing, radius, units, reach=1)


@cleanups.add("open", title="Open", group=GROUP)
def open_(
    labels: Array, spacing: Spacing = (), *, radius: Radius = 1, units: RadiusUnit = "voxels"
) -> Any:
    """Keep what a ball inside the label can reach: removes thin bridges, hairs and specks.

    Parameters
    ----------
    labels : array (Y, X) or (Z, Y, X)
        A mask, classes or objects.
    radius : float
        Of the ball. The label is taken to go on beyond the border of the image.

    Returns
    -------
    array
        As `labels`, or less.

    Examples
    --------
    >>> open_(np.array([[0, 1, 0, 1, 1, 1, 0]]))
    array([[0, 0, 0, 1, 1, 1, 0]])
    """
    return _on_balls(_opened, labels, spacing, radius, units, reach=2)


@cleanups.add("close", title="Close", group=GROUP)
def close(
    labels: Array, spacing: Spacing = (), *, radius: Radius = 1, units: RadiusUnit = "voxels"
) -> Any:
    """Fill what a ball outside the label cannot reach: gaps, cracks and small holes.

    Parameters
    ----------
    labels : array (Y, X) or (Z, Y, X)
        A mask, classes or objects. Only background is filled.
    radius : float
        Of the ball. Outside the image is background.

    Returns
    -------
    array
        As `labels`, or more.

    Examples
    --------
    >>> close(np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]]))
    array([[1, 1, 1],
           [1, 1, 1],
           [1, 1, 1]])
    """
    return _on_balls(_closed, labels, spacing, radius, units, reach=2, outside=0)


@cleanups.add("smooth", title="Smooth", group=GROUP)
def smooth(
    labels: Array,
    spacing: Spacing = (),
    *,
    radius: Radius = 1,
    units: RadiusUnit = "voxels",
) -> Any:
    """Give each voxel the most frequent label around it, background included.

    Parameters
    ----------
    labels : array (Y, X) or (Z, Y, X)
        A mask, classes or objects.
    radius : float
        Of the ball around each voxel; outside the image nothing is counted. At most 20 voxels.

    Returns
    -------
    array
        As `labels`. Of equally frequent labels a voxel keeps its own, else takes the smallest.

    Examples
    --------
    >>> smooth(np.array([[1, 1, 0, 1, 1]]))
    array([[1, 1, 1, 1, 1]])
    """
    finest = min(full_spacing(spacing, labels.ndim)) if units == "physical" else 1.0
    if radius > _MOST * finest * _SLACK:
        raise SettingError(
            f"A ball of radius {radius:g} reaches {radius / finest:.0f} voxels, but labels are "
            f"counted in balls of at most {_MOST}: give a radius of at most {_MOST * finest:g}."
        )
    return _on_balls(_majority, labels, spacing, radius, units, reach=1)


# ---- on blocks ----


def _on_balls(
    function: Callable[..., NDArray[Any]],
    labels: Array,
    spacing: Spacing,
    radius: float,
    units: RadiusUnit,
    *,
    reach: int,
    outside: int | None = None,
) -> Any:
    """Apply a function of balls with a halo of `reach` radii."""
    lengths = full_spacing(spacing, labels.ndim) if units == "physical" else (1.0,) * labels.ndim
    if not labels.size or radius < min(lengths):
        return labels
    halo = [reach * int(radius * _SLACK / s) + 1 for s in lengths]
    call = partial(function, spacing=lengths, radius=radius * _SLACK)
    return map_blocks(call, labels, dtype=labels.dtype, halo=halo, outside=outside, slabs=12)


def _dilated(labels: NDArray[Any], *, spacing: Spacing, radius: float) -> NDArray[Any]:
    if labels.dtype == bool:
        far = distance_to_others(~labels, spacing) > radius
        return labels | ~far if labels.any() else labels
    from napari_segment.results.cleanup.morphology_kernels import nearest_along

    label = labels.copy()
    near = np.where(labels != 0, 0.0, np.inf)
    for axis, s in enumerate(spacing):
        squares = (np.arange(int(radius / s) + 1) * s) ** 2
        lines = [np.moveaxis(_volume(a), axis - labels.ndim, 2) for a in (near, label)]
        nearest_along(*lines, radius**2, squares)
    return label


def _eroded(labels: NDArray[Any], *, spacing: Spacing, radius: float) -> NDArray[Any]:
    return np.where(distance_to_others(labels, spacing) > radius, labels, labels.dtype.type(0))


def _opened(labels: NDArray[Any], *, spacing: Spacing, radius: float) -> NDArray[Any]:
    return _dilated(_eroded(labels, spacing=spacing, radius=radius), spacing=spacing, radius=radius)


def _closed(labels: NDArray[Any], *, spacing: Spacing, radius: float) -> NDArray[Any]:
    grown = _dilated(labels, spacing=spacing, radius=radius)
    return np.where(labels != 0, labels, _eroded(grown, spacing=spacing, radius=radius))


def _majority(labels: NDArray[Any], *, spacing: Spacing, radius: float) -> NDArray[Any]:
    from napari_segment.results.cleanup.morphology_kernels import majority

    values = labels.view(np.uint8) if labels.dtype == bool else labels
    frequent = majority(np.ascontiguousarray(_volume(values)), _ball(spacing, radius))
    return np.asarray(frequent.reshape(labels.shape).astype(labels.dtype))


def _volume(array: NDArray[Any]) -> NDArray[Any]:
    """Return the same voxels as (Z, Y, X)."""
    return array.reshape((1,) * (3 - array.ndim) + array.shape)


def _ball(spacing: Spacing, radius: float) -> NDArray[np.int64]:
    """Return the offsets (N, 3) of the voxels whose centres lie in a ball."""
    spacing = (np.inf,) * (3 - len(spacing)) + spacing
    sides = [range(-int(radius / s), int(radius / s) + 1) for s in spacing]
    lengths = np.array([s if np.isfinite(s) else 0 for s in spacing])
    offsets = np.array(list(product(*sides)))
    return np.asarray(offsets[((offsets * lengths) ** 2).sum(1) <= radius**2])
