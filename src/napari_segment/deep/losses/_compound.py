"""Sums of losses in torch."""

from __future__ import annotations

import torch
from torch import Tensor

from napari_segment.deep.losses._base import Loss, Scored


class Sum(Loss):
    """A weighted sum of losses, which share one look at the logits."""

    def __init__(self, *parts: tuple[float, Loss]) -> None:
        self.parts = parts

    def value(self, pair: Scored) -> Tensor:
        values = [weight * loss.value(pair) for weight, loss in self.parts if weight]
        return torch.stack(values).sum() if values else pair.logits.sum() * 0
