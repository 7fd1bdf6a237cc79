"""Windows apart from the dock: a sheet of pictures, and a network with its layers."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtGui import QPixmap
from qtpy.QtWidgets import (
    QDialog,
    QGridLayout,
    QLabel,
    QScrollArea,
    QSplitter,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from napari_segment.widgets.forms.curves import picture_of

SIDE = 190  # pixels of a picture
COLUMNS = 4
WIDTH = 1000  # of a network's graph


def picture_sheet(parent: QWidget, title: str, pictures: NDArray[Any], names: list[str]) -> QDialog:
    """Return a window with pictures (N, Y, X, 3) in rows, each with its name under it."""
    dialog = QDialog(parent)
    dialog.setWindowTitle(title)
    grid = QGridLayout(dialog)
    for number, (picture, name) in enumerate(zip(pictures, names, strict=True)):
        shown, caption = QLabel(), QLabel(name)
        pixmap = QPixmap.fromImage(picture_of(picture))
        shown.setPixmap(pixmap.scaled(SIDE, SIDE, Qt.AspectRatioMode.KeepAspectRatio))
        caption.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        row, column = divmod(number, COLUMNS)
        grid.addWidget(shown, 2 * row, column, Qt.AlignmentFlag.AlignCenter)
        grid.addWidget(caption, 2 * row + 1, column)
    return dialog


def network_sheet(parent: QWidget, costs: str, drawing: Any, table: str) -> QDialog:
    """Return a window with what a network costs, its graph, and the table of its layers."""
    dialog = QDialog(parent)
    dialog.setWindowTitle("The network")
    dialog.resize(WIDTH + 40, 640)
    summary, picture, layers = QLabel(costs), QLabel(), QTextEdit()
    summary.setWordWrap(True)
    summary.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    wide = max(WIDTH, drawing.width() // 2)  # of a long network: to be scrolled, but to be read
    picture.setPixmap(drawing.scaledToWidth(wide, Qt.TransformationMode.SmoothTransformation))
    layers.setReadOnly(True)
    layers.setMarkdown(table)
    area = QScrollArea()
    area.setWidget(picture)
    parts = QSplitter(Qt.Orientation.Vertical)
    parts.addWidget(area)
    parts.addWidget(layers)
    parts.setSizes([380, 220])
    column = QVBoxLayout(dialog)
    column.addWidget(summary)
    column.addWidget(parts, 1)
    return dialog
