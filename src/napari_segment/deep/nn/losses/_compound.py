"""Sums of losses in torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from napari_segment.deep.nn.losses._base import Loss, Scored, forwarded, over_classes
from napari_segment.deep.nn.losses._distribution import cross_entropy_map
from napari_segment.deep.nn.losses._region import Overlap, dice_overlap


class Sum(Loss):
    """A weighted sum of losses, which share one look at the logits.

    Parameters
    ----------
    *parts : pair of float and callable
        Weight and loss.
    """

    def __init__(self, *parts: tuple[float, Callable[..., Tensor]]) -> None:
        self.weights = [weight for weight, _ in parts]
        self.losses = [loss for _, loss in parts]

    def value(self, pair: Scored) -> Tensor:
        values = [
            weight * _value(loss, pair)
            for weight, loss in zip(self.weights, self.losses, strict=True)
            if weight
        ]
        return torch.stack(values).sum() if values else pair.logits.sum() * 0

    def __getattr__(self, name: str) -> Any:
        return forwarded(name, self.__dict__.get("losses", ()))


class Scheduled(Sum):
    """A sum whose weights move from the first to the last values as training goes on.

    Parameters
    ----------
    losses : sequence of callable
        The parts.
    first, last : sequence of float
        Weight of each part at the start and at the end.
    cosine : bool
        Move along half a cosine instead of a line.
    """

    def __init__(
        self, losses: Sequence[Callable[..., Tensor]],
        first: Sequence[float], last: Sequence[float], *, cosine: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(*zip(first, losses, strict=True))
        self.first, self.last, self.cosine = tuple(first), tuple(last), cosine

    def progress(self, fraction: float) -> None:
        """Say how much of the training is over, from 0 to 1; parts are informed as well."""
        for loss in self.losses:
            if hasattr(loss, "progress"):
                loss.progress(fraction)
        moved = min(max(fraction, 0.0), 1.0)
        if self.cosine:
            moved = (1 - math.cos(math.pi * moved)) / 2
        pairs = zip(self.first, self.last, strict=True)
        self.weights = [a + (b - a) * moved for a, b in pairs]


class ExponentialLogarithmic(Loss):
    """Powers of the negative logarithms of Dice and of the probabilities."""

    softening = 1e-3  # keeps the slope finite where the answer is right

    def __init__(self, gamma: float, dice_weight: float, smooth: float, background: bool) -> None:
        self.gamma, self.dice_weight, self.background = gamma, dice_weight, background
        self.dice = Overlap(dice_overlap, smooth)

    def value(self, pair: Scored) -> Tensor:
        overlap = (1 - self.dice.misfit(pair)).clamp(min=1e-7)
        dice = over_classes(self._power(-overlap.log()), pair, (), self.background)
        entropy = pair.mean(self._power(cross_entropy_map(pair)))
        return self.dice_weight * dice + (1 - self.dice_weight) * entropy

    def _power(self, values: Tensor) -> Tensor:
        return (values.clamp(min=0) + self.softening) ** self.gamma - self.softening**self.gamma


def _value(loss: Callable[..., Tensor], pair: Scored) -> Tensor:
    """Of one of ours at once; a stranger's gets logits and target, unlabelled voxels marked."""
    if isinstance(loss, Loss):
        return loss.value(pair)
    return loss(pair.logits, torch.where(pair.known > 0, pair.target, -1.0))
