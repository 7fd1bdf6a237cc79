"""Region-based losses in torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from napari_segment.deep.nn.losses._base import TINY, Loss, Scored, over_classes

# From true positives, false positives and false negatives, each (B, C), and the smoothing.
Overlapping: TypeAlias = Callable[[Tensor, Tensor, Tensor, float], Tensor]


class Overlap(Loss):
    """A power of one minus an overlap of soft regions."""

    def __init__(
        self,
        overlap: Overlapping,
        smooth: float = 1.0,
        background: bool = False,
        batch: bool = False,
        weights: Sequence[float] = (),
        exponent: float = 1.0,
    ) -> None:
        self.overlap, self.smooth, self.exponent = overlap, smooth, exponent
        self.background, self.batch, self.weights = background, batch, tuple(weights)

    def value(self, pair: Scored) -> Tensor:
        misfit = self.misfit(pair)
        if self.exponent != 1:
            misfit = misfit.clamp(min=TINY) ** self.exponent
        return over_classes(misfit, pair, self.weights, self.background)

    def misfit(self, pair: Scored) -> Tensor:
        """One minus the overlap of each sample and class, (B, C)."""
        hits, alarms, misses = counts(pair, batch=self.batch)
        return 1 - self.overlap(hits, alarms, misses, self.smooth)


class AsymmetricFocalOverlap(Loss):
    """Compute the foreground's misfit to the power 1 - gamma, and the background's unchanged."""

    def __init__(self, overlap: Overlap, gamma: float) -> None:
        self.overlap, self.gamma = overlap, gamma

    def value(self, pair: Scored) -> Tensor:
        misfit = self.overlap.misfit(with_background(pair))
        rare = misfit[:, 1:].clamp(min=TINY) ** (1 - self.gamma)
        return torch.cat([misfit[:, :1], rare], 1).mean()


class SquaredDice(Overlap):
    """Dice with squares in its denominator."""

    def misfit(self, pair: Scored) -> Tensor:
        common = pair.sums(pair.probability * pair.target, batch=self.batch)
        squares = pair.sums(pair.probability**2 + pair.target**2, batch=self.batch)
        return 1 - (2 * common + self.smooth) / (squares + self.smooth)


class Balanced(Loss):
    """One minus the ratio of two sums over the classes, each weighted by its inverse size.

    Parameters
    ----------
    union : bool
        Intersection over union instead of Dice.
    smooth : float
        Added above and below.
    """

    def __init__(self, *, union: bool, smooth: float) -> None:
        self.union, self.smooth = union, smooth

    def value(self, pair: Scored) -> Tensor:
        pair = with_background(pair)
        hits, alarms, misses = counts(pair)
        size = hits + misses
        weight = torch.where(size > 0, size.clamp(min=TINY) ** -2, torch.zeros_like(size))
        absent = weight.amax(1, keepdim=True).expand_as(weight)  # as the rarest that is there
        weight = torch.where(size > 0, weight, absent)
        weight = weight / weight.sum(1, keepdim=True).clamp(min=TINY**2)
        above = hits if self.union else 2 * hits
        ratio = ((weight * above).sum(1) + self.smooth * weight.amin(1)) / (
            (weight * (above + alarms + misses)).sum(1) + self.smooth * weight.amin(1)
        ).clamp(min=TINY**2)
        return (1 - ratio).mean()


class SensitivitySpecificity(Loss):
    """Mean squared error inside the region and outside it, weighted against each other."""

    def __init__(self, ratio: float, background: bool, weights: Sequence[float]) -> None:
        self.ratio, self.background, self.weights = ratio, background, tuple(weights)

    def value(self, pair: Scored) -> Tensor:
        error = (pair.target - pair.probability) ** 2
        inside, outside = pair.target, 1 - pair.target
        missed = pair.sums(error * inside) / pair.sums(inside).clamp(min=1)
        alarms = pair.sums(error * outside) / pair.sums(outside).clamp(min=1)
        values = self.ratio * missed + (1 - self.ratio) * alarms
        return over_classes(values, pair, self.weights, self.background)


class Correlation(Loss):
    """One minus Matthews' correlation coefficient of soft counts."""

    def __init__(self, smooth: float, background: bool, weights: Sequence[float]) -> None:
        self.smooth, self.background, self.weights = smooth, background, tuple(weights)

    def value(self, pair: Scored) -> Tensor:
        hits, alarms, misses = counts(pair)
        rest = pair.sums(torch.ones_like(pair.target)) - hits - alarms - misses
        total = (hits + alarms + misses + rest).clamp(min=1)
        tp, fp, fn, tn = ((n + self.smooth) / total for n in (hits, alarms, misses, rest))
        product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
        coefficient = (tp * tn - fp * fn) / product.clamp(min=1e-30).sqrt()
        return over_classes(1 - coefficient, pair, self.weights, self.background)


class Lovasz(Loss):
    """The Lovász extension of the Jaccard loss, image by image."""

    def value(self, pair: Scored) -> Tensor:
        truth = (pair.target > 0.5).float()
        if pair.binary:
            errors = (1 - pair.logits * (2 * truth - 1)) * pair.known
            return torch.stack([_lovasz(e.relu(), t) for e, t in _flat(errors, truth)]).mean()
        errors = (truth - pair.probability).abs() * pair.known
        losses = [_lovasz(e, t) for e, t in _flat(errors, truth) if t.any()]
        return torch.stack(losses).mean() if losses else pair.logits.sum() * 0


def _flat(errors: Tensor, truth: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Errors and truth of each sample and channel, as vectors."""
    return list(zip(errors.flatten(2).flatten(0, 1), truth.flatten(2).flatten(0, 1), strict=True))


def _lovasz(errors: Tensor, truth: Tensor) -> Tensor:
    ordered, order = errors.sort(descending=True)
    truth = truth[order]
    intersection = truth.sum() - truth.cumsum(0)
    union = truth.sum() + (1 - truth).cumsum(0)
    jaccard = 1 - intersection / union
    steps = torch.cat([jaccard[:1], jaccard[1:] - jaccard[:-1]])
    return ordered @ steps


def with_background(pair: Scored) -> Scored:
    """Return a binary problem as one of two classes; others as they are."""
    if not pair.binary:
        return pair
    logits = torch.cat([torch.zeros_like(pair.logits), pair.logits], 1)
    target = torch.cat([1 - pair.target, pair.target], 1)
    return Scored(logits, target * pair.known, pair.known, pair.maps)


def counts(pair: Scored, *, batch: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    """Soft true positives, false positives and false negatives, (B, C) or (1, C)."""
    hits = pair.sums(pair.probability * pair.target, batch=batch)
    said = pair.sums(pair.probability, batch=batch)
    true = pair.sums(pair.target, batch=batch)
    return hits, said - hits, true - hits


def dice_overlap(hits: Tensor, alarms: Tensor, misses: Tensor, smooth: float) -> Tensor:
    """Twice the common part over the sum of both."""
    return (2 * hits + smooth) / (2 * hits + alarms + misses + smooth)


def iou_overlap(hits: Tensor, alarms: Tensor, misses: Tensor, smooth: float) -> Tensor:
    """Return the common part over the union."""
    return (hits + smooth) / (hits + alarms + misses + smooth)


def tversky_overlap(false_alarms: float, missed: float) -> Overlapping:
    """Return the common part over itself and weighted errors."""

    def overlap(hits: Tensor, alarms: Tensor, misses: Tensor, smooth: float) -> Tensor:
        errors = false_alarms * alarms + missed * misses
        return (hits + smooth) / (hits + errors + smooth)

    return overlap
