"""A part of a form under a title that opens and closes it."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QToolButton, QVBoxLayout, QWidget


class Section(QWidget):
    """A title with an arrow, and a body that is shown when the title is pressed.

    Parameters
    ----------
    title : str
        Shown next to the arrow.
    """

    def __init__(self, title: str) -> None:
        super().__init__()
        self.body = QWidget()
        self.button = QToolButton()
        self.button.setText(title)
        self.button.setToolTip(f"Show or hide the settings of the group {title}")
        self.button.setCheckable(True)
        self.button.setAutoRaise(True)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.toggled.connect(self._show)
        layout: Any = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.button)
        layout.addWidget(self.body)
        self._show(False)

    def _show(self, opened: bool) -> None:
        arrows = Qt.ArrowType
        self.button.setArrowType(arrows.DownArrow if opened else arrows.RightArrow)
        self.body.setVisible(opened)
