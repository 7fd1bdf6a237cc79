"""Boundary-based losses in torch: what is wrong, weighted by how far it is from the boundary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_segment.deep.nn.losses._base import Loss, Scored, over_classes
from napari_segment.deep.nn.losses._distance import signed_distance, signed_distances
from napari_segment.deep.nn.losses._distribution import cross_entropy_map


class DistanceLoss(Loss):
    """A loss that knows the distance of every voxel from the boundary of each class.

    Parameters
    ----------
    spacing : sequence of float
        Spacing along each axis, used where no maps are handed over; empty for equal spacing.
    """

    def __init__(self, spacing: Sequence[float] = ()) -> None:
        self.spacing = tuple(spacing)

    def maps(self, target: NDArray[Any], spacing: Sequence[float] = ()) -> NDArray[np.float32]:
        """Signed distances of a whole case, to be cut with its patches.

        Parameters
        ----------
        target : array (C, *S)
            As losses take it, without a batch.
        spacing : sequence of float
            Distance of neighbours along each axis; empty for equal spacing.

        Returns
        -------
        array (C, *S) of float32
            Negative inside each class.
        """
        spacing = tuple(spacing) or self.spacing
        return np.stack([signed_distance(channel > 0.5, spacing) for channel in target])

    def distances(self, pair: Scored, *, background: bool = True) -> Tensor:
        """Signed distances (B, C, *S): handed over, or computed from the target."""
        if pair.maps is not None:
            return pair.maps.float()
        return signed_distances(pair.target > 0.5, self.spacing, background=background)


class Boundary(DistanceLoss):
    """Mean signed distance of what was predicted."""

    def __init__(self, background: bool, spacing: Sequence[float] = ()) -> None:
        super().__init__(spacing)
        self.background = background

    def value(self, pair: Scored) -> Tensor:
        far = self.distances(pair, background=self.background)
        total = pair.sums(pair.probability * far)
        mean = total / pair.sums(torch.ones_like(pair.probability)).clamp(min=1)
        return over_classes(mean, pair, (), self.background)


class Hausdorff(DistanceLoss):
    """Squared error, weighted by a power of the distance from both boundaries."""

    def __init__(self, alpha: float, background: bool, spacing: Sequence[float] = ()) -> None:
        super().__init__(spacing)
        self.alpha, self.background = alpha, background

    def value(self, pair: Scored) -> Tensor:
        predicted = pair.probability.detach() > 0.5
        far = self.distances(pair, background=self.background).abs() ** self.alpha
        far = (
            far
            + signed_distances(predicted, self.spacing, background=self.background).abs()
            ** self.alpha
        )
        error = pair.sums((pair.probability - pair.target) ** 2 * far)
        mean = error / pair.sums(torch.ones_like(pair.probability)).clamp(min=1)
        return over_classes(mean, pair, (), self.background)


class ShapeAware(DistanceLoss):
    """Cross entropy, raised where the answer is wrong by the distance from the true boundary."""

    def value(self, pair: Scored) -> Tensor:
        wrong = (_answer(pair) != (pair.target > 0.5)).any(1, keepdim=True)
        nearest = self.distances(pair).abs().amin(1, keepdim=True)
        return pair.mean(cross_entropy_map(pair) * (1 + wrong * nearest))


class DistancePenalised(DistanceLoss):
    """Cross entropy, raised near the true boundary."""

    def __init__(self, width: float, strength: float, spacing: Sequence[float] = ()) -> None:
        super().__init__(spacing)
        self.width, self.strength = width, strength

    def value(self, pair: Scored) -> Tensor:
        nearest = self.distances(pair).abs().amin(1, keepdim=True)
        penalty = self.strength * (1 - nearest / self.width).clamp(min=0)
        return pair.mean(cross_entropy_map(pair) * (1 + penalty))


class ActiveContour(Loss):
    """Length of the contour, and the error inside and outside it."""

    def __init__(self, length_weight: float) -> None:
        self.length_weight = length_weight

    def value(self, pair: Scored) -> Tensor:
        inside = pair.probability * (1 - pair.target)
        outside = (1 - pair.probability) * pair.target
        region = pair.mean(inside + outside) / pair.logits.shape[1]
        return region + self.length_weight * self._length(pair)

    def _length(self, pair: Scored) -> Tensor:
        slopes = [
            torch.diff(pair.probability, dim=a, append=_last(pair.probability, a))
            for a in pair.axes
        ]
        squares = torch.stack(slopes).square().sum(0)
        return pair.mean((squares + 1e-8).sqrt() - 1e-4) / pair.logits.shape[1]


def _answer(pair: Scored) -> Tensor:
    """Return the class that the network would give, as booleans (B, C, *S)."""
    if pair.binary:
        return pair.logits > 0
    return pair.logits == pair.logits.amax(1, keepdim=True)


def _last(values: Tensor, axis: int) -> Tensor:
    return values.narrow(axis, values.shape[axis] - 1, 1)
