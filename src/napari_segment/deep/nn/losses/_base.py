"""Define what all losses share: precision, activation, unlabelled voxels, class weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from napari_segment.errors import InputError, SettingError

TINY = 1e-7
PROTOCOL = ("maps", "progress")  # what a loss may have besides being callable


@dataclass(frozen=True)
class Scored:
    """Hold logits with their target, in float32, with the unlabelled voxels set apart.

    Parameters
    ----------
    logits, target : tensor (B, C, *S)
        The target is 0 in every channel of an unlabelled voxel.
    known : tensor (B, 1, *S)
        1 where a voxel is labelled, else 0.
    maps : tensor (B, K, *S), optional
        What the loss's own ``maps`` made of the whole case.
    """

    logits: Tensor
    target: Tensor
    known: Tensor
    maps: Tensor | None = None

    @property
    def binary(self) -> bool:
        return int(self.logits.shape[1]) == 1

    @property
    def axes(self) -> tuple[int, ...]:
        """Return the spatial axes."""
        return tuple(range(2, self.logits.ndim))

    @cached_property
    def probability(self) -> Tensor:
        """Probability of each channel, (B, C, *S)."""
        return self.logits.sigmoid() if self.binary else self.logits.softmax(1)

    @cached_property
    def cross_entropy_per_sample(self) -> Tensor:
        """Cross entropy of each voxel, (B, C, *S), before the sum over the channels.

        Of binary problems the one channel holds both sides' terms.
        """
        if self.binary:
            return functional.binary_cross_entropy_with_logits(
                self.logits, self.target, reduction="none"
            )
        return -self.target * self.logits.log_softmax(1)

    def mean(self, values: Tensor) -> Tensor:
        """Mean over the labelled voxels of values (B, 1, *S) or (B, C, *S), summed over C."""
        return (values * self.known).sum() / self.known.sum().clamp(min=1)

    def sums(self, values: Tensor, *, batch: bool = False) -> Tensor:
        """Sum over the labelled voxels: (B, C), or (1, C) over the whole batch."""
        over = (0, *self.axes) if batch else self.axes
        total = (values * self.known).sum(over)
        return total[None] if batch else total


class Loss:
    """A callable ``(logits, target, maps=None)``; subclasses give `value` of a `Scored`."""

    def __call__(self, logits: Tensor, target: Tensor, maps: Tensor | None = None) -> Tensor:
        with torch.autocast(logits.device.type, enabled=False):
            return self.value(scored(logits, target, maps))

    def value(self, pair: Scored) -> Tensor:
        raise NotImplementedError


class MultiLabel:
    """A loss over channels that are binary problems of their own."""

    def __init__(self, loss: Callable[..., Tensor]) -> None:
        self.loss = loss

    def __call__(self, logits: Tensor, target: Tensor, maps: Tensor | None = None) -> Tensor:
        values = []
        for c in range(logits.shape[1]):
            one = slice(c, c + 1)
            more = {} if maps is None else {"maps": maps[:, one]}
            values.append(self.loss(logits[:, one], target[:, one], **more))
        return torch.stack(values).mean()

    def __getattr__(self, name: str) -> Any:
        return forwarded(name, [self.__dict__["loss"]] if "loss" in self.__dict__ else [])


class OfObjects(MultiLabel):
    """A loss over foreground and flow: the chosen one, and cross entropy for the flow.

    Cross entropy is least where the probability is the value of the map, which says in which
    direction to go; overlap losses would push it to 0 or 1.
    """

    def __call__(self, logits: Tensor, target: Tensor, maps: Tensor | None = None) -> Tensor:
        chosen = super().__call__(logits[:, :1], target[:, :1], maps)
        return (chosen + _cross_entropy(logits[:, 1:], target[:, 1:])) / 2


def _cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Mean over the voxels whose target is known; more than 0 for values between 0 and 1."""
    with torch.autocast(logits.device.type, enabled=False):
        known = target >= 0
        each = functional.binary_cross_entropy_with_logits(
            logits.float(), target.float().clamp(min=0), reduction="none"
        )
        return (each * known).sum() / known.sum().clamp(min=1)


def forwarded(name: str, losses: Sequence[Any]) -> Any:
    """`maps` and `progress` of a loss made of others, where one of them has it.

    The maps of all are the same signed distances; progress is said to all.
    """
    able = [loss for loss in losses if hasattr(loss, name)] if name in PROTOCOL else []
    if not able:
        raise AttributeError(name)
    if name == "maps":
        return able[0].maps

    def progress(fraction: float) -> None:
        for loss in able:
            loss.progress(fraction)

    return progress


def scored(logits: Tensor, target: Tensor, maps: Tensor | None = None) -> Scored:
    """Check shapes, go to float32, set unlabelled voxels apart."""
    if logits.shape != target.shape:
        raise InputError(
            f"A loss takes logits and target of one shape (batch, channels, *sides), but got "
            f"{tuple(logits.shape)} and {tuple(target.shape)}. Encode the classes one-hot."
        )
    target = target.float()
    known = (target >= 0).all(1, keepdim=True)
    return Scored(logits.float(), target * known, known.float(), maps)


def voxel_weights(weights: Sequence[float], pair: Scored) -> Tensor:
    """Return the class weight of each voxel's target, (B, 1, *S); 1 where no weights were given."""
    if not weights:
        return torch.ones_like(pair.known)
    factors = _factors(weights, pair)
    if pair.binary:
        return factors[0] + (factors[1] - factors[0]) * pair.target
    shape = (1, -1, *(1,) * len(pair.axes))
    return (pair.target * factors.reshape(shape)).sum(1, keepdim=True)


def over_classes(
    values: Tensor, pair: Scored, weights: Sequence[float], background: bool
) -> Tensor:
    """Weighted mean of values (B, C) over samples and classes, with or without the background.

    A binary problem has its foreground only.
    """
    factors = torch.ones_like(values)
    if weights:
        factors = factors * (
            _factors(weights, pair)[1:] if pair.binary else _factors(weights, pair)
        )
    if not (background or pair.binary):
        factors = factors * (torch.arange(values.shape[1], device=values.device) > 0)
    return (values * factors).sum() / factors.sum().clamp(min=TINY)


def _factors(weights: Sequence[float], pair: Scored) -> Tensor:
    classes = max(pair.logits.shape[1], 2)
    if len(weights) != classes:
        raise SettingError(
            f"{len(weights)} class weights were given for {classes} classes. Give one for each "
            "class, the background first."
        )
    return pair.logits.new_tensor(weights)
