"""The Measure dock widget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakKeyDictionary, WeakSet, ref

from qtpy.QtCore import QSize
from qtpy.QtWidgets import QComboBox, QFileDialog, QPushButton, QVBoxLayout, QWidget

from napari_segment.errors import InputError, SegmentError
from napari_segment.widgets.docks.dock import Dock
from napari_segment.widgets.forms.layout import form_layout, heading
from napari_segment.widgets.forms.likely import image_for, newest_result
from napari_segment.widgets.forms.run_bar import Running
from napari_segment.widgets.forms.source import LayerMenu, follow, is_image, is_labels
from napari_segment.widgets.jobs.job import Job
from napari_segment.widgets.jobs.layer_copies import copies, pixels_mark
from napari_segment.widgets.layers.conversion import image_of, labels_of
from napari_segment.widgets.layers.features import features_of
from napari_segment.widgets.layers.label_numbers import recorded_holds
from napari_segment.worker.stacks import save_stack

if TYPE_CHECKING:
    import pandas as pd
    from napari.layers import Layer
    from napari.utils.events import Event
    from napari.viewer import Viewer

    from napari_segment.image import Image, Labels

GROUPS = ("basic", "shape", "intensity", "texture", "all")
OF_IMAGES = ("intensity", "texture")
CHANGES = ("paint", "data", "labels_update", "scale", "translate", "affine", "units")
NOUNS = {
    "objects": ("object", "objects"),
    "classes": ("class", "classes"),
    "": ("label number", "label numbers"),
}


STALE = (
    "{name!r} or its image was changed after it was measured; the table is that of before. Press "
    "Measure again, then save."
)


@dataclass(frozen=True)
class Measured:
    """A table, and what tells whether its layers are still those that were measured.

    Parameters
    ----------
    table : DataFrame
        A row for each label.
    image : weak reference or None
        To the image layer, where one was measured.
    mark : tuple
        Of the pixels and geometry of both layers.
    """

    table: pd.DataFrame
    image: ref[Layer] | None
    mark: tuple[Any, ...]

    def is_of(self, layer: Layer) -> bool:
        """Return whether the labels and their image are as they were."""
        image = self.image() if self.image else None
        if self.image and image is None:  # removed: the table is of what it was
            return self.mark[0] == _mark_of(labels_of(layer), layer)
        return self.mark == _marks(layer, image)


class Measure(Dock):
    """Measures objects or classes; the numbers become the layer's features.

    Parameters
    ----------
    napari_viewer : napari Viewer
        Whose layers are measured.
    """

    needs: ClassVar[str] = "Open or make labels, and the image that they belong to."
    samples: ClassVar[Mapping[str, str]] = {"nuclei": "Nuclei"}

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.tables: WeakKeyDictionary[Any, Measured] = WeakKeyDictionary()
        self.labels = LayerMenu(napari_viewer, is_labels)
        self.image = LayerMenu(napari_viewer, is_image, "none")
        self.properties = QComboBox()
        self.properties.addItems(GROUPS)
        self.properties.setToolTip("Which properties; intensity and texture need an image")
        self.running = Running("Measure", self.make_job, self.finished)
        self.save_button = QPushButton("Save …")
        self.save_button.setToolTip("Write the table to a CSV file, units in the column names")
        self.save_button.setEnabled(False)
        self.save_button.clicked.connect(self._ask_save)
        self.table_button = QPushButton("Show table")
        self.table_button.clicked.connect(self.show_table)
        self._measured: Any = None  # weak references to the layer and its image
        self._mark: tuple[Any, ...] = ()  # of their pixels, when the worker was given them
        self._followed: WeakSet[Any] = WeakSet()
        self.labels.currentIndexChanged.connect(self._labels_changed)
        self.labels.layer = newest_result(napari_viewer.layers)
        self._labels_changed()
        self._build()

    def sizeHint(self) -> Any:
        return QSize(340, 240)

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        body = QWidget()
        form = form_layout(body)
        form.addRow("labels", self.labels)
        form.addRow("image", self.image)
        form.addRow("properties", self.properties)
        layout.addWidget(heading("Each object or class"))
        layout.addWidget(body)
        layout.addWidget(self.running)
        self.table_button.setToolTip("Open napari's own table of the layer's features")
        self.running.more_buttons.addWidget(self.table_button, 1)
        self.running.more_buttons.addWidget(self.save_button, 1)
        layout.addStretch(1)

    def make_job(self) -> Job:
        """Return the measurement that the form describes."""
        layer, properties = self.labels.layer, self.properties.currentText()
        if layer is None:
            raise InputError("There is no Labels layer. Segment an image first.")
        if self.image.layer is None and properties in OF_IMAGES:
            raise InputError(
                f"The properties “{properties}” are measured on an image, but none is chosen. "
                "Choose the image that the labels belong to."
            )
        labels = labels_of(layer)
        image = self.image.layer and image_of(self.image.layer)
        chosen = self.image.layer
        self._measured = ref(layer), chosen and ref(chosen)
        write = copies.writer(layer)
        write_image = copies.writer(chosen) if image else None

        def prepare(folder: Path) -> dict[str, Any]:
            self._mark = _marks(layer, chosen)
            saved = save_stack(labels, folder, "labels", write)
            seen = save_stack(image, folder, "image", write_image) if image else None
            return {"labels": saved, "properties": properties, "image": seen}

        return Job("measure", prepare)

    def finished(self, result: dict[str, Any]) -> None:
        """Keep the table, and show it as the layer's features."""
        import pandas as pd

        of_labels, of_image = self._measured
        table, layer = pd.DataFrame(result["columns"]), of_labels()
        if layer is None:
            self.running.say("The Labels layer was removed while it was measured.")
            return
        if table.empty:
            self.running.say(f"There is nothing to measure: {layer.name!r} has no labels.")
            return
        self.tables[layer] = Measured(table, of_image, self._mark)
        self._offer_save()
        self._follow(layer)
        per_label, note = table, _summary(table["label"].nunique(), recorded_holds(layer))
        if "time" in table:
            per_label = table.groupby("label", as_index=False).mean(numeric_only=True)
            note += " The layer's features are means over time; the saved table has each time."
        layer.features = features_of(per_label)
        self.running.say(note)

    def show_table(self) -> None:
        """Open napari's own table of the layer's features."""
        self.viewer.layers.selection.active = self.labels.layer
        self.viewer.window.add_plugin_dock_widget("napari", "Features table widget")

    @property
    def table(self) -> pd.DataFrame | None:
        """The table of the chosen layer; None before it is measured."""
        layer = self.labels.layer
        measured = None if layer is None else self.tables.get(layer)
        return None if measured is None else measured.table

    def _follow(self, layer: Layer) -> None:
        """Say when a measured layer is painted on, or gets other pixels or another scale."""
        if layer not in self._followed:
            self._followed.add(layer)
            for name in CHANGES:
                follow(self, getattr(layer.events, name), self._touched)

    def _touched(self, event: Event) -> None:
        layer = event.source
        if layer in self.tables and layer is self.labels.layer and self.running.job is None:
            self.running.say(STALE.format(name=layer.name))

    def _labels_changed(self, _: int = 0) -> None:
        """Choose the image that the labels were made of."""
        self.image.layer = image_for(self.labels.layer, self.viewer.layers)
        self._offer_save()

    def _offer_save(self, _: int = 0) -> None:
        self.save_button.setEnabled(self.table is not None)

    def save(self, path: str | Path) -> None:
        """Write the table of the chosen layer as CSV.

        Raises
        ------
        InputError
            If the labels, or the image, are not those any more that were measured.
        """
        layer = self.labels.layer
        measured = None if layer is None else self.tables.get(layer)
        if measured is not None:
            from napari_segment.io import without_formulas

            if not measured.is_of(layer):
                raise InputError(STALE.format(name=layer.name))
            without_formulas(measured.table).to_csv(path, index=False)

    def _ask_save(self) -> None:
        layer = self.labels.layer
        if layer is None or not self.tables[layer].is_of(layer):
            self.running.say(STALE.format(name=layer.name) if layer else "")
            return
        path, _ = QFileDialog.getSaveFileName(self, "Save the table", "table.csv", "CSV (*.csv)")
        if path:
            try:
                self.save(path)
            except (SegmentError, OSError) as error:
                self.running.say(str(error))


def _marks(layer: Layer, image: Layer | None) -> tuple[Any, ...]:
    """Return what tells two layers, as they are measured, from others."""
    of_labels = _mark_of(labels_of(layer), layer)
    return of_labels, image and _mark_of(image_of(image), image)


def _mark_of(stack: Image | Labels, layer: Layer) -> tuple[Any, ...]:
    affine = None if stack.affine is None else stack.affine.tobytes()
    geometry = (stack.axes, stack.spacing, stack.unit, affine)
    return (*geometry, *pixels_mark(stack.data, layer.data))


def _summary(count: int, holds: str) -> str:
    """Say what was measured, in one sentence or two."""
    if holds == "mask":
        return (
            "The mask was measured as one. To measure its pieces, number them first with the "
            "cleanup “Connected components”."
        )
    one, many = NOUNS[holds]
    return f"{count:,} {one if count == 1 else many} measured."
