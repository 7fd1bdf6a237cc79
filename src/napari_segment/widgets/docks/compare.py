"""The Compare dock widget."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import ref

import numpy as np
from napari.layers import Layer
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QFontDatabase, QIntValidator
from qtpy.QtWidgets import QCheckBox, QLabel, QLineEdit, QTabWidget, QVBoxLayout, QWidget

from napari_segment.errors import InputError
from napari_segment.image import Labels, named_axes
from napari_segment.results.compare import ERRORS
from napari_segment.widgets.docks.dock import Dock
from napari_segment.widgets.docks.error_table import ErrorTable
from napari_segment.widgets.forms.layout import form_layout, heading, scrolling
from napari_segment.widgets.forms.likely import newest_result, reference_for
from napari_segment.widgets.forms.run_bar import Running
from napari_segment.widgets.forms.source import LayerMenu, follow, is_labels
from napari_segment.widgets.jobs.job import Job, keep
from napari_segment.widgets.jobs.layer_copies import copies
from napari_segment.widgets.layers.camera import look_at
from napari_segment.widgets.layers.conversion import (
    KEY,
    LayerData,
    labels_of,
    result_layer,
    snapshot,
)
from napari_segment.widgets.layers.last_result import LastResult
from napari_segment.worker.stacks import load_stack, save_stack

if TYPE_CHECKING:
    from napari.viewer import Viewer


TIP = "Choose a row to go there; click a title to sort."
CLASS_TITLES = {
    "class": "class", "dice": "Dice", "iou": "IoU", "precision": "precision", "recall": "recall",
}  # fmt: skip
OBJECT_TITLES = {
    "outcome": "outcome", "reference": "reference", "label": "result", "time": "time", "iou": "IoU",
}  # fmt: skip
COLORS = {
    "true positive": "#3fb950", "matched": "#3fb950", "false positive": "#e5534b",
    "missed": "#4c9be8", "merged": "#f2a33a", "split": "#b08bea", "wrong class": "#e6d34a",
}  # fmt: skip


class Compare(Dock):
    """Scores a Labels layer against a reference.

    Parameters
    ----------
    napari_viewer : napari Viewer
        Whose layers are compared.
    """

    needs: ClassVar[str] = "Open two Labels layers of one image: a result, and its reference."
    samples: ClassVar[Mapping[str, str]] = {"nuclei": "Nuclei"}

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.result = LayerMenu(napari_viewer, is_labels)
        self.reference = LayerMenu(napari_viewer, is_labels)
        self.result.layer = newest_result(napari_viewer.layers)
        self.result.currentIndexChanged.connect(self._choose_reference)
        for event in (napari_viewer.layers.events.inserted, napari_viewer.layers.events.removed):
            follow(self, event, self._choose_reference)
        self._choose_reference()
        self.running = Running("Compare", self.make_job, self.finished)
        self.ignore_index = QLineEdit()
        self.ignore_index.setPlaceholderText("none")
        self.ignore_index.setValidator(QIntValidator())
        self.ignore_index.setToolTip(
            "Number in the reference of voxels without annotation, which are left out as negative "
            "ones are."
        )
        self.scores: dict[str, float] = {}
        self.errors_box = QCheckBox("layer of errors")
        self.errors_box.setToolTip(
            "Add a layer that shows what is right and what is wrong in colours, instead of that of "
            "the last comparison"
        )
        self.errors_box.setChecked(True)
        self.last = LastResult(napari_viewer)
        self._compared: dict[str, Any] = {}  # weak references to the layers of the tables
        self.report = QLabel()
        self.report.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.report.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.report.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.report.setWordWrap(True)
        self.report.setTextFormat(Qt.TextFormat.PlainText)  # whatever is named in files
        self.classes = ErrorTable(CLASS_TITLES, {}, f"Of each class. {TIP}")
        self.objects = ErrorTable(OBJECT_TITLES, COLORS, f"Of each object, errors first. {TIP}")
        for table in (self.classes, self.objects):
            table.chosen.connect(self.go_to_row)
        self.tabs = QTabWidget()
        self.tabs.addTab(scrolling(self.report), "Scores")
        self.tabs.addTab(self.classes, "Classes")
        self.tabs.addTab(self.objects, "Objects")
        self.tabs.setUsesScrollButtons(False)
        self._build()

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        body = QWidget()
        form = form_layout(body)
        form.addRow("result", self.result)
        form.addRow("reference", self.reference)
        form.addRow("ignore index", self.ignore_index)
        form.addRow(self.errors_box)
        layout.addWidget(heading("With a reference"))
        layout.addWidget(body)
        layout.addWidget(self.running)
        layout.addWidget(self.tabs, 1)

    def sizeHint(self) -> Any:
        return QSize(340, 520)

    def _choose_reference(self, _: object = None) -> None:
        """Choose other labels than the result, unless that was done."""
        if self.reference.layer is None or self.reference.layer is self.result.layer:
            self.reference.layer = reference_for(self.result.layer, self.viewer.layers)

    def make_job(self) -> Job:
        """Return the comparison that the form describes."""
        if self.result.layer is None or self.result.layer is self.reference.layer:
            raise InputError("Choose two Labels layers: the result and its reference.")
        result = labels_of(self.result.layer)
        reference = labels_of(self.reference.layer).replace(holds=result.holds)
        write, write_reference = map(copies.writer, (self.result.layer, self.reference.layer))

        ignored = self.ignore_index.text().strip()
        settings = {"ignore_index": int(ignored)} if ignored else {}
        source, axes = snapshot(self.reference.layer), _axes_of(self.reference.layer, reference)
        self._compared = {
            "labels": _weakly(self.result.layer), "reference": _weakly(self.reference.layer)
        }  # fmt: skip

        def prepare(folder: Path) -> dict[str, Any]:
            return {
                "labels": save_stack(result, folder, "labels", write),
                "reference": save_stack(reference, folder, "reference", write_reference),
                "settings": settings,
            }

        def receive(answer: dict[str, Any]) -> dict[str, Any]:
            return answer | {"errors": error_layer(answer["errors"], source, axes)}

        return Job("compare", prepare, receive)

    def finished(self, result: dict[str, Any]) -> None:
        """Show the scores, the tables, and the layer of errors."""
        self.scores = result["summary"]
        self.report.setText(result["text"])
        self.classes.show_rows(result["classes"])
        self.objects.show_rows(result["objects"])
        self.tabs.setTabEnabled(self.tabs.indexOf(self.objects), bool(result["objects"]))
        reference = self._compared["reference"]()
        if self.errors_box.isChecked() and reference is not None:
            self.last.remove(reference)
            layer = Layer.create(*result["errors"])
            self.viewer.add_layer(layer)
            self.last.set([layer], reference)
        counts = _summary(result["objects"])
        self.running.conclude(counts or f"Mean Dice {self.scores['mean_dice']:.3f}")

    def go_to_row(self, row: Mapping[str, Any]) -> None:
        """Move the sliders and the camera to the object or class of a row."""
        layer = self._compared[row["of"]]()
        if layer is None or layer not in self.viewer.layers:
            self.running.say("The layer of this row is no longer in the window.")
            return
        if row["at"] is None:
            return
        voxel = list(row["at"])
        if len(voxel) < layer.ndim:  # a channel axis, one long
            voxel.insert(_axes_of(layer).index("C"), 0.0)
        look_at(self.viewer, layer, voxel)


def error_layer(saved: dict[str, Any], source: Any, axes: str) -> LayerData:
    """Make a layer of a map of errors, each kind in its own colour and with its name.

    Parameters
    ----------
    saved : dict
        What the process saved.
    source : napari layer
        The reference.
    axes : str
        The letters of its dimensions.
    """
    from napari.utils.colormaps import DirectLabelColormap

    lazy = bool(saved["chunks"])
    errors = load_stack(keep(saved) if lazy else saved, memory=not lazy)
    assert isinstance(errors, Labels)
    data, attributes, kind = result_layer(errors, source, axes, "errors")
    attributes["metadata"][KEY]["errors"] = True
    colors: dict[Any, str] = {None: "transparent", 0: "transparent"}
    colors |= {number: COLORS[name] for number, name in ERRORS.items()}
    attributes |= {"colormap": DirectLabelColormap(color_dict=colors), "opacity": 0.8}
    return data.astype(np.uint8, copy=False), attributes, kind


def _weakly(layer: Any) -> Any:
    """A weak reference to a layer itself, as napari hands plug-ins short-lived wrappers of it."""
    return ref(getattr(layer, "__wrapped__", layer))


def _axes_of(layer: Any, stack: Labels | None = None) -> str:
    """The letters of a layer's dimensions, a channel axis too."""
    named = named_axes(layer)
    return named if "C" in named or stack is None else stack.axes


def _summary(rows: Sequence[Mapping[str, Any]]) -> str:
    """Say what became of the objects of the reference, and how many others there are."""
    shown = (row for row in rows if row["reference"] or row["outcome"] == "false positive")
    counted = Counter(row["outcome"] for row in shown)
    return ", ".join(f"{counted[name]:,} {name}" for name in COLORS if counted[name])
