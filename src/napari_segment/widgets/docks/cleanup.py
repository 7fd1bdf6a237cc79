"""The Cleanup dock widget: cleanups on any Labels layer, wherever it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from napari.layers import Layer
from qtpy.QtCore import QSize
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from napari_segment.errors import InputError
from napari_segment.image import Labels, named_axes
from napari_segment.widgets.docks.dock import Dock
from napari_segment.widgets.forms.form import StepList
from napari_segment.widgets.forms.layout import form_layout, heading, replace_box, scrolling
from napari_segment.widgets.forms.likely import image_for, newest_result
from napari_segment.widgets.forms.run_bar import Running
from napari_segment.widgets.forms.source import LayerMenu, follow, is_image, is_labels
from napari_segment.widgets.jobs.job import Job, keep
from napari_segment.widgets.jobs.layer_copies import copies
from napari_segment.widgets.layers.conversion import (
    IN_TIME,
    image_of,
    labels_of,
    snapshot,
)
from napari_segment.widgets.layers.features import table_of
from napari_segment.widgets.layers.last_result import LastResult
from napari_segment.widgets.layers.results import result_layers
from napari_segment.widgets.layers.unpainted import unpainted_recipe
from napari_segment.worker.stacks import load_stack, save_stack

if TYPE_CHECKING:
    from napari.viewer import Viewer

IN_SPACE = {2: "YX", 3: "ZYX"}


class Cleanup(Dock):
    """Cleans up a Labels layer; the result is a new layer.

    Parameters
    ----------
    napari_viewer : napari Viewer
        Whose layers are cleaned up.
    """

    needs: ClassVar[str] = "Open labels, or segment an image first."
    samples: ClassVar[Mapping[str, str]] = {"nuclei": "Nuclei"}

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.labels = LayerMenu(napari_viewer, is_labels)
        self.image = LayerMenu(napari_viewer, is_image, "none")
        self.cleanups = StepList("cleanups")
        self.replace_box = replace_box()
        self.last = LastResult(napari_viewer)
        self.running = Running("Clean up", self.make_job, self.add_result)
        self.undo_button = QPushButton("Undo")
        self.added: list[Any] = []
        self._source: Any = None
        self._build()
        self.cleanups.add("remove_small")
        self.labels.layer = newest_result(napari_viewer.layers)
        self._labels_changed()

    def sizeHint(self) -> Any:
        return QSize(340, 420)

    def _build(self) -> None:
        self.undo_button.setToolTip("Remove what the last run added")
        self.undo_button.setEnabled(False)
        self.undo_button.clicked.connect(self.undo)
        self.running.buttons.addWidget(self.undo_button, 1)
        self.labels.currentIndexChanged.connect(self._labels_changed)
        self.cleanups.changed.connect(self._image_wanted)
        follow(self, self.viewer.layers.events.removed, self._offer_undo)
        body, fields = QWidget(), QWidget()
        self._form = form_layout(fields)
        self._form.addRow("labels", self.labels)
        self._form.addRow("image", self.image)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 6, 0)
        for part in (heading("Labels"), fields, heading("Cleanups"), self.cleanups.native):
            column.addWidget(part)
        column.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(scrolling(body), 1)
        layout.addWidget(self.replace_box)
        layout.addWidget(self.running)

    def make_job(self) -> Job:
        """Return the run that the form describes.

        Raises
        ------
        InputError
            If there is no Labels layer, or no cleanup.
        """
        layer, specs = self.labels.layer, self.cleanups.value
        if layer is None:
            raise InputError("There is no Labels layer. Segment an image first, or open labels.")
        if not specs:
            raise InputError("There is nothing to do: add a cleanup.")
        axes = named_axes(layer) or IN_TIME.get(layer.ndim) or IN_SPACE.get(layer.ndim, "")
        labels = labels_of(layer, axes).replace(
            features=table_of(layer), recipe=unpainted_recipe(layer)
        )
        seen = self.image.layer if self._looks else None
        image = None if seen is None else image_of(seen)
        write, write_image = copies.writer(layer), copies.writer(seen) if seen else None
        self._source, source = layer, snapshot(layer)
        name = f"{layer.name.removesuffix(SUFFIX)}{SUFFIX}"

        def prepare(folder: Path) -> dict[str, Any]:
            return {
                "labels": save_stack(labels, folder, "labels", write),
                "image": image and save_stack(image, folder, "image", write_image),
                "cleanups": [spec.model_dump(mode="json") for spec in specs],
            }

        def receive(result: dict[str, Any]) -> Any:
            lazy = labels.is_lazy
            cleaned = load_stack(
                keep(result["labels"]) if lazy else result["labels"], memory=not lazy
            )
            assert isinstance(cleaned, Labels)
            return result_layers(cleaned, source, axes, name), result["outcome"]

        return Job("clean", prepare, receive)

    def add_result(self, result: tuple[Any, dict[str, Any]]) -> None:
        """Add the labels, instead of those of the run before if that is wanted."""
        layers, outcome = result
        made = [Layer.create(*data) for data in layers]
        if self.replace_box.isChecked():
            self.last.remove(self._source)
        self.added = [self.viewer.add_layer(layer) for layer in made]
        self.last.set(self.added, self._source)
        self._source = None
        self._offer_undo()
        self.running.conclude(outcome["text"])

    def undo(self) -> None:
        """Remove what the last run added."""
        for layer in [la for la in self.added if la in self.viewer.layers]:
            self.viewer.layers.remove(layer)

    def _offer_undo(self, _: object = None) -> None:
        """Forget layers that are gone, so that their pixels are freed."""
        self.added = [layer for layer in self.added if layer in self.viewer.layers]
        self.undo_button.setEnabled(bool(self.added))

    @property
    def _looks(self) -> bool:
        """Whether a cleanup looks at intensities."""
        entries = (menu.entry for menu in self.cleanups.menus)
        return any(entry is not None and "image" in entry.data for entry in entries)

    def _labels_changed(self, _: int = 0) -> None:
        self.image.layer = image_for(self.labels.layer, self.viewer.layers)
        self._image_wanted()

    def _image_wanted(self, _: object = None) -> None:
        self._form.setRowVisible(self.image, self._looks)


SUFFIX = " cleaned"  # of the new layer's name
