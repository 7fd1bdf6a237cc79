"""Edges: operators on neighbourhoods. Importing this package registers them."""

from napari_segment.classical.edges.canny import canny
from napari_segment.classical.edges.gradients import sobel

__all__ = ["canny", "sobel"]
