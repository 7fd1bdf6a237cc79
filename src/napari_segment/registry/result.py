"""What entries return that is more than an array."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, eq=False)
class Result:
    """What a method returns when only the run can tell what its labels hold, or that says more.

    Parameters
    ----------
    array : ndarray or dask Array
        The labels ``(*S)``.
    holds : {"mask", "classes", "objects"}
        What a number means.
    names : mapping of int to str
        Class names by number.
    values : tuple of int
        Of a mask and of classes: every number that could have come out, background first.
    features : mapping of str to array (N,)
        What is known of each object, a column each; ``label`` says of which. Boxes are named as
        in `measure`: ``bbox_y_start``, ``bbox_y_stop``, …
    maps : mapping of str to array
        Float images besides the labels by name, ``(*S)`` or ``(K, *S)``. "probabilities" has a
        channel for each of `values`, or no channels and is the foreground's.
    channels : tuple of str
        Names of the K channels.
    """

    array: Any
    holds: str
    names: Mapping[int, str] = field(default_factory=dict)
    values: tuple[int, ...] = ()
    features: Mapping[str, Any] = field(default_factory=dict)
    maps: Mapping[str, Any] = field(default_factory=dict)
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Regridded:
    """What a filter returns that resamples the image.

    Both grids begin at the centre of the first voxel and have the same axes. In a recipe what
    follows works on the new grid; the labels come back onto the image's own by nearest neighbour.

    Parameters
    ----------
    array : ndarray or dask Array
        The pixels on the new grid.
    spacing : tuple of float
        Of the new grid, along each axis.
    """

    array: Any
    spacing: tuple[float, ...]
