"""The Clusters dock widget."""

from __future__ import annotations

from typing import ClassVar

from napari_segment.registry import Entry
from napari_segment.widgets.docks.segment import SegmentDock


class Clusters(SegmentDock):
    """Classes of voxels that are alike in intensity, colour or place."""

    first: ClassVar[str] = "kmeans"

    @staticmethod
    def offers(entry: Entry) -> bool:
        """Return whether a method is in this widget's menu."""
        return "cluster" in entry.group or entry.name == "levels"  # of borders that are dragged
