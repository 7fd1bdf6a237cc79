"""The histogram of an image of any size and type, exact and the same for every chunking."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Annotated, Any, NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.blocks import plain, reduce
from napari_segment.errors import InputError

LEVELS = 65_536  # integers that span no more levels than this are counted level by level
_SHIFT = 1e-3  # of a bin, see `_bins`
_SMALL = 1 << 17  # values up to which NumPy ends before numba is imported

Bins: TypeAlias = Annotated[
    int,
    Field(
        ge=2,
        le=LEVELS,
        description="Number of bins for floats; integers are counted level by level.",
    ),
]
Counts: TypeAlias = NDArray[np.int64]
P = TypeVar("P")


class Histogram(NamedTuple):
    """How often each level, or bin of levels, occurs among the finite values.

    Parameters
    ----------
    counts : array of int64 (N,)
        Voxels per bin. The first and the last bin are occupied; none at all where no value is
        finite.
    centers : array of float64 (N,)
        The levels of an integer image; the middles of the bins of a float image.
    uppers : array of float64 (N,)
        Greatest value counted in each bin, so that ``image > uppers[k]`` separates exactly bins
        0 to k from the others.
    """

    counts: Counts
    centers: NDArray[np.float64]
    uppers: NDArray[np.float64]


def histogram(image: Array, *, bins: int = 256) -> Histogram:
    """Count the values of an image.

    Integers that span at most 65,536 levels, as all of 8 and 16 bits do, are counted level by
    level. Floats, and integers of a wider span, are counted in bins of equal width between the
    smallest and the greatest finite value. NaN and infinities are left out.

    Parameters
    ----------
    image : array (*S)
        Real numbers, in memory or lazy.
    bins : int
        Number of bins where there are bins.

    Returns
    -------
    Histogram
        ``counts, centers, uppers``.

    Raises
    ------
    InputError
        If the image is complex, text or objects.

    Examples
    --------
    >>> counts, levels, _ = histogram(np.array([[3, 3], [5, 6]]))
    >>> counts.tolist(), levels.tolist()
    ([2, 0, 1, 1], [3.0, 4.0, 5.0, 6.0])
    """
    image = real(image)
    if image.dtype.kind in "ui" and image.dtype.itemsize <= 2:
        low = int(np.iinfo(image.dtype).min)
        span = int(np.iinfo(image.dtype).max) - low + 1
        return _levels(reduce(image, partial(_count_levels, low, span), _sum), low)
    if image.dtype.kind in "ui":
        lowest, highest = reduce(image, _integer_extremes, _widest)
        if lowest > highest:
            return _levels(np.zeros(1, np.int64), 0)
        if highest - lowest < LEVELS:
            span = int(highest - lowest) + 1
            return _levels(
                reduce(image, partial(_count_levels, int(lowest), span), _sum), int(lowest)
            )
    return _bins(image, bins)


def finite_range(image: Array) -> tuple[float, float]:
    """Smallest and greatest finite value of an image in memory or lazy; (inf, -inf) if none."""
    image = real(image)
    if image.dtype.kind == "f":
        return reduce(image, _finite_extremes, _widest)
    low, high = reduce(image, _integer_extremes, _widest)
    return float(low), float(high)


def exact_mean(image: Array) -> float:
    """Mean of the finite values, correctly rounded, whatever the order of the voxels.

    Parameters
    ----------
    image : array (*S)
        Real numbers, in memory or lazy.

    Returns
    -------
    float
        NaN where no value is finite.

    Notes
    -----
    Floats are added without rounding: their significands as integers, one sum for each exponent.
    """
    total, count = reduce(real(image), _exact_sum, _sum_pairs)
    return float(total / count) if count else float("nan")


def real(image: Array) -> Array:
    """Check that an array holds real numbers, and give them as `plain` does.

    Raises
    ------
    InputError
        If the array is complex, text or objects.
    """
    image = image if hasattr(image, "dtype") else np.asarray(image)
    if image.dtype.kind not in "buif":
        raise InputError(
            f"Pixels of type {image.dtype} cannot be ordered by intensity. Give real numbers: "
            "bool, integers or floats (for complex data take np.abs or np.angle first)."
        )
    return plain(image)


# ---- of one block ----


def flat(block: NDArray[Any]) -> NDArray[Any]:
    """The values in the order of memory: a view unless the block has gaps."""
    values = block.ravel(order="K")
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def over_values(work: Callable[[NDArray[Any]], P], values: NDArray[Any]) -> list[P]:
    """Call ``work(part)`` on consecutive parts of flat values, in threads where it is worth it."""
    from napari_segment.classical._slabs import over_slabs

    return over_slabs(lambda a, b: work(values[a:b]), len(values), thickness=1 << 22)


def _count_levels(low: int, span: int, block: NDArray[Any]) -> Counts:
    """Of integers from `low`, which is the least of their type where that has at most 16 bits."""
    small = block.dtype.itemsize <= 2

    def count(part: NDArray[Any]) -> Counts:
        if small:
            return _count_codes(part.view(f"u{part.itemsize}"))
        return _count_codes((part - part.dtype.type(low)).astype(np.uint16))

    if not block.size:
        return np.zeros(span, np.int64)
    counts = _sum(over_values(count, flat(block)))
    return np.roll(counts, span // 2) if small and low else counts[:span]  # negatives come first


def _count_codes(codes: NDArray[Any]) -> Counts:
    """Of unsigned integers of 8 or 16 bits; bytes are counted in pairs."""
    if codes.size <= _SMALL:
        return np.bincount(codes, minlength=1 << 8 * codes.itemsize)
    from napari_segment.classical.histogram_kernels import count_codes

    lead = min(-codes.ctypes.data % 8 // codes.itemsize, len(codes))
    stop = len(codes) - (len(codes) - lead) % (8 // codes.itemsize)
    counts = np.zeros(65_536, np.int64)
    count_codes(codes[lead:stop].view(np.uint64), counts)
    if codes.itemsize == 1:
        pairs = counts.reshape(256, 256)
        counts = pairs.sum(0) + pairs.sum(1)
    for rest in (codes[:lead], codes[stop:]):
        np.add.at(counts, rest, 1)
    return counts


def _count_bins(low: float, uppers: NDArray[np.float64], block: NDArray[Any]) -> Counts:
    if block.size <= _SMALL:
        finite = block[np.isfinite(block)]
        return np.bincount(np.searchsorted(uppers, finite), minlength=len(uppers))
    from napari_segment.classical.histogram_kernels import count_bins

    bins = len(uppers)
    guess = _guess(low, uppers, block.dtype.kind == "f" and block.dtype.itemsize == 4)

    def count(part: NDArray[Any]) -> Counts:
        counts = np.zeros(bins, np.int64)
        count_bins(part, guess, uppers, counts)
        return counts

    return _sum([np.zeros(bins, np.int64), *over_values(count, flat(block))])


def _guess(low: float, uppers: NDArray[np.float64], single: bool) -> NDArray[Any]:
    """Of `count_bins`. In doubt is what three roundings, or that of an edge, might move."""
    high, bins = float(uppers[-1]), len(uppers)
    scale = bins / (high - low) if bins > 1 else 0.0
    rounded = bins * (4e-7 if single else 1e-15) + scale * np.spacing(max(abs(low), abs(high)))
    doubt = 1.1 * _SHIFT + rounded
    with np.errstate(over="ignore"):  # then nothing is clear
        return np.array([low, scale, doubt, 1 - doubt], np.float32 if single else np.float64)


def _integer_extremes(block: NDArray[Any]) -> tuple[float, float]:
    if not block.size:
        return np.inf, -np.inf
    return int(block.min()), int(block.max())


def _finite_extremes(block: NDArray[Any]) -> tuple[float, float]:
    if block.dtype.kind != "f":
        return _integer_extremes(block)
    return _widest([(np.inf, -np.inf), *over_values(_extremes, flat(block))])


def _extremes(part: NDArray[Any]) -> tuple[float, float]:
    """Of floats of 32 or 64 bits."""
    if part.size <= _SMALL:
        finite = part[np.isfinite(part)]
        return (float(finite.min()), float(finite.max())) if finite.size else (np.inf, -np.inf)
    from napari_segment.classical.histogram_kernels import finite_ranks

    whole = np.dtype(f"i{part.dtype.itemsize}").type
    infinity = part.dtype.type(np.inf).view(whole)
    most = np.iinfo(whole).max
    ranks = finite_ranks(part.view(whole), infinity, whole(most))
    if ranks[0] > ranks[1]:
        return np.inf, -np.inf
    low, high = (whole(rank if rank >= 0 else rank ^ most).view(part.dtype) for rank in ranks)
    return float(low), float(high)


def _exact_sum(block: NDArray[Any]) -> tuple[Fraction, int]:
    values = flat(block)
    if values.dtype.kind != "f":
        return _integer_sum(values), values.size
    parts = over_values(_sum_32 if values.dtype.itemsize == 4 else _sum_64, values)
    return _sum_pairs([(Fraction(0), 0), *parts])


def _integer_sum(values: NDArray[Any]) -> Fraction:
    """64-bit integers are halved first, so that their sum cannot overflow."""
    if values.dtype.itemsize < 8:
        return Fraction(int(values.sum(dtype=np.int64)))
    high, low = values >> 32, values & 0xFFFFFFFF
    return Fraction((int(high.sum()) << 32) + int(low.sum()))


def _sum_32(part: NDArray[np.float32]) -> tuple[Fraction, int]:
    from napari_segment.classical.histogram_kernels import sum_by_exponent_32

    sums = np.zeros(256, np.int64)
    count = sum_by_exponent_32(part.view(np.int32), sums)
    return Fraction(_shifted(sums), 1 << 150), count


def _sum_64(part: NDArray[np.float64]) -> tuple[Fraction, int]:
    from napari_segment.classical.histogram_kernels import sum_by_exponent_64

    high, low = np.zeros((2, 2048), np.int64)
    count = sum_by_exponent_64(part.view(np.int64), high, low)
    return Fraction((_shifted(high) << 26) + _shifted(low), 1 << 1075), count


def _shifted(sums: Counts) -> int:
    return sum(int(sums[e]) << int(e) for e in np.flatnonzero(sums))


# ---- merging, and the histogram from its counts ----


def _sum(parts: Sequence[Counts]) -> Counts:
    total: Counts = np.sum(parts, axis=0)
    return total


def _widest(parts: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return min(low for low, _ in parts), max(high for _, high in parts)


def _sum_pairs(parts: Sequence[tuple[Fraction, int]]) -> tuple[Fraction, int]:
    return sum((total for total, _ in parts), Fraction(0)), sum(count for _, count in parts)


def _levels(counts: Counts, low: int) -> Histogram:
    occupied = np.flatnonzero(counts)
    first, stop = (occupied[0], occupied[-1] + 1) if len(occupied) else (0, 0)
    levels = low + np.arange(first, stop, dtype=np.float64)
    return Histogram(counts[first:stop], levels, levels)


def _bins(image: Array, bins: int) -> Histogram:
    """Equal bins, their edges moved up by a thousandth of a bin.

    Integers stored as floats often lie on an edge; so they fall to the same side of it when the
    image is scaled, though scaling rounds them.
    """
    low, high = finite_range(image)
    if low > high:
        return _levels(np.zeros(1, np.int64), 0)
    unit = 1.0 if np.isfinite(high - low) else 2.0  # the range itself may exceed all floats
    start, width = low / unit, (high / unit - low / unit) / bins
    if low == high or start + width == start:
        bins, width = 1, 0.0
    centers: NDArray[Any] = (start + (np.arange(bins) + 0.5) * width) * unit
    uppers: NDArray[Any] = (start + (np.arange(1, bins) + _SHIFT) * width) * unit
    uppers = np.append(uppers, high)
    return Histogram(reduce(image, partial(_count_bins, low, uppers), _sum), centers, uppers)
