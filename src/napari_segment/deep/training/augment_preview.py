"""Show random changes before a training: one patch as it is, and changed several times."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.deep.data.augment import Augmentation, draw
from napari_segment.deep.data.cases import Cases
from napari_segment.deep.data.patches import draw_corner, generator
from napari_segment.deep.data.samples import Samples
from napari_segment.deep.device import free_memory, resolve
from napari_segment.deep.nn.summary import Summary
from napari_segment.deep.planning.label_semantics import Objects
from napari_segment.deep.planning.plan import Plan, make_plan
from napari_segment.deep.planning.settings import TrainSettings
from napari_segment.deep.training import checked
from napari_segment.deep.training.run import amounts, as_annotated, planned, summed_up
from napari_segment.errors import InputError
from napari_segment.io.datasets.pairs import Pairs, PairsSource
from napari_segment.step import run

_NOTHING: Mapping[str, Any] = MappingProxyType({})


def augment_preview(
    pairs: PairsSource, settings: Mapping[str, Any] = _NOTHING, *, case: int = 0, count: int = 6
) -> dict[str, NDArray[Any]]:
    """Change one patch of one case as a training would.

    Only this case is read, so that the patch may differ from the training's where it is decided
    from all cases.

    Parameters
    ----------
    pairs : Pairs or what `Pairs.of` reads
        Images with labels.
    settings : mapping
        Of `napari_segment.deep.training.train`: augment, augment_overrides, patch, seed, balance, …
    case : int
        Which of the pairs.
    count : int
        How many changed patches.

    Returns
    -------
    dict of str to ndarray
        ``image`` float32 (1 + count, C, *patch), normalised, and ``labels`` int32
        (1 + count, *patch), -1 where nothing is asked. The first is the patch before any change.
    """
    from napari_segment.deep.data.augment.patch_torch import changed_patch

    given = checked(settings)
    samples, plan = _one(as_annotated(Pairs.of(pairs), given), case, given)
    sample = samples(samples.cases.items[0])
    if plan.stacked:
        from napari_segment.deep.data.batches import planes_as_channels

        sample = planes_as_channels(sample, sample.shape[0] // 2, plan.slices)
    corner = draw_corner(sample, plan.patch, given.balance, generator(given.seed, 0, 0))
    strengths = [Augmentation(), *[amounts(plan, given)] * count]
    patches = []
    for index, strength in enumerate(strengths):
        rng = generator(given.seed, 0, index)
        change = draw(strength, rng, plan.ndim, plan.spacing[-plan.ndim :])
        patches.append(changed_patch(sample.image, sample.target, corner, plan.patch, change))
    return {
        "image": np.stack([p[0] for p in patches]),
        "labels": np.stack([p[1][0] for p in patches]),
    }


def network_preview(pairs: PairsSource, settings: Mapping[str, Any] = _NOTHING) -> Summary:
    """Say what network a training would train, and what it will cost, before it is begun.

    Only the first case is read: where its labels or its size are not like the others', the numbers
    differ a little from those of the training.

    Parameters
    ----------
    pairs : Pairs or what `Pairs.of` reads
        Images with labels.
    settings : mapping
        Of `napari_segment.deep.training.train`: model, patch, batch, device, …

    Returns
    -------
    Summary
        Of the network for a batch of the training's patches.
    """
    given = checked(settings)
    known, device = as_annotated(Pairs.of(pairs), given), resolve(given.device)
    if not len(known):
        raise InputError("There is no image with labels to plan a training for.")
    cases = Cases(known.subset([0]), budget=0)
    run(cases.measure())
    return summed_up(given.model, planned(cases.items, known, given, device))


def _one(pairs: Pairs, case: int, settings: TrainSettings) -> tuple[Samples, Plan]:
    if not 0 <= case < len(pairs):
        raise InputError(f"There is no case {case}: the pairs have {len(pairs)}, counted from 0.")
    device = resolve("cpu")
    cases = Cases(pairs.subset([case]), budget=free_memory(device) // 4)
    run(cases.measure())
    plan = make_plan(cases.items[:1], cases.pairs, settings, free_memory(device), False)
    # Label numbers are shown, not what the network is asked for.
    plan = plan.model_copy(update={"objects": Objects(target="instances")})
    return Samples(cases, plan, cases.budget), plan
