"""Filters: from an image to an image of the same shape. Importing this package registers them."""

from napari_segment.classical.filters.gaussian import gaussian
from napari_segment.classical.filters.median import median

__all__ = ["gaussian", "median"]
