"""What to do in an empty window: a line above a form, with samples to try."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel

from napari_segment.widgets.forms.source import follow

if TYPE_CHECKING:
    from napari.viewer import Viewer

PLUGIN = "napari-segment"


class EmptyHint(QLabel):
    """Says what to open, as long as the window has no layer; a sample opens by a click.

    Parameters
    ----------
    viewer : napari Viewer
        Whose layers are counted.
    text : str
        What this form needs.
    samples : mapping of str to str
        Titles of samples by their key in napari's menu.
    """

    def __init__(self, viewer: Viewer, text: str, samples: Mapping[str, str]) -> None:
        links = " or ".join(f'<a href="{key}">{title}</a>' for key, title in samples.items())
        super().__init__(f"{text} To try it, open the sample {links}.")
        self.viewer = viewer
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setToolTip("Samples are in File ▸ Open Sample too")
        by = Qt.TextInteractionFlag
        self.setTextInteractionFlags(by.LinksAccessibleByMouse | by.LinksAccessibleByKeyboard)
        self.linkActivated.connect(self.open)
        for event in (viewer.layers.events.inserted, viewer.layers.events.removed):
            follow(self, event, self._look)
        self._look()

    def open(self, key: str) -> None:
        """Open a sample."""
        self.viewer.open_sample(PLUGIN, key)

    def _look(self, _: object = None) -> None:
        self.setVisible(not len(self.viewer.layers))
