"""Windows beside the dock: a sheet of pictures, and a network with its layers."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtGui import QFontDatabase, QPixmap
from qtpy.QtWidgets import (
    QDialog,
    QGridLayout,
    QLabel,
    QPlainTextEdit,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
)

from napari_segment.widgets.curves import picture_of

SIDE = 190  # pixels of a picture
COLUMNS = 4


def picture_sheet(parent: Any, title: str, pictures: NDArray[Any], names: list[str]) -> Any:
    """A window with pictures (N, Y, X, 3) in rows, each with its name under it."""
    dialog = QDialog(parent)
    dialog.setWindowTitle(title)
    grid = QGridLayout(dialog)
    for place, (picture, name) in enumerate(zip(pictures, names, strict=True)):
        shown, words = QLabel(), QLabel(name)
        pixmap = QPixmap.fromImage(picture_of(picture))
        shown.setPixmap(pixmap.scaled(SIDE, SIDE, Qt.AspectRatioMode.KeepAspectRatio))
        words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        row, column = divmod(place, COLUMNS)
        grid.addWidget(shown, 2 * row, column, Qt.AlignmentFlag.AlignCenter)
        grid.addWidget(words, 2 * row + 1, column)
    return dialog


def network_sheet(parent: Any, costs: str, drawing: Any, table: str) -> Any:
    """A window with what a network costs, its graph, and the table of its layers."""
    dialog = QDialog(parent)
    dialog.setWindowTitle("The network")
    dialog.resize(980, 620)
    words, picture, layers = QLabel(costs), QLabel(), QPlainTextEdit(table)
    words.setWordWrap(True)
    words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    picture.setPixmap(drawing)
    layers.setReadOnly(True)
    layers.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
    area = QScrollArea()
    area.setWidget(picture)
    parts = QSplitter(Qt.Orientation.Vertical)
    parts.addWidget(area)
    parts.addWidget(layers)
    parts.setSizes([400, 200])
    column = QVBoxLayout(dialog)
    column.addWidget(words)
    column.addWidget(parts, 1)
    return dialog
