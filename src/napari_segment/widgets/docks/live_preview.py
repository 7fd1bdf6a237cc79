"""The live part of a dock widget: its histogram and its preview in the canvas."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import numpy as np
from napari.layers import Layer
from qtpy.QtCore import QObject, QTimer, Signal
from qtpy.QtWidgets import QCheckBox

from napari_segment.errors import SegmentError
from napari_segment.widgets.docks.dock import is_gone
from napari_segment.widgets.forms.histogram import HistogramView
from napari_segment.widgets.forms.source import follow
from napari_segment.widgets.jobs.preview import Look, Newest, Request, View
from napari_segment.widgets.layers.conversion import KEY, LayerData, plane_layer, shown_index

if TYPE_CHECKING:
    from napari_segment.widgets.docks.segment import SegmentDock

IDLE = 1500  # milliseconds without a change after which a histogram of before is counted again
PAUSE = 30  # milliseconds from a change to its preview, so that several come together
NAME = "preview"
GEOMETRY = ("scale", "translate", "rotate", "shear", "affine")


class LivePreview(QObject):
    """Follows the settings and the sliders; draws the plane in view if its box is ticked.

    Parameters
    ----------
    dock : SegmentDock
        Whose settings are followed.
    """

    refreshed = Signal()  # what is seen, or done to it, has changed

    def __init__(self, dock: SegmentDock) -> None:
        super().__init__(dock)
        self.dock, self.viewer = dock, dock.viewer
        self.box = QCheckBox("live preview")
        self.box.setToolTip("Segment the plane that the sliders show, whenever something changes")
        self.histogram = HistogramView(dock.viewer)
        self.layer: Any = None
        self.look = Look()
        self.moved = View(None).moved  # what becomes of dragged thresholds
        self.latency = 0.0  # seconds from a change to its preview
        self._newest = Newest()
        self._asked = 0.0
        self._timer = QTimer(self, singleShot=True, interval=PAUSE)
        self._timer.timeout.connect(self._ask)
        self._idle = QTimer(self, singleShot=True, interval=IDLE)
        self._idle.timeout.connect(self._recount)
        self._followed: WeakSet[Any] = WeakSet()
        self._newest.ready.connect(self._show)
        self._newest.failed.connect(self._failed)
        self.box.toggled.connect(self._toggled)
        self.histogram.dragged.connect(self._dragged)
        for event in (self.viewer.dims.events.current_step, self.viewer.dims.events.ndisplay):
            follow(self, event, self.refresh)

    def refresh(self, _: object = None) -> None:
        """Ask for the histogram, and the preview if it is on, in a moment; changes may go on."""
        self._idle.stop()
        if self.dock.previews:
            self.refreshed.emit()
        if self.dock.previews and not self._timer.isActive():
            self._asked = time.perf_counter()
            self._timer.start()

    def hide(self) -> None:
        """Take the preview out of the canvas."""
        if self.layer is not None and self.layer in self.viewer.layers:
            self.viewer.layers.remove(self.layer)
        self.layer = None

    def end_if_gone(self) -> None:
        """Take the preview along with a hidden dock, or a closed one, whose content lives on."""
        if is_gone(self.dock):
            self.box.setChecked(False)

    def _toggled(self, on: bool) -> None:
        if on:
            self.refresh()
        else:
            self.hide()
            self.look.forget()

    def _recount(self) -> None:
        """Count again what a script may have written to in place, where no sample of it lies."""
        self._asked = time.perf_counter()
        self._ask(recount=True)

    def _ask(self, *, recount: bool = False) -> None:
        if not (self.dock.isVisible() or self.box.isChecked()):
            return
        source = self.dock.source
        try:
            image, recipe = source.image(), self.dock.recipe()
        except SegmentError as error:
            self._failed("" if source.layer is None else str(error))
            return
        layer, axes, asked = source.layer, source.axes, self._asked
        if layer not in self._followed:  # scripts call `refresh` after writing in place
            self._followed.add(layer)
            follow(self, layer.events.set_data, self.refresh)
        where = shown_index(self.viewer, layer, axes)
        draw = self.box.isChecked() and not self._marked
        stale = self._newest.stale
        pixels = image.canonical()
        request = Request(pixels, where, recipe, draw, stale, source.version, recount)
        self._newest.ask(lambda: (self.look(request), layer, axes, where, asked))

    @property
    def _marked(self) -> bool:
        """Whether the method takes markers, which are not cut into planes."""
        return any(menu.layer is not None for menu in self.dock.extra.values())

    def _show(self, prepared: tuple[View, Any, str, dict[str, int], float]) -> None:
        view, layer, axes, where, asked = prepared
        self.histogram.setVisible(view.histogram is not None)
        if view.histogram is not None:
            method = self.dock.method
            movable = bool(view.values) and view.moved(view.values).name in method.entries
            self.histogram.show_counts(view.histogram.counts, view.histogram.centers)
            self.histogram.show_thresholds(view.values, draggable=movable)
            self.moved = view.moved
        wanted = self.box.isChecked() and layer in self.viewer.layers
        if wanted and view.labels is not None:
            self._draw(plane_layer(view.labels, layer, axes, where))
            self._say(view.note)
        else:
            self.hide()
            if wanted and self._marked:
                self._say("There is no preview with markers: press Run.")
        self.latency = time.perf_counter() - asked
        if view.remembered:
            self._idle.start()

    def _failed(self, text: str) -> None:
        """Show nothing rather than what was before."""
        self.histogram.show_counts(np.empty(0), np.empty(0))
        self.histogram.show_thresholds((), draggable=False)
        self.hide()
        if text:
            self._say(text)

    def _draw(self, plane: LayerData) -> None:
        """Change the preview's pixels and place; make its layer if there is none."""
        data, attributes, kind = plane
        shown = self.layer
        if shown is not None and shown in self.viewer.layers and shown.ndim == data.ndim:
            shown.data = data
            for name in GEOMETRY:
                if not _equal(getattr(shown, name), attributes[name]):
                    setattr(shown, name, attributes[name])
            for name in ("units", "axis_labels"):
                if getattr(shown, name) != attributes[name]:
                    setattr(shown, name, attributes[name])
            return
        self.hide()
        active = self.viewer.layers.selection.active
        extra = {"name": NAME, "metadata": {KEY: {"preview": True}}}
        self.layer = Layer.create(data, attributes | extra, kind)
        self.layer.editable = False
        self.viewer.add_layer(self.layer)
        self.viewer.layers.selection.active = active

    def _dragged(self, values: Sequence[float]) -> None:
        """A threshold was dragged: it is set by hand from now on."""
        self.dock.method.value = self.moved(values)

    def _say(self, text: str) -> None:
        if self.dock.running.job is None:  # a run has more to say
            self.dock.running.say(text)


def _equal(old: object, new: object) -> bool:
    old, new = np.asarray(getattr(old, "affine_matrix", old)), np.asarray(new)
    return old.shape == new.shape and bool(np.allclose(old, new))
