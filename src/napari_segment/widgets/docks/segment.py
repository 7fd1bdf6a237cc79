"""What the dock widgets that segment share: an image, steps, a preview, a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from napari.layers import Labels as LabelsLayer
from napari.layers import Layer
from napari.layers import Points as PointsLayer
from napari.utils.notifications import show_warning
from qtpy.QtCore import QSize, QTimer
from qtpy.QtWidgets import (
    QAbstractButton,
    QHBoxLayout,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_segment import api
from napari_segment.errors import InputError
from napari_segment.image import Labels
from napari_segment.recipe import Recipe
from napari_segment.registry import FROM_IMAGE, Entry, methods
from napari_segment.widgets.docks.dock import Dock, open_dock
from napari_segment.widgets.docks.extra_outputs import filtered_job
from napari_segment.widgets.docks.live_preview import LivePreview
from napari_segment.widgets.docks.method_strip import MethodStrip
from napari_segment.widgets.forms.fields import Field
from napari_segment.widgets.forms.form import EntryMenu, StepList, check_shown
from napari_segment.widgets.forms.layout import (
    form_layout,
    heading,
    narrow,
    order_tabs,
    replace_box,
    scrolling,
)
from napari_segment.widgets.forms.recipes import RecipeButton
from napari_segment.widgets.forms.run_bar import Offer, Running
from napari_segment.widgets.forms.source import LayerMenu, Source, follow, is_labels
from napari_segment.widgets.jobs.job import Job, keep
from napari_segment.widgets.jobs.layer_copies import copies
from napari_segment.widgets.layers.conversion import LayerData, snapshot
from napari_segment.widgets.layers.last_result import LastResult
from napari_segment.widgets.layers.markers import markers_of
from napari_segment.widgets.layers.results import result_layers
from napari_segment.worker.stacks import load_stack, save_stack

if TYPE_CHECKING:
    from napari.viewer import Viewer
    from qtpy.QtGui import QHideEvent, QShowEvent


class SegmentDock(Dock):
    """Filters, one method and cleanups, composed for a layer; previewed, run and recorded.

    Parameters
    ----------
    napari_viewer : napari Viewer
        Whose layers are segmented.
    """

    previews: ClassVar[bool] = True  # whether a plane can be segmented while settings change
    first: ClassVar[str] = ""  # the method to begin with, if it is there
    labels: ClassVar[Mapping[str, str]] = {}  # of settings, where not their names
    instead: ClassVar[Mapping[str, Callable[[], Field]]] = {}  # fields of its own, by setting

    @staticmethod
    def offers(entry: Entry) -> bool:
        """Return whether a method is in this widget's menu."""
        raise NotImplementedError

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.results: list[list[Any]] = []
        self.source = Source(napari_viewer)
        self.filters, self.cleanups = StepList("filters"), StepList("cleanups")
        offered = [e for e in methods.values() if self.offers(e)]
        self.method = EntryMenu(
            offered, self.instead, labels=self.labels, described=len(offered) > 3
        )
        if self.first in self.method.entries:
            self.method.name = self.first
        self.extra: dict[str, LayerMenu] = {}
        self.extra_box = QWidget()
        self._extra_form = form_layout(self.extra_box)
        self.running = Running("Run", self.make_job, self.finish_run)
        self.live = LivePreview(self)
        self.strip = MethodStrip(self)
        self.recipes = RecipeButton(
            napari_viewer, self.recipe, self.show_recipe, self.running.say,
            lambda: self.source.layer,
        )  # fmt: skip
        self.replace_box = replace_box()
        self.last = LastResult(napari_viewer)
        self.undo_button = QPushButton("Undo")
        self.filtered_button = QToolButton()
        self._build()
        self._connect()
        self._method_changed()

    # ---- how it looks ----

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(scrolling(self._sections()), 1)
        line = QHBoxLayout()
        line.addWidget(self.live.box)
        line.addStretch(1)
        line.addWidget(self.recipes)
        layout.addWidget(self.replace_box)
        layout.addLayout(line)
        self.live.box.setVisible(self.previews)
        self.live.histogram.setVisible(self.previews)
        self.filtered_button.setText("+ Filtered image")
        self.filtered_button.setToolTip(
            "Add the image as the method sees it, as a layer on its own grid"
        )
        narrow(self.filtered_button)
        self.filters.foot.addWidget(self.filtered_button)
        self.undo_button.setToolTip("Remove what the last run added")
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
            (
                "Method",
                (
                    self.strip.native,
                    self.method.native,
                    self.extra_box,
                    *self.more(),
                    self.live.histogram,
                ),
            ),
            ("Cleanups, after", (self.cleanups.native,)),
        ):
            if title:
                layout.addWidget(heading(title))
            for widget in widgets:
                layout.addWidget(widget)
        layout.addStretch(1)
        return body

    def more(self) -> Sequence[Any]:
        """Return the further widgets of a dock, under the method's form."""
        return ()

    def sizeHint(self) -> Any:
        return QSize(340, 640)

    # ---- recipes ----

    def recipe(self) -> Recipe:
        """Return the recipe that the form describes.

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
            apply_to=self.source.apply_to,
            times=self.source.times,
        )

    def show_recipe(self, recipe: Recipe) -> None:
        """Fill the form from a recipe.

        Raises
        ------
        SegmentError
            If its method is not one of this widget's, or a name or setting is unknown.
        """
        recipe = api.recipe_of(
            recipe.method,
            filters=recipe.filters,
            cleanups=recipe.cleanups,
            channel=recipe.channel,
            apply_to=recipe.apply_to,
            times=recipe.times,
        )
        if recipe.method.name not in self.method.entries:
            title = methods[recipe.method.name].title
            raise InputError(f"The recipe's method, {title}, belongs to another widget.")
        for spec in (*recipe.filters, recipe.method, *recipe.cleanups):
            check_shown(spec)
        self.filters.value = recipe.filters
        self.method.value = recipe.method
        self.cleanups.value = recipe.cleanups
        lost = self.source.fill(recipe.channel, recipe.apply_to, recipe.times)
        if lost:
            show_warning(
                f"The recipe takes {lost}, which the chosen image does not have. What is set under "
                "Image holds instead."
            )

    # ---- running ----

    def make_job(self) -> Job:
        """Return the run that the form describes."""
        image, recipe = self.source.image(), self.recipe()
        data = self.further_data()
        layer, axes = snapshot(self.source.layer), self.source.axes
        write = copies.writer(self.source.layer)
        name = f"{layer.name} {methods[recipe.method.name].title}"

        def prepare(folder: Path) -> dict[str, Any]:
            return {
                "image": save_stack(image, folder, "image", write),
                "data": {key: save_stack(value, folder, key) for key, value in data.items()},
                "recipe": recipe.model_dump(mode="json"),
            }

        def receive(result: dict[str, Any]) -> Any:
            # What was too large for the memory before is so after: it stays in a file.
            plain = keep(result["labels"]) if image.is_lazy else result["labels"]
            labels = load_stack(plain, memory=not image.is_lazy)
            assert isinstance(labels, Labels)
            shown = self.shown(labels, result_layers(labels, layer, axes, name), axes)
            return shown, result["outcome"]

        return Job("segment", prepare, receive)

    def finish_run(self, result: tuple[Any, dict[str, Any]]) -> None:
        """Add what a run gave, say what came of it, and offer the next step."""
        shown, outcome = result
        self.add_result(shown)
        self.running.conclude(outcome["text"])
        if outcome["holds"] == "mask" and (outcome["count"] or 0) > 1:
            self.running.suggest(
                Offer(
                    "Number the pieces", partial(self.run_with, "connected_components"),
                    "Run again with the cleanup Connected components: each piece becomes an object",
                ),
                Offer(
                    "Split touching", partial(self.run_with, "split_touching"),
                    "Run again with the cleanup Split touching: pieces are cut at their necks, and "
                    "each part becomes an object",
                ),
            )  # fmt: skip
        elif outcome["count"]:
            self.running.suggest(Offer("Measure them", self.measure, "Open Measure, and measure"))

    def run_with(self, cleanup: str) -> None:
        """Run again with one more cleanup."""
        self.cleanups.add(cleanup)
        self.running.start()

    def measure(self) -> None:
        """Open the Measure dock on the last result, and press its button."""
        runs = self._left()
        if not runs:
            self.running.say("The result is gone. Run again.")
            return
        labels = next(layer for layer in runs[-1] if is_labels(layer))
        dock = open_dock(self.viewer, "Measure")
        dock.labels.layer = labels
        dock.running.start()

    def shown(self, labels: Labels, layers: list[LayerData], axes: str) -> Any:  # noqa: ARG002
        """Return the result of a run for `add_result`; called in a thread."""
        return layers

    def add_result(self, layers: Any) -> None:
        """Add what a run gave, instead of what the run before gave if that is wanted."""
        made = [Layer.create(*data) for data in layers]
        if self.replace_box.isChecked():
            self.last.remove(self.source.layer)
        self.last.set(self._add(made), self.source.layer)

    def add_layers(self, layers: list[LayerData]) -> None:
        """Add layers that Undo removes together; they replace the preview in view."""
        self._add([Layer.create(*data) for data in layers])

    def _add(self, made: list[Any]) -> list[Any]:
        self.live.box.setChecked(False)
        added = [self.viewer.add_layer(layer) for layer in made]
        self.results.append(added)
        self._offer_undo()
        self.viewer.layers.selection.active = next(
            (layer for layer in added if isinstance(layer, LabelsLayer)), added[-1]
        )
        return added

    def show_filtered(self) -> None:
        """Add the image as the method sees it."""
        self.running.begin(lambda: filtered_job(self.source, self.recipe()), self.add_layers)

    def while_idle(self, button: QAbstractButton) -> None:
        """Let a button be pressed only while nothing runs."""
        self.running.began.connect(partial(button.setEnabled, False))
        self.running.ended.connect(partial(button.setEnabled, True))

    def undo(self) -> None:
        """Remove the layers that the last run added, of those runs that left any."""
        for layer in self._left()[-1]:
            self.viewer.layers.remove(layer)
        if not self.viewer.layers.selection:
            self.viewer.layers.selection.active = self.source.layer
        self._offer_undo()

    def _left(self) -> list[list[Any]]:
        """Return the layers of each run that are still there, without those that left none."""
        runs = [[la for la in run if la in self.viewer.layers] for run in self.results]
        return [run for run in runs if run]

    def _offer_undo(self, _: object = None) -> None:
        """Forget layers that are gone, so that their pixels are freed."""
        self.results = self._left()
        self.undo_button.setEnabled(bool(self.results))

    def further_data(self) -> dict[str, Labels]:
        """Return the data that the method takes in addition to the image, such as markers."""
        layer, axes = self.source.layer, self.source.axes
        chosen = {name: menu.layer for name, menu in self.extra.items()}
        return {
            name: markers_of(self.viewer, marks, layer, axes)
            for name, marks in chosen.items()
            if marks is not None
        }

    # ---- following what the user does ----

    def _connect(self) -> None:
        for part in (self.source, self.filters, self.cleanups):
            part.changed.connect(self.live.refresh)
        self.live.refreshed.connect(self.strip.refresh)
        for part in (self.filters, self.cleanups):
            part.changed.connect(lambda _: order_tabs(self))
        self.method.changed.connect(self._method_changed)
        self.undo_button.clicked.connect(self.undo)
        follow(self, self.viewer.layers.events.removed, self._offer_undo)
        self.filtered_button.clicked.connect(self.show_filtered)
        self.while_idle(self.filtered_button)
        self.filters.changed.connect(self._filters_changed)
        self.cleanups.changed.connect(self._channel_wanted)
        self._filters_changed()

    def _filters_changed(self, _: object = None) -> None:
        self.filtered_button.setVisible(bool(self.filters.menus))

    def _method_changed(self, _: object = None) -> None:
        entry = self.method.entry
        wanted = [n for n in (entry.data if entry else ()) if n not in FROM_IMAGE]
        if list(self.extra) != wanted:
            while self._extra_form.rowCount():
                self._extra_form.removeRow(0)
            self.extra = {n: LayerMenu(self.viewer, _is_marker, "none") for n in wanted}
            for name, menu in self.extra.items():
                self._extra_form.addRow(name, menu)
                menu.currentIndexChanged.connect(self.live.refresh)
        self.strip.mark()
        self.extra_box.setVisible(bool(wanted))
        self._channel_wanted()
        order_tabs(self)
        self.live.refresh()

    def _channel_wanted(self, _: object = None) -> None:
        """Ask for a channel only where the method or a cleanup takes one alone."""
        entry = self.method.entry
        chosen = [menu.entry for menu in self.cleanups.menus]
        looks = any(cleanup is not None and "image" in cleanup.data for cleanup in chosen)
        self.source.ask_channel(entry is None or entry.channels == "one" or looks)

    def hideEvent(self, event: QHideEvent) -> None:
        """Look, once Qt has done what hides this, whether the dock widget is gone."""
        super().hideEvent(event)
        QTimer.singleShot(0, self.live.end_if_gone)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.live.refresh()


def _is_marker(layer: object) -> bool:
    return is_labels(layer) or isinstance(layer, PointsLayer)
