"""Surfaces of objects: triangles around the voxels of each label, in the world."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_segment.blocks.boxes import boxes
from napari_segment.errors import InputError
from napari_segment.image import Labels


@dataclass(frozen=True, eq=False)
class Surface:
    """The closed surface of one label.

    Parameters
    ----------
    label : int
        Its number.
    vertices : ndarray (N, 3), float32
        Corners in world coordinates, Z, Y, X, in the labels' unit.
    faces : ndarray (M, 3), int32
        The corners of each triangle, in order around the outward normal in a right-handed system of
        X, Y, Z.
    name : str
        As the labels name it, or "".
    time : int
        The time point; 0 without a time axis.
    """

    label: int
    vertices: NDArray[np.float32]
    faces: NDArray[np.int32]
    name: str = ""
    time: int = 0

    def volume(self) -> float:
        """The volume inside, in cubes of the unit."""
        return _signed_volume(self.vertices, self.faces)


def surfaces(labels: Labels) -> Iterator[Surface]:
    """Make the surface of each label of a volume, by marching cubes (Lewiner et al. 2003) [1]_.

    It runs half-way between voxels inside and outside, so that a single voxel becomes an
    octahedron; an object at the border of the image is closed there.

    Parameters
    ----------
    labels : Labels
        With a Z axis, in memory or lazy; the box around one label is read at a time.

    Yields
    ------
    Surface
        Of each label in rising order, time point by time point.

    Raises
    ------
    InputError
        If the labels are planes.

    References
    ----------
    .. [1] https://doi.org/10.1080/10867651.2003.10487582
    """
    if "Z" not in labels.axes:
        raise InputError(
            f"Surfaces are those of volumes, but the labels have the axes {labels.axes}. Give "
            "labels with a Z axis, or write the outlines of planes (.geojson, RoiSet.zip)."
        )
    stack = labels.canonical()
    times = stack.size("T") if "T" in stack.axes else 1
    for time in range(times):
        volume = stack.take("T", time) if "T" in stack.axes else stack
        for label, box in zip(*boxes(volume.data), strict=True):
            yield _surface(volume, int(label), box, time)


def _surface(volume: Labels, label: int, box: NDArray[np.int64], time: int) -> Surface:
    from skimage.measure import marching_cubes

    inside = np.asarray(volume.data[tuple(slice(*ends) for ends in box)]) == label
    vertices, faces, _, _ = marching_cubes(np.pad(inside, 1).astype(np.float32), 0.5)
    world = volume.world()
    index = vertices.astype(np.float64) + box[:, 0] - 1
    placed = (index @ world[:3, :3].T + world[:3, 3]).astype(np.float32)
    if _signed_volume(placed, faces) < 0:
        faces = faces[:, ::-1]
    name = volume.names.get(label, "")
    return Surface(label, placed, np.ascontiguousarray(faces, np.int32), name, time)


def _signed_volume(vertices: NDArray[np.float32], faces: NDArray[np.int32]) -> float:
    """The sum of the tetrahedra between triangles and a corner of the box around them."""
    corners = vertices[:, ::-1].astype(np.float64)
    corners = corners - corners.min(axis=0, initial=np.inf)
    a, b, c = (corners[faces[:, i]] for i in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)
