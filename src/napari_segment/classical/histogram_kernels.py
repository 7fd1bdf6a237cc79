"""Kernels of one pass over the values: levels, bins, extremes, exact sums.

All take a flat C-contiguous array, release the GIL, and give integers, so that slabs and blocks
can be added in any order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

_TILE = 1024


@njit(cache=True, nogil=True)
def count_codes(packed: NDArray[np.uint64], counts: NDArray[np.int64]) -> None:
    """Add to ``counts[c]`` for each of the four codes of 16 bits in each word.

    Two tables in turn: runs of one code would else wait for the counter just written. At most
    2³² codes, which is what the tables hold.
    """
    first, second = np.zeros(65536, np.uint32), np.zeros(65536, np.uint32)
    lowest, one = np.uint64(65535), np.uint32(1)
    for i in range(len(packed)):
        four = packed[i]
        first[four & lowest] += one
        second[(four >> np.uint64(16)) & lowest] += one
        first[(four >> np.uint64(32)) & lowest] += one
        second[four >> np.uint64(48)] += one
    for code in range(65536):
        counts[code] += np.int64(first[code]) + np.int64(second[code])


@njit(cache=True, nogil=True)
def finite_ranks(bits: NDArray[Any], infinity: int, most: int) -> tuple[int, int]:
    """Ranks of the smallest and the greatest finite float, given as signed integers of their bits.

    `infinity` is the bits of that, `most` the greatest integer. Ranks order as the floats do, and
    compare many at a time, which floats with NaN do not. ``(most, ~most)`` if nothing is finite.
    """
    low, high = most, ~most
    for i in range(len(bits)):
        b = bits[i]
        rank = b if b >= 0 else b ^ most
        finite = (b & most) < infinity
        low = min(low, rank if finite else most)
        high = max(high, rank if finite else ~most)
    return low, high


@njit(cache=True, nogil=True)
def count_bins(
    values: NDArray[Any],
    guess: NDArray[Any],
    uppers: NDArray[np.float64],
    counts: NDArray[np.int64],
) -> None:
    """Add the finite values to the bins ``(uppers[k - 1], uppers[k]]``.

    `guess` holds the least value, the bins per unit, and between which parts of a bin a guess of
    its precision is right: many bins are guessed at a time, the others are looked up.
    """
    precision = guess.dtype.type
    low, scale, doubt, clear = guess
    ends = precision(len(counts))
    second = np.zeros(len(counts), np.int64)  # counts in turn, as in `count_codes`
    bins = np.empty(_TILE, np.int32)
    for start in range(0, len(values), _TILE):
        size = min(_TILE, len(values) - start)
        for i in range(size):
            position = (values[start + i] - low) * scale
            position = (
                position if (position >= 0) & (position < ends) else precision(0)
            )  # NaN is not either
            k = np.int32(position)
            beyond = position - precision(k)
            bins[i] = k if (beyond > doubt) & (beyond < clear) else np.int32(-1)
        for i in range(size):
            bin_ = int(bins[i])
            if bin_ < 0:
                bin_ = _bin_of(float(values[start + i]), float(low), float(scale), uppers)
            if bin_ < 0:
                continue
            if i % 2:
                second[bin_] += 1
            else:
                counts[bin_] += 1
    for b in range(len(counts)):
        counts[b] += second[b]


@njit(cache=True, nogil=True)
def _bin_of(value: float, low: float, scale: float, uppers: NDArray[np.float64]) -> int:
    """The bin of a value, −1 if it is not finite."""
    if value - value != 0.0:
        return -1
    last = len(uppers) - 1
    k = min(max(int((value - low) * scale), 0), last)
    while k > 0 and value <= uppers[k - 1]:
        k -= 1
    while k < last and value > uppers[k]:
        k += 1
    return k


@njit(cache=True, nogil=True)
def sum_by_exponent_32(bits: NDArray[np.int32], sums: NDArray[np.int64]) -> int:
    """Add the signed significands of finite float32 (given as their bits) by exponent."""
    count = 0
    for i in range(len(bits)):
        b = int(bits[i])
        exponent = (b >> 23) & 0xFF
        if exponent == 255:
            continue
        significand = b & 0x7FFFFF
        if exponent > 0:
            significand += 1 << 23
        else:
            exponent = 1
        sums[exponent] += -significand if b < 0 else significand
        count += 1
    return count


@njit(cache=True, nogil=True)
def sum_by_exponent_64(
    bits: NDArray[np.int64], high: NDArray[np.int64], low: NDArray[np.int64]
) -> int:
    """As `sum_by_exponent_32`; significands are cut in two, so that no sum overflows."""
    count = 0
    for i in range(len(bits)):
        b = int(bits[i])
        exponent = (b >> 52) & 0x7FF
        if exponent == 2047:
            continue
        significand = b & 0xFFFFFFFFFFFFF
        if exponent > 0:
            significand += 1 << 52
        else:
            exponent = 1
        sign = -1 if b < 0 else 1
        high[exponent] += sign * (significand >> 26)
        low[exponent] += sign * (significand & 0x3FFFFFF)
        count += 1
    return count
