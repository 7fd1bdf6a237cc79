"""Image and Labels: pixels that know their axes, spacing, unit and position in the world."""

from napari_segment.image.alignment import align, describe, fits_exactly, nearest_index
from napari_segment.image.image import RGB, Image
from napari_segment.image.labels import Holds, Labels, smallest_integers
from napari_segment.image.layer import from_layer, named_axes
from napari_segment.image.orientation import Turn, orientation_of, reoriented, turn_between
from napari_segment.image.stack import AXES, SPATIAL, Spacing, Stack, default_axes

__all__ = [
    "AXES",
    "RGB",
    "SPATIAL",
    "Holds",
    "Image",
    "Labels",
    "Spacing",
    "Stack",
    "Turn",
    "align",
    "default_axes",
    "describe",
    "fits_exactly",
    "from_layer",
    "named_axes",
    "nearest_index",
    "orientation_of",
    "reoriented",
    "smallest_integers",
    "turn_between",
]
