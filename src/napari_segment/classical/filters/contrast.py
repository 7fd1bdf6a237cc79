"""Filters that change intensities: CLAHE, normalising by percentiles, inverting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.arrays import Array, BlockInfo
from napari_segment.blocks import Location, is_lazy, map_blocks, reduce, reduce_blocks
from napari_segment.classical._slabs import over_slabs
from napari_segment.classical.filters.local import as_volume
from napari_segment.classical.filters.percentiles import percentiles
from napari_segment.classical.grid import checked, float_type
from napari_segment.classical.histogram import finite_range
from napari_segment.errors import SettingError
from napari_segment.image import Spacing
from napari_segment.registry import filters

_BINS = 1024


@filters.add("clahe", title="CLAHE", group="contrast")
def clahe(
    image: Array,
    spacing: Spacing = (),
    *,
    tiles: Annotated[int, Field(ge=1, le=64)] = 8,
    clip_limit: Annotated[float, Field(gt=0, le=1)] = 0.01,
) -> Array:
    """Equalise the histogram of each part of the image, with limited contrast.

    The image is cut into tiles; each maps intensities so that their histogram becomes flat, except
    that bins are clipped, so that noise is not raised without limit. A voxel's result lies between
    those of the nearest tiles. Histograms have 1024 bins over the image's range.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers of any type; NumPy or Dask.
    tiles : int
        Number of tiles along the axis of greatest length. Along the others there are as many as
        make tiles about as long as wide.
    clip_limit : float
        Largest fraction of a tile's voxels in one bin; the excess is spread over all bins. 1 does
        not limit the contrast.

    Returns
    -------
    array
        From 0 to 1; float32, or float64 for float64 and integers of 32 and 64 bits. NaN where the
        image is not finite.

    References
    ----------
    K. Zuiderveld, "Contrast limited adaptive histogram equalization", Graphics Gems IV, 474–485,
    1994. :doi:`10.1016/B978-0-12-336156-1.50061-6`
    """
    spacing = checked(image, spacing)
    low, high = finite_range(image)
    dtype = float_type(image.dtype)
    if not high > low:
        return map_blocks(partial(_flat_or_nan, dtype=dtype), image, dtype=dtype)
    size = _tile_size(image.shape, spacing, tiles)
    binning = (low, _BINS / (high - low))
    counts = reduce_blocks(partial(_counts_of_tiles, size=size, binning=binning), image, merge=_sum)
    mapping = partial(
        _equalised, size=size, binning=binning, tables=_tables(counts, clip_limit).astype(dtype)
    )
    return _with_position(mapping, image, dtype)


@filters.add("percentile_normalise", title="Normalise by percentiles", group="contrast")
def percentile_normalise(
    image: Array,
    *,
    low: Annotated[float, Field(ge=0, le=100)] = 1.0,
    high: Annotated[float, Field(ge=0, le=100)] = 99.8,
    clip: bool = False,
) -> Array:
    """Bring two percentiles of the intensities to 0 and 1.

    Percentiles are levels of the image for 8- and 16-bit integers; of other types they are the
    middles of bins, of which there are at least a thousand between the two, however far away
    some values lie. Values that are not finite are left out, and left as they are.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers of any type; NumPy or Dask.
    low, high : float
        The percentiles that become 0 and 1.
    clip : bool
        Whether to cut what lies below 0 and above 1.

    Returns
    -------
    array
        float32, or float64 for float64 and integers of 32 and 64 bits; all 0 where both
        percentiles are equal.

    Examples
    --------
    >>> import numpy as np
    >>> percentile_normalise(np.array([[0, 5, 10]], np.uint8), low=0, high=100)
    array([[0. , 0.5, 1. ]], dtype=float32)
    """
    checked(image)
    if low >= high:
        raise SettingError(f"'low' is {low:g} and 'high' {high:g}: 'low' must be less than 'high'.")
    dtype = float_type(image.dtype)
    a, b = percentiles(image, low, high)
    if np.isnan(a):
        return image.astype(dtype)
    return map_blocks(partial(_rescaled, low=a, high=b, clip=clip, dtype=dtype), image, dtype=dtype)


@filters.add("invert", title="Invert", group="contrast")
def invert(image: Array) -> Array:
    """Make dark what is bright: the least finite value becomes the greatest, and so on.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers of any type; NumPy or Dask.

    Returns
    -------
    array
        Of the image's type; its least and greatest finite value stay, up to rounding.

    Examples
    --------
    >>> import numpy as np
    >>> invert(np.array([[10, 11, 14]], np.uint8))
    array([[14, 13, 10]], dtype=uint8)
    """
    checked(image)
    if image.dtype.kind in "ui":  # exact where floats are not
        low, high = reduce(image, _extremes, _widest) if image.size else (0, 0)
    else:
        low, high = finite_range(image)
    return map_blocks(partial(_inverted, low=low, high=high), image, dtype=image.dtype)


# ---- of one block ----


def _extremes(block: NDArray[Any]) -> tuple[float, float]:
    return int(block.min()), int(block.max())


def _widest(parts: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return min(low for low, _ in parts), max(high for _, high in parts)


def _inverted(block: NDArray[Any], *, low: float, high: float) -> NDArray[Any]:
    if block.dtype.kind == "b":
        return ~block if high > low else block.copy()
    if not high >= low:
        return block.copy()
    if block.dtype.kind == "f":
        wide = float_type(block.dtype).type  # a small least value would be lost in their sum
        return np.asarray((wide(high) - block) + wide(low)).astype(block.dtype, copy=False)
    # Wraps around and back again: the result lies between low and high.
    bits = block.dtype.itemsize * 8
    unsigned = block.astype(f"u{block.dtype.itemsize}")
    total = unsigned.dtype.type((int(low) + int(high)) % (1 << bits))
    inverted: NDArray[Any] = (total - unsigned).astype(block.dtype)
    return inverted


def _rescaled(
    block: NDArray[Any], *, low: float, high: float, clip: bool, dtype: np.dtype[Any]
) -> NDArray[Any]:
    if not high > low:
        return np.where(np.isfinite(block), 0, block).astype(dtype)
    result: NDArray[Any] = (block.astype(dtype) - dtype.type(low)) / dtype.type(high - low)
    return np.clip(result, 0, 1) if clip else result


def _flat_or_nan(block: NDArray[Any], *, dtype: np.dtype[Any]) -> NDArray[Any]:
    return np.where(np.isfinite(block), 0, np.nan).astype(dtype)


# ---- tiles ----


def _tile_size(shape: Sequence[int], spacing: Sequence[float], tiles: int) -> tuple[int, ...]:
    side = max(n * s for n, s in zip(shape, spacing, strict=True)) / tiles
    counts = [max(1, round(n * s / side)) for n, s in zip(shape, spacing, strict=True)]
    return tuple(-(-n // min(c, n)) for n, c in zip(shape, counts, strict=True))


def _counts_of_tiles(
    location: Location, block: NDArray[Any], *, size: Sequence[int], binning: tuple[float, float]
) -> NDArray[np.int64]:
    from napari_segment.classical.filters.clahe_kernels import count_tiles

    numbers = [-(-n // s) for n, s in zip(location.shape, size, strict=True)]
    _, grid = as_volume(block, numbers, fill=1)
    counts = np.zeros((*grid, _BINS), np.int64)
    volume, start, sizes = _placed(block, location.start, size)
    count_tiles(volume, start, sizes, *binning, counts)
    return counts


def _sum(parts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    total: NDArray[np.int64] = np.sum(parts, axis=0)
    return total


def _tables(counts: NDArray[np.int64], clip_limit: float) -> NDArray[np.float64]:
    """For each tile, what each bin becomes: the share of voxels up to its middle."""
    share = counts / np.maximum(counts.sum(-1, keepdims=True), 1)
    excess = np.maximum(share - clip_limit, 0).sum(-1, keepdims=True)
    share = np.minimum(share, clip_limit) + excess / counts.shape[-1]
    upto: NDArray[np.float64] = np.cumsum(share, -1)
    tables: NDArray[np.float64] = np.minimum(upto - share / 2, 1)
    return tables


def _equalised(
    block: NDArray[Any],
    start: Sequence[int],
    *,
    size: Sequence[int],
    binning: tuple[float, float],
    tables: NDArray[Any],
) -> NDArray[Any]:
    from napari_segment.classical.filters.clahe_kernels import look_up

    volume, begin, sizes = _placed(block, start, size)
    out = np.empty(volume.shape, tables.dtype)
    over_slabs(lambda a, b: look_up(volume, a, b, begin, sizes, *binning, tables, out), len(volume))
    return out.reshape(block.shape)


def _placed(
    block: NDArray[Any], start: Sequence[int], size: Sequence[int]
) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]]:
    volume, begin = as_volume(np.array(block, float_type(block.dtype), order="C"), start, fill=0)
    return volume, np.array(begin), np.array(as_volume(block, size, fill=1)[1])


def _with_position(
    function: Callable[[NDArray[Any], Sequence[int]], NDArray[Any]],
    image: Array,
    dtype: np.dtype[Any],
) -> Array:
    """Map blocks by a function that takes where they begin."""
    if not is_lazy(image):
        out = np.empty(image.shape, dtype)

        def work(a: int, b: int) -> None:
            out[a:b] = function(image[a:b], (a,) + (0,) * (image.ndim - 1))

        over_slabs(work, len(out), max(1, len(out) // 32))
        return out
    import dask.array as da

    def placed(block: NDArray[Any], block_info: BlockInfo) -> NDArray[Any]:
        start = [a for a, _ in block_info[0]["array-location"]]
        return np.asarray(function(block, start))

    return da.map_blocks(placed, image, dtype=dtype, meta=np.empty((0,) * image.ndim, dtype))
