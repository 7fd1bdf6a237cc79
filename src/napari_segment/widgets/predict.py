"""The Predict dock widget."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar

from napari_segment.registry import Entry
from napari_segment.widgets.checkpoint import CheckpointField
from napari_segment.widgets.devices import DeviceMenu
from napari_segment.widgets.fields import Field
from napari_segment.widgets.segment import SegmentDock


class Predict(SegmentDock):
    """A trained network, of this project or from elsewhere, run in the worker process."""

    previews: ClassVar[bool] = False
    first: ClassVar[str] = "network"
    instead: ClassVar[Mapping[str, Callable[[], Field]]] = {
        "checkpoint": CheckpointField,
        "device": partial(DeviceMenu, "work"),
    }

    @staticmethod
    def offers(entry: Entry) -> bool:
        """Whether a method is in this widget's menu."""
        return entry.group == "network"
