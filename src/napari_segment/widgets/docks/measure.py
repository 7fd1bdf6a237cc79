"""The Measure dock widget."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from qtpy.QtCore import QSize
from qtpy.QtWidgets import QComboBox, QFileDialog, QPushButton, QVBoxLayout, QWidget

from napari_segment.errors import InputError
from napari_segment.widgets.docks.dock import Dock
from napari_segment.widgets.docks.segment import heading
from napari_segment.widgets.forms.layout import form_layout
from napari_segment.widgets.forms.run_bar import Running
from napari_segment.widgets.forms.source import LayerMenu, is_image, is_labels
from napari_segment.widgets.jobs.job import Job
from napari_segment.widgets.jobs.layer_copies import copies
from napari_segment.widgets.layers.conversion import image_of, labels_of
from napari_segment.widgets.layers.features import features_of
from napari_segment.widgets.layers.label_numbers import recorded_holds
from napari_segment.worker.stacks import save_stack

if TYPE_CHECKING:
    import pandas as pd
    from napari.viewer import Viewer

GROUPS = ("basic", "shape", "intensity", "texture", "all")
OF_IMAGES = ("intensity", "texture")
NOUNS = {
    "objects": ("object", "objects"),
    "classes": ("class", "classes"),
    "": ("label number", "label numbers"),
}


class Measure(Dock):
    """Measures objects or classes; the numbers become the layer's features.

    Parameters
    ----------
    napari_viewer : napari Viewer
        Whose layers are measured.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.tables: WeakKeyDictionary[Any, pd.DataFrame] = WeakKeyDictionary()
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
        self._measured: Any = None  # a weak reference to the layer
        self.labels.currentIndexChanged.connect(self._offer_save)
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
        layout.addWidget(heading("Measure each object or class"))
        layout.addWidget(body)
        layout.addWidget(self.running)
        self.running.buttons.addWidget(self.table_button, 1)
        self.running.buttons.addWidget(self.save_button, 1)
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
        self._measured = ref(layer)
        write = copies.writer(layer)
        write_image = copies.writer(self.image.layer) if image else None

        def prepare(folder: Path) -> dict[str, Any]:
            saved = save_stack(labels, folder, "labels", write)
            seen = save_stack(image, folder, "image", write_image) if image else None
            return {"labels": saved, "properties": properties, "image": seen}

        return Job("measure", prepare)

    def finished(self, result: dict[str, Any]) -> None:
        """Keep the table, and show it as the layer's features."""
        import pandas as pd

        table, layer = pd.DataFrame(result["columns"]), self._measured()
        if layer is None:
            self.running.say("The Labels layer was removed while it was measured.")
            return
        if table.empty:
            self.running.say(f"There is nothing to measure: {layer.name!r} has no labels.")
            return
        self.tables[layer] = table
        self._offer_save()
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
        return None if layer is None else self.tables.get(layer)

    def _offer_save(self, _: int = 0) -> None:
        self.save_button.setEnabled(self.table is not None)

    def save(self, path: str | Path) -> None:
        """Write the table of the chosen layer as CSV."""
        if self.table is not None:
            from napari_segment.io import without_formulas

            without_formulas(self.table).to_csv(path, index=False)

    def _ask_save(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save the table", "table.csv", "CSV (*.csv)")
        if path:
            self.save(path)


def _summary(count: int, holds: str) -> str:
    """Say what was measured, in one sentence or two."""
    if holds == "mask":
        return (
            "The mask was measured as one. To measure its pieces, number them first with the "
            "cleanup “Connected components”."
        )
    one, many = NOUNS[holds]
    return f"{count:,} {one if count == 1 else many} measured."
