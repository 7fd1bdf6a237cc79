"""The same call on blocks: an entry written with these functions runs on any array.

`reduce` gathers a statistic of the whole array; `map_blocks` computes a result in which each
voxel depends on its neighbourhood (and on such statistics). On a NumPy array both act at once;
on a Dask array `reduce` reads the blocks once, keeping only the small partial results, and
`map_blocks` returns another lazy Dask array. Entries need no second version of themselves::

    def above_mean(image):
        total, count = reduce(image, lambda b: (b.sum(dtype=float), b.size), add_pairs)
        return map_blocks(partial(np.greater, ...), image, dtype=bool)

A Dask array runs on the scheduler that Dask would take: threads, or the active
``dask.distributed`` client.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

P = TypeVar("P")


def is_lazy(array: Any) -> bool:
    """Whether an array is a Dask array."""
    return hasattr(array, "dask")


def reduce(
    array: Any,
    gather: Callable[[NDArray[Any]], P],
    merge: Callable[[Sequence[P]], P],
) -> P:
    """One statistic of a whole array, block by block.

    Parameters
    ----------
    array : ndarray or dask Array
        What is read, once.
    gather : callable
        From a block to a partial result, which must be small.
    merge : callable
        From the partial results, in C order of the blocks, to one of the same kind. To be the
        same for every chunking it must be exact (counts, extremes, integer sums).

    Returns
    -------
    object
        ``gather(array)`` of a NumPy array; the merged partial results of a Dask array.
    """
    if not is_lazy(array):
        return gather(np.asarray(array))
    import dask

    parts = [dask.delayed(gather)(block) for block in array.to_delayed().ravel()]
    return merge(dask.compute(*_in_groups(parts, merge))) if parts else gather(array.compute())


def map_blocks(
    function: Callable[..., NDArray[Any]],
    *arrays: Any,
    dtype: DTypeLike,
    halo: int | Sequence[int] = 0,
) -> Any:
    """Apply a function of a neighbourhood to arrays of one shape, block by block.

    Parameters
    ----------
    function : callable
        From blocks of one shape to a block of that shape. It treats an array's edge in its own
        way: blocks at the edge of the array are handed over without padding there.
    *arrays : ndarray or dask Array
        All of one shape. Where one is lazy, the others are cut alike.
    dtype : dtype
        Of the result.
    halo : int or sequence of int
        How far, along each axis, a voxel's result depends on its neighbours.

    Returns
    -------
    ndarray or dask Array
        Of the arrays' shape; lazy where an input is.
    """
    if not any(is_lazy(a) for a in arrays):
        result = function(*(np.asarray(a) for a in arrays))
        return result.astype(dtype, copy=False)
    import dask.array as da

    lazy = [a if is_lazy(a) else da.from_array(np.asarray(a)) for a in arrays]
    chunks = next(a for a in arrays if is_lazy(a)).chunks
    lazy = [a.rechunk(chunks) for a in lazy]
    depth = (halo,) * lazy[0].ndim if isinstance(halo, int) else tuple(int(h) for h in halo)
    cast = _Cast(function, np.dtype(dtype))
    if not any(depth):
        return da.map_blocks(cast, *lazy, dtype=dtype, meta=_meta(lazy[0], dtype))
    return da.map_overlap(
        cast, *lazy, depth=dict(enumerate(depth)), boundary="none", dtype=dtype,
        meta=_meta(lazy[0], dtype), allow_rechunk=True,
    )  # fmt: skip


class _Cast:
    """A picklable function followed by a change of type."""

    def __init__(self, function: Callable[..., NDArray[Any]], dtype: np.dtype[Any]) -> None:
        self.function, self.dtype = function, dtype

    def __call__(self, *blocks: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(self.function(*blocks)).astype(self.dtype, copy=False)


def _meta(array: Any, dtype: DTypeLike) -> NDArray[Any]:
    return np.empty((0,) * array.ndim, dtype)


def _in_groups(parts: list[Any], merge: Callable[[Sequence[P]], P], size: int = 16) -> list[Any]:
    """Merge partial results in a tree, so that few of them exist at once."""
    import dask

    while len(parts) > size:
        groups = [parts[i : i + size] for i in range(0, len(parts), size)]
        parts = [dask.delayed(merge)(group) for group in groups]
    return parts
