"""Samples: cases made ready for a plan, in memory while they fit, else in mapped files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from threading import Lock, RLock
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Sliceable
from napari_segment.deep.data.cases import Cases
from napari_segment.deep.data.memmap_cache import MemmapCache
from napari_segment.deep.data.patches import Sample, choose_centres
from napari_segment.deep.data.targets import UNKNOWN, class_indices, not_annotated
from napari_segment.deep.planning.fingerprint import Item
from napari_segment.deep.planning.normalisation import Rescale, apply, statistics
from napari_segment.deep.planning.plan import Plan
from napari_segment.deep.planning.slabs import slabs

Maps: TypeAlias = Callable[[NDArray[Any], Sequence[float]], NDArray[np.float32]]


@dataclass(eq=False)
class Samples:
    """Prepare cases for a plan: normalised images and targets, held once they are made.

    Parameters
    ----------
    cases : Cases
        Where pixels come from.
    plan : Plan
        How they are changed.
    budget : int
        Bytes to keep in memory.
    cache : MemmapCache, optional
        Takes what goes beyond; without it that is made again each time.
    maps : callable, optional
        What a loss wants of each case of classes: from a target ``(K, *S)`` as losses take it and
        a spacing to ``(K, *S)``.
    """

    cases: Cases
    plan: Plan
    budget: int = 2**32
    cache: MemmapCache | None = None
    maps: Maps | None = None
    _cache: dict[Item, Sample] = field(default_factory=dict)
    _drawn: dict[Item, NDArray[np.float32]] = field(default_factory=dict)
    _bytes: int = 0
    _lock: Lock = field(default_factory=Lock)
    _one_at_a_time: RLock = field(default_factory=RLock)

    def __call__(self, item: Item) -> Sample:
        """Return the sample of an item."""
        known = self._cache.get(item)
        if known is not None:
            return known
        if self._large(item) and self.cache is not None:
            with self._one_at_a_time:
                return self._cache.get(item) or self._streamed(item)
        sample = self._made(item)
        if self._counts(sample.image.nbytes + sample.target.nbytes):
            return self._cache.setdefault(item, sample)
        return sample if self.cache is None else self._cached(item, sample)

    def maps_of(self, item: Item) -> NDArray[np.float32] | None:
        """Return what the loss wants of an item, ``(K, *S)``."""
        if self.maps is None:
            return None
        if item not in self._drawn:
            self._drawn[item] = self._mapped(self(item).target, self.maps)
        return self._drawn[item]

    def _mapped(self, target: NDArray[Any], maps: Maps) -> NDArray[np.float32]:
        plan = self.plan
        wanted = one_hot(target, plan.channels_out)
        spacing = plan.spacing[-plan.ndim :]
        if not plan.stacked:
            return maps(wanted, spacing)
        return np.stack([maps(plane, spacing) for plane in wanted.swapaxes(0, 1)], 1)

    def _counts(self, size: int) -> bool:
        """Reserve so many bytes; return whether the budget allows them."""
        with self._lock:
            fits = self._bytes + size <= self.budget
            self._bytes += size if fits else 0
        return fits

    def _shape(self, item: Item) -> tuple[int, ...]:
        from napari_segment.deep.data.resample import resampled_shape

        if not self.plan.spacing:
            return item.shape
        return resampled_shape(item.shape, item.spacing, self.plan.spacing)

    def _large(self, item: Item) -> bool:
        """Return whether making it in memory takes more than the whole budget."""
        voxels = max(prod(self._shape(item)), prod(item.shape))
        return voxels * (4 * len(item.channels) + 4) > self.budget

    # ---- in memory ----

    def _made(self, item: Item) -> Sample:
        from napari_segment.deep.data.resample import resample

        pixels, labels = (np.asarray(a) for a in self.cases.read(item))
        image = apply(pixels, statistics(pixels, self.plan.normalisation))
        shape = self._shape(item)
        image, labels = resample(image, shape), resample(labels, shape, order=0)
        target = self._target(labels, item)
        return Sample(image, target, self._centres(target, item))

    def _target(self, labels: NDArray[Any], item: Item) -> NDArray[Any]:
        """Return class indices, or numbers of objects and, where known, their classes."""
        plan = self.plan
        if plan.objects is None:
            return class_indices(labels, plan.values, plan.ignore_index)[None]
        numbers = in_32_bits(labels, item.counts)
        numbers[not_annotated(labels, plan.ignore_index)] = UNKNOWN
        if not plan.tells_kinds:
            return numbers[None]
        return np.stack([numbers, kinds(numbers, self.cases.pairs[item.case].classes)])

    def _centres(self, target: NDArray[Any], item: Item) -> dict[int, NDArray[np.int32]]:
        """Return where patches may be drawn around: each class, or the foreground of objects."""
        return choose_centres(target, item.case, together=self.plan.objects is not None)

    # ---- in files ----

    def _cached(self, item: Item, sample: Sample) -> Sample:
        """Return a finished sample, moved into files."""
        assert self.cache is not None
        image = self.cache.new(sample.image.shape, np.float32)
        target = self.cache.new(sample.target.shape, sample.target.dtype)
        image[:], target[:] = sample.image, sample.target
        return self._cache.setdefault(item, Sample(image, target, sample.centres))

    def _streamed(self, item: Item) -> Sample:
        """Return a sample made slab by slab."""
        from napari_segment.deep.data.resample import Resampled, nearest_rows

        assert self.cache is not None
        pixels, labels = self.cases.read(item)
        shape = self._shape(item)
        view = Normalised(pixels, statistics(pixels, self.plan.normalisation))
        resampled = Resampled(view, shape)
        image = self.cache.new(resampled.shape, np.float32)
        kind = np.int16 if self.plan.objects is None else np.int32
        target = self.cache.new((1 + self.plan.tells_kinds, *shape), kind)
        for rows in slabs(shape):
            image[:, rows] = resampled[(slice(None), rows)]
            target[:, rows] = self._target(nearest_rows(labels, shape, rows), item)
        sample = Sample(image, target, self._centres(target, item))
        return self._cache.setdefault(item, sample)


@dataclass(frozen=True, eq=False)
class Normalised:
    """A view of an image ``(C, *S)``, normalised where it is read."""

    array: Sliceable
    numbers: tuple[Rescale, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.array.shape)

    @property
    def dtype(self) -> np.dtype[np.float32]:
        return np.dtype(np.float32)

    def __getitem__(self, where: tuple[slice, ...]) -> NDArray[np.float32]:
        return apply(np.asarray(self.array[where]), self.numbers)


def one_hot(target: NDArray[Any], channels: int) -> NDArray[Any]:
    """Class indices ``(1, *S)`` as booleans ``(K, *S)``."""
    if channels == 1:
        return target > 0
    return np.concatenate([target == k for k in range(channels)])


def in_32_bits(labels: NDArray[Any], counts: Mapping[int, int]) -> NDArray[np.int32]:
    """Object numbers as int32; where one is larger, the ranks of all numbers of the item.

    Parameters
    ----------
    labels : ndarray (*S)
        A part of the labels of an item.
    counts : mapping of int to int
        Has every number of the item.
    """
    if max(counts, default=0) <= np.iinfo(np.int32).max:
        return labels.astype(np.int32)
    known = np.array(sorted({0, *(number for number in counts if number > 0)}), np.uint64)
    positive = np.where(labels > 0, labels, 0).astype(np.uint64)
    return np.searchsorted(known, positive).astype(np.int32)


def kinds(numbers: NDArray[np.int32], classes: Mapping[int, int]) -> NDArray[np.int32]:
    """Return the class of the object in each voxel, 1 where it is unknown; 0 outside."""
    table = np.ones(int(numbers.max(initial=0)) + 1, np.int32)
    table[0] = 0
    for number, kind in classes.items():
        if number < len(table):
            table[number] = kind
    return np.asarray(table[np.maximum(numbers, 0)])
