"""What every method on a grid asks first: is this an image, and how long is a voxel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_segment.arrays import Array
from napari_segment.errors import InputError, SettingError

LONGEST = 1000  # voxels; a longer sigma or radius is a unit mistaken for another


def checked(image: Array, spacing: Sequence[float] = ()) -> tuple[float, ...]:
    """Check that an array can be worked on, and give its spacing.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers of any type.
    spacing : sequence of float
        Distance between neighbours along each axis; empty for 1.

    Returns
    -------
    tuple of float
        One number for each axis.

    Raises
    ------
    InputError
        If the array is not 2-D or 3-D, not of real numbers, or the spacing does not fit.
    """
    if np.dtype(image.dtype).kind not in "buif":
        raise InputError(
            f"Pixels of type {image.dtype} cannot be filtered. Give real numbers: bool, integers "
            "or floats (for complex data take np.abs or np.angle first)."
        )
    if image.ndim not in (2, 3):
        raise InputError(
            f"The array has {image.ndim} dimensions (shape {tuple(image.shape)}), but 2 (YX) or "
            "3 (ZYX) are expected. Take one channel and one time point."
        )
    spacing = tuple(float(s) for s in spacing) or (1.0,) * image.ndim
    if len(spacing) != image.ndim or not all(0 < s < np.inf for s in spacing):
        raise InputError(
            f"The spacing {spacing} does not fit an array of {image.ndim} dimensions. "
            "Give one positive number for each axis."
        )
    return spacing


def in_voxels(length: float, spacing: Sequence[float], *, name: str = "sigma") -> tuple[float, ...]:
    """A physical length in voxels along each axis.

    Parameters
    ----------
    length : float
        In the unit of the spacing.
    spacing : sequence of float
        Distance between neighbours along each axis.
    name : str
        Of the setting, for the message.

    Raises
    ------
    SettingError
        If the length is more than 1,000 voxels.
    """
    lengths = tuple(length / s for s in spacing)
    if max(lengths) > LONGEST:
        raise SettingError(
            f"The setting {name!r} is {length:g}, which is {max(lengths):,.0f} voxels at a spacing "
            f"of {min(spacing):g}. At most {LONGEST:,} are possible: it is a length in the unit of "
            "the spacing."
        )
    return lengths


def float_type(dtype: DTypeLike) -> np.dtype[Any]:
    """The type in which linear filters compute and answer.

    float32 holds every value of bool, 8- and 16-bit integers, float16 and float32; all other
    types become float64.
    """
    return np.dtype(np.float32 if np.can_cast(dtype, np.float32) else np.float64)


def kernel_type(dtype: DTypeLike) -> np.dtype[Any]:
    """The type as which compiled kernels hold the values of `dtype`, in native byte order."""
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return np.dtype(np.uint8)
    if dtype.kind == "f":
        return float_type(dtype)
    native: np.dtype[Any] = dtype.newbyteorder("=")
    return native


def require_finite(image: Array, what: str) -> None:
    """Refuse NaN and infinities, with which ordering and distances have no meaning.

    Reads a Dask array once.
    """
    from napari_segment.blocks import reduce

    if np.dtype(image.dtype).kind != "f":
        return
    if not reduce(image, _all_finite, all):
        raise InputError(
            f"The image holds NaN or infinite values, which {what} cannot order. "
            "Replace them first, such as with np.nan_to_num."
        )


def _all_finite(block: NDArray[Any]) -> bool:
    return bool(np.isfinite(block).all())
