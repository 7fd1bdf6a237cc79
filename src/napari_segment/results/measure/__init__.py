"""Measure objects: sizes, shapes, intensities and textures, in physical units."""

from napari_segment.results.measure.table import measure as measure
from napari_segment.results.measure.table import with_units as with_units
