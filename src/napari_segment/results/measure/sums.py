"""The sums over an array's voxels from which most properties follow, gathered block by block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.blocks import Place, counts, reduce_blocks, replace_labels
from napari_segment.results.measure.patterns import neighbour_pairs, window_weights

Array = NDArray[Any]

LEVELS = 64  # grey levels of textures

_MERGE = {"add": np.add, "low": np.minimum, "high": np.maximum}
_START = {"add": 0, "low": np.inf, "high": -np.inf}


@dataclass(frozen=True)
class Columns:
    """Partial results of some labels: columns to be added, and those of extremes."""

    ids: NDArray[np.int64]
    columns: dict[str, Array] = field(default_factory=dict)  # "add", "low", "high": (N, K)


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
    ids : array (N,), optional
        The labels that occur, where they are known.
    """

    def __init__(
        self,
        labels: Any,
        image: Any = None,
        spacing: tuple[float, ...] = (),
        ids: NDArray[np.int64] | None = None,
    ) -> None:
        self.labels, self.image, self.spacing = labels, image, spacing
        self.ids = counts(labels)[0] if ids is None else ids
        self._found: dict[str, dict[str, Array]] = {}

    @property
    def ndim(self) -> int:
        return int(self.labels.ndim)

    def with_image(self, image: Any) -> Sums:
        """The same labels over another channel."""
        other = Sums(self.labels, image, self.spacing, self.ids)
        other._found = {k: v for k, v in self._found.items() if k in ("moments", "windows")}
        return other

    def moments(self) -> dict[str, Array]:
        """Of voxel indices: "add" (N, 10) as in the kernel, "low" and "high" (N, 3)."""
        return self._gathered("moments", _moments, self.labels, before=0)

    def windows(self) -> Array:
        """Euler number and surface, (N, 2)."""
        weights = window_weights(self.spacing)
        gather = partial(_windows, weights=weights)
        return self._gathered("windows", gather, self.labels, before=1)["add"]

    def intensities(self) -> dict[str, Array]:
        """Sum, smallest and largest intensity: "add", "low", "high" (N, 1)."""
        return self._gathered("intensities", _intensities, self.labels, self.image, before=0)

    def central(self) -> Array:
        """Central power sums 2, 3, 4 of intensities, and sums of intensity × index, (N, 6)."""
        mean = self.intensities()["add"][:, 0] / self.moments()["add"][:, 0]
        gather = partial(_central, ids=self.ids, mean=mean)
        return self._gathered("central", gather, self.labels, self.image, before=0)["add"]

    def textures(self) -> Array:
        """Sums over pairs of neighbours of their grey levels, (N, 6) as in the kernel."""
        found = self.intensities()
        finite = np.concatenate([found["low"], found["high"]])
        finite = finite[np.isfinite(finite)]
        low, high = float(finite.min(initial=np.inf)), float(finite.max(initial=-np.inf))
        gather = partial(_textures, low=low, high=high)
        return self._gathered("textures", gather, self.labels, self.image, before=1)["add"]

    def _gathered(self, name: str, gather: Any, *arrays: Any, before: int) -> dict[str, Array]:
        if name not in self._found:
            parts = reduce_blocks(gather, *arrays, merge=_merged, before=before)
            self._found[name] = _merged([_nothing(self.ids, parts), parts]).columns
        return self._found[name]


def _merged(parts: Sequence[Columns]) -> Columns:
    if len(parts) == 1:
        return parts[0]
    ids = np.unique(np.concatenate([part.ids for part in parts]))
    columns = {}
    for kind in parts[0].columns:
        first = parts[0].columns[kind]
        total = np.full((len(ids), first.shape[1]), _START[kind], np.float64)
        if first.dtype.kind == "i":
            total = np.full(total.shape, _integer_start(kind), np.int64)
        for part in parts:
            where = np.searchsorted(ids, part.ids)
            total[where] = _MERGE[kind](total[where], part.columns[kind])
        columns[kind] = total
    return Columns(ids, columns)


def _integer_start(kind: str) -> int:
    limits = np.iinfo(np.int64)
    return {"add": 0, "low": int(limits.max), "high": -1}[kind]


def _nothing(ids: NDArray[np.int64], like: Columns) -> Columns:
    """No voxel of any label: so that every label has its row."""
    empty = {
        kind: np.empty((0, column.shape[1]), column.dtype) for kind, column in like.columns.items()
    }
    rows = _merged([Columns(ids[:0], empty), Columns(ids[:0], empty)]).columns
    full = {kind: np.repeat(_row(kind, c), len(ids), axis=0) for kind, c in rows.items()}
    return Columns(ids, full)


def _row(kind: str, column: Array) -> Array:
    value = _integer_start(kind) if column.dtype.kind == "i" else _START[kind]
    return np.full((1, column.shape[1]), value, column.dtype)


# ---- one block ----


def _dense(block: Array) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The labels of a block, and the block with its labels numbered 1 … n, as (Z, Y, X)."""
    ids, _ = counts(block)
    dense = replace_labels(block, ids, np.arange(1, len(ids) + 1), np.int32)
    return ids, _volume(dense)


def _volume(block: Array) -> Array:
    return np.ascontiguousarray(block.reshape((1,) * (3 - block.ndim) + block.shape))


def _three(numbers: Sequence[int]) -> NDArray[np.int64]:
    return np.array([0] * (3 - len(numbers)) + list(numbers), np.int64)


def _moments(place: Place, block: Array) -> Columns:
    from napari_segment.results.measure._kernels import moments

    ids, dense = _dense(block)
    sums, low, high = moments(dense, _three(place.start), _three([]), len(ids))
    return Columns(ids, {"add": sums, "low": low, "high": high})


def _windows(place: Place, block: Array, *, weights: Array) -> Columns:
    from napari_segment.results.measure._kernels import windows

    ids, dense = _dense(block)
    end = [int(stop == size) for stop, size in zip(place.stop, place.shape, strict=True)]
    total = windows(dense, _three(place.before), _three(end), block.ndim == 2, weights, len(ids))
    return Columns(ids, {"add": total})


def _intensities(_place: Place, block: Array, image: Array) -> Columns:
    from napari_segment.results.measure._kernels import intensities

    ids, dense = _dense(block)
    total, low, high = intensities(dense.ravel(), image.ravel(), len(ids))
    return Columns(ids, {"add": total[:, None], "low": low[:, None], "high": high[:, None]})


def _central(
    place: Place, block: Array, image: Array, *, ids: NDArray[np.int64], mean: Array
) -> Columns:
    from napari_segment.results.measure._kernels import central

    own, dense = _dense(block)
    means = np.concatenate([[0.0], mean[np.searchsorted(ids, own)]])
    return Columns(own, {"add": central(dense, _volume(image), _three(place.start), means)})


def _textures(place: Place, block: Array, image: Array, *, low: float, high: float) -> Columns:
    from napari_segment.results.measure._kernels import textures

    ids, dense = _dense(block)
    pairs = neighbour_pairs(block.ndim).reshape(-1, 6)
    levels = _volume(grey_levels(image, low, high))
    return Columns(ids, {"add": textures(dense, levels, _three(place.before), pairs, len(ids))})


def grey_levels(image: Array, low: float, high: float) -> NDArray[np.uint8]:
    """Cut intensities into `LEVELS` equal steps between two values."""
    if not high > low:
        return np.zeros(image.shape, np.uint8)
    steps = np.nan_to_num((image.astype(np.float64) - low) * (LEVELS / (high - low)))
    return np.asarray(np.clip(steps, 0, LEVELS - 1).astype(np.uint8))
