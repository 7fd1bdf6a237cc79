"""Statistics of whole arrays, and functions of neighbourhoods, block by block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_segment.arrays import Array, Lazy
from napari_segment.blocks.passes import computed
from napari_segment.blocks.slabs import over_slabs
from napari_segment.runtime import threads

P = TypeVar("P")

_WORTH_THREADS = 1 << 20  # voxels


def is_lazy(array: object) -> TypeGuard[Lazy]:
    """Whether an array is a Dask array."""
    return hasattr(array, "dask")


def native(array: Array) -> Array:
    """An array in memory or lazy in the byte order of the machine, as compiled code needs it."""
    array = array if is_lazy(array) else np.asarray(array)
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def plain(array: Array) -> Array:
    """As `native`, with masks as uint8 (not copied), and floats of 32 or 64 bits."""
    array = native(array)
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind == "b":
        return array.view(np.uint8)
    if kind == "f" and size not in (4, 8):
        return array.astype(np.float32 if size == 2 else np.float64)
    return array


def as_volume(array: NDArray[Any]) -> NDArray[Any]:
    """The same voxels as (Z, Y, X), in memory without gaps: a plane is a volume of one plane."""
    return np.ascontiguousarray(array.reshape((1,) * (3 - array.ndim) + array.shape))


def reduce(
    array: Array,
    gather: Callable[[NDArray[Any]], P],
    merge: Callable[[Sequence[P]], P],
) -> P:
    """One statistic of a whole array, block by block.

    Parameters
    ----------
    array : ndarray or dask Array
        What is read, once.
    gather : callable
        From a block (in native byte order, here and below) to a partial result, which must
        be small.
    merge : callable
        From the partial results, in C order of the blocks, to one of the same kind. To be the
        same for every chunking it must be exact (counts, extremes, integer sums).

    Returns
    -------
    object
        ``gather(array)`` of a NumPy array; the merged partial results of a Dask array.
    """
    array = native(array)
    if not is_lazy(array):
        return gather(array)
    import dask

    parts = [dask.delayed(gather)(block) for block in array.to_delayed().ravel()]
    return merge(computed(_in_groups(parts, merge))) if parts else gather(array.compute())


@dataclass(frozen=True)
class Location:
    """Where a block lies in its array.

    Parameters
    ----------
    start, stop : tuple of int
        First index of the block along each axis, and one past its last.
    before : tuple of int
        How many voxels in front of `start` were handed over with it.
    shape : tuple of int
        Of the whole array.
    """

    start: tuple[int, ...]
    stop: tuple[int, ...]
    before: tuple[int, ...]
    shape: tuple[int, ...]

    @property
    def where(self) -> tuple[slice, ...]:
        """What was handed over."""
        begins = [s - b for s, b in zip(self.start, self.before, strict=True)]
        return tuple(map(slice, begins, self.stop))


def reduce_blocks(
    gather: Callable[..., P],
    *arrays: Array,
    merge: Callable[[Sequence[P]], P],
    before: int = 0,
) -> P:
    """One statistic of several arrays of one shape, where position or neighbours play a part.

    Parameters
    ----------
    gather : callable
        From a `Location` and a block of each array to a partial result, which must be small.
    *arrays : ndarray or dask Array
        All of one shape. Where one is lazy, the others are cut alike.
    merge : callable
        From partial results, in C order of the blocks, to one of the same kind.
    before : int
        How many voxels in front of each block, along each axis and as far as there are any,
        are handed over with it. The blocks then overlap, and `gather` counts what is its own.

    Returns
    -------
    object
        The merged partial results.
    """
    arrays = tuple(native(a) for a in arrays)
    if not any(is_lazy(a) for a in arrays):
        return merge(_in_slabs(gather, arrays, before))
    import dask

    lazy = unify_chunks(arrays)
    locations = _locations(lazy[0].chunks, before)
    if before:
        blocks = [[_computed(a[location.where]) for a in lazy] for location in locations]
    else:
        blocks = [list(own) for own in zip(*(a.to_delayed().ravel() for a in lazy), strict=True)]
    parts = [dask.delayed(gather)(p, *own) for p, own in zip(locations, blocks, strict=True)]
    return merge(computed(_in_groups(parts, merge)))


def map_blocks(
    function: Callable[..., NDArray[Any]],
    *arrays: Array,
    dtype: DTypeLike,
    halo: int | Sequence[int] = 0,
    outside: float | None = None,
    slabs: int = 0,
) -> Array:
    """Apply a function of a neighbourhood to arrays of one shape, block by block.

    Parameters
    ----------
    function : callable
        From blocks of one shape to a block of that shape. Where `outside` is None it treats an
        array's edge in its own way: blocks at the edge are handed over without padding there.
    *arrays : ndarray or dask Array
        All of one shape. Where one is lazy, the others are cut alike.
    dtype : dtype
        Of the result.
    halo : int or sequence of int
        How far, along each axis, a voxel's result depends on its neighbours. An axis that is
        shorter is not cut.
    outside : float, optional
        A value that lies around the array, as far as the halo goes.
    slabs : int
        Large arrays in memory too are worked on slab by slab, in threads, each at least so many
        halos thick: what `function` needs for itself is then a part of what it would need for the
        whole. 0 for the array at once. A slab of n halos computes two more: 12 cost at most a sixth
        more work, 24 (where `function` is slow) a twelfth; without a halo any number does.

    Returns
    -------
    ndarray or dask Array
        Of the arrays' shape; lazy where an input is.
    """
    arrays = tuple(native(a) for a in arrays)
    depth = (halo,) * arrays[0].ndim if isinstance(halo, int) else tuple(int(h) for h in halo)
    if not any(is_lazy(a) for a in arrays):
        if slabs and arrays[0].size >= _WORTH_THREADS:
            return _on_slabs(function, arrays, np.dtype(dtype), depth, outside, slabs)
        around = [(d, d) for d in depth]
        return _at_once(function, arrays, around, outside).astype(dtype, copy=False)
    import dask.array as da

    short = [d > n for d, n in zip(depth, arrays[0].shape, strict=True)]
    around = [(d, d) if s else (0, 0) for d, s in zip(depth, short, strict=True)]
    shared = {axis: 0 if s else d for axis, (d, s) in enumerate(zip(depth, short, strict=True))}
    lazy = [a.rechunk({i: -1 for i, s in enumerate(short) if s}) for a in unify_chunks(arrays)]
    call = _Call(function, np.dtype(dtype), around, outside)
    if not any(shared.values()):
        return da.map_blocks(call, *lazy, dtype=dtype, meta=_meta(lazy[0], dtype))
    return da.map_overlap(
        call, *lazy, depth=shared, boundary="none" if outside is None else outside,
        dtype=dtype, meta=_meta(lazy[0], dtype), allow_rechunk=True,
    )  # fmt: skip


def _at_once(
    function: Callable[..., NDArray[Any]],
    arrays: Sequence[NDArray[Any]],
    around: Sequence[tuple[int, int]],
    outside: float | None,
) -> NDArray[Any]:
    """Apply to arrays with margins of the value outside, if there is one; without the margins."""
    if outside is None or not any(map(any, around)):
        return function(*arrays)
    result = function(*(np.pad(a, around, constant_values=outside) for a in arrays))
    return result[tuple(slice(a, n - b) for (a, b), n in zip(around, result.shape, strict=True))]


def _on_slabs(
    function: Callable[..., NDArray[Any]],
    arrays: Sequence[NDArray[Any]],
    dtype: np.dtype[Any],
    depth: Sequence[int],
    outside: float | None,
    halos: int,
) -> NDArray[Any]:
    """Apply to slabs across the axis along which a halo weighs least."""
    shape = arrays[0].shape
    axis = int(np.argmax([n / (d + 1) for n, d in zip(shape, depth, strict=True)][:-1] or [1]))
    length, reach = shape[axis], depth[axis]
    before = (slice(None),) * axis
    out = np.empty(shape, dtype)

    def work(start: int, stop: int) -> None:
        low, high = max(start - reach, 0), min(stop + reach, length)
        around = [(d, d) for d in depth]
        around[axis] = (low - start + reach, stop + reach - high)
        slab = [np.ascontiguousarray(a[(*before, slice(low, high))]) for a in arrays]
        result = _at_once(function, slab, around, outside)
        out[(*before, slice(start, stop))] = result[(*before, slice(start - low, stop - low))]

    over_slabs(work, length, max(-(-length // (8 * threads())), halos * reach))
    return out


@dataclass(frozen=True)
class _Call:
    """A picklable call on blocks, padded along the axes that are not cut."""

    function: Callable[..., NDArray[Any]]
    dtype: np.dtype[Any]
    around: Sequence[tuple[int, int]]
    outside: float | None

    def __call__(self, *blocks: NDArray[Any]) -> NDArray[Any]:
        result = _at_once(self.function, blocks, self.around, self.outside)
        return np.asarray(result).astype(self.dtype, copy=False)


def _meta(array: Array, dtype: DTypeLike) -> NDArray[Any]:
    return np.empty((0,) * array.ndim, dtype)


def _in_groups(parts: list[Any], merge: Callable[[Sequence[P]], P], size: int = 16) -> list[Any]:
    """Merge partial results in a tree, so that few of them exist at once."""
    import dask

    while len(parts) > size:
        groups = [parts[i : i + size] for i in range(0, len(parts), size)]
        parts = [dask.delayed(merge)(group) for group in groups]
    return parts


def unify_chunks(arrays: Sequence[Any]) -> list[Any]:
    """All arrays as Dask arrays with the blocks of the first lazy one."""
    import dask.array as da

    chunks = next(a for a in arrays if is_lazy(a)).chunks
    lazy = [a if is_lazy(a) else da.from_array(a) for a in arrays]
    return [a.rechunk(chunks) for a in lazy]


def _in_slabs(gather: Callable[..., P], arrays: Sequence[NDArray[Any]], before: int) -> list[P]:
    """Gather from slabs of arrays in memory, in threads; from small arrays at once."""
    shape = arrays[0].shape
    length = shape[0] if shape and arrays[0].size >= _WORTH_THREADS else 0

    def work(start: int, stop: int) -> P:
        chunks = [(start, stop - start, shape[0] - stop), *((n,) for n in shape[1:])]
        location = _locations(chunks, before)[1]
        return gather(location, *(a[location.where] for a in arrays))

    if not length:
        none = (0,) * len(shape)
        return [gather(Location(none, shape, none, shape), *arrays)]
    slabs = threads() * (8 if before else 1)  # neighbours are compared in many arrays
    return over_slabs(work, length, -(-length // slabs))


def _locations(chunks: Sequence[Sequence[int]], before: int) -> list[Location]:
    shape = tuple(sum(sizes) for sizes in chunks)
    bounds = [np.cumsum([0, *sizes]).tolist() for sizes in chunks]
    locations = []
    for index in np.ndindex(*(len(sizes) for sizes in chunks)):
        start = tuple(edges[i] for edges, i in zip(bounds, index, strict=True))
        stop = tuple(edges[i + 1] for edges, i in zip(bounds, index, strict=True))
        locations.append(Location(start, stop, tuple(min(before, s) for s in start), shape))
    return locations


def _computed(array: Lazy) -> Any:
    """A piece of a Dask array as one delayed block."""
    return array.rechunk(array.shape).to_delayed().item()
