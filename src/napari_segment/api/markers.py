"""What a method takes besides the image, such as markers, on the image's grid."""

from __future__ import annotations

from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from napari_segment.api.coercion import as_labels
from napari_segment.api.types import LabelsLike, PointsLayer
from napari_segment.errors import InputError
from napari_segment.image import Image, Labels, align, smallest_integers


def on_image(name: str, given: LabelsLike | PointsLayer, image: Image) -> Labels:
    """Take numbers of voxels, or the points of a napari layer, as they lie on an image.

    Parameters
    ----------
    name : str
        Of the data, for messages: "markers".
    given : as for `as_labels`, or a napari Points layer
        Of the image's shape without C. Points are numbered from 1 in their order.
    image : Image
        Whose grid is meant.

    Raises
    ------
    InputError
        If the two do not fit or overlap, or no point lies in the image.
    """
    axes = image.axes.replace("C", "")
    expected = tuple(image.size(a) for a in axes)
    if _holds_points(given):
        return marked(_voxels_of(given, image), given.name, image)
    where = f"the image, which has {expected} along {axes}"
    try:
        labels = as_labels(given, axes)
    except InputError as error:
        raise InputError(f"The {name} do not lie on {where}: {error}") from None
    return align(labels, image, what=name)


def _holds_points(given: object) -> TypeGuard[PointsLayer]:
    return hasattr(given, "data_to_world") and hasattr(given, "symbol")


def marked(voxels: NDArray[np.intp], name: str, image: Image) -> Labels:
    """Number voxels of an image from 1 in their order; those that lie outside are left out.

    Parameters
    ----------
    voxels : array (N, D)
        Along the axes of the image but C.
    name : str
        Of the layer that they come from, for the message.
    image : Image
        Whose grid is meant.

    Raises
    ------
    InputError
        If none lies in the image.
    """
    axes = image.axes.replace("C", "")
    shape = tuple(image.size(a) for a in axes)
    marks = np.zeros(shape, smallest_integers(len(voxels)))
    for number, index in enumerate(voxels, 1):
        if np.all(index >= 0) and np.all(index < shape):
            marks[tuple(index)] = number
    if not marks.any():
        raise InputError(f"No point of {name!r} lies in the image {image.name!r}.")
    return Labels(marks, axes, **image.geometry())


def _voxels_of(layer: PointsLayer, image: Image) -> NDArray[np.intp]:
    """The voxels (N, D) nearest to a layer's points; at whatever channel these are."""
    axes = image.axes if layer.ndim == len(image.axes) else image.axes.replace("C", "")
    if layer.ndim < len(axes):
        raise InputError(
            f"The points of {layer.name!r} have {layer.ndim} coordinates, but the image has the "
            f"axes {axes}. Place them in a Points layer of {len(axes)} dimensions."
        )
    world = np.array([layer.data_to_world(point) for point in layer.data]).reshape(-1, layer.ndim)
    along = dict(zip(reversed(axes), _in_unit(world, layer, image.unit).T[::-1], strict=False))
    inverse = np.linalg.inv(image.world())
    index = inverse[:-1] @ [*(along[a] for a in image.spatial_axes), np.ones(len(world))]
    along |= dict(zip(image.spatial_axes, index, strict=True))
    if "T" in along:
        along["T"] = along["T"] / image.interval
    voxels: NDArray[np.float64] = np.stack([along[a] for a in image.axes if a != "C"], 1)
    return np.asarray(np.rint(voxels).astype(np.intp))


def _in_unit(world: NDArray[np.float64], layer: PointsLayer, unit: str) -> NDArray[np.float64]:
    """Coordinates of a layer in the unit of an image, where both have one of length."""
    units = getattr(layer, "units", None)
    if not units or unit == "pixel":
        return world
    factors = [(1 * u).to(unit).magnitude if u.is_compatible_with(unit) else 1.0 for u in units]
    return np.asarray(world * np.array(factors, float))
