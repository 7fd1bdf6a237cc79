"""Region-based losses in torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from torch import Tensor

from napari_segment.deep.losses._base import Loss, Scored, over_classes

# From true positives, false positives and false negatives, each (B, C), and the smoothing.
Overlapping: TypeAlias = Callable[[Tensor, Tensor, Tensor, float], Tensor]


class Overlap(Loss):
    """One minus an overlap of soft regions."""

    def __init__(
        self,
        overlap: Overlapping,
        smooth: float = 1.0,
        background: bool = False,
        batch: bool = False,
        weights: Sequence[float] = (),
    ) -> None:
        self.overlap, self.smooth = overlap, smooth
        self.background, self.batch, self.weights = background, batch, tuple(weights)

    def value(self, pair: Scored) -> Tensor:
        hits, false_alarms, misses = counts(pair, batch=self.batch)
        overlap = self.overlap(hits, false_alarms, misses, self.smooth)
        return over_classes(1 - overlap, pair, self.weights, self.background)


def counts(pair: Scored, *, batch: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    """Soft true positives, false positives and false negatives, (B, C) or (1, C)."""
    hits = pair.sums(pair.probability * pair.target, batch=batch)
    said = pair.sums(pair.probability, batch=batch)
    true = pair.sums(pair.target, batch=batch)
    return hits, said - hits, true - hits


def dice_overlap(hits: Tensor, alarms: Tensor, misses: Tensor, smooth: float) -> Tensor:
    """Twice the common part over the sum of both."""
    return (2 * hits + smooth) / (2 * hits + alarms + misses + smooth)
