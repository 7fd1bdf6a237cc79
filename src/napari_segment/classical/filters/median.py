"""Median of a box."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.blocks import map_blocks
from napari_segment.classical._slabs import over_slabs
from napari_segment.classical.filters.separable import mirrored
from napari_segment.classical.grid import checked, kernel_type, require_finite
from napari_segment.errors import SettingError
from napari_segment.registry import filters


@filters.add("median", title="Median", group="smoothing")
def median(image: Array, *, size: Annotated[int, Field(ge=1, le=31)] = 3) -> Array:
    """Replace each voxel by the median of the box around it, which keeps edges sharp.

    Values beyond the edge are mirrored (d c b a|a b c d).

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers of any type, without NaN; NumPy or Dask.
    size : int
        Side of the box in voxels, odd.

    Returns
    -------
    array
        Of the image's type.

    Examples
    --------
    >>> import numpy as np
    >>> int(median(np.array([[1, 1, 1], [1, 99, 2], [2, 2, 2]]))[1, 1])
    2
    """
    checked(image)
    if size % 2 == 0:
        raise SettingError(
            f"The setting 'size' of 'median' is {size}: a box needs an odd side to have a "
            f"centre, such as {size + 1}."
        )
    require_finite(image, "the median")
    halo = [min(size // 2, n) for n in image.shape]
    return map_blocks(partial(_median, size=size), image, dtype=image.dtype, halo=halo)


def _median(block: NDArray[Any], *, size: int) -> NDArray[Any]:
    from napari_segment.classical.filters.median_kernels import median_rows

    if size == 1 or not block.size:
        return block.copy()
    held = kernel_type(block.dtype)
    bits = 8 * held.itemsize
    # The type of the numbers also counts the voxels of a box.
    wide = np.uint16 if size**block.ndim > np.iinfo(f"u{held.itemsize}").max else None
    volume = block if block.ndim == 3 else block[:, None]
    radius = (size // 2, size // 2 if block.ndim == 3 else 0, size // 2)
    along_z, *across = (mirrored(n, r) for n, r in zip(volume.shape, radius, strict=True))
    out = np.empty(volume.shape, block.dtype)

    def slab(a: int, b: int) -> None:
        needed = along_z[a : b + 2 * radius[0]]
        low, high = int(needed.min()), int(needed.max()) + 1
        part = _ordered(np.array(volume[low:high], held, order="C"))
        part = part if wide is None else part.astype(wide)
        medians = np.empty((b - a, *volume.shape[1:]), part.dtype)
        median_rows(part, needed - low, *across, bits, medians)
        out[a:b] = _restored(medians, block.dtype)

    over_slabs(slab, len(volume))
    return out.reshape(block.shape)


def _ordered(values: NDArray[Any]) -> NDArray[Any]:
    """Unsigned integers in the same order as the values, of the same size."""
    kind, size = values.dtype.kind, values.dtype.itemsize
    if kind == "u":
        return values
    bits = values.view(f"u{size}")
    sign = bits.dtype.type(1 << (8 * size - 1))
    negative = np.asarray(bits & sign)
    ordered: NDArray[Any] = bits ^ sign if kind == "i" else np.where(negative, ~bits, bits | sign)
    return ordered


def _restored(ordered: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """The values from what `_ordered` made of them."""
    held = kernel_type(dtype)
    bits = ordered.astype(f"u{held.itemsize}", copy=False)
    sign = bits.dtype.type(1 << (8 * held.itemsize - 1))
    if held.kind == "i":
        bits = bits ^ sign
    elif held.kind == "f":
        bits = np.where(bits & sign, bits ^ sign, ~bits)
    values: NDArray[Any] = bits.view(held).astype(dtype, copy=False)
    return values
