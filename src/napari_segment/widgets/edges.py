"""The Edges dock widget."""

from __future__ import annotations

from typing import ClassVar

from napari_segment.registry import Entry
from napari_segment.widgets.clusters import Clusters
from napari_segment.widgets.predict import Predict
from napari_segment.widgets.segment import SegmentDock
from napari_segment.widgets.threshold import Threshold


class Edges(SegmentDock):
    """Edges, the regions between them, and every method that no other widget offers."""

    first: ClassVar[str] = "canny"

    @staticmethod
    def offers(entry: Entry) -> bool:
        """Whether a method is in this widget's menu."""
        return not any(other.offers(entry) for other in (Threshold, Clusters, Predict))
