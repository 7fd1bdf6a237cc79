"""Topology-preserving losses in torch."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from napari_segment.deep.nn.losses._base import Loss, Scored, over_classes


class CentrelineDice(Loss):
    """One minus the Dice of soft skeletons and regions."""

    def __init__(self, iterations: int, smooth: float, background: bool) -> None:
        self.iterations, self.smooth, self.background = iterations, smooth, background

    def value(self, pair: Scored) -> Tensor:
        said, true = pair.probability * pair.known, pair.target
        line_said, line_true = (soft_skeleton(v, self.iterations) for v in (said, true))
        precision = self._share(pair, line_said, true)
        sensitivity = self._share(pair, line_true, said)
        values = 1 - 2 * precision * sensitivity / (precision + sensitivity).clamp(min=1e-7)
        return over_classes(values, pair, (), self.background)

    def _share(self, pair: Scored, line: Tensor, region: Tensor) -> Tensor:
        """Return how much of a skeleton lies in a region, (B, C)."""
        return (pair.sums(line * region) + self.smooth) / (pair.sums(line) + self.smooth)


def soft_skeleton(values: Tensor, iterations: int) -> Tensor:
    """Morphological skeleton of values in [0, 1], differentiable.

    Parameters
    ----------
    values : tensor (B, C, *S)
        Probabilities.
    iterations : int
        Erosions: at least the largest radius of a structure.

    Returns
    -------
    tensor (B, C, *S)
        What opening takes away, gathered over the erosions.
    """
    skeleton = functional.relu(values - _open(values))
    for _ in range(iterations):
        values = _erode(values)
        ridge = functional.relu(values - _open(values))
        skeleton = skeleton + functional.relu(ridge - skeleton * ridge)
    return skeleton


def _open(values: Tensor) -> Tensor:
    pool = functional.max_pool2d if values.ndim == 4 else functional.max_pool3d
    return pool(_erode(values), 3, 1, 1)


def _erode(values: Tensor) -> Tensor:
    """Minimum over the neighbours along each axis."""
    ndim = values.ndim - 2
    pool = functional.max_pool2d if ndim == 2 else functional.max_pool3d
    parts = []
    for axis in range(ndim):
        size = tuple(3 if a == axis else 1 for a in range(ndim))
        parts.append(-pool(-values, size, 1, tuple(n // 2 for n in size)))
    return torch.stack(parts).amin(0)
