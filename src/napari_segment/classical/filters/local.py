"""What filters of a neighbourhood share: margins, and physical sizes on a grid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_segment.arrays import Array
from napari_segment.blocks import map_blocks
from napari_segment.classical.grid import float_type

Volume = NDArray[Any]
T = TypeVar("T")


def as_volume(block: NDArray[Any], numbers: Sequence[T], *, fill: T) -> tuple[Volume, list[T]]:
    """A plane as a volume of one plane, and its numbers of Y and X as those of Z, Y and X."""
    if block.ndim == 3:
        return block, list(numbers)
    return block[None], [fill, *numbers]


def with_margin(block: NDArray[Any], margin: Sequence[int]) -> NDArray[Any]:
    """A block as floats with a margin of its own values, mirrored (d c b a|a b c d)."""
    around = [(m, m) for m in margin]
    return np.pad(block.astype(float_type(block.dtype), copy=False), around, mode="symmetric")


def on_blocks(
    function: Callable[..., NDArray[Any]],
    image: Array,
    radius: Sequence[int],
    dtype: DTypeLike,
    *,
    slabs: int = 0,
) -> Array:
    """Run a function that looks as far as `radius` on any array, empty ones left as they are.

    With `slabs`, arrays in memory are worked on in slabs of at least so many radii.
    """
    if not image.size:
        return image.astype(dtype)
    halo = [min(r, n) for r, n in zip(radius, image.shape, strict=True)]
    return map_blocks(function, image, dtype=dtype, halo=halo, slabs=slabs)
