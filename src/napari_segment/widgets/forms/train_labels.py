"""The labels of the settings of a training in the window, and messages without code."""

from __future__ import annotations

import re
from collections.abc import Mapping

TRAIN_LABELS: Mapping[str, str] = {
    "accumulate": "steps per update",
    "augment": "augmentation",
    "augment_overrides": "augmentation amounts",
    "balance": "share of foreground patches",
    "background": "painted background class",
    "batch": "patches per step",
    "classes": "class names",
    "clip": "gradient limit",
    "ema": "averaging of weights",
    "find_lr": "learning-rate range test",
    "fold": "validation fold",
    "folds": "number of folds",
    "ignore_index": "ignored label number",
    "init_from": "initialise from",
    "log": "logs",
    "epochs": "number of epochs",
    "minutes": "time limit in minutes",
    "patience": "patience in epochs",
    "lr": "learning rate",
    "ndim": "dimensions of the network",
    "out": "run folder",
    "overwrite": "overwrite the run folder",
    "patch": "patch size",
    "resume": "resume the run folder",
    "schedule": "learning-rate schedule",
    "seed": "random seed",
    "slices": "planes per sample",
    "steps": "steps per epoch",
    "target": "object target",
    "warmup": "share of warm-up",
    "workers": "threads",
}

_CODE = re.compile(r"(\w+)=True \(--[\w-]+\)")


def without_code(message: str) -> str:
    """Replace settings as Python and the command line write them by what the form shows."""
    return _CODE.sub(lambda m: f"tick “{TRAIN_LABELS.get(m[1], m[1])}”", message)
