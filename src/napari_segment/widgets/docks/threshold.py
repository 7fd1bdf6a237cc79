"""The Threshold dock widget."""

from __future__ import annotations

from typing import ClassVar

from napari_segment.registry import Entry
from napari_segment.widgets.docks.segment import SegmentDock


class Threshold(SegmentDock):
    """Regions by intensity: automatic, local, and by hand."""

    first: ClassVar[str] = "otsu"

    @staticmethod
    def offers(entry: Entry) -> bool:
        """Return whether a method is in this widget's menu."""
        return "threshold" in entry.group
