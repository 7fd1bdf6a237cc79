"""A histogram with the thresholds drawn on it, which can be dragged."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, log10
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.theme import get_theme
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_segment.widgets.forms.number import written

if TYPE_CHECKING:
    from napari.utils.theme import Theme
    from napari.viewer import Viewer
    from qtpy.QtGui import QMouseEvent, QPaintEvent

REACH = 6  # pixels from a line within which the mouse takes hold of it
FOOT = 16  # pixels for the numbers under the bars
LONG = 1e7  # from here on numbers are not written in all their digits
FAR = 1e300


class HistogramView(QWidget):
    """Counts on a logarithmic scale, and a line for each threshold.

    Parameters
    ----------
    viewer : napari Viewer
        Whose theme's colours are used.
    """

    dragged = Signal(object)  # the values of all lines; while the mouse moves one

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self.viewer = viewer
        self.counts = np.zeros(0)
        self.low, self.high = 0.0, 1.0
        self.thresholds: tuple[float, ...] = ()
        self.draggable = False
        self._held = -1
        self._pressed = -1.0  # where the mouse took hold; below 0 once it has moved
        self.setMouseTracking(True)
        self.setMinimumHeight(110)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip("How many voxels (logarithmic) have which intensity")

    def show_counts(self, counts: NDArray[Any], centers: NDArray[np.float64]) -> None:
        """Show another histogram; adjacent bins are summed to what the widget can draw."""
        counts, centers = np.asarray(counts, float), np.asarray(centers, float)
        if counts.size == 0 or not np.any(counts):
            self.counts = np.zeros(0)
        else:
            filled = np.flatnonzero(counts)
            counts = counts[filled[0] : filled[-1] + 1]
            self.low, self.high = float(centers[filled[0]]), float(centers[filled[-1]])
            parts = np.linspace(0, counts.size, min(256, counts.size) + 1).astype(int)[:-1]
            self.counts = np.add.reduceat(counts, parts)
        self.update()

    def show_thresholds(self, values: Sequence[float], *, draggable: bool) -> None:
        """Draw a line at each value, unless one is being dragged."""
        if self._held < 0:
            self.thresholds, self.draggable = tuple(values), draggable
            self.update()

    # ---- drawing ----

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = get_theme(self.viewer.theme)
        self._paint_counts(painter, theme)
        self._paint_thresholds(painter, theme)
        painter.end()

    def _paint_counts(self, painter: QPainter, theme: Theme) -> None:
        base = self.height() - FOOT
        painter.fillRect(0, 0, self.width(), base, QColor(theme.foreground.as_hex()))
        if not self.counts.size:
            return
        heights = np.log1p(self.counts)
        heights *= (base - 4) / heights.max()
        edges = np.linspace(0, self.width(), heights.size + 1)
        outline = [QPointF(0, base)]
        for left, right, height in zip(edges[:-1], edges[1:], heights, strict=True):
            outline += [QPointF(left, base - height), QPointF(right, base - height)]
        outline.append(QPointF(self.width(), base))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.current.as_hex()))
        painter.drawPolygon(QPolygonF(outline))

    def _paint_thresholds(self, painter: QPainter, theme: Theme) -> None:
        base = self.height() - FOOT
        painter.setPen(QPen(QColor(theme.warning.as_hex()), 2))
        positions = [self._position(v) for v in self.thresholds]
        for position in positions:
            painter.drawLine(QPointF(position, 0), QPointF(position, base))
        self._paint_numbers(painter, theme, positions)

    def _paint_numbers(self, painter: QPainter, theme: Theme, positions: Sequence[float]) -> None:
        """The thresholds under their lines, then the ends, as far as there is room."""
        if not self.counts.size and not positions:
            return
        ends = ((0.0, self.low), (float(self.width()), self.high))
        numbers = [(p, v, theme.warning) for p, v in zip(positions, self.thresholds, strict=True)]
        numbers += [(p, v, theme.text) for p, v in ends if self.counts.size]
        taken: list[tuple[float, float]] = []
        for position, value, colour in numbers:
            text = written(self._rounded(value, more=1))
            width = painter.fontMetrics().horizontalAdvance(text)
            x = min(max(0.0, position - width / 2), self.width() - width)
            if taken and colour is theme.warning:
                x = max(x, taken[-1][1] + 1)  # next to the number before
            near = x <= position  # to be taken for that of its line
            free = all(x > right or x + width < left for left, right in taken)
            if near and free and x + width <= self.width():
                painter.setPen(QColor(colour.as_hex()))
                painter.drawText(QPointF(x, self.height() - 4.0), text)
                taken.append((x - 4, x + width + 4))

    def _position(self, value: float) -> float:
        """Return the position of a value in pixels; one outside the histogram is at its end."""
        span = (self.high - self.low) or 1.0
        part = min(max((value - self.low) / span, 0.0), 1.0)
        return float(part * (self.width() - 2) + 1)

    def _value(self, position: float) -> float:
        span = (self.high - self.low) or 1.0
        part = min(max((position - 1) / max(1, self.width() - 2), 0.0), 1.0)
        return self._rounded(self.low + part * span)

    def _rounded(self, value: float, more: int = 0) -> float:
        """Round a value to the digits that a pixel resolves, and `more`; large ones to integers."""
        step = min((self.high - self.low) or 1.0, FAR) / max(1, self.width())
        digits = more - floor(log10(step))
        return round(value, digits if abs(value) >= LONG else max(0, digits)) + 0.0

    # ---- dragging ----

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._held = self._under(event) if self.draggable else -1
        self._pressed = float(event.pos().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._held < 0:
            over = self.draggable and self._under(event) >= 0
            shape = Qt.CursorShape.SplitHCursor if over else Qt.CursorShape.ArrowCursor
            self.setCursor(shape)
            return
        x = event.pos().x()
        if self._pressed >= 0:
            if x == self._pressed:
                return
            self._held, self._pressed = self._free(x > self._pressed), -1.0
        values = list(self.thresholds)
        below, above = values[: self._held], values[self._held + 1 :]
        value = min([max([self._value(x), *below[-1:]]), *above[:1]])
        values[self._held] = value
        self.thresholds = tuple(values)
        self.update()
        self.dragged.emit(self.thresholds)

    def mouseReleaseEvent(self, _: QMouseEvent) -> None:
        self._held = -1

    def _free(self, right: bool) -> int:
        """Return the line at the position of the held one that can move right or left."""
        position = self._position(self.thresholds[self._held])
        same = [i for i, v in enumerate(self.thresholds) if abs(self._position(v) - position) < 1]
        return max(same) if right else min(same)

    def _under(self, event: QMouseEvent) -> int:
        """Return the index of the line under the mouse; -1 for none."""
        far = [abs(self._position(v) - event.pos().x()) for v in self.thresholds]
        return int(np.argmin(far)) if far and min(far) <= REACH else -1
