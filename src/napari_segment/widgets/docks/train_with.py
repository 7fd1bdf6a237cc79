"""A button that opens the Train dock with layers that another dock works on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QPushButton

from napari_segment.widgets.docks.dock import open_dock
from napari_segment.widgets.forms.layout import narrow

if TYPE_CHECKING:
    from napari.viewer import Viewer

SETTINGS = 0  # the tab's place


class TrainWith(QPushButton):
    """Opens the Train dock, with what a dock works on chosen as what to learn from.

    Parameters
    ----------
    viewer : napari Viewer
        In whose window.
    chosen : callable
        Returns what `PairsField.choose` takes, as keywords; None where there are no labels.
    say : callable
        Shows a message.
    nothing : str
        What is said where there are no labels.
    """

    def __init__(
        self,
        viewer: Viewer,
        chosen: Callable[[], dict[str, Any] | None],
        say: Callable[[str], None],
        nothing: str,
    ) -> None:
        super().__init__("Train a network with these")
        narrow(self)
        self.setToolTip("Open Train with this image and these labels chosen")
        self.viewer, self.chosen, self.say, self.nothing = viewer, chosen, say, nothing
        self.clicked.connect(lambda _checked: self.open())

    def open(self) -> None:
        """Open the Train dock, or say what is missing."""
        chosen = self.chosen()
        if chosen is None:
            self.say(self.nothing)
            return
        train = open_dock(self.viewer, "Train")
        train.pairs.choose(**chosen)
        train.tabs.setCurrentIndex(SETTINGS)
