"""What a cleanup acts on: components of a mask, components of each class, or objects."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.blocks import label, map_blocks, replace_labels
from napari_segment.errors import InputError
from napari_segment.image import Holds

Spacing: TypeAlias = Annotated[
    tuple[float, ...], Field(description="Distance between neighbouring voxels along each axis.")
]
Connectivity: TypeAlias = Annotated[
    int,
    Field(
        ge=1,
        le=3,
        description="Number of coordinates in which neighbours may differ by one: 1 for voxels "
        "that share a face (an edge in 2-D), 2 also an edge (a corner in 2-D), 3 also a corner.",
    ),
]
Unit: TypeAlias = Annotated[
    Literal["voxels", "physical"],
    Field(
        description="Whether sizes count voxels, or are areas (2-D) or volumes (3-D) in the unit "
        "of the spacing."
    ),
]

_ROUNDED = 1e-9  # three voxels of 0.1 are neither more nor less than 0.3


def instances_of(labels: Array, holds: Holds, connectivity: int) -> Any:
    """Number what a cleanup acts on.

    Parameters
    ----------
    labels : ndarray or dask Array
        Booleans of a mask, else unsigned integers.
    holds : {"mask", "classes", "objects"}
        What the numbers mean.
    connectivity : int
        Of the components of masks and classes.

    Returns
    -------
    ndarray or dask Array
        Components numbered by first voxel, or the objects as they are.
    """
    return labels if holds == "objects" else label(labels, connectivity)[0]


def select_instances(labels: Array, parts: Array, ids: NDArray[np.int64]) -> Any:
    """Return the labels where they belong to certain parts, 0 elsewhere.

    Parameters
    ----------
    labels, parts : ndarray or dask Array
        Of one shape; `parts` may be the labels themselves.
    ids : ndarray (N,)
        Numbers in `parts`, rising.
    """
    if parts is labels:
        return replace_labels(labels, ids, ids, labels.dtype)
    retained = replace_labels(parts, ids, np.ones(len(ids), bool), bool)
    return (
        retained
        if labels.dtype == bool
        else map_blocks(np.multiply, labels, retained, dtype=labels.dtype)
    )


def min_voxels(size: float, labels: Array, spacing: Spacing, units: Unit) -> float:
    """Return the smallest number of voxels that make up a size."""
    return float(np.ceil(_voxels(size, labels, spacing, units) * (1 - _ROUNDED)))


def max_voxels(size: float, labels: Array, spacing: Spacing, units: Unit) -> float:
    """Return the largest number of voxels that do not exceed a size."""
    return float(np.floor(_voxels(size, labels, spacing, units) * (1 + _ROUNDED)))


def _voxels(size: float, labels: Array, spacing: Spacing, units: Unit) -> float:
    """Return an area or volume in voxels, unless it is given in them."""
    return (
        size / float(np.prod(full_spacing(spacing, labels.ndim))) if units == "physical" else size
    )


def full_spacing(spacing: Spacing, dimensions: int) -> Spacing:
    """Return the spacing, or 1 along each axis where none is known."""
    if spacing and len(spacing) != dimensions:
        raise InputError(
            f"The spacing {spacing} has {len(spacing)} numbers, but the labels have "
            f"{dimensions} axes."
        )
    return tuple(float(s) for s in spacing) or (1.0,) * dimensions
