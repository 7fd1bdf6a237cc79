"""Run one training from its settings to its checkpoint: read, decide, fit, save."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from napari_segment.deep.allocator import retained_memory
from napari_segment.deep.card import CARD, CARD_TEXT
from napari_segment.deep.checkpoint import MODEL, STATE, WEIGHTS, Checkpoint, versions
from napari_segment.deep.data.augment import Augmentation
from napari_segment.deep.data.batches import Batches
from napari_segment.deep.data.cases import Cases
from napari_segment.deep.data.division import Division, divide
from napari_segment.deep.data.memmap_cache import MemmapCache
from napari_segment.deep.data.samples import Samples
from napari_segment.deep.device import free_memory, resolve, title
from napari_segment.deep.nn.summary import Summary, summary
from napari_segment.deep.planning.fingerprint import Item, intensity_ranges
from napari_segment.deep.planning.plan import Plan, describe, make_plan
from napari_segment.deep.planning.settings import TrainSettings
from napari_segment.deep.randomness import own_random_numbers
from napari_segment.deep.training.record.card import CardWriter, trained_cases
from napari_segment.deep.training.record.logs import logged
from napari_segment.deep.training.record.run_folder import LAST, PLAN, Record
from napari_segment.deep.training.resume import check_same_data
from napari_segment.deep.training.trainers import trainer_of
from napari_segment.errors import InputError, SettingError
from napari_segment.io.datasets.pairs import Pairs, PairsSource
from napari_segment.recipe import Spec
from napari_segment.registry import models
from napari_segment.step import Step

if TYPE_CHECKING:
    import torch

    from napari_segment.deep.training.process_group_torch import Group


def training(
    pairs: PairsSource, settings: TrainSettings, *, resumed: bool = False
) -> Generator[Step, None, Checkpoint]:
    """Train as `napari_segment.deep.training.train` does, from its validated settings."""
    begun = monotonic()
    device = resolve(settings.device)
    from napari_segment.deep.training.process_group_torch import Group

    group = Group(device)
    cache = MemmapCache(settings.out / STATE / f"cases_{group.rank}")
    try:
        with retained_memory(group.device.type == "cpu"):
            known = as_annotated(Pairs.of(pairs), settings)
            return (yield from _trained(known, settings, resumed, group, cache, begun))
    finally:
        group.close()
        cache.clear()


def _trained(
    pairs: Pairs,
    settings: TrainSettings,
    resumed: bool,
    group: Group,
    cache: MemmapCache,
    begun: float,
) -> Generator[Step, None, Checkpoint]:
    """Measure the cases, plan, and fit; what is made here is gone when the group is closed."""
    if not resumed and settings.init_from == "none":
        _find_weights(settings.model)
    cases = _cases(pairs, settings.out, resumed)
    yield from cases.measure()
    _check_background(cases.items, pairs.background)
    division = divide(
        cases.items, folds=settings.folds, fold=settings.fold, test=settings.test,
        test_cases=settings.test_cases,
    )  # fmt: skip
    plan = group.same(planned(cases.items, pairs, settings, group.device, resumed))
    if cases.note:
        plan = plan.model_copy(update={"reasons": {**plan.reasons, "cases": cases.note}})
    checks = [*pairs.notes, *_said(plan, division)]
    for line in checks[len(pairs.notes) :]:
        yield Step(0, 0, line)
    record = Record(settings.out, card=_card_writer(cases, division, settings, group))
    if group.leads and not resumed:
        _forget_old(settings.out)
        record.begin(settings.model_dump(mode="json"), plan.model_dump_json(indent=2), checks)
    samples = _samples(cases, plan, settings, cache)
    batches = Batches(
        samples, division.training, plan, amounts(plan, settings),
        settings.seed, settings.balance, group.rank, group.size,
    )  # fmt: skip
    blank = _blank(plan, settings, samples, division.training)
    if group.leads and not resumed:
        # A network whose layers cannot be followed on shapes alone trains all the same.
        with suppress(RuntimeError):
            record.network(summed_up(blank.model, plan))
    fit = trainer_of(plan).fit()(blank, settings, plan, batches, division, group, record, begun)
    steps = fit.run(resumed)
    return (yield from logged(steps, settings.out, settings.log if group.leads else ()))


def _cases(pairs: Pairs, folder: Path, resumed: bool) -> Cases:
    """The cases; of a resumed training in the orientation and the unit with which it began."""
    if not resumed:
        return Cases(pairs, budget=_budget())
    orientation = Checkpoint.load(folder).orientation if (folder / MODEL).exists() else ""
    return Cases(pairs, _budget(), orientation, _saved_plan(folder).unit)


def _saved_plan(folder: Path) -> Plan:
    return Plan.model_validate_json((folder / PLAN).read_text("utf-8"))


def as_annotated(pairs: Pairs, settings: TrainSettings) -> Pairs:
    """Let the numbers given by hand decide which voxels count as annotated."""
    ignored, background = settings.ignore_index, settings.background
    if ignored != "auto":
        pairs = replace(pairs, ignore_index=ignored)
    if background == "none":
        return pairs
    if ignored in (0, background):
        raise SettingError(
            f"With background={background}, voxels of 0 are without annotation already, and those "
            f"of {background} are the background: ignore_index={ignored} cannot be given as well. "
            "Leave it out."
        )
    known = None if pairs.ignore_index == 0 else pairs.ignore_index
    holds = pairs.holds or "classes"  # few numbers that differ between images are no objects
    return replace(pairs, ignore_index=known, background=background, holds=holds)


def _check_background(items: Sequence[Item], background: int | None) -> None:
    """Make sure that the background was painted, where it is to be learnt."""
    if background is None or any(item.counts.get(0) for item in items):
        return
    painted = sorted({value for item in items for value in item.counts if value > 0})
    raise InputError(
        f"The background is class {background}, but painted are the classes "
        f"{', '.join(map(str, painted[:8]))}. Give one of these, or paint some of the background."
    )


def _find_weights(model: Spec) -> None:
    """Find or download pretrained weights before the cases are read, which may take minutes."""
    given = models[model.name].spec(model.settings).settings
    if given.get("weights", "none") != "none":
        from napari_segment.deep.nn.models import build

        with own_random_numbers():
            build(model, 3, 2, models[model.name].ndim[0])
    elif given.get("frozen_epochs") == -1:
        raise SettingError(
            f"The encoder of {model.name!r} would stay as chance made it: it has no weights "
            "(weights='none') and never learns (frozen_epochs=-1). Give its weights, or take "
            "frozen_epochs=0."
        )


def _samples(cases: Cases, plan: Plan, settings: TrainSettings, cache: MemmapCache) -> Samples:
    from napari_segment.deep.training.objective_torch import maps_for, objective

    maps = maps_for(objective(settings.loss, plan), plan, cases.items, _budget())
    return Samples(cases, plan, _budget(), cache, maps)


def planned(
    items: Sequence[Item],
    pairs: Pairs,
    settings: TrainSettings,
    device: torch.device,
    resumed: bool = False,
) -> Plan:
    """Return the plan of a training, or that of the run folder where it is resumed."""
    if resumed:
        plan = _saved_plan(settings.out)
        check_same_data(plan, items, pairs, settings)
        return plan
    plan = make_plan(items, pairs, settings, free_memory(device), device.type != "cpu")
    if settings.patch != "auto":
        return plan
    # A patch that the network would pad anyway is better filled: images then stand anywhere in
    # it, and the network does not come to expect them in one place.
    return plan.model_copy(update={"patch": _network(plan, settings.model).padded(plan.patch)})


def _network(plan: Plan, spec: Spec) -> Any:
    from napari_segment.deep.nn.models import build

    sizes = plan.channels_in, plan.channels_out, plan.ndim
    with own_random_numbers():
        return build(_fitted_to(plan, spec), *sizes, pretrained=False)


def summed_up(model: Spec, plan: Plan) -> Summary:
    """Return the layers of a planned training's network, and what they cost."""
    sizes = {"channels_in": plan.channels_in, "channels_out": plan.channels_out}
    spec = _fitted_to(plan, model)
    return summary(spec, **sizes, ndim=plan.ndim, size=plan.patch, batch=plan.batch)


def amounts(plan: Plan, settings: TrainSettings) -> Augmentation:
    """The random changes: of a strength, without mirroring where it harms, with those by hand."""
    still = () if plan.mirrored else ("flip=0",)
    return Augmentation.of(settings.augment, (*still, *settings.augment_overrides))


def _blank(
    plan: Plan, settings: TrainSettings, samples: Samples, items: Sequence[Item]
) -> Checkpoint:
    """Return the checkpoint to be, without weights and scores."""
    model = _fitted_to(plan, settings.model)
    model = trainer_of(plan).complete(model, (samples(item).target[0] for item in items))
    return Checkpoint(
        folder=settings.out,
        model=model,
        **plan.model_dump(
            include={
                "ndim", "slices", "channels", "channels_out", "holds", "values", "names",
                "normalisation", "spacing", "unit", "patch", "objects", "reasons",
            }
        ),
        channels_out=plan.channels_out,
        activation=plan.activation,
        versions=versions(),
        orientation=samples.cases.orientation,
        intensities=intensity_ranges(items),
    )  # fmt: skip


def _fitted_to(plan: Plan, spec: Spec) -> Spec:
    """Tell a model that plans its kernels by spacing and patch what they are."""
    entry = models[spec.name]
    given = dict(spec.settings)
    known = {"spacing": plan.spacing[-plan.ndim :], "patch": plan.patch}
    for name, value in known.items():
        if name in entry.settings.model_fields and not given.get(name):
            given[name] = value
    return entry.spec(given)


def _card_writer(
    cases: Cases, division: Division, settings: TrainSettings, group: Group
) -> CardWriter | None:
    """Return what writes the model card; the first of several processes does."""
    if not group.leads:
        return None
    return CardWriter(settings, division, trained_cases(cases.pairs, division), title(group.device))


def _said(plan: Plan, division: Division) -> Generator[str, None, None]:
    voxels: dict[int, int] = {}
    for item in division.training:
        for value, count in item.counts.items():
            if value < 0 or value == plan.ignore_index:
                continue
            voxels[value] = voxels.get(value, 0) + count
    total = sum(voxels.values())
    everything = sum(sum(item.counts.values()) for item in division.training)
    yield division.description
    yield describe(plan, {v: n / total for v, n in voxels.items() if v})
    if total < everything:
        share = 1 - total / everything
        yield f"{share:.1%} of the voxels are without annotation: they take no part in the training"
    yield from (f"{name}: {reason}" for name, reason in plan.reasons.items())


def _budget() -> int:
    """Bytes for pixels: a quarter of what is free, once as they came and once made ready."""
    import torch

    return free_memory(torch.device("cpu")) // 4


def _forget_old(folder: Path) -> None:
    """Nothing of an earlier training in the folder may be taken for this one's."""
    for name in (f"{STATE}/{LAST}", MODEL, WEIGHTS, CARD, CARD_TEXT):
        (folder / name).unlink(missing_ok=True)
