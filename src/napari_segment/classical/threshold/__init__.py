"""Thresholds: by hand, from the histogram, and from the neighbourhood.

`histogram` counts an image's values, `thresholds` finds in the counts what a method of that name
would separate at, and `binarise` separates there: what a preview needs.
"""

from napari_segment.classical.histogram import Histogram as Histogram
from napari_segment.classical.histogram import histogram as histogram
from napari_segment.classical.threshold import automatic as automatic
from napari_segment.classical.threshold import entropy_methods as entropy_methods
from napari_segment.classical.threshold import local as local
from napari_segment.classical.threshold import manual as manual
from napari_segment.classical.threshold import shape_methods as shape_methods
from napari_segment.classical.threshold.binarise import binarise as binarise
from napari_segment.classical.threshold.preview import has_criterion as has_criterion
from napari_segment.classical.threshold.preview import thresholds as thresholds
