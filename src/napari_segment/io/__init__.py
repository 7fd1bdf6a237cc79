"""Files in and out: one file a format.

>>> from napari_segment import io
>>> image = io.read("cells.ome.tif")  # doctest: +SKIP
>>> io.write(image, "cells.ome.zarr")  # doctest: +SKIP
"""

from napari_segment.io.containment import allow_outside
from napari_segment.io.datasets.pairs import Case, Pairs
from napari_segment.io.features import without_formulas
from napari_segment.io.files import read, read_channels, read_labels, write
from napari_segment.io.listing import images_in, is_image, is_inside, is_readable
from napari_segment.io.names import (
    exact_suffix,
    features_path,
    journal_path,
    map_path,
    natural,
    recipe_path,
    stem,
    suffix,
)
from napari_segment.io.registry import Format, formats
from napari_segment.io.reports import allow_expansion

__all__ = [
    "Case",
    "Format",
    "Pairs",
    "allow_expansion",
    "allow_outside",
    "exact_suffix",
    "features_path",
    "formats",
    "images_in",
    "is_image",
    "is_inside",
    "is_readable",
    "journal_path",
    "map_path",
    "natural",
    "read",
    "read_channels",
    "read_labels",
    "recipe_path",
    "stem",
    "suffix",
    "without_formulas",
    "write",
]
