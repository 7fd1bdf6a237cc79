"""The window around each voxel, and values as whole numbers that can be summed exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray
from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.blocks import map_blocks
from napari_segment.classical._slabs import over_slabs
from napari_segment.classical.grid import checked
from napari_segment.classical.histogram import finite_range, real
from napari_segment.errors import SettingError
from napari_segment.runtime import threads

Window: TypeAlias = Annotated[
    float,
    Field(
        gt=0,
        description="Full width of the box around each voxel, in `units`; it reaches half of it, "
        "in whole voxels, to each side.",
    ),
]
Unit: TypeAlias = Annotated[
    Literal["voxels", "physical"],
    Field(description="Whether `window` counts voxels, or is a length in the unit of the spacing."),
]
Edge: TypeAlias = Literal["repeat", "skip"]
Indices: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]

_REACH = 500  # voxels; a window beyond is a unit mistaken for another
_BITS = 24  # of a code: all that float32 holds


def radii(image: Array, spacing: Sequence[float], window: float, units: Unit) -> tuple[int, ...]:
    """How many voxels a window reaches to each side along each axis.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        What is looked at.
    spacing : sequence of float
        Distance between neighbours along each axis; empty for 1.
    window : float
        Full width.

    Raises
    ------
    SettingError
        If the window reaches farther than 500 voxels.
    """
    steps = checked(image, spacing)
    if units == "voxels":
        steps = (1.0,) * len(steps)
    reach = tuple(int(window / step / 2 + 1e-9) for step in steps)
    if max(reach) > _REACH:
        raise SettingError(
            f"The window of {window:g} reaches {max(reach):,} voxels to each side, at most "
            f"{_REACH} are possible. Say with units whether it is in voxels or a physical length."
        )
    return reach


def indices(shape: Sequence[int], reach: Sequence[int], edge: Edge) -> Indices:
    """Existing positions along Z, Y and X for those from ``-reach`` to ``size + reach``.

    Beyond the edge values are mirrored: "repeat" has d c b a|a b c d, "skip" d c b|a b c d.
    """
    z, y, x = (_mirrored(n, r, edge) for n, r in zip(shape, reach, strict=True))
    return z, y, x


def _mirrored(size: int, reach: int, edge: Edge) -> NDArray[np.int64]:
    position = np.arange(-reach, size + reach)
    period, turn = (2 * size, 2 * size - 1) if edge == "repeat" else (2 * size - 2, 2 * size - 2)
    position %= max(period, 1)
    return np.minimum(position, turn - position)


@dataclass(frozen=True)
class Coding:
    """How values become whole numbers: ``value = low + step · code``, −1 for NaN and infinities."""

    low: float
    step: float
    holes: bool
    plain: bool  # codes are the values themselves, of 16 bits at most and without sign

    @classmethod
    def of(cls, image: Array, reach: Sequence[int]) -> Coding:
        """The finest coding with which sums of squares over a window keep within 63 bits."""
        if image.dtype.kind == "u" and image.dtype.itemsize <= 2:  # in any byte order
            return cls(0.0, 1.0, holes=False, plain=True)
        low, high = finite_range(image)
        if low > high:
            return cls(0.0, 1.0, holes=True, plain=False)
        volume = int(np.prod([2 * r + 1 for r in reach]))
        steps = (1 << min(_BITS, (62 - volume.bit_length()) // 2)) - 1
        whole = image.dtype.kind != "f" and high - low <= steps
        step = 1.0 if whole else (high - low) / steps or 1.0
        return cls(low, step, holes=image.dtype.kind == "f", plain=False)

    def codes(self, volume: NDArray[Any], planes: NDArray[np.int64]) -> NDArray[Any]:
        """Codes of some planes of a volume, in one pass."""
        if self.plain:
            return np.ascontiguousarray(volume[planes], np.uint16)
        from napari_segment.classical.threshold.local_kernels import encode

        if volume.dtype not in (np.float32, np.float64) or not volume.flags.c_contiguous:
            volume, planes = volume[planes].astype(np.float64), np.arange(len(planes))
        codes = np.empty((len(planes), *volume.shape[1:]), np.int32)
        encode(volume, planes, self.low, self.step, codes)
        return codes


def comparable(dtype: np.dtype[Any], offset: float) -> np.dtype[Any]:
    """A type of few that holds the values, and the values moved by an offset."""
    if dtype.kind == "f":
        return dtype.newbyteorder("=")
    if dtype.itemsize > 2:
        return np.dtype(np.float64)
    return np.dtype(np.uint16) if dtype.kind == "u" and not offset else np.dtype(np.int32)


def on_windows(
    work: Callable[[NDArray[Any], Indices, NDArray[Any]], None],
    image: Array,
    reach: Sequence[int],
    edge: Edge,
    dtype: DTypeLike = np.bool_,
) -> Array:
    """A mask, or another array, from what is around each voxel, on any array.

    Parameters
    ----------
    work : callable
        From a volume, the indices along Z, Y and X, and the planes of the result to fill; the
        index along Z starts at the first of those planes.
    image : array (Y, X) or (Z, Y, X)
        In memory or lazy.
    reach : sequence of int
        Of the window, along each axis.
    edge : {"repeat", "skip"}
        How the image is mirrored beyond its edges.
    dtype : dtype
        Of the result.

    Returns
    -------
    array
    """

    def on_block(block: NDArray[Any]) -> NDArray[Any]:
        result = np.zeros(block.shape, dtype)
        if not block.size:
            return result
        # A plane is a volume of many planes of one row each, which threads can share.
        volume, reach3 = (block, tuple(reach)) if block.ndim == 3 else (
            block[:, None], (reach[0], 0, reach[1])
        )  # fmt: skip
        planes = result.reshape(volume.shape)
        z, y, x = indices(volume.shape, reach3, edge)

        def slab(a: int, b: int) -> None:
            work(volume, (z[a : b + 2 * reach3[0]], y, x), planes[a:b])

        thickness = min(-(-len(volume) // threads()), 8 * reach3[0] + 16)
        over_slabs(slab, len(volume), thickness)
        return result

    return map_blocks(on_block, real(image), dtype=dtype, halo=reach)
