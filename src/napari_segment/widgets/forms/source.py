"""What is segmented: a layer, the roles of its axes, a channel, a range of times."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from napari.layers import Image as ImageLayer
from napari.layers import Labels as LabelsLayer
from psygnal import Signal, SignalInstance
from qtpy.compat import isalive
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSpinBox, QWidget

from napari_segment.errors import InputError
from napari_segment.image import RGB, Image
from napari_segment.recipe import ApplyTo
from napari_segment.widgets.forms.fields import narrow_combo
from napari_segment.widgets.forms.file_scale import FileScale
from napari_segment.widgets.forms.layout import form_layout
from napari_segment.widgets.forms.number import still_wheel
from napari_segment.widgets.jobs.layer_copies import copies
from napari_segment.widgets.layers.conversion import (
    KEY,
    image_of,
    known_axes,
    possible_axes,
    shape_of,
)

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.utils.events import Event, EventEmitter
    from napari.viewer import Viewer

PER = {  # with the axes that an image must have, or must not
    "automatic": ("auto", "", ""),
    "each plane (2-D)": ("plane", "", ""),
    "each volume (3-D)": ("volume", "Z", ""),
    "all times together": ("stack", "T", ""),
    "planes in three directions, linked": ("directions", "Z", "T"),
}


def follow(widget: QObject, event: EventEmitter | SignalInstance, call: Callable[..., Any]) -> None:
    """Connect a method to an event of the viewer for as long as a Qt object lives.

    Python may keep the object when Qt has deleted it, as when a dock widget is closed. That is
    asked here at each event: a call when Qt deletes the object may come while Python is taking
    the call itself apart.
    """
    watched, method = weakref.ref(widget), weakref.WeakMethod(call)

    def relay(*arguments: object) -> None:
        present, target = watched(), method()
        if present is not None and target is not None and isalive(present):
            target(*arguments)

    event.connect(relay)


class LayerMenu(QComboBox):
    """A menu of a viewer's layers that follows the layer list.

    Parameters
    ----------
    viewer : napari Viewer
        Whose layers are offered.
    accepts : callable
        Whether a layer is offered.
    optional : str
        What stands for no layer; "" where one must be chosen.
    """

    def __init__(self, viewer: Viewer, accepts: Callable[[Any], bool], optional: str = "") -> None:
        super().__init__()
        narrow_combo(self)
        self.setMinimumWidth(90)  # two stand side by side; the tooltip has the whole name
        self.viewer, self.accepts, self.optional = viewer, accepts, optional
        events = viewer.layers.events
        for event in (events.inserted, events.reordered):
            follow(self, event, self._refresh)
        follow(self, events.removed, self._removed)
        follow(self, events.renamed, self._rename)
        self.currentTextChanged.connect(self.setToolTip)  # where the name is longer than the box
        self._refresh()

    @property
    def layer(self) -> Any:
        """The chosen layer, or None."""
        return self.currentData()

    @layer.setter
    def layer(self, layer: Layer | None) -> None:
        index = next((i for i in range(self.count()) if self.itemData(i) is layer), -1)
        if index >= 0:
            self.setCurrentIndex(index)

    def _refresh(self, _: object = None) -> None:
        chosen = self.layer
        self.blockSignals(True)
        self.clear()
        if self.optional:
            self.addItem(self.optional, None)
        for layer in self.viewer.layers:
            if self.accepts(layer):
                self.addItem(layer.name, layer)
        self.layer = chosen  # while quiet: what was answered about it stays
        self.blockSignals(False)
        self.setToolTip(self.currentText())
        if self.layer is not chosen:
            self.currentIndexChanged.emit(self.currentIndex())

    def _removed(self, event: Event) -> None:
        copies.forget(event.value)
        self._refresh()

    def _rename(self, _: object = None) -> None:
        for index in range(self.count()):
            if self.itemData(index) is not None:
                self.setItemText(index, self.itemData(index).name)


def is_image(layer: object) -> bool:
    """Return whether a layer holds intensities."""
    return isinstance(layer, ImageLayer)


def is_labels(layer: object) -> bool:
    """Return whether a layer holds labels; a preview is gone before it could be used."""
    return isinstance(layer, LabelsLayer) and not layer.metadata.get(KEY, {}).get("preview")


CHANGES = ("data", "scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")


class Source:
    """Asks for what a recipe needs to know of its image; hides what the layer answers itself.

    Parameters
    ----------
    viewer : napari Viewer
        Whose layers are offered.
    """

    changed = Signal()

    def __init__(self, viewer: Viewer) -> None:
        self.native = QWidget()
        self._form = form_layout(self.native)
        self.layers = LayerMenu(viewer, is_image)
        self.axes_menu = _menu("What each dimension of the layer is, in array order")
        self.channel_menu = _menu("The channel that one-channel filters and methods see")
        self.per_menu = _menu("What is segmented at once")
        self.first, self.last = QSpinBox(), QSpinBox()
        self.times_row = _pair(self.first, self.last)
        for label, widget in (
            ("image", self.layers),
            ("axes", self.axes_menu),
            ("channel", self.channel_menu),
            ("times", self.times_row),
            ("at once", self.per_menu),
        ):
            self._form.addRow(label, widget)
        self.file_scale = FileScale()
        self._form.addRow(self.file_scale)
        self.layers.currentIndexChanged.connect(self._layer_changed)
        self.axes_menu.currentIndexChanged.connect(self._axes_changed)
        for menu in (self.channel_menu, self.per_menu):
            menu.currentIndexChanged.connect(self._tell)
        for box in (self.first, self.last):
            box.setKeyboardTracking(False)
            still_wheel(box)
            box.valueChanged.connect(self._tell)
        self.first.valueChanged.connect(self._first_moved)
        self.last.valueChanged.connect(self._last_moved)
        self.version = 0  # of the pixels and of what their axes are
        self._followed: weakref.WeakSet[Any] = weakref.WeakSet()
        self._quiet = False
        self.takes_all = False  # whether the recipe sees all channels whatever is chosen
        self._layer_changed()

    # ---- what has been answered ----

    @property
    def layer(self) -> Any:
        return self.layers.layer

    @property
    def axes(self) -> str:
        """The letters of the layer's dimensions; C of RGB left out."""
        return self.axes_menu.currentData() or ""

    @property
    def channel(self) -> int | str:
        asked = "C" in self._image_axes() and not self.takes_all
        return self.channel_menu.currentData() if asked else "auto"

    @property
    def apply_to(self) -> ApplyTo:
        return self.per_menu.currentData()

    @property
    def times(self) -> tuple[int, int] | tuple[()]:
        """The range of time points; empty where all are taken."""
        whole = (self.first.minimum(), self.last.maximum())
        chosen = (self.first.value(), self.last.value())
        return () if "T" not in self.axes or chosen == whole else chosen

    def image(self) -> Image:
        """Return the layer as an Image.

        Raises
        ------
        InputError
            If there is no layer, or its axes are open.
        """
        if self.layer is None:
            raise InputError("There is no image layer. Open an image first.")
        if not possible_axes(self.layer):
            raise InputError(
                f"The layer {self.layer.name!r} has {self.layer.ndim} dimensions; two to five can "
                "be segmented. Take one position along the others first."
            )
        if not self.axes:
            raise InputError(f"Say what the {self.layer.ndim} dimensions are (axes).")
        return image_of(self.layer, self.axes)

    def fill(self, channel: int | str, apply_to: str, times: tuple[int, int] | tuple[()]) -> str:
        """Show what a recipe says, as far as the layer has it; say what it has not."""
        index = self._find_channel(channel)
        first, last = times or (self.first.minimum(), self.last.maximum())
        with self._silently():
            self.per_menu.setCurrentIndex(max(0, self.per_menu.findData(apply_to)))
            self.channel_menu.setCurrentIndex(max(0, index))
            self.first.setValue(first)
            self.last.setValue(last)
        self._tell()
        lost = [f"channel {channel}"] if index < 0 and not self.takes_all else []
        if self.apply_to != apply_to and (
            apply_to == "directions" or not self.axes
        ):  # else it is the same
            lost.append(next(text for text, (name, *_) in PER.items() if name == apply_to))
        lost += [f"times {first} to {last}"] if times and self.times != tuple(times) else []
        return " and ".join(lost)

    def ask_channel(self, wanted: bool) -> None:
        """Ask for a channel, if the layer has several, or leave it out."""
        self.takes_all = not wanted
        self._form.setRowVisible(self.channel_menu, "C" in self._image_axes() and wanted)

    def _find_channel(self, channel: int | str) -> int:
        """Return the row of a recipe's channel; -1 where there is none such."""
        menu, count = self.channel_menu, len(self._channel_names())
        if channel == "auto" or (not count and str(channel) == "0"):
            return max(0, menu.findData("auto"))
        if str(channel).lstrip("-").isdigit():
            number = int(channel)
            return int(menu.findData(number + count if number < 0 else number))
        return int(menu.findText(channel))

    # ---- following the layer ----

    def _layer_changed(self, _: object = None) -> None:
        layer = self.layer
        self._shape = () if layer is None else shape_of(layer)
        self._follow(layer)
        self.file_scale.look(layer)
        with self._silently():
            self.axes_menu.clear()
            for axes in possible_axes(layer) if layer is not None else ():
                self.axes_menu.addItem(axes, axes)
            known = layer is not None and known_axes(layer)
            if layer is not None and not known:
                self.axes_menu.insertItem(0, "choose …", "")
                self.axes_menu.setCurrentIndex(0)
        several = self.axes_menu.count() > 1
        self._form.setRowVisible(self.axes_menu, several)
        self._axes_changed()

    def _follow(self, layer: Layer | None) -> None:
        """Hear of changes of a layer, once; when another is chosen they are left unheeded."""
        if layer is None or layer in self._followed:
            return
        self._followed.add(layer)
        for name in CHANGES:
            follow(self.native, getattr(layer.events, name), self._touched)

    def _touched(self, event: Event) -> None:
        """React to a layer with other pixels, another position or other axes."""
        if event.source is not self.layer:
            return
        before, self._shape = self._shape, shape_of(self.layer)
        if event.type == "axis_labels" or len(before) != len(self._shape):
            self._layer_changed()
        elif before != self._shape:  # as when time points are added: what was answered stays
            answers = self.channel, self.apply_to, self.times
            self._axes_changed()
            self.fill(*answers)
        else:
            self.version += 1
            self._tell()

    def _axes_changed(self, _: object = None) -> None:
        axes = self._image_axes()
        self.version += 1
        with self._silently():
            self._fill_channels()
            self._fill_per(axes)
            times = self._length("T")
            for box, value in ((self.first, 0), (self.last, times)):
                box.setRange(value and 1, times - (value == 0) if times else 0)
                box.setValue(value)
        self._form.setRowVisible(self.channel_menu, "C" in axes and not self.takes_all)
        self._form.setRowVisible(self.times_row, times > 1)
        self._form.setRowVisible(self.per_menu, "Z" in axes or "T" in axes)
        self._tell()

    def _channel_names(self) -> list[str]:
        if self.layer is not None and self.layer.rgb:
            return [*RGB, "alpha"][: shape_of(self.layer)[-1]]
        return [str(i) for i in range(self._length("C"))]

    def _fill_channels(self) -> None:
        self.channel_menu.clear()
        if self.layer is not None and self.layer.rgb:
            self.channel_menu.addItem("brightness", "auto")
        for index, name in enumerate(self._channel_names()):
            self.channel_menu.addItem(name, index)

    def _fill_per(self, axes: str) -> None:
        """Offer what differs for these axes; keep what was chosen if it is among them."""
        chosen = self.per_menu.currentData()
        self.per_menu.clear()
        for text, (apply_to, needed, barred) in PER.items():
            if set(needed) <= set(axes) and not set(barred) & set(axes):
                self.per_menu.addItem(text, apply_to)
        self.per_menu.setCurrentIndex(max(0, self.per_menu.findData(chosen)))

    def _image_axes(self) -> str:
        rgb = self.layer is not None and getattr(self.layer, "rgb", False)
        return self.axes + "C" if rgb else self.axes

    def _length(self, axis: str) -> int:
        if axis not in self.axes:
            return 0
        return shape_of(self.layer)[self.axes.index(axis)]

    def _first_moved(self, first: int) -> None:
        if first >= self.last.value():
            self.last.setValue(first + 1)

    def _last_moved(self, last: int) -> None:
        if last <= self.first.value():
            self.first.setValue(last - 1)

    def _tell(self, _: object = None) -> None:
        if not self._quiet:
            self.changed.emit()

    @contextmanager
    def _silently(self) -> Any:
        before, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = before


def _menu(tip: str) -> Any:
    box = QComboBox()
    narrow_combo(box)
    box.setToolTip(tip)
    return box


def _pair(first: QWidget, last: QWidget) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    first.setToolTip("First time point, counted from 0")
    last.setToolTip("Time point before which to end")
    layout.addWidget(first, 1)
    layout.addWidget(QLabel("to"))
    layout.addWidget(last, 1)
    return row
