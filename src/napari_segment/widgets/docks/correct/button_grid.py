"""Buttons side by side, in as many columns as their texts leave room for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSize
from qtpy.QtWidgets import QGridLayout, QPushButton, QSizePolicy, QWidget

if TYPE_CHECKING:
    from qtpy.QtGui import QResizeEvent

_GAP = 3  # pixels
_PADDING = 6  # around the text of a button


class ButtonGrid(QWidget):
    """Buttons in rows; fewer in a row where the dock is narrow or the letters are large.

    Parameters
    ----------
    buttons : sequence of QPushButton
        In order.
    columns : int
        The most that stand side by side.
    """

    def __init__(self, buttons: Sequence[QPushButton], columns: int) -> None:
        super().__init__()
        self.buttons, self.most, self.columns = list(buttons), columns, 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(_GAP)
        for button in self.buttons:
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            button.setStyleSheet("padding: 3px 1px;")
        self._arrange(columns)

    def minimumSizeHint(self) -> Any:
        return QSize(1, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        shown = [button for button in self.buttons if not button.isHidden()]
        widths = [b.fontMetrics().horizontalAdvance(b.text()) + _PADDING for b in shown]
        widest = max(widths, default=1) + _GAP
        self._arrange(max(1, min(self.most, (event.size().width() + _GAP) // widest)))

    def _arrange(self, columns: int) -> None:
        """Put the buttons into so many columns."""
        if columns == self.columns:
            return
        for button in self.buttons:
            self._grid.removeWidget(button)
        for i, button in enumerate(self.buttons):
            self._grid.addWidget(button, *divmod(i, columns))
        for column in range(max(columns, self.columns)):
            self._grid.setColumnStretch(column, int(column < columns))
        self.columns = columns
