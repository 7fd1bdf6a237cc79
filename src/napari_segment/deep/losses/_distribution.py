"""Distribution-based losses in torch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from napari_segment.deep.losses._base import Loss, Scored, voxel_weights


class BinaryCrossEntropy(Loss):
    """Each channel against the rest."""

    def value(self, pair: Scored) -> Tensor:
        right, wrong = log_sides(pair)
        values = -(pair.target * right + (1 - pair.target) * wrong)
        return pair.mean(values) / pair.logits.shape[1]


class CrossEntropy(Loss):
    """Cross entropy with class weights and smoothed labels."""

    def __init__(self, weights: Sequence[float] = (), smoothing: float = 0.0) -> None:
        self.weights, self.smoothing = tuple(weights), smoothing

    def value(self, pair: Scored) -> Tensor:
        weights = voxel_weights(self.weights, pair) * pair.known
        values = cross_entropy_map(pair, self.smoothing)
        return (values * weights).sum() / weights.sum().clamp(min=1e-7)


class Focal(Loss):
    """Cross entropy that forgets the easy voxels."""

    def __init__(self, gamma: float, alpha: float, weights: Sequence[float] = ()) -> None:
        self.gamma, self.alpha, self.weights = gamma, alpha, tuple(weights)

    def value(self, pair: Scored) -> Tensor:
        right, wrong = log_sides(pair)
        if pair.binary:
            values = -self.alpha * pair.target * power(-torch.expm1(right), self.gamma) * right
            other = (1 - pair.target) * power(-torch.expm1(wrong), self.gamma) * wrong
            values = values - (1 - self.alpha) * other
        else:
            share = torch.full_like(right[:1], self.alpha)
            share[:, 0] = 1 - self.alpha
            values = -share * pair.target * power(-torch.expm1(right), self.gamma) * right
        return pair.mean(values * voxel_weights(self.weights, pair))


def log_sides(pair: Scored) -> tuple[Tensor, Tensor]:
    """``log p`` and ``log(1 - p)`` of every channel, without overflow."""
    if pair.binary:
        return functional.logsigmoid(pair.logits), functional.logsigmoid(-pair.logits)
    right = pair.logits.log_softmax(1)
    return right, torch.log(-torch.expm1(right.clamp(max=-1e-6)))


def cross_entropy_map(pair: Scored, smoothing: float = 0.0) -> Tensor:
    """Cross entropy of each voxel, (B, 1, *S)."""
    classes = max(pair.logits.shape[1], 2)
    target = pair.target * (1 - smoothing) + smoothing / classes
    if pair.binary:
        return functional.binary_cross_entropy_with_logits(pair.logits, target, reduction="none")
    return -(target * pair.logits.log_softmax(1)).sum(1, keepdim=True)


def power(base: Tensor, exponent: float) -> Tensor:
    """``base ** exponent`` for a base in [0, 1], with a finite gradient at 0."""
    return base.clamp(min=1e-7) ** exponent if exponent else torch.ones_like(base)
