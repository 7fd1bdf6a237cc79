"""Some of an image's channels, for what follows."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import numpy as np
from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.errors import InputError, SettingError
from napari_segment.registry import filters

Index = Annotated[int, Field(ge=0)]
Indices: TypeAlias = Annotated[tuple[Index, ...], Field(min_length=1)] | Literal["all"]


@filters.add(
    "channels", title="Choose channels", channels="many", pointwise=True, group="intensity"
)
def channels(image: Array, *, indices: Indices = "all") -> Array:
    """Keep some channels, for methods that would take all of them.

    Parameters
    ----------
    image : array (C, *S)
        Of any type; NumPy or Dask.
    indices : tuple of int or "all"
        The channels, counted from 0, or "all" of them. They keep their order.

    Returns
    -------
    array (K, *S)
        Of the same type.

    Examples
    --------
    >>> import numpy as np
    >>> channels(np.array([[[1, 2]], [[3, 4]], [[5, 6]]]), indices=(2, 0)).tolist()
    [[[1, 2]], [[5, 6]]]
    """
    if np.dtype(image.dtype).kind not in "buif":
        raise InputError(f"Pixels of type {image.dtype} cannot be filtered. Give real numbers.")
    if indices == "all":
        return image
    beyond = [index for index in indices if index >= len(image)]
    if beyond:
        raise SettingError(
            f"There is no channel {beyond[0]}: the image has {len(image)}, counted from 0."
        )
    return image[sorted(set(indices))]
