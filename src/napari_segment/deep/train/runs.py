"""Runs beside each other: what is in a folder of run folders, and training over all folds."""

from __future__ import annotations

import csv
import json
from collections.abc import Generator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_segment.deep.checkpoint import MODEL, Checkpoint
from napari_segment.deep.train import train
from napari_segment.deep.train.record import CURVES, SETTINGS
from napari_segment.errors import FormatError, SegmentError
from napari_segment.step import Step


def runs(folder: str | Path) -> list[dict[str, Any]]:
    """List the trainings in a folder, the best first.

    Parameters
    ----------
    folder : path
        A folder of run folders, or one run folder.

    Returns
    -------
    list of dict
        Of each run: its name, model, loss, epochs and minutes run, and the scores of the weights
        that were kept.

    Raises
    ------
    FormatError
        If there is none.
    """
    folder = Path(folder)
    found = sorted(p.parent for p in {*folder.glob(f"{SETTINGS}"), *folder.glob(f"*/{SETTINGS}")})
    if not found:
        raise FormatError(f"There is no training in {folder}.")
    rows = [_row(f) for f in found]
    return sorted(rows, key=lambda r: -r.get("ap", r.get("dice", -1.0)))


def cross_validate(
    pairs: Any, *, out: str | Path = "folds", folds: int = 5, **settings: Any
) -> Generator[Step, None, list[Checkpoint]]:
    """Train once for each fold, so that every case is validated on once.

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
    found = []
    for fold in range(folds):
        folder = Path(out) / f"fold_{fold}"
        work = train(pairs, out=folder, folds=folds, fold=fold, **settings)
        found.append((yield from _named(work, f"fold {fold + 1} of {folds}")))
    return found


def _named(work: Generator[Step, None, Checkpoint], name: str) -> Generator[Step, None, Checkpoint]:
    try:
        while True:
            step = next(work)
            yield replace(step, message=f"{name}: {step.message}")
    except StopIteration as stop:
        checkpoint: Checkpoint = stop.value
        return checkpoint
    finally:
        work.close()


def _row(folder: Path) -> dict[str, Any]:
    settings = json.loads((folder / SETTINGS).read_text("utf-8"))
    row: dict[str, Any] = {
        "run": folder.name, "model": settings["model"]["name"], "loss": settings["loss"]["name"],
    }  # fmt: skip
    if (folder / CURVES).exists():
        with (folder / CURVES).open(newline="") as stream:
            last = list(csv.DictReader(stream))[-1]
        row |= {"epochs": int(float(last["epoch"])), "minutes": float(last["elapsed"]) / 60}
    if (folder / MODEL).exists():
        with suppress(SegmentError):  # of a later version: its scores stay unknown
            row |= Checkpoint.load(folder).scores
    return row
