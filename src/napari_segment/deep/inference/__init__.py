"""Prediction of images of any size. Importing this package does not import torch."""

from __future__ import annotations

from napari_segment.deep.inference.decoding import (
    Disagreement,
    Slab,
    argmax,
    entropy,
    probabilities,
    thresholded,
)
from napari_segment.deep.inference.fallback import MemoryFallback
from napari_segment.deep.inference.slice_ranking import slices_to_label_next
from napari_segment.deep.inference.tiling import Grid
from napari_segment.deep.inference.volume import predict
from napari_segment.errors import MemoryShortError

__all__ = [
    "Disagreement",
    "Grid",
    "MemoryFallback",
    "MemoryShortError",
    "Slab",
    "argmax",
    "entropy",
    "predict",
    "probabilities",
    "slices_to_label_next",
    "thresholded",
]
