"""The sums over an array's voxels from which most properties follow, gathered block by block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Array as Pixels
from napari_segment.blocks import (
    Location,
    as_volume,
    boxes,
    computed,
    counts,
    is_lazy,
    map_regions,
    plain,
    reduce_blocks,
    regions,
    replace_labels,
    unify_chunks,
)
from napari_segment.results.measure.patterns import neighbour_pairs, window_weights

Array = NDArray[Any]

LEVELS = 64  # grey levels of textures

_MERGE = {"add": np.add, "low": np.minimum, "high": np.maximum}


@dataclass(frozen=True)
class Columns:
    """Partial results of some labels: columns to be added, and those of extremes."""

    rows: NDArray[np.int64]  # of which labels, rising
    columns: dict[str, Array]  # "add", "low", "high": (N, K)


class Sums:
    """The sums of one plane or volume, each gathered when first asked for.

    Parameters
    ----------
    labels : ndarray or dask Array (Y, X) or (Z, Y, X)
        Non-negative integers.
    image : ndarray or dask Array of the same shape, optional
        One channel.
    spacing : tuple of float
        One number for each axis.
    world : array (D + 1, D + 1), optional
        From indices to world coordinates; the scaling by the spacing where it is not given.
    """

    def __init__(
        self,
        labels: Pixels,
        image: Pixels | None = None,
        spacing: tuple[float, ...] = (),
        world: Array | None = None,
    ) -> None:
        self.labels, self.spacing = labels, spacing
        self.world = np.diag([*spacing, 1.0]) if world is None else world
        self.image: Any = None if image is None else plain(image)
        self.ids, _ = counts(labels)
        self.dense = _numbered(labels, self.ids)
        self.of_labels: dict[str, dict[str, Array]] = {}  # gathered once for all channels
        self.of_image: dict[str, dict[str, Array]] = {}

    @property
    def ndim(self) -> int:
        return int(self.labels.ndim)

    def with_image(self, image: Pixels) -> Sums:
        """Return the same labels, with what is known of them, over another channel."""
        other = copy(self)
        other.image, other.of_image = plain(image), {}
        return other

    def moments(self) -> dict[str, Array]:
        """Return the moments of indices: "add" (N, 10) as in the kernel, "low", "high" (N, 3)."""
        return self._gathered(self.of_labels, "moments", _moments)

    def windows(self) -> Array:
        """Return the Euler number and the surface, (N, 2)."""
        weights = window_weights(self.spacing)
        gather = partial(_windows, weights=weights)
        return self._gathered(self.of_labels, "windows", gather, before=1)["add"]

    def intensities(self) -> dict[str, Array]:
        """Return the sum, smallest and largest intensity: "add", "low", "high" (N, 1)."""
        return self._gathered(self.of_image, "intensities", _intensities, self.image)

    def central(self) -> Array:
        """Return central power sums 2, 3, 4 of intensities, and of intensity × index, (N, 6)."""
        mean = self.intensities()["add"][:, 0] / self.moments()["add"][:, 0]
        gather = partial(_central, mean=np.concatenate([[0.0], mean]))
        return self._gathered(self.of_image, "central", gather, self.image)["add"]

    def textures(self) -> Array:
        """Return sums over pairs of neighbours of their grey levels, (N, 6) as in the kernel."""
        intensities = self.intensities()
        finite = np.concatenate([intensities["low"], intensities["high"]])
        finite = finite[np.isfinite(finite)]
        low, high = float(finite.min(initial=np.inf)), float(finite.max(initial=-np.inf))
        gather = partial(_textures, low=low, high=high)
        return self._gathered(self.of_image, "textures", gather, self.image, before=1)["add"]

    def each(self, function: Callable[[Array, tuple[float, ...]], Any]) -> Array:
        """Return a function of each object's mask and the spacing, (N,) or (N, K)."""
        of_object = partial(_of_mask, function, self.spacing)
        return self._object_by_object(self.of_labels, function.__name__, of_object)

    def each_values(self, function: Callable[[Array], Any]) -> Array:
        """Return a function of the intensities in each object, (N,) or (N, K)."""
        of_object = partial(_of_values, function)
        return self._object_by_object(self.of_image, function.__name__, of_object, self.image)

    def _object_by_object(
        self,
        known: dict[str, dict[str, Array]],
        name: str,
        of_object: Callable[..., Any],
        *images: Pixels,
    ) -> Array:
        if name not in known:
            work = partial(_rows, of_object=of_object)
            if any(is_lazy(a) for a in (self.dense, *images)):
                known[name] = {"add": self._region_by_region(work, *images)}
            else:
                known[name] = {"add": work(None, self.dense, *images)[1]}
        return known[name]["add"]

    def _region_by_region(self, work: Callable[..., Any], *images: Pixels) -> Array:
        """Compute the rows of objects block by block, each of which is read once."""
        arrays = unify_chunks((self.dense, *images))
        moments = self.moments()
        bounds = np.stack([moments["low"], moments["high"] + 1], 2)[:, 3 - self.ndim :]
        ids = np.arange(1, len(self.ids) + 1)
        parts = computed(map_regions(work, regions(ids, bounds, arrays[0].chunks), *arrays))
        if not parts:
            return np.empty(0)
        order = np.argsort(np.concatenate([ids for ids, _ in parts]))
        return np.asarray(np.concatenate([rows for _, rows in parts])[order])

    def _gathered(
        self,
        known: dict[str, dict[str, Array]],
        name: str,
        gather: Callable[..., Any],
        *images: Pixels,
        before: int = 0,
    ) -> dict[str, Array]:
        if name not in known:
            gather = partial(gather, n=len(self.ids))
            gathered = reduce_blocks(gather, self.dense, *images, merge=_merged, before=before)
            every = np.arange(len(self.ids))
            known[name] = _filled(every, [gathered])
        return known[name]


def _merged(parts: Sequence[Columns]) -> Columns:
    rows = np.unique(np.concatenate([part.rows for part in parts]))
    return Columns(rows, _filled(rows, parts))


def _filled(rows: NDArray[np.int64], parts: Sequence[Columns]) -> dict[str, Array]:
    """Return the columns of some rows, merged from parts."""
    columns = {}
    for kind, like in parts[0].columns.items():
        total = np.full((len(rows), like.shape[1]), _nothing(kind, like.dtype), like.dtype)
        for part in parts:
            where = np.searchsorted(rows, part.rows)
            total[where] = _MERGE[kind](total[where], part.columns[kind])
        columns[kind] = total
    return columns


def _nothing(kind: str, dtype: np.dtype[Any]) -> float:
    """Return the initial value of a column, before any voxel."""
    if dtype.kind == "i":
        return {"add": 0, "low": int(np.iinfo(dtype).max), "high": -1}[kind]
    return {"add": 0.0, "low": np.inf, "high": -np.inf}[kind]


def _seen(**columns: Array) -> Columns:
    """Return the rows of labels that were seen; the others hold nothing."""
    rows = np.zeros(len(next(iter(columns.values()))), bool)
    for kind, column in columns.items():
        rows |= (column != _nothing(kind, column.dtype)).any(1)
    return Columns(np.flatnonzero(rows), {kind: c[rows] for kind, c in columns.items()})


def _numbered(labels: Pixels, ids: NDArray[np.int64]) -> Any:
    """Relabel to 1 … n as int32; those in memory that are so already stay."""
    ready = isinstance(labels, np.ndarray) and labels.dtype == np.int32 and labels.flags.carray
    if ready and len(ids) and ids[-1] == len(ids):
        return labels
    return replace_labels(labels, ids, np.arange(1, len(ids) + 1), np.int32)


# ---- one block, its labels numbered 1 … n ----


def _rows(
    _location: Location | None, block: Array, *images: Array, of_object: Callable[..., Any]
) -> tuple[NDArray[np.int64], Array]:
    """Return the labels of a block, and a function's result on each one's mask and intensities."""
    ids, bounds = boxes(block)
    rows = []
    for i, box in zip(ids, bounds, strict=True):
        where = tuple(slice(a, b) for a, b in box)
        rows.append(of_object(block[where] == i, *(image[where] for image in images)))
    return ids, np.array(rows, np.float64)


def _of_mask(
    function: Callable[[Array, tuple[float, ...]], Any], spacing: tuple[float, ...], mask: Array
) -> Any:
    return function(mask, spacing)


def _of_values(function: Callable[[Array], Any], mask: Array, image: Array) -> Any:
    return function(image[mask])


def _three(numbers: Sequence[int]) -> NDArray[np.int64]:
    return np.array([0] * (3 - len(numbers)) + list(numbers), np.int64)


def _moments(location: Location, block: Array, *, n: int) -> Columns:
    from napari_segment.results.measure.measure_kernels import moments

    sums, low, high = moments(as_volume(block), _three(location.start), _three([]), n)
    return _seen(add=sums, low=low, high=high)


def _windows(location: Location, block: Array, *, n: int, weights: Array) -> Columns:
    from napari_segment.results.measure.measure_kernels import windows

    end = [int(stop == size) for stop, size in zip(location.stop, location.shape, strict=True)]
    own, flat = _three(location.before), block.ndim == 2
    return _seen(add=windows(as_volume(block), own, _three(end), flat, weights, n))


def _intensities(_location: Location, block: Array, image: Array, *, n: int) -> Columns:
    from napari_segment.results.measure.measure_kernels import intensities

    total, low, high = intensities(block.ravel(), image.ravel(), n)
    return _seen(add=total[:, None], low=low[:, None], high=high[:, None])


def _central(location: Location, block: Array, image: Array, *, n: int, mean: Array) -> Columns:
    from napari_segment.results.measure.measure_kernels import central

    return _seen(add=central(as_volume(block), as_volume(image), _three(location.start), mean, n))


def _textures(
    location: Location, block: Array, image: Array, *, n: int, low: float, high: float
) -> Columns:
    from napari_segment.results.measure.measure_kernels import textures

    pairs = neighbour_pairs(block.ndim) @ (-4, -2, -1) + 7  # as numbers of corners
    levels = as_volume(grey_levels(image, low, high))
    return _seen(add=textures(as_volume(block), levels, _three(location.before), pairs, n))


def grey_levels(image: Array, low: float, high: float) -> NDArray[np.uint8]:
    """Cut intensities into `LEVELS` equal steps between two values."""
    if not high > low:
        return np.zeros(image.shape, np.uint8)
    steps = np.nan_to_num((image.astype(np.float64) - low) * (LEVELS / (high - low)))
    return np.asarray(np.clip(steps, 0, LEVELS - 1).astype(np.uint8))
