"""Batches: from an epoch and a step to arrays, a pure function that threads can run ahead."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np

from napari_segment.deep.data.augment import Augmentation, draw
from napari_segment.deep.data.patches import Sample, draw_corner, generator, order
from napari_segment.deep.data.samples import Samples
from napari_segment.deep.data.targets import object_maps
from napari_segment.deep.planning.fingerprint import Item
from napari_segment.deep.planning.plan import Plan

if TYPE_CHECKING:
    from torch import Tensor

    from napari_segment.deep.data.augment.patch_torch import Piece

Batch: TypeAlias = "tuple[Any, ...]"  # tensors: images, targets, and maps where a loss wants them
A = TypeVar("A")
B = TypeVar("B")


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
        """Images ``(B, C, *patch)`` and targets ``(B, K, *patch)`` of one step, on the CPU."""
        import torch

        from napari_segment.deep.data.augment.patch_torch import finish

        images, targets, *maps = finish(self.pieces(epoch, step), torch.device("cpu"))
        return images, self._with_object_maps(targets), *maps

    def pieces(self, epoch: int, step: int) -> list[Piece]:
        """What the patches of one step are made from; `finish` computes them, on any device."""
        size = self.plan.batch * self.plan.accumulate * self.ranks
        chosen = order(len(self.items), size * self.plan.steps, self.seed, epoch)
        mine = range(step * size + self.rank, (step + 1) * size, self.ranks)
        return [self.piece(chosen[i], epoch, i) for i in mine]

    def piece(self, item: int, epoch: int, index: int) -> Piece:
        """Return what one patch is made from."""
        from napari_segment.deep.data.augment.patch_torch import piece

        rng = generator(self.seed, epoch, index)
        sample, plan = self.samples(self.items[item]), self.plan
        maps = self.samples.maps_of(self.items[item])
        if plan.stacked:
            plane = _drawn_plane(sample, self.balance, rng)
            sample = planes_as_channels(sample, plane, plan.slices)
            maps = None if maps is None else maps[:, plane]
        corner = draw_corner(sample, plan.patch, self.balance, rng)
        change = draw(self.amounts, rng, plan.ndim, plan.spacing[-plan.ndim :])
        return piece(sample.image, sample.target, maps, corner, plan.patch, change)

    def _with_object_maps(self, targets: Tensor) -> Tensor:
        """Return targets with the maps of objects, computed after the augmentation of labels."""
        objects = self.plan.objects
        if objects is None or objects.target == "instances":
            return targets
        import torch

        spacing = self.plan.spacing[-self.plan.ndim :]
        drawn = [object_maps(labels[0], objects, spacing) for labels in targets.numpy()]
        return torch.from_numpy(np.stack(drawn))


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
    centres = {k: p[p[:, 0] == plane][:, 1:] for k, p in sample.centres.items()}
    return Sample(image, sample.target[:, plane], {k: p for k, p in centres.items() if len(p)})


def _drawn_plane(sample: Sample, balance: float, rng: np.random.Generator) -> int:
    if sample.centres and rng.random() < balance:
        value = list(sample.centres)[rng.integers(len(sample.centres))]
        return int(sample.centres[value][rng.integers(len(sample.centres[value])), 0])
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
        How many results are waited for or held at once.

    Yields
    ------
    object
        An exception of a call is raised where its result would have come.
    """
    if workers == 0:
        yield from map(function, arguments)
        return
    import torch

    waiting: list[Future[B]] = []
    usual = torch.get_num_threads()
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
        torch.set_num_threads(usual)  # for threads yet to come, which would inherit `_alone`


def _alone() -> None:
    """Compute in this thread alone, so that the network's own threads are left in peace."""
    import torch

    torch.set_num_threads(1)  # of the thread that calls it, and of threads yet to come
