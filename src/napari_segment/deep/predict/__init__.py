"""Prediction of images of any size. Importing this package does not import torch."""

from __future__ import annotations

from napari_segment.deep.predict.decode import (
    Disagreement,
    Slab,
    above,
    argmax,
    entropy,
    probabilities,
)
from napari_segment.deep.predict.ladder import Ladder, MemoryShortError
from napari_segment.deep.predict.rank import slices_to_label_next
from napari_segment.deep.predict.tiles import Grid
from napari_segment.deep.predict.volume import predict

__all__ = [
    "Disagreement",
    "Grid",
    "Ladder",
    "MemoryShortError",
    "Slab",
    "above",
    "argmax",
    "entropy",
    "predict",
    "probabilities",
    "slices_to_label_next",
]
