"""Distribution-based losses in torch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from napari_segment.deep.nn.losses._base import TINY, Loss, Scored, voxel_weights


class BinaryCrossEntropy(Loss):
    """Each channel against the rest, with a weight on either side."""

    def __init__(self, positive: float = 1.0, negative: float = 1.0) -> None:
        self.positive, self.negative = positive, negative

    def value(self, pair: Scored) -> Tensor:
        right, wrong = log_sides(pair)
        values = -self.positive * pair.target * right - self.negative * (1 - pair.target) * wrong
        return pair.mean(values) / pair.logits.shape[1]


class BalancedCrossEntropy(Loss):
    """Each channel against the rest, either side weighted by the other's share of the voxels."""

    def __init__(self, min_beta: float) -> None:
        self.min_beta = min_beta

    def value(self, pair: Scored) -> Tensor:
        count = pair.known.sum(pair.axes, keepdim=True).clamp(min=1)
        share = (pair.target * pair.known).sum(pair.axes, keepdim=True) / count
        beta = (1 - share).clamp(self.min_beta, 1 - self.min_beta)
        right, wrong = log_sides(pair)
        values = -beta * pair.target * right - (1 - beta) * (1 - pair.target) * wrong
        return pair.mean(values) / pair.logits.shape[1]


class CrossEntropy(Loss):
    """Cross entropy with class weights and smoothed labels."""

    def __init__(self, weights: Sequence[float] = (), smoothing: float = 0.0) -> None:
        self.weights, self.smoothing = tuple(weights), smoothing

    def value(self, pair: Scored) -> Tensor:
        weights = voxel_weights(self.weights, pair) * pair.known
        values = cross_entropy_map(pair, self.smoothing)
        return (values * weights).sum() / weights.sum().clamp(min=TINY)


class Focal(Loss):
    """Cross entropy that forgets the easy voxels."""

    def __init__(self, gamma: float, alpha: float, weights: Sequence[float] = ()) -> None:
        self.gamma, self.alpha, self.weights = gamma, alpha, tuple(weights)

    def value(self, pair: Scored) -> Tensor:
        values = sum(
            -share * power(-torch.expm1(log), self.gamma) * target * log
            for share, target, log in sides(pair, self.alpha)
        )
        return pair.mean(values * voxel_weights(self.weights, pair))


class AsymmetricFocal(Loss):
    """Cross entropy of the foreground, and of the background's hard voxels."""

    def __init__(self, delta: float, gamma: float) -> None:
        self.delta, self.gamma = delta, gamma

    def value(self, pair: Scored) -> Tensor:
        if pair.binary:
            (near, target, right), (far, rest, wrong) = sides(pair, self.delta)
            values = -near * target * right - far * self._hard(wrong) * rest * wrong
        else:
            ((share, target, log),) = sides(pair, self.delta)
            retained = torch.cat([self._hard(log[:, :1]), torch.ones_like(log[:, 1:])], 1)
            values = -share * retained * target * log
        return pair.mean(values)

    def _hard(self, log: Tensor) -> Tensor:
        return power(-torch.expm1(log), self.gamma)


class TopK(Loss):
    """Cross entropy of the worst voxels."""

    def __init__(self, fraction: float, weights: Sequence[float] = ()) -> None:
        self.fraction, self.weights = fraction, tuple(weights)

    def value(self, pair: Scored) -> Tensor:
        values = cross_entropy_map(pair) * voxel_weights(self.weights, pair) * pair.known
        count = max(1, round(float(pair.known.sum()) * self.fraction))
        return values.flatten().topk(count).values.mean()


class Brier(Loss):
    """Squared difference of probability and target."""

    def __init__(self, weights: Sequence[float] = ()) -> None:
        self.weights = tuple(weights)

    def value(self, pair: Scored) -> Tensor:
        values = (pair.probability - pair.target) ** 2 * voxel_weights(self.weights, pair)
        return pair.mean(values) / pair.logits.shape[1]


def sides(pair: Scored, foreground: float) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Weight, target and log probability of what is there to be right about.

    For one channel the foreground and the background, for several the classes at once; the
    background (the first of several) weighs ``1 - foreground``.
    """
    if pair.binary:
        right, wrong = log_sides(pair)
        here, there = pair.logits.new_tensor(foreground), pair.logits.new_tensor(1 - foreground)
        return [(here, pair.target, right), (there, 1 - pair.target, wrong)]
    share = torch.full_like(pair.logits[:1], foreground)
    share[:, 0] = 1 - foreground
    return [(share, pair.target, pair.logits.log_softmax(1))]


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
    return base.clamp(min=TINY) ** exponent if exponent else torch.ones_like(base)
