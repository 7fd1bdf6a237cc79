"""What the dock widgets that segment share: an image, steps, a preview, a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from napari.layers import Labels as LabelsLayer
from napari.layers import Layer
from napari.layers import Points as PointsLayer
from qtpy.QtCore import QSize, Qt, QTimer
from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from napari_segment import api
from napari_segment.errors import InputError, SegmentError
from napari_segment.image import Image, Labels
from napari_segment.recipe import Recipe
from napari_segment.registry import Entry, methods
from napari_segment.widgets.fields import Field
from napari_segment.widgets.form import EntryMenu, form_layout
from napari_segment.widgets.histogram import HistogramView
from napari_segment.widgets.job import Job, keep
from napari_segment.widgets.layers import (
    markers_of,
    place_in,
    plane_layer,
    recipe_of_layer,
    result_layer,
    snapshot,
)
from napari_segment.widgets.preview import BY_HAND, Look, Newest, Request, View
from napari_segment.widgets.running import Running
from napari_segment.widgets.source import LayerMenu, Source
from napari_segment.widgets.steps import StepList
from napari_segment.worker.stacks import load_stack, save_stack

PAUSE = 30  # milliseconds without a change before a preview is made
PREVIEW = "preview"


class SegmentDock(QWidget):
    """Filters, one method and cleanups, composed for a layer; previewed, run and recorded.

    Parameters
    ----------
    napari_viewer : napari Viewer
        Whose layers are segmented.
    """

    previews: ClassVar[bool] = True  # whether a plane can be segmented while settings change
    first: ClassVar[str] = ""  # the method to begin with, if it is there
    instead: ClassVar[Mapping[str, Callable[[], Field]]] = {}  # fields of its own, by setting

    @staticmethod
    def offers(entry: Entry) -> bool:
        """Whether a method is in this widget's menu."""
        raise NotImplementedError

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.results: list[Any] = []
        self.source = Source(napari_viewer)
        self.filters, self.cleanups = StepList("filters"), StepList("cleanups")
        self.method = EntryMenu([e for e in methods.values() if self.offers(e)], self.instead)
        if self.first in self.method.entries:
            self.method.name = self.first
        self.extra: dict[str, LayerMenu] = {}
        self.extra_box = QWidget()
        self._extra_form = form_layout(self.extra_box)
        self.histogram = HistogramView(napari_viewer)
        self.preview_box = QCheckBox("preview the plane in view")
        self.running = Running("Run", self.make_job, self.add_result)
        self.undo_button = QPushButton("Undo")
        self._build()
        self.look, self._newest = Look(), Newest()
        self._preview_layer: Any = None
        self._timer = QTimer(self, singleShot=True, interval=PAUSE)
        self._asked = 0.0
        self.latency = 0.0  # seconds from a change to its preview
        self._connect()
        self._method_changed()

    # ---- how it looks ----

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(scrolling(self._sections()), 1)
        line = QHBoxLayout()
        line.addWidget(self.preview_box)
        line.addStretch(1)
        line.addWidget(self._recipe_button())
        layout.addLayout(line)
        self.preview_box.setVisible(self.previews)
        self.undo_button.setToolTip("Remove the layer that the last run added")
        self.undo_button.setEnabled(False)
        self.running.buttons.addWidget(self.undo_button, 1)
        layout.addWidget(self.running)

    def _sections(self) -> Any:
        body = QWidget()
        layout = QVBoxLayout(body)
        layout.setContentsMargins(0, 0, 6, 0)
        layout.setSpacing(4)
        for title, widgets in (
            ("Image", (self.source.native,)),
            ("Filters, before", (self.filters.native,)),
            ("Method", (self.method.native, self.extra_box, self.histogram)),
            ("Cleanups, after", (self.cleanups.native,)),
        ):
            layout.addWidget(heading(title))
            for widget in widgets:
                layout.addWidget(widget)
        layout.addStretch(1)
        return body

    def _recipe_button(self) -> Any:
        button = QPushButton("Recipe")
        button.setToolTip("Keep these steps, or take those of a file or a layer")
        menu = QMenu(button)
        menu.addAction("Save …", self._ask_save)
        menu.addAction("Load …", self._ask_load)
        menu.addAction("Take from the selected layer", self._take_from_layer)
        button.setMenu(menu)
        return button

    def sizeHint(self) -> Any:
        return QSize(340, 640)

    # ---- recipes ----

    def recipe(self) -> Recipe:
        """What the form says, complete.

        Raises
        ------
        SettingError
            Naming the setting that is out of range.
        """
        return api.recipe_of(
            self.method.value,
            filters=self.filters.value,
            cleanups=self.cleanups.value,
            channel=self.source.channel,
            per=self.source.per,
            times=self.source.times,
        )

    def show_recipe(self, recipe: Recipe) -> None:
        """Fill the form from a recipe.

        Raises
        ------
        InputError
            If its method is not one of this widget's.
        """
        if recipe.method.name not in self.method.entries:
            title = methods[recipe.method.name].title
            raise InputError(f"The recipe's method, {title}, belongs to another widget.")
        self.filters.value = recipe.filters
        self.method.value = recipe.method
        self.cleanups.value = recipe.cleanups
        self.source.fill(recipe.channel, recipe.per, recipe.times)

    def save_recipe(self, path: str | Path) -> None:
        """Write what the form says to a file."""
        self.recipe().save(path)

    def load_recipe(self, path: str | Path) -> None:
        """Fill the form from a file."""
        self.show_recipe(Recipe.load(path))

    def _ask_save(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save the recipe", "recipe.yaml", FILES)
        if path:
            self._try(partial(self.save_recipe, path))

    def _ask_load(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Load a recipe", "", FILES)
        if path:
            self._try(partial(self.load_recipe, path))

    def _take_from_layer(self) -> None:
        layer = self.viewer.layers.selection.active
        recipe = recipe_of_layer(layer) if layer is not None else None
        if recipe is None:
            self.running.say("Select a Labels layer that was made by a run.")
        else:
            self._try(partial(self.show_recipe, recipe))

    def _try(self, call: Callable[[], None]) -> None:
        try:
            call()
        except (SegmentError, OSError) as error:
            self.running.say(str(error))

    # ---- running ----

    def make_job(self) -> Job:
        """The run that the form describes."""
        image, recipe = self.source.image(), self.recipe()
        data = self.further_data(image)
        layer, axes = snapshot(self.source.layer), self.source.axes
        name = f"{layer.name} {methods[recipe.method.name].title}"

        def prepare(folder: Path) -> dict[str, Any]:
            return {
                "image": save_stack(image, folder, "image"),
                "data": {key: save_stack(value, folder, key) for key, value in data.items()},
                "recipe": recipe.model_dump(mode="json"),
            }

        def receive(result: dict[str, Any]) -> Any:
            # What was too large for the memory before is so after: it stays in a file.
            plain = keep(result["labels"]) if image.is_lazy else result["labels"]
            labels = load_stack(plain, memory=not image.is_lazy)
            assert isinstance(labels, Labels)
            return result_layer(labels, layer, axes, name)

        return Job("segment", prepare, receive)

    def add_result(self, data: Any) -> None:
        """Add what a run gave; it replaces the preview in view."""
        self.preview_box.setChecked(False)
        layer = Layer.create(*data)
        self.viewer.add_layer(layer)
        self.results.append(layer)
        self.undo_button.setEnabled(True)

    def undo(self) -> None:
        """Remove the layer that the last run added."""
        layer = self.results.pop()
        if layer in self.viewer.layers:
            self.viewer.layers.remove(layer)
        self.undo_button.setEnabled(bool(self.results))

    def further_data(self, image: Image) -> dict[str, Labels]:
        """What the method takes beside the image, such as markers."""
        chosen = {name: menu.layer for name, menu in self.extra.items()}
        return {k: markers_of(layer, image) for k, layer in chosen.items() if layer is not None}

    # ---- following what the user does ----

    def _connect(self) -> None:
        self.source.changed.connect(self.refresh)
        for steps in (self.filters, self.cleanups):
            steps.changed.connect(self.refresh)
        self.method.changed.connect(self._method_changed)
        self.histogram.dragged.connect(self._dragged)
        self.preview_box.toggled.connect(self._preview_toggled)
        self.undo_button.clicked.connect(self.undo)
        self._timer.timeout.connect(self._ask_preview)
        self._newest.ready.connect(self._show_view)
        self._newest.failed.connect(self.running.say)
        self.viewer.dims.events.current_step.connect(self._moved)
        self.viewer.dims.events.ndisplay.connect(self._moved)

    def _method_changed(self, _: Any = None) -> None:
        entry = self.method.entry
        wanted = [n for n in (entry.data if entry else ()) if n not in ("image", "spacing")]
        if list(self.extra) != wanted:
            while self._extra_form.rowCount():
                self._extra_form.removeRow(0)
            self.extra = {n: LayerMenu(self.viewer, _is_marker, "none") for n in wanted}
            for name, menu in self.extra.items():
                self._extra_form.addRow(name, menu)
        self.extra_box.setVisible(bool(wanted))
        self.refresh()

    def refresh(self, _: Any = None) -> None:
        """Ask for the histogram, and the preview if it is on, once things are quiet."""
        if self.previews:
            self._asked = time.perf_counter()
            self._timer.start()

    def _moved(self, _: Any = None) -> None:
        if self.preview_box.isChecked():
            self.refresh()

    def _dragged(self, line: int, value: float) -> None:
        """A threshold was dragged: set it by hand from now on."""
        names = BY_HAND.get(self.method.name)
        if names is None:
            names = BY_HAND["manual"]
            old = self.method.value.settings
            kept = {"objects": old["objects"]} if "objects" in old else {}
            self.method.value = {"name": "manual", "settings": kept | {"value": value}}
            return
        self.method.form.fields[names[line]].value = value  # type: ignore[union-attr]

    # ---- the preview ----

    def _ask_preview(self) -> None:
        if not self.isVisible() and not self.preview_box.isChecked():
            return
        try:
            image, recipe = self.source.image(), self.recipe()
        except SegmentError as error:
            self.histogram.show_counts([], [])
            self.running.say(str(error) if self.source.layer is not None else "")
            return
        layer, axes = self.source.layer, self.source.axes
        where = place_in(self.viewer, layer, axes)
        draw = self.preview_box.isChecked() and not self.extra
        request = Request(image.canonical(), where, recipe, draw, self._newest.stale)
        asked = self._asked
        self._newest.ask(lambda: (self.look(request), layer, axes, where, asked))

    def _show_view(self, found: tuple[View, Any, str, dict[str, int], float]) -> None:
        view, layer, axes, where, asked = found
        if view.histogram is not None:
            self.histogram.show_counts(view.histogram.counts, view.histogram.centers)
            by_hand = self.method.name in BY_HAND
            movable = by_hand or ("manual" in self.method.entries and len(view.values) == 1)
            self.histogram.show_thresholds(view.values, draggable=movable)
        self.histogram.setVisible(view.histogram is not None)
        wanted = self.preview_box.isChecked() and layer in self.viewer.layers
        if not wanted or view.labels is None:
            self._hide_preview()
        else:
            self._draw_preview(plane_layer(view.labels, layer, axes, where))
            self.running.say(view.note)
        self.latency = time.perf_counter() - asked

    def _draw_preview(self, plane: Any) -> None:
        data, attributes, kind = plane
        shown = self._preview_layer
        if shown is not None and shown in self.viewer.layers and shown.ndim == data.ndim:
            shown.data = data
            for name in ("scale", "translate", "rotate", "shear", "affine"):
                if not _equal(getattr(shown, name), attributes[name]):
                    setattr(shown, name, attributes[name])
            return
        self._hide_preview()
        active = self.viewer.layers.selection.active
        self._preview_layer = Layer.create(data, attributes | {"name": PREVIEW}, kind)
        self._preview_layer.editable = False
        self.viewer.add_layer(self._preview_layer)
        self.viewer.layers.selection.active = active

    def _preview_toggled(self, on: bool) -> None:
        if on:
            self.refresh()
        else:
            self._hide_preview()

    def _hide_preview(self) -> None:
        if self._preview_layer is not None and self._preview_layer in self.viewer.layers:
            self.viewer.layers.remove(self._preview_layer)
        self._preview_layer = None
        if not self.preview_box.isChecked():
            self.look.forget()

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        self.refresh()


FILES = "Recipes (*.yaml *.yml *.json)"


def heading(text: str) -> Any:
    """A section's title."""
    label = QLabel(f"<b>{text}</b>")
    label.setContentsMargins(0, 6, 0, 0)
    return label


def scrolling(body: Any) -> Any:
    """A widget that scrolls up and down, and follows the width it is given."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setMinimumHeight(150)
    area.setWidget(body)
    return area


def _is_marker(layer: Any) -> bool:
    return isinstance(layer, LabelsLayer | PointsLayer)


def _equal(old: Any, new: Any) -> bool:
    import numpy as np

    old, new = np.asarray(getattr(old, "affine_matrix", old)), np.asarray(new)
    return old.shape == new.shape and bool(np.allclose(old, new))
