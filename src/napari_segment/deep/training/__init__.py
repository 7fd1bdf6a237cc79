"""Training: from pairs to a checkpoint, as a generator of Steps. No torch before it begins."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from napari_segment.deep.checkpoint import MODEL as MODEL_FILE
from napari_segment.deep.checkpoint import Checkpoint
from napari_segment.deep.planning.settings import LOSS, MODEL, TrainSettings, signature
from napari_segment.io.datasets.pairs import PairsSource
from napari_segment.io.lock import locked
from napari_segment.io.models_folder import note_training
from napari_segment.io.replacing import recover_once
from napari_segment.registry import Entry
from napari_segment.step import Step

__all__ = ["ENTRY", "LOSS", "MODEL", "TrainSettings", "checked", "train", "train_with"]


def train(pairs: PairsSource, **settings: object) -> Generator[Step, None, Checkpoint]:
    """Train a network on images and their labels.

    Each setting that is "auto" is decided from the data; ``plan.json`` in the run folder has the
    decisions with their reasons.

    Parameters
    ----------
    pairs : Pairs or what `Pairs.of` reads
        Images with labels: two folders, a dataset folder, or a list of (image, labels).
    **settings
        The fields of `TrainSettings`.

    Yields
    ------
    Step
        With the loss and the learning rate after each update, and with scores and a preview
        after each epoch. Closing the generator stops the training; the best network is saved.
        Meanwhile the run folder is locked: another training in it is refused.

    Returns
    -------
    Checkpoint
        The network with the best validation score.

    Examples
    --------
    >>> from napari_segment.step import run
    >>> checkpoint = run(train(("images", "labels"), out="run", minutes=10))  # doctest: +SKIP
    """
    return (yield from train_with(pairs, checked(settings)))


def train_with(pairs: PairsSource, settings: TrainSettings) -> Generator[Step, None, Checkpoint]:
    """Train as `train` does, from validated settings."""
    from napari_segment.deep.training.resume import saved_settings
    from napari_segment.deep.training.run import training

    with _held(settings.out):
        recover_once(settings.out.absolute())
        saved = saved_settings(settings)
        chosen = checked(saved) if saved else settings
        try:
            return (yield from training(pairs, chosen, resumed=bool(saved)))
        finally:
            if (chosen.out / MODEL_FILE).is_file():
                note_training(chosen.out)


def _held(folder: Path) -> AbstractContextManager[None]:
    """Hold the run folder: the first process of several that train together does."""
    from napari_segment.deep.training.process_group_torch import ranks

    return locked(folder, "another training") if ranks()[0] == 0 else nullcontext()


train.__signature__ = signature()  # type: ignore[attr-defined]
ENTRY = Entry("trainings", "train", "Train a network", train, gives="")


def checked(settings: Mapping[str, Any]) -> TrainSettings:
    """Validate settings, of today or of before, and fill in the defaults.

    Raises
    ------
    SettingError
        Naming the setting, what was given and what is expected.
    """
    return TrainSettings(**ENTRY.validate(settings))
