"""A table of numbers, a row for each object or class, in which a click leads to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from psygnal import Signal
from qtpy.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QSize, Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView

Index: TypeAlias = QModelIndex | QPersistentModelIndex
Row: TypeAlias = Mapping[str, Any]

_STRETCH = QHeaderView.ResizeMode.Stretch


class Rows(QAbstractTableModel):
    """The rows of a table, which are sorted by any column.

    Parameters
    ----------
    titles : mapping of str to str
        The title of each column by its name in the rows.
    colors : mapping of str to str
        The colour of the texts that stand for a kind of error.
    """

    def __init__(self, titles: Mapping[str, str], colors: Mapping[str, str]) -> None:
        super().__init__()
        self.titles, self.colors = titles, colors
        self.rows: list[Row] = []
        self.names: list[str] = []

    def show(self, rows: Sequence[Row]) -> None:
        """Take other rows; columns that none of them has are not shown."""
        self.beginResetModel()
        self.rows = list(rows)
        self.names = [name for name in self.titles if any(name in row for row in rows)]
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:  # noqa: ARG002
        return len(self.rows)

    def columnCount(self, parent: Index | None = None) -> int:  # noqa: ARG002
        return len(self.names)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        across = orientation == Qt.Orientation.Horizontal and section < len(self.names)
        shown = role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole)
        return self.titles[self.names[section]] if across and shown else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        value = self.rows[index.row()].get(self.names[index.column()])
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return _text(value)
        if role == Qt.ItemDataRole.DecorationRole and value in self.colors:
            return QColor(self.colors[value])
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; what is not defined comes last when rising."""
        if not 0 <= column < len(self.names):
            return
        name = self.names[column]
        self.beginResetModel()
        self.rows.sort(
            key=lambda row: (
                (row.get(name) is None, row.get(name) or 0)
                if not isinstance(row.get(name), str)
                else (False, row[name])
            ),
            reverse=order == Qt.SortOrder.DescendingOrder,
        )
        self.endResetModel()


class ErrorTable(QTableView):
    """Shows rows, and says which one a person chose.

    Parameters
    ----------
    titles, colors
        As of `Rows`.
    tip : str
        The tool tip.
    """

    chosen = Signal(object)  # a row

    def __init__(self, titles: Mapping[str, str], colors: Mapping[str, str], tip: str) -> None:
        super().__init__()
        self.contents = Rows(titles, colors)
        self.setModel(self.contents)
        self.setToolTip(tip)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        self.horizontalHeader().setMinimumSectionSize(20)
        self.horizontalHeader().setResizeContentsPrecision(100)
        self.horizontalHeader().setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setIconSize(QSize(10, 10))
        self.setMinimumHeight(150)
        self.selectionModel().currentRowChanged.connect(self._choose)
        self.clicked.connect(self._choose)

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show other rows, in the order in which they are given."""
        self.setSortingEnabled(False)
        self.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.contents.show(rows)
        self.setSortingEnabled(True)
        for column in range(len(self.contents.names)):  # the others share what the first leaves
            mode = _STRETCH if column else QHeaderView.ResizeMode.ResizeToContents
            self.horizontalHeader().setSectionResizeMode(column, mode)

    def _choose(self, index: QModelIndex, _: object = None) -> None:
        if index.isValid():
            self.chosen.emit(self.contents.rows[index.row()])


def _text(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
