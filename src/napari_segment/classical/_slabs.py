"""Run compiled kernels over slabs of an array in threads (the kernels release the GIL)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.blocks.slabs import over_slabs

__all__ = ["over_slabs", "slab"]


def slab(array: NDArray[Any], start: int, stop: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Planes of an array as kernels want them: of one type, C-contiguous, writeable.

    Kernels are compiled for few types; only a slab at a time is copied where the array differs.
    """
    part = array[start:stop]
    if part.dtype == dtype and part.flags.c_contiguous and part.flags.writeable:
        return part
    return np.array(part, dtype, order="C")
