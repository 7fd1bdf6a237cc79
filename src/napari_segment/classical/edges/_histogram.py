"""Statistics of float values that pass over NaN and infinities."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def count(values: Any, scale: float, counts: Any) -> None:
    """Add the numbers of ``values`` to bins of width ``1 / scale`` from 0."""
    last = len(counts) - 1
    for value in values:
        if value >= 0 and value < np.inf:
            counts[min(int(value * scale), last)] += 1


@njit(cache=True, nogil=True)
def largest(bits: Any, infinity: Any) -> Any:
    """The largest number below `infinity`, at least 0, of the bit patterns of floats.

    Patterns of positive floats are ordered like the floats, and compare several at once.
    """
    most = bits.dtype.type(0)
    for value in bits:
        most = max(most, value if value < infinity else most)
    return most
