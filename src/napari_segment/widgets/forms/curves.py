"""Curves that grow while a network trains, and the pictures of its last validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.theme import get_theme
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QImage, QPainter, QPen, QPixmap, QPolygonF
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from napari.viewer import Viewer
    from qtpy.QtGui import QPaintEvent, QResizeEvent

COLOURS = ("#4c9be8", "#f2a33a", "#63c285", "#e2637f", "#b08bea", "#8f9aa6", "#d5c648")
MOST = 800  # points of a curve that are drawn
MARGINS = (44, 16, 8, 18)  # left, top, right, bottom


class Curves(QWidget):
    """Curves by name over one axis; with a legend that says their last values.

    Parameters
    ----------
    viewer : napari Viewer
        Whose theme's colours are used.
    title : str
        What the curves are.
    """

    def __init__(self, viewer: Viewer, title: str) -> None:
        super().__init__()
        self.viewer, self.title = viewer, title
        self.points: dict[str, list[tuple[float, float]]] = {}
        self.setMinimumHeight(130)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> Any:
        return QSize(300, 150)

    def clear(self) -> None:
        """Forget all curves."""
        self.points.clear()
        self.update()

    def add(self, x: float, numbers: Mapping[str, float]) -> None:
        """Let curves grow by one point each; what is not finite is left out.

        A curve that goes back begins again, as where the learning rate was searched for before.
        """
        for name, y in numbers.items():
            points = self.points.setdefault(name, [])
            if points and x < points[-1][0]:
                points.clear()
            if np.isfinite(y):
                points.append((x, y))
        self.points = {name: points for name, points in self.points.items() if points}
        self.update()

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = get_theme(self.viewer.theme)
        left, top, right, bottom = MARGINS
        box = QRectF(left, top, self.width() - left - right, self.height() - top - bottom)
        painter.fillRect(box, QColor(theme.foreground.as_hex()))
        painter.setPen(QColor(theme.text.as_hex()))
        painter.drawText(QPointF(left, top - 4), self.title)
        if self.points:
            self._paint(painter, box)
        painter.end()

    def _paint(self, painter: QPainter, box: QRectF) -> None:
        curves = {name: np.array(points) for name, points in self.points.items()}
        (x0, y0), (x1, y1) = _limits(list(curves.values()))
        self._paint_numbers(painter, box, (y0, y1), x1)
        for colour, points in zip(_colours(len(curves)), curves.values(), strict=True):
            xs = box.left() + (points[:, 0] - x0) / (x1 - x0) * box.width()
            ys = box.bottom() - (points[:, 1] - y0) / (y1 - y0) * box.height()
            xs, ys = _thinned(xs), _thinned(ys)
            painter.setPen(QPen(QColor(colour), 1.6))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            dots = [QPointF(x, y) for x, y in zip(xs, ys, strict=True)]
            if len(dots) == 1:
                painter.drawEllipse(dots[0], 2, 2)
            painter.drawPolyline(QPolygonF(dots))
        self._paint_legend(painter, box, curves)

    def _paint_numbers(
        self, painter: QPainter, box: QRectF, ys: tuple[float, float], last: float
    ) -> None:
        flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for y, baseline in ((ys[0], box.bottom()), (ys[1], box.top())):
            painter.drawText(QRectF(0, baseline - 8, MARGINS[0] - 4, 16), flags, f"{y:.3g}")
        line = QRectF(box.left(), box.bottom(), box.width(), MARGINS[3])
        painter.drawText(line, flags, f"step {last:.0f}")

    def _paint_legend(self, painter: QPainter, box: QRectF, curves: Mapping[str, Any]) -> None:
        """Paint names and last values next to the title, as many as fit."""
        metrics = painter.fontMetrics()
        x = box.left() + metrics.horizontalAdvance(self.title) + 14
        for colour, (name, points) in zip(_colours(len(curves)), curves.items(), strict=True):
            text = f"{name} {points[-1, 1]:.3g}"
            width = metrics.horizontalAdvance(text)
            if x + width > self.width():
                return
            painter.setPen(QColor(colour))
            painter.drawText(QPointF(x, box.top() - 4), text)
            x += width + 10


class Pictures(QWidget):
    """Small pictures side by side, each with its name under it."""

    def __init__(self) -> None:
        super().__init__()
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._labels: dict[str, Any] = {}
        self._shown: dict[str, Any] = {}

    def show_pictures(self, pictures: Mapping[str, NDArray[Any]]) -> None:
        """Show others; those of a name known already take its place."""
        for name, picture in pictures.items():
            if name not in self._labels:
                self._add(name)
            labels = name in ("reference", "prediction")
            self._shown[name] = QPixmap.fromImage(picture_of(picture, labels=labels))
        self._fit()

    def clear(self) -> None:
        """Take all pictures away."""
        while self._layout.count():
            self._layout.takeAt(0).widget().deleteLater()
        self._labels.clear()
        self._shown.clear()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _add(self, name: str) -> None:
        cell, picture, caption = QWidget(), QLabel(), QLabel(name)
        picture.setMinimumWidth(40)
        for label in (picture, caption):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column = QVBoxLayout(cell)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(picture)
        column.addWidget(caption)
        self._layout.addWidget(cell)
        self._labels[name] = picture

    def _fit(self) -> None:
        side = max(40, self.width() // max(1, len(self._shown)) - 8)
        for name, pixmap in self._shown.items():
            keep = Qt.AspectRatioMode.KeepAspectRatio
            self._labels[name].setPixmap(pixmap.scaled(side, side, keep))


def picture_of(array: NDArray[Any], *, labels: bool = False) -> Any:
    """Return a plane as a picture: colours as they are, labels in colours, intensities in greys.

    Parameters
    ----------
    array : array (Y, X) or (Y, X, 3)
        Labels, intensities, or uint8 colours.
    labels : bool
        Whether the numbers are labels.
    """
    array = np.asarray(array)
    if array.ndim == 3:
        colours = array[..., :3].astype(np.uint8)
    elif labels:
        colours = _label_colours(array)
    else:
        colours = np.repeat(_stretched(array)[..., None], 3, axis=2)
    colours = np.ascontiguousarray(colours)
    height, width = colours.shape[:2]
    return QImage(
        colours.data, width, height, 3 * width, QImage.Format.Format_RGB888
    ).copy()  # the pixels must outlive the array


def _label_colours(labels: NDArray[Any]) -> NDArray[np.uint8]:
    from napari.utils.colormaps import label_colormap

    colours = label_colormap(49).map(labels.astype(np.int64).ravel() % 50)
    colours[labels.ravel() == 0] = 0
    return np.asarray(colours[:, :3] * 255, np.uint8).reshape(*labels.shape, 3)


def _stretched(array: NDArray[Any]) -> NDArray[np.uint8]:
    values = np.nan_to_num(array.astype(np.float32))
    low, high = np.percentile(values, (0.5, 99.5)) if values.size else (0.0, 1.0)
    span = (high - low) or 1.0
    return np.asarray(np.clip((values - low) / span, 0, 1) * 255, np.uint8)


def _limits(curves: Sequence[NDArray[Any]]) -> tuple[tuple[float, float], tuple[float, float]]:
    points = np.concatenate(curves)
    low, high = points.min(axis=0), points.max(axis=0)
    if low[1] >= 0 and 0.1 < high[1] <= 1:  # scores are easier to compare on their whole range
        low[1], high[1] = 0, 1
    high = np.where(high > low, high, low + np.maximum(np.abs(low), 1) * 1e-3)
    return (float(low[0]), float(low[1])), (float(high[0]), float(high[1]))


def _thinned(values: NDArray[Any]) -> NDArray[Any]:
    return values[:: max(1, len(values) // MOST)]


def _colours(count: int) -> list[str]:
    return [COLOURS[i % len(COLOURS)] for i in range(count)]
