"""From edges to regions: contours, watershed, walks, superpixels. Importing registers them."""

from napari_segment.classical.regions.contours import chan_vese, geodesic_contours
from napari_segment.classical.regions.fill_contours import fill_contours
from napari_segment.classical.regions.random_walker import random_walker
from napari_segment.classical.regions.superpixels import felzenszwalb, slic
from napari_segment.classical.regions.watershed import watershed

__all__ = [
    "chan_vese",
    "felzenszwalb",
    "fill_contours",
    "geodesic_contours",
    "random_walker",
    "slic",
    "watershed",
]
