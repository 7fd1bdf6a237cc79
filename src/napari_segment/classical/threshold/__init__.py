"""Thresholds: by hand, from the histogram, and from the neighbourhood.

`histogram` counts an image's values, `thresholds` finds in the counts what a method of that name
would separate at, and `beyond` separates there: what a preview needs.
"""

from napari_segment.classical.threshold import automatic as automatic
from napari_segment.classical.threshold import by_entropy as by_entropy
from napari_segment.classical.threshold import by_shape as by_shape
from napari_segment.classical.threshold import fixed as fixed
from napari_segment.classical.threshold import local as local
from napari_segment.classical.threshold.histogram import Histogram as Histogram
from napari_segment.classical.threshold.histogram import histogram as histogram
from napari_segment.classical.threshold.preview import tells as tells
from napari_segment.classical.threshold.preview import thresholds as thresholds
from napari_segment.classical.threshold.separate import beyond as beyond
