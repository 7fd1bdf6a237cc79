"""What an object classifier knows of objects: measurements that do not depend on where they lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_segment.errors import InputError
from napari_segment.image import Image, Labels
from napari_segment.results.measure import measure

Properties: TypeAlias = tuple[str, ...] | Literal["auto"]

_SHAPE = (
    "size", "equivalent_diameter", "surface", "roundness", "major_axis_length",
    "middle_axis_length", "minor_axis_length", "elongation", "flatness", "eccentricity", "extent",
    "euler_number",
)  # fmt: skip
_INTENSITY = (
    "mean_intensity", "min_intensity", "max_intensity", "std_intensity", "skewness_intensity",
    "kurtosis_intensity", "mass_displacement", "texture_contrast", "texture_dissimilarity",
    "texture_homogeneity", "texture_correlation",
)  # fmt: skip
_NOT_MEASURED = ("label", "time", "name")


@dataclass(frozen=True, eq=False)
class Measured:
    """The measurements of the objects of one image.

    Parameters
    ----------
    labels : array (N,) of int
        Object numbers.
    times : array (N,) of int
        Their time points; 0 without a time axis.
    columns : tuple of str
        Names of the features.
    table : array (N, F) of float32
        The features; 0 where there is no finite value, as of the texture of a single voxel.
    """

    labels: NDArray[np.int64]
    times: NDArray[np.int64]
    columns: tuple[str, ...]
    table: NDArray[np.float32]


def properties_of(asked: Properties, *, image: bool) -> tuple[str, ...]:
    """Return the names of the properties to measure; "auto" is shape, and intensity if known."""
    if asked == "auto":
        return _SHAPE + _INTENSITY * image
    if not asked:
        raise InputError(
            'No property is named: give some, such as ("size", "roundness"), or "auto".'
        )
    return tuple(asked)


def measured(labels: Labels, image: Image | None, properties: Sequence[str]) -> Measured:
    """Measure objects.

    Parameters
    ----------
    labels : Labels
        Objects, with spacing; lengths come out in its unit.
    image : Image, optional
        Intensities.
    properties : sequence of str
        As for `measure`.

    Returns
    -------
    Measured
        One row for each object and time point.
    """
    frame = measure(labels.replace(names={}), image, properties=properties)
    columns = tuple(c for c in frame.columns if c not in _NOT_MEASURED)
    table = frame[list(columns)].to_numpy(np.float32)
    times: Any = frame["time"] if "time" in frame else np.zeros(len(frame))
    return Measured(
        frame["label"].to_numpy(np.int64), np.asarray(times, np.int64), columns,
        np.nan_to_num(table, nan=0.0, posinf=0.0, neginf=0.0),
    )  # fmt: skip
