"""What users hand over, as Image or Labels: arrays, Dask and zarr arrays, files, napari layers."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import ArrayLike

from napari_segment.api.types import ImageLike, LabelsLike
from napari_segment.arrays import Array, Lazy
from napari_segment.errors import InputError
from napari_segment.image import Holds, Image, Labels, Stack, from_layer

_WHITE = 255


def as_image(given: ImageLike, axes: str = "") -> Image:
    """Take anything that holds intensities as an Image.

    Parameters
    ----------
    given : Image, ndarray, dask or zarr Array, str, Path, or napari layer
        Paths are read; zarr arrays become Dask arrays; of layers the full resolution is taken.
    axes : str
        Axis letters, which win over what the input says of itself.

    Returns
    -------
    Image

    Raises
    ------
    InputError
        If it is none of these, or its axes are unclear.
    """
    stack = _stack(given, axes)
    if isinstance(stack, Image):
        return stack
    if isinstance(stack, Labels):
        return Image(stack.data, stack.axes, **stack.geometry())
    return Image(stack.data, stack.axes, name=stack.name)


def as_labels(
    given: LabelsLike, axes: str = "", holds: Holds = "objects", *, ignore_index: int | str = "none"
) -> Labels:
    """Take anything that holds labels as Labels.

    Parameters
    ----------
    given : Labels, ndarray, dask or zarr Array, str, Path, or napari layer
        As for `as_image`.
    axes : str
        Axis letters, which win over what the input says of itself.
    holds : {"mask", "classes", "objects"}
        What the numbers mean, where the input does not say. Boolean arrays are masks.
    ignore_index : int or "none"
        Where it is 255, a file of 0 and 255 is not taken as a mask.

    Returns
    -------
    Labels
    """
    if isinstance(given, str | Path):
        from napari_segment.io import read_labels
        from napari_segment.io.files import read_stored_labels

        if ignore_index == _WHITE:
            return read_stored_labels(given, holds=holds, axes=axes)[0]
        stack: Stack = read_labels(given, holds=holds, axes=axes)
    else:
        stack = _stack(given, axes)
    if isinstance(stack, Labels):
        return stack
    if stack.dtype.kind == "b":
        holds = "mask"
    return Labels(stack.data, stack.axes, **stack.geometry(), holds=holds)


def _stack(given: ImageLike | LabelsLike, axes: str) -> Stack:
    if isinstance(given, Stack):
        return given.named(axes.upper()) if axes else given
    if isinstance(given, str | Path):
        from napari_segment.io import read

        return cast("Stack", read(given, axes=axes))
    if hasattr(given, "data") and hasattr(given, "scale") and hasattr(given, "translate"):
        return from_layer(given, axes)
    array = _as_array(given)
    if array.dtype.kind not in "buif":
        raise InputError(
            f"Cannot use a {type(given).__name__} of {array.dtype} as an image. Give an array of "
            "real numbers, an Image, the path of a file, or a napari layer."
        )
    return Stack(array, axes)


def _as_array(given: ArrayLike | Lazy) -> Array:
    if hasattr(given, "dask") or isinstance(given, np.ndarray):
        return given
    if hasattr(given, "chunks") and hasattr(given, "store"):
        import dask.array as da

        return da.from_zarr(given)
    return np.asarray(given)
