"""Prediction of images of any size. Importing this package does not import torch."""

from __future__ import annotations

from napari_segment.deep.inference.decoding import (
    Disagreement,
    Slab,
    above,
    argmax,
    entropy,
    probabilities,
)
from napari_segment.deep.inference.fallback import MemoryFallback, MemoryShortError
from napari_segment.deep.inference.rank import slices_to_label_next
from napari_segment.deep.inference.tiling import Grid
from napari_segment.deep.inference.volume import predict

__all__ = [
    "Disagreement",
    "Grid",
    "MemoryFallback",
    "MemoryShortError",
    "Slab",
    "above",
    "argmax",
    "entropy",
    "predict",
    "probabilities",
    "slices_to_label_next",
]
