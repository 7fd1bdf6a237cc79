"""The layout of forms: two columns, menus under headings, and the order of the Tab key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QPainter, QStandardItem
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QCompleter,
    QFormLayout,
    QFrame,
    QLabel,
    QLayout,
    QScrollArea,
    QWidget,
)

from napari_segment.registry import Entry
from napari_segment.widgets.forms.fields import narrow_combo

if TYPE_CHECKING:
    from qtpy.QtGui import QFocusEvent, QPaintEvent

WIDEST = 24  # letters of a label that its field makes way for
NARROW = 60  # pixels to which a label or a button may shrink


class Caption(QLabel):
    """A label that ends in an ellipsis where it is wider than the dock."""

    def __init__(self, text: str, *, bold: bool = False) -> None:
        super().__init__(text)
        font = self.font()
        font.setBold(bold)
        self.setFont(font)

    def sizeHint(self) -> Any:
        hint = super().sizeHint()
        return QSize(
            min(hint.width(), WIDEST * self.fontMetrics().averageCharWidth()), hint.height()
        )

    def minimumSizeHint(self) -> Any:
        hint = super().minimumSizeHint()
        return QSize(min(hint.width(), NARROW), hint.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        inside = self.contentsRect()
        inside.setWidth(min(inside.width(), self.parentWidget().width() - self.x()))
        metrics, width = self.fontMetrics(), inside.width()
        if metrics.horizontalAdvance(self.text()) <= width:
            super().paintEvent(event)
            return
        painter = QPainter(self)
        text = metrics.elidedText(self.text(), Qt.TextElideMode.ElideRight, width)
        painter.setPen(self.palette().windowText().color())
        painter.drawText(inside, Qt.AlignmentFlag.AlignVCenter, text)
        painter.end()


class FormLayout(QFormLayout):
    """Two columns whose labels can shrink."""

    def addRow(self, label: QWidget | str, *field: QWidget) -> None:
        super().addRow(Caption(label) if isinstance(label, str) else label, *field)


def narrow(*widgets: QWidget) -> None:
    """Let menus and buttons be narrower than their text."""
    for widget in widgets:
        widget.setMinimumWidth(NARROW)


def heading(text: str) -> Any:
    """Return a section's title."""
    label = Caption(text, bold=True)
    label.setContentsMargins(0, 6, 0, 0)
    return label


def scrolling(body: QWidget) -> QScrollArea:
    """Return a widget that scrolls up and down, and follows the width it is given."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setMinimumHeight(150)
    area.setWidget(body)
    return area


def replace_box() -> QCheckBox:
    """Return the box that says whether a run takes the place of the one before."""
    box = QCheckBox("replace the last result")
    box.setToolTip(
        "The next run removes what the last one added, unless it was painted on or renamed"
    )
    box.setChecked(True)
    return box


def form_layout(widget: QWidget) -> QFormLayout:
    """Return a two-column layout; a field that does not fit next to its label goes under it."""
    layout = FormLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setVerticalSpacing(3)
    layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    layout.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
    layout.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    return layout


def order_tabs(widget: QWidget) -> None:
    """Let the Tab key go through a form as the eye does, wherever its parts were added."""
    for part, following in pairwise(_parts(widget)):
        QWidget.setTabOrder(part, following)


def _parts(widget: QWidget) -> Iterator[QWidget]:
    """Yield the widgets that the Tab key can reach, in the order of the layouts."""
    if isinstance(widget, QScrollArea):
        yield from _parts(widget.widget())
    elif widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
        yield widget
    elif widget.layout() is not None:
        yield from _laid_out(widget.layout())


def _laid_out(layout: QLayout) -> Iterator[QWidget]:
    for item in map(layout.itemAt, range(layout.count())):
        if item.widget() is not None:
            yield from _parts(item.widget())
        elif item.layout() is not None:
            yield from _laid_out(item.layout())


class SearchedCombo(QComboBox):
    """A combo box into which a part of a name can be typed; what fits is listed."""

    def __init__(self) -> None:
        super().__init__()
        self.setEditable(True)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.lineEdit().setPlaceholderText("search …")
        self.completer().setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        self.completer().setFilterMode(Qt.MatchFlag.MatchContains)
        self.currentIndexChanged.connect(self._show_start)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show the choice again, whatever was typed."""
        super().focusOutEvent(event)
        self.setEditText(self.itemText(self.currentIndex()))
        self._show_start()

    def _show_start(self, _: int = 0) -> None:
        self.lineEdit().setCursorPosition(0)


def grouped_combo(entries: Sequence[Entry], *, searched: bool = False) -> Any:
    """Return a combo box of entries by title, under headings where there are several groups."""
    box = SearchedCombo() if searched else QComboBox()
    narrow_combo(box)
    box.setMinimumWidth(90)
    box.setMaxVisibleItems(24)
    groups = list(dict.fromkeys(e.group for e in entries))
    for group in groups:
        if len(groups) > 1 and group:
            box.model().appendRow(_heading(group))
        for entry in entries:
            if entry.group == group:
                box.addItem(entry.title, entry.name)
                box.setItemData(box.count() - 1, entry.help, Qt.ItemDataRole.ToolTipRole)
    box.setCurrentIndex(max(0, next((i for i in range(box.count()) if box.itemData(i)), 0)))
    return box


def _heading(text: str) -> Any:
    item = QStandardItem(text.upper())
    item.setFlags(Qt.ItemFlag.NoItemFlags)
    font = item.font()
    font.setPointSizeF(font.pointSizeF() * 0.85)
    item.setFont(font)
    return item


def first_sentence(text: str) -> str:
    """Return the first sentence of a description, without marks of code and of references.

    Examples
    --------
    >>> first_sentence("Segment with ``Otsu`` [1]_. The threshold is one.")
    'Segment with Otsu'
    """
    first = text.partition("\n\n")[0].replace("\n", " ").replace("`", "")
    return re.sub(r"\s*\[\d+\]_", "", first).partition(". ")[0]


def wrapped(text: str) -> str:
    """Return rich text, which Qt's tooltips break into lines."""
    from html import escape

    return f"<p>{escape(text)}</p>" if text else ""
