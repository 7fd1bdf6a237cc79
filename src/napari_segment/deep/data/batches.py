"""Batches: from an epoch and a step to arrays, a pure function that threads can run ahead."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_segment.deep.augment import Augmentation, draw
from napari_segment.deep.data.cases import Cases, Item
from napari_segment.deep.data.patches import Sample, draw_corner, find_places, generator, order
from napari_segment.deep.fingerprint import Plan
from napari_segment.deep.plan import apply, statistics
from napari_segment.deep.targets import class_indices, object_maps

Batch = tuple[NDArray[np.float32], NDArray[Any]]
A = TypeVar("A")
B = TypeVar("B")


@dataclass(eq=False)
class Samples:
    """Cases made ready for a plan: normalised images and targets, kept while they fit.

    Parameters
    ----------
    cases : Cases
        Where pixels come from.
    plan : Plan
        How they are changed.
    budget : int
        Bytes to keep.
    """

    cases: Cases
    plan: Plan
    budget: int = 2**32
    _kept: dict[int, Sample] = field(default_factory=dict)
    _bytes: int = 0
    _lock: Lock = field(default_factory=Lock)

    def __call__(self, item: Item) -> Sample:
        """The sample of an item."""
        known = self._kept.get(id(item))
        if known is not None:
            return known
        sample = self._made(item)
        size = sample.image.nbytes + sample.target.nbytes
        with self._lock:
            if self._bytes + size <= self.budget and id(item) not in self._kept:
                self._kept[id(item)] = sample
                self._bytes += size
        return sample

    def _made(self, item: Item) -> Sample:
        from napari_segment.deep.resample import resample, resampled_shape

        plan = self.plan
        pixels, labels = self.cases.read(item)
        image = apply(pixels, statistics(pixels, plan.normalisation))
        if plan.spacing:
            shape = resampled_shape(item.shape, item.spacing, plan.spacing)
            image, labels = resample(image, shape), resample(labels, shape, order=0)
        target = self._target(labels)
        return Sample(image, target, find_places(target, item.case))

    def _target(self, labels: NDArray[Any]) -> NDArray[Any]:
        plan = self.plan
        if plan.objects is None:
            return class_indices(labels, plan.values, plan.unlabelled)[None]
        if plan.objects.target == "instances":
            return labels.astype(np.int32)[None]
        if not plan.stacked:
            return object_maps(labels, plan.objects, plan.spacing, plan.unlabelled)
        planes = [object_maps(p, plan.objects, plan.spacing[1:], plan.unlabelled) for p in labels]
        return np.stack(planes, 1)


@dataclass(frozen=True, eq=False)
class Batches:
    """The batches of a training, each a pure function of seed, epoch and step.

    Parameters
    ----------
    samples : Samples
        The cases made ready.
    items : sequence of Item
        Those to train on.
    plan : Plan
        Patch and batch.
    amounts : Augmentation
        The random changes.
    seed : int
        Of the training.
    balance : float
        Part of the patches drawn around a voxel of a class.
    rank, ranks : int
        Which part of each batch this process makes, of how many.
    """

    samples: Samples
    items: Sequence[Item]
    plan: Plan
    amounts: Augmentation
    seed: int = 0
    balance: float = 0.33
    rank: int = 0
    ranks: int = 1

    def __call__(self, epoch: int, step: int) -> Batch:
        """Images ``(B, C, *patch)`` and targets ``(B, K, *patch)`` of one step."""
        size = self.plan.batch * self.plan.accumulate * self.ranks
        chosen = order(len(self.items), size * self.plan.steps, self.seed, epoch)
        mine = range(step * size + self.rank, (step + 1) * size, self.ranks)
        patches = [self.patch(chosen[i], epoch, i) for i in mine]
        return np.stack([p[0] for p in patches]), np.stack([p[1] for p in patches])

    def patch(self, item: int, epoch: int, index: int) -> Batch:
        """One patch: image ``(C, *patch)`` and target ``(K, *patch)``."""
        rng = generator(self.seed, epoch, index)
        sample, plan = self.samples(self.items[item]), self.plan
        if plan.stacked:
            plane = _drawn_plane(sample, self.balance, rng)
            sample = planes_as_channels(sample, plane, plan.slices)
        corner = draw_corner(sample, plan.patch, self.balance, rng)
        change = draw(self.amounts, rng, plan.ndim, plan.spacing[-plan.ndim :])
        return change.patch(sample.image, sample.target, corner, plan.patch)


def planes_as_channels(sample: Sample, plane: int, slices: int) -> Sample:
    """A plane of a stack with its neighbours as channels; beyond the ends planes are repeated.

    Parameters
    ----------
    sample : Sample
        A stack.
    plane : int
        The plane whose labels are the target.
    slices : int
        Planes that the network sees.

    Returns
    -------
    Sample
        Of two dimensions, ``slices * C`` channels.
    """
    near = np.clip(np.arange(slices) + plane - slices // 2, 0, sample.shape[0] - 1)
    image = sample.image[:, near].swapaxes(0, 1).reshape(-1, *sample.shape[1:])
    places = {k: p[p[:, 0] == plane][:, 1:] for k, p in sample.places.items()}
    return Sample(image, sample.target[:, plane], {k: p for k, p in places.items() if len(p)})


def _drawn_plane(sample: Sample, balance: float, rng: np.random.Generator) -> int:
    if sample.places and rng.random() < balance:
        value = list(sample.places)[rng.integers(len(sample.places))]
        return int(sample.places[value][rng.integers(len(sample.places[value])), 0])
    return int(rng.integers(sample.shape[0]))


def ahead(
    function: Callable[[A], B], arguments: Iterable[A], *, workers: int, depth: int
) -> Generator[B, None, None]:
    """Call a function on each argument in threads, ahead of time; the results come in order.

    Parameters
    ----------
    function : callable
        Of one argument.
    arguments : iterable
        Read as far as is worked ahead.
    workers : int
        Threads; 0 calls in this thread.
    depth : int
        How many results are waited for or kept at once.

    Yields
    ------
    object
        An exception of a call is raised where its result would have come.
    """
    if workers == 0:
        yield from map(function, arguments)
        return
    waiting: list[Future[B]] = []
    pool = ThreadPoolExecutor(workers, thread_name_prefix="batches", initializer=_alone)
    try:
        for argument in arguments:
            waiting.append(pool.submit(function, argument))
            if len(waiting) > depth:
                yield waiting.pop(0).result()
        while waiting:
            yield waiting.pop(0).result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _alone() -> None:
    """Compute in this thread alone, so that the network's own threads are left in peace."""
    import torch

    torch.set_num_threads(1)  # of the thread that calls it, and of threads yet to come
