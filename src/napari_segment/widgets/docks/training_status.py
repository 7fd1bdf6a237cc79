"""What the Train dock says in words: what will be done, what was found, how far it is."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import psutil

from napari_segment.registry import losses, models

DETECTORS = "objects"  # the group of networks that find each object with a box
MOST = 6  # findings that are listed
SIGNS = {"error": "✕", "warning": "!", "note": "·"}


def proposal(settings: Mapping[str, Any], pairs: int | None) -> str:
    """Say what a training will do, and where the rest comes from.

    Parameters
    ----------
    settings : mapping
        Those of the form.
    pairs : int or None
        Pairs of layers; None where folders are trained on.
    """
    model = models[settings["model"].name].title
    source = "the folders" if pairs is None else f"{pairs} pair{'s' if pairs != 1 else ''}"
    own = has_own_loss(settings["model"].name)
    loss = "its own loss" if own else losses[settings["loss"].name].title
    chosen = [
        name for name, key in (("patches", "patch"), ("batches", "batch"), ("learning rate", "lr"),
                               ("planes or volumes", "ndim"), ("normalisation", "normalisation"))
        if settings.get(key) == "auto"
    ]  # fmt: skip
    text = (
        f"{model} learns from {source} with {loss} and {settings['augment']} augmentation, on "
        f"{settings['device'] if settings['device'] != 'auto' else 'the fastest device'}."
    )
    if chosen:
        text += (
            f" {', '.join(chosen).capitalize()} follow from the images: they are measured first, "
            "and each choice is shown with its reason under Progress."
        )
    return text


def has_own_loss(model: str) -> bool:
    """Return whether a network computes its own loss, so that none is to be chosen."""
    return models[model].group == DETECTORS


def report(findings: Sequence[Mapping[str, Any]]) -> str:
    """Say in a few lines what is wrong with the pairs, errors first."""
    if not findings:
        return "Nothing is wrong with the pairs."
    lines = [f"{SIGNS[f['severity']]} {f['message']}" for f in findings[:MOST]]
    if len(findings) > MOST:
        lines.append(f"… and {len(findings) - MOST} more; the dock Data set lists all.")
    return "\n".join(lines)


def status(done: int, total: int, seconds: float, rate: float | None, pid: int) -> str:
    """Say how much time is left, which memory is used, and the learning rate.

    Parameters
    ----------
    done, total : int
        Updates of the network.
    seconds : float
        Since the first of them.
    rate : float or None
        The learning rate, once it is known.
    pid : int
        The process that trains.
    """
    parts = []
    if 0 < done < total:
        parts.append(f"{_duration(seconds * (total - done) / done)} left")
    if pid:
        with contextlib.suppress(psutil.Error):  # it has just ended
            parts.append(f"{psutil.Process(pid).memory_info().rss / 1e9:.1f} GB of memory")
    if rate is not None:
        parts.append(f"learning rate {rate:.2g}")
    return " · ".join(parts)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
