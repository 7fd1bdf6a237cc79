"""Training over all folds, so that every case is validated on once."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

from napari_segment.deep.checkpoint import Checkpoint
from napari_segment.deep.training import checked, train_with
from napari_segment.io.datasets.pairs import PairsSource
from napari_segment.step import Step


def cross_validate(
    pairs: PairsSource, *, out: str | Path = "folds", folds: int = 5, **settings: object
) -> Generator[Step, None, list[Checkpoint]]:
    """Train once for each fold, one after the other.

    Parameters
    ----------
    pairs : Pairs or what `Pairs.of` reads
        Images with labels.
    out : path
        Gets a run folder for each fold: ``fold_0``, ``fold_1``, …
    folds : int
        How many.
    **settings
        Of `train`. With ``resume=True`` finished folds are not trained again.

    Yields
    ------
    Step
        Of each training in turn, with the fold in the message.

    Returns
    -------
    list of Checkpoint
        Of the folds; predicted together they are an ensemble.
    """
    checkpoints = []
    common = checked({**settings, "folds": folds, "out": Path(out)})
    for fold in range(folds):
        own = common.model_copy(update={"fold": fold, "out": common.out / f"fold_{fold}"})
        work = train_with(pairs, own)
        checkpoints.append((yield from _named(work, f"fold {fold + 1} of {folds}")))
    return checkpoints


def _named(work: Generator[Step, None, Checkpoint], name: str) -> Generator[Step, None, Checkpoint]:
    try:
        while True:
            try:
                step = next(work)
            except StopIteration as stop:
                checkpoint: Checkpoint = stop.value
                return checkpoint
            yield replace(step, message=f"{name}: {step.message}")
    finally:
        work.close()
