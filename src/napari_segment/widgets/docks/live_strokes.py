"""Classes while one paints: after a stroke the plane in view is classified again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import numpy as np
from napari.layers import Layer
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer, Signal
from qtpy.QtWidgets import QCheckBox

from napari_segment.classical.classifier.live import Box, LiveClassifier, Painted
from napari_segment.classical.classifier.training import LabelledImage
from napari_segment.errors import SegmentError
from napari_segment.widgets.docks.dock import is_gone
from napari_segment.widgets.forms.source import follow
from napari_segment.widgets.jobs.layer_copies import pixels_mark
from napari_segment.widgets.jobs.preview import Newest
from napari_segment.widgets.layers.conversion import KEY, labels_of, plane_layer, shown_index

if TYPE_CHECKING:
    from napari.utils.events import Event
    from napari.viewer import Viewer

    from napari_segment.image import Image, Labels
    from napari_segment.widgets.docks.classify import Classify

PAUSE = 30  # milliseconds from a stroke to its answer, so that several come together
NAME = "classes in view"


class LiveStrokes(QObject):
    """Classifies the plane in view after every stroke, if its box is ticked.

    Parameters
    ----------
    dock : Classify
        Whose image, strokes and settings are followed.
    """

    answered = Signal(object)  # one answer of several: labels, and what they belong to

    def __init__(self, dock: Classify) -> None:
        super().__init__(dock)
        self.dock = dock
        self.viewer: Viewer = dock.viewer
        self.box = QCheckBox("live preview")
        self.box.setToolTip(
            "Learn again after every stroke; a run learns more trees of all strokes"
        )
        self.box.setChecked(True)
        self.layer: Any = None
        self.latency = 0.0  # seconds from a stroke to the first answer
        self._classifier = LiveClassifier()
        self._newest = Newest()
        self._asked = 0.0
        self._fresh = False
        self._timer = QTimer(self, singleShot=True, interval=PAUSE)
        self._timer.timeout.connect(self._ask)
        self._followed: WeakSet[Any] = WeakSet()
        self._newest.failed.connect(self._failed)
        self.answered.connect(self._show)
        self.box.toggled.connect(self._toggled)
        follow(self, self.viewer.dims.events.current_step, self.refresh)

    def follow_strokes(self) -> None:
        """Follow the chosen layer of strokes."""
        layer = self.dock.strokes.layer
        if layer is not None and layer not in self._followed:
            self._followed.add(layer)
            for event in (layer.events.paint, layer.events.set_data, layer.events.labels_update):
                follow(self, event, self._touched)

    def refresh(self, _: object = None) -> None:
        """Ask for the classes of the plane in view in a moment, if there are strokes."""
        if self.box.isChecked() and self.dock.isVisible() and self.dock.strokes.layer is not None:
            if not self._timer.isActive():
                self._asked, self._fresh = time.perf_counter(), True
            self._timer.start()

    def hide(self) -> None:
        """Take the classes out of the canvas."""
        if self.layer is not None and self.layer in self.viewer.layers:
            self.viewer.layers.remove(self.layer)
        self.layer = None

    def end_if_gone(self) -> None:
        """Take the classes out of the canvas where the dock was hidden or closed."""
        if is_gone(self.dock):
            self.hide()

    def _touched(self, event: Event) -> None:
        if event.source is self.dock.strokes.layer:
            self.refresh()

    def _toggled(self, on: bool) -> None:
        if on:
            self.refresh()
        else:
            self.hide()

    def _ask(self) -> None:
        source, strokes = self.dock.source, self.dock.strokes.layer
        if strokes is None or self.dock.running.job is not None:
            return
        try:
            image = source.image().canonical()
        except SegmentError as error:
            self._failed(str(error))
            return
        layer, axes, asked = source.layer, source.axes, self._asked
        where = shown_index(self.viewer, layer, axes)
        marks = labels_of(strokes, axes.replace("C", "")).canonical()
        if marks.shape != tuple(image.size(a) for a in marks.axes):
            self._failed("The strokes lie on another grid: they are learnt from in a run only.")
            return
        by_plane = source.apply_to == "plane"
        classifier, settings = self._classifier, self.dock.form.settings
        background = self.dock.background.value() or "none"
        box = _box_in_view(layer, axes, image)

        def classify() -> None:
            classifier.scales = settings["scales"]
            classifier.kinds, classifier.seed = settings["features"], settings["seed"]
            classifier.background = background
            painted = _painted(image, marks, where, by_plane, source.version, box)
            for labels in classifier.classify(painted, self._newest.stale):
                self.answered.emit((labels, layer, axes, where, asked))

        self._newest.ask(classify)

    def _show(self, answer: tuple[NDArray[Any], Any, str, dict[str, int], float]) -> None:
        labels, layer, axes, where, asked = answer
        if not self.box.isChecked() or layer not in self.viewer.layers:
            return
        if self._fresh:
            self.latency, self._fresh = time.perf_counter() - asked, False
        data, attributes, kind = plane_layer(labels, layer, axes, where)
        shown = self.layer
        if shown is not None and shown in self.viewer.layers and shown.data.shape == data.shape:
            shown.data = data
            shown.translate = attributes["translate"]
            return
        self.hide()
        active = self.viewer.layers.selection.active
        extra = {"name": NAME, "metadata": {KEY: {"preview": True}}, "opacity": 0.4}
        self.layer = Layer.create(data, attributes | extra, kind)
        self.layer.editable = False
        self.viewer.add_layer(self.layer)
        self._below(self.dock.strokes.layer)
        self.viewer.layers.selection.active = active

    def _below(self, strokes: Layer | None) -> None:
        """Leave the strokes on top, to be painted on."""
        if strokes in self.viewer.layers:
            index = self.viewer.layers.index(strokes)
            self.viewer.layers.move(index, len(self.viewer.layers))

    def _failed(self, text: str) -> None:
        self.hide()
        if text and self.dock.running.job is None:
            self.dock.running.say(text)


def _painted(
    image: Image,
    marks: Labels,
    where: dict[str, int],
    by_plane: bool,
    version: int,
    box: Box,
) -> Painted:
    """What is seen: the time point, and where planes are classified each by itself, the plane."""
    for letter in "TZ" if by_plane else "T":
        if letter in image.axes:
            image, marks = image.take(letter, where[letter]), marks.take(letter, where[letter])
    pixels = image.data if "C" in image.axes else image.data[None]
    known: Any = (version, where.get("T", 0))
    if "Z" not in image.axes:
        pixels = np.asarray(pixels)
        known = pixels_mark(pixels, None)
    names = ("",) * len(pixels)
    case = LabelledImage(image.name, pixels, marks.data, tuple(image.spacing), image.unit, names)
    return Painted(case, known, where["Z"] if "Z" in image.axes else 0, box)


def _box_in_view(layer: Layer, axes: str, image: Image) -> Box:
    """The part of the plane that the canvas shows, along Y and X; all of it where unknown."""
    corners = np.asarray(layer.corner_pixels)
    sizes = [image.size(a) for a in "YX"]
    box: list[slice] = []
    for letter, size in zip("YX", sizes, strict=True):
        index = axes.index(letter)
        low, high = (int(c) for c in corners[:, index]) if index < corners.shape[1] else (0, size)
        low, high = max(low, 0), min(high + 1, size)
        box.append(slice(low, high) if low < high else slice(0, size))
    return box[0], box[1]
