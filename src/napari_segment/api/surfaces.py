"""Surfaces of the objects of a volume."""

from __future__ import annotations

from napari_segment.api.coercion import as_labels
from napari_segment.api.types import LabelsLike
from napari_segment.blocks.surfaces import Surface
from napari_segment.blocks.surfaces import surfaces as surfaces_of_labels


def surfaces(labels: LabelsLike, *, axes: str = "") -> list[Surface]:
    """Make the closed surface of each label of a volume, in world units.

    ``write(labels, "objects.ply")`` writes them as a mesh (also ``.obj`` and ``.stl``).

    Parameters
    ----------
    labels : Labels, ndarray, dask Array, str, Path or napari layer
        A volume, or one for each time point.
    axes : str
        Axis letters of an array that comes without, such as "ZYX".

    Returns
    -------
    list of Surface
        With ``label``, ``name``, ``time``, ``vertices`` (Z, Y, X of the world) and ``faces``;
        rising labels, time point by time point. ``volume()`` is what one holds, in cubes of the
        unit.

    Raises
    ------
    InputError
        If the labels are planes.

    Examples
    --------
    >>> import numpy as np
    >>> cube = np.zeros((6, 6, 6), np.uint8)
    >>> cube[1:5, 1:5, 1:5] = 7
    >>> (surface,) = surfaces(cube)
    >>> surface.label, surface.vertices.min().item(), surface.vertices.max().item()
    (7, 0.5, 4.5)
    """
    return list(surfaces_of_labels(as_labels(labels, axes)))
