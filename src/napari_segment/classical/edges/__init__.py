"""Edges: operators on neighbourhoods. Importing this package registers them."""

from napari_segment.classical.edges.canny import canny
from napari_segment.classical.edges.derivatives import dog, farid, gaussian_gradient, log
from napari_segment.classical.edges.gradients import laplace, prewitt, roberts, scharr, sobel
from napari_segment.classical.edges.marking import max_strength
from napari_segment.classical.edges.positions import edge_positions
from napari_segment.classical.edges.strength import has_strength, limits, strength, with_thresholds

__all__ = [
    "canny",
    "dog",
    "edge_positions",
    "farid",
    "gaussian_gradient",
    "has_strength",
    "laplace",
    "limits",
    "log",
    "max_strength",
    "prewitt",
    "roberts",
    "scharr",
    "sobel",
    "strength",
    "with_thresholds",
]
