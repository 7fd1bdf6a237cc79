"""The layers that the last run of a dock added, which the next may replace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakSet, ref

from napari.layers import Labels as LabelsLayer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Layer
    from napari.utils.events import Event
    from napari.viewer import Viewer


class LastResult:
    """What a run added, as long as nobody has made it their own by painting or renaming.

    Parameters
    ----------
    viewer : napari Viewer
        Where the layers are.
    """

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.layers: WeakSet[Any] = WeakSet()
        self._source: Any = lambda: None

    def set(self, layers: Sequence[Layer], source: Layer | None) -> None:
        """Take layers as those of the last run on a source."""
        self.layers = WeakSet(layers)
        self._source = (lambda: None) if source is None else ref(source)
        for layer in layers:
            layer.events.name.connect(self._own)
            if isinstance(layer, LabelsLayer):
                layer.events.paint.connect(self._own)

    def remove(self, source: Layer | None) -> None:
        """Remove the layers of the last run from the window, if it was on this source."""
        if source is None or self._source() is not source:
            return
        for layer in [la for la in self.viewer.layers if la in self.layers]:
            self.viewer.layers.remove(layer)

    def _own(self, event: Event) -> None:
        self.layers.discard(event.source)
