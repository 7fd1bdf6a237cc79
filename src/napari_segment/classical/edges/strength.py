"""What an edge method takes its thresholds from, so that they can be drawn and dragged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from napari_segment.arrays import Array
from napari_segment.classical.edges.marking import BINS, limit, max_strength
from napari_segment.classical.edges.operator import STRENGTHS
from napari_segment.classical.edges.stencil import SOBEL, gradient
from napari_segment.classical.filters.separable import convolve, gaussian_kernel
from napari_segment.classical.grid import checked, in_voxels
from napari_segment.classical.histogram import Histogram, histogram

RELATIVE = ("canny", "fill_contours")  # `low` and `high` are shares of the largest gradient


def has_strength(name: str) -> bool:
    """Whether a method's thresholds are those of a strength that is known here."""
    return name in STRENGTHS or name in RELATIVE


def strength(
    name: str, image: Array, spacing: Sequence[float], settings: Mapping[str, Any]
) -> Array:
    """The strength of edges that a method compares with its thresholds.

    Parameters
    ----------
    name : str
        "canny", or an edge operator such as "sobel".
    image : array (Y, X) or (Z, Y, X)
        Real numbers of any type; NumPy or Dask.
    spacing : sequence of float
        Distance between neighbours along each axis; empty for 1.
    settings : mapping
        All of the method's.

    Returns
    -------
    array of float
        Lazy where the image is.

    Examples
    --------
    >>> step = np.array([[0, 0, 4, 4]] * 3)
    >>> strength("sobel", step, (), {"response": "magnitude"})[1]
    array([0., 2., 2., 0.])
    """
    if name in STRENGTHS:
        return STRENGTHS[name](image, spacing, settings)
    spacing = checked(image, spacing)
    kernels = [gaussian_kernel(s) for s in in_voxels(settings["sigma"], spacing)]
    return gradient(convolve(image, kernels), spacing, SOBEL, "magnitude")


def limits(
    name: str, strength: Array, settings: Mapping[str, Any]
) -> tuple[Histogram, tuple[float, ...]]:
    """A histogram of the strength, and a method's thresholds of it.

    Parameters
    ----------
    name : str
        As of `strength`.
    strength : array
        What `strength` gave.
    settings : mapping
        All of the method's.

    Returns
    -------
    Histogram, tuple of float
        The thresholds rise; none where there are no edges.
    """
    counted = histogram(strength, bins=BINS)
    if name in RELATIVE:
        top = max_strength(strength)
        return counted, (settings["low"] * top, settings["high"] * top) if top else ()
    threshold = limit(counted, settings["threshold"], settings["percentile"], settings["value"])
    return counted, () if np.isnan(threshold) else (float(threshold),)


def with_thresholds(
    name: str, values: Sequence[float], top: float, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """A method's settings with its thresholds at other values of the strength.

    Parameters
    ----------
    name : str
        As of `strength`.
    values : sequence of float
        As many as `limits` gave.
    top : float
        The `max_strength` of the strength.
    settings : mapping
        The method's.
    """
    if name not in RELATIVE:
        return {**settings, "threshold": "value", "value": float(values[0])}
    low, high = (min(1.0, float(f"{value / top:.4g}")) for value in values)
    return {**settings, "low": low, "high": high}
