"""Resuming: whether a run folder is continued, begun anew or refused."""

from __future__ import annotations

import json
from typing import Any

from napari_segment.deep.checkpoint import MODEL, STATE
from napari_segment.deep.planning.settings import TrainSettings
from napari_segment.deep.training.record.run_folder import LAST, SETTINGS
from napari_segment.errors import FormatError, SettingError

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
