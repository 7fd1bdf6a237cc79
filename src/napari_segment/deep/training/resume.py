"""Resuming: whether a run folder is continued, begun anew or refused."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from typing import Any

from napari_segment.deep.checkpoint import MODEL, STATE
from napari_segment.deep.planning.fingerprint import Item
from napari_segment.deep.planning.label_semantics import named
from napari_segment.deep.planning.plan import Plan
from napari_segment.deep.planning.settings import TrainSettings
from napari_segment.deep.training.record.run_folder import LAST, SETTINGS
from napari_segment.errors import FormatError, InputError, SettingError
from napari_segment.io.datasets.pairs import Pairs

_MAY_CHANGE = ("epochs", "minutes", "device", "workers", "resume", "overwrite", "out")


def saved_settings(settings: TrainSettings) -> dict[str, Any]:
    """Return the saved settings of the training to continue; empty where a new one begins.

    Parameters
    ----------
    settings : TrainSettings
        As they were given.

    Returns
    -------
    dict
        Not validated yet. Epochs, minutes, device and workers are those given now.

    Raises
    ------
    FormatError
        If the saved settings cannot be read.
    SettingError
        If settings contradict each other, or the folder holds a training that is neither to be
        continued nor overwritten.
    """
    folder = settings.out
    interrupted = (folder / STATE / LAST).exists()
    if settings.resume and interrupted:
        try:
            saved = json.loads((folder / SETTINGS).read_text("utf-8"))
        except (OSError, json.JSONDecodeError) as error:
            raise FormatError(f"Cannot resume {folder}: {error}") from None
        saved.setdefault("test", 0)  # a training of before, which had no test
        return {**saved, **{name: getattr(settings, name) for name in _MAY_CHANGE}}
    _check(settings)
    if (interrupted or (folder / MODEL).exists()) and not (settings.overwrite or settings.resume):
        raise SettingError(
            f"{folder} holds a training already. Give another folder, resume=True (--resume) to "
            "continue it, or overwrite=True (--overwrite) to begin again."
        )
    return {}


def _check(settings: TrainSettings) -> None:
    """Check settings of a new training against each other."""
    folder = settings.out
    if settings.init_from != "none" and settings.init_from.resolve() == folder.resolve():
        raise SettingError(
            f"{folder} cannot be both the initial network (init_from) and the run folder (out): "
            "the training would overwrite what it starts from. Give another run folder."
        )
    if settings.find_lr and settings.lr != "auto":
        raise SettingError(
            f"lr={settings.lr:g} sets the learning rate and find_lr determines it: give one of "
            "them."
        )


def check_same_data(
    plan: Plan, items: Sequence[Item], pairs: Pairs, settings: TrainSettings
) -> None:
    """Check that the data of a resumed training are of the kind that it began with.

    Parameters
    ----------
    plan : Plan
        Of the training that is continued.
    items : sequence of Item
        All cases given now, measured.
    pairs : Pairs
        Where they come from.
    settings : TrainSettings
        Those of the training that is continued.

    Raises
    ------
    InputError
        With everything in which they differ.
    """
    differences = [*_other_images(plan, items[0]), *_other_labels(plan, items, pairs, settings)]
    if differences:
        raise InputError(
            f"{settings.out} cannot be resumed on these data: {'; '.join(differences)}. Give the "
            "data of the first run, or begin a new training in another folder, from this network "
            "(init_from)."
        )


def _other_images(plan: Plan, item: Item) -> Generator[str, None, None]:
    """Differences of dimensions, channels and unit; all cases are alike in the first two."""
    began = 3 if plan.stacked else plan.ndim
    if len(item.shape) != began:
        yield f"it was trained on {began}-D images, these are {len(item.shape)}-D"
    if len(item.channels) != len(plan.channels):
        yield (
            f"it was trained on {len(plan.channels)} channel(s) ({', '.join(plan.channels)}), "
            f"these images have {len(item.channels)} ({', '.join(item.channels)})"
        )
    elif item.channels != plan.channels:
        yield (
            f"its channels are {', '.join(plan.channels)}, those of these images "
            f"{', '.join(item.channels)}"
        )
    if plan.spacing and plan.unit != "pixel" and item.unit == "pixel":
        yield f"its spacing is in {plan.unit}, that of {item.name!r} is not known"


def _other_labels(
    plan: Plan, items: Sequence[Item], pairs: Pairs, settings: TrainSettings
) -> Generator[str, None, None]:
    """Differences of what label numbers are."""
    if pairs.holds and (pairs.holds == "objects") != (plan.holds == "objects"):
        yield f"its labels are {plan.holds}, these are {pairs.holds}"
    names = named(items, pairs.names, () if settings.classes == "auto" else settings.classes)
    for value in sorted(plan.names.keys() & names.keys()):
        if names[value] != plan.names[value]:
            yield f"the label {value} was called {plan.names[value]!r}, now {names[value]!r}"
    if plan.holds == "objects":
        return
    marked = {v for item in items for v in item.counts if v >= 0 and v != plan.ignore_index}
    new, gone = sorted(marked - {*plan.values, 0}), sorted(set(plan.values) - marked)
    if new:
        missing = f" and without {_listed(gone)}" if gone else ""
        yield (
            f"its classes are the labels {_listed(plan.values)}, these are with "
            f"{_listed(new)}{missing}"
        )


def _listed(values: Sequence[int]) -> str:
    more = ", …" if len(values) > 8 else ""
    return ", ".join(map(str, values[:8])) + more
