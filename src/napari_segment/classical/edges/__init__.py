"""Edges: operators on neighbourhoods. Importing this package registers them."""

from napari_segment.classical.edges.canny import canny
from napari_segment.classical.edges.derivatives import dog, farid, gaussian_gradient, log
from napari_segment.classical.edges.gradients import laplace, prewitt, roberts, scharr, sobel
from napari_segment.classical.edges.positions import edge_positions

__all__ = [
    "canny",
    "dog",
    "edge_positions",
    "farid",
    "gaussian_gradient",
    "laplace",
    "log",
    "prewitt",
    "roberts",
    "scharr",
    "sobel",
]
