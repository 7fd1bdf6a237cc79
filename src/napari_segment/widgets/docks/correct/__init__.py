"""The Correct dock widget: labels are corrected by tools, and reviewed object by object."""

from napari_segment.widgets.docks.correct.dock import Correct

__all__ = ["Correct"]
