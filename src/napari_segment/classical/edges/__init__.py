"""Edges: operators on neighbourhoods. Importing this package registers them."""

from napari_segment.classical.edges.canny import canny
from napari_segment.classical.edges.derivatives import dog, farid, gaussian_gradient, log
from napari_segment.classical.edges.gradients import laplace, prewitt, roberts, scharr, sobel
from napari_segment.classical.edges.marking import steepest
from napari_segment.classical.edges.positions import edge_positions
from napari_segment.classical.edges.strength import has_strength, limits, moved, strength

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
    "moved",
    "prewitt",
    "roberts",
    "scharr",
    "sobel",
    "steepest",
    "strength",
]
