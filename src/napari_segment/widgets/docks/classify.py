"""The Classify dock widget: strokes in, a pixel classifier and the classified image out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels as LabelsLayer
from napari.layers import Layer
from qtpy.QtCore import QSize, QTimer
from qtpy.QtWidgets import QLabel, QPushButton, QSpinBox, QVBoxLayout, QWidget

from napari_segment import api
from napari_segment.classical.classifier.training import ENTRY
from napari_segment.errors import InputError
from napari_segment.image import Labels
from napari_segment.widgets.docks.dock import Dock
from napari_segment.widgets.docks.live_strokes import LiveStrokes
from napari_segment.widgets.docks.train_with import TrainWith
from napari_segment.widgets.forms.form import Form
from napari_segment.widgets.forms.layout import form_layout, heading, scrolling
from napari_segment.widgets.forms.model_folder import ModelFolder
from napari_segment.widgets.forms.pairs import save_pairs
from napari_segment.widgets.forms.run_bar import Running
from napari_segment.widgets.forms.section import Section
from napari_segment.widgets.forms.source import LayerMenu, Source, is_labels
from napari_segment.widgets.jobs.job import Job, keep
from napari_segment.widgets.jobs.layer_copies import copies
from napari_segment.widgets.layers.conversion import KEY, geometry, labels_of, snapshot
from napari_segment.widgets.layers.results import result_layers
from napari_segment.worker.stacks import load_stack

if TYPE_CHECKING:
    from napari.viewer import Viewer
    from qtpy.QtGui import QHideEvent, QShowEvent

SETTING_LABELS = {
    "scales": "scales", "features": "features", "trees": "number of trees",
    "min_leaf": "least voxels in a leaf", "max_depth": "longest path",
    "max_samples": "most voxels of a class",
    "seed": "random seed",
}  # fmt: skip
STROKES = "strokes"  # in the metadata of a layer that this dock made
BRUSH = 6  # pixels


class Classify(Dock):
    """Learns from strokes which voxels look alike, and classifies the whole image.

    Parameters
    ----------
    napari_viewer : napari Viewer
        Whose layers are painted and classified.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.source = Source(napari_viewer)
        self.source.ask_channel(wanted=False)
        self.strokes = LayerMenu(napari_viewer, is_labels, "none yet")
        self.paint_button = QPushButton("New strokes")
        self.folder = ModelFolder()
        self.background = QSpinBox()
        self.form = Form(ENTRY, hide=("out", "overwrite", "background"), labels=SETTING_LABELS)
        self.running = Running("Learn and classify", self.make_job, self.finished)
        missing = "There are no strokes: press “New strokes” and paint some."
        self.train_button = TrainWith(napari_viewer, self.examples, self.running.say, missing)
        self.result: Any = None
        self.live = LiveStrokes(self)
        self._build()

    def sizeHint(self) -> Any:
        return QSize(340, 460)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.live.refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        """Take the classes in view along, once Qt has done what hides this."""
        super().hideEvent(event)
        QTimer.singleShot(0, self.live.end_if_gone)

    def _build(self) -> None:
        self.paint_button.setToolTip("Add a layer to paint on: a number for each class")
        self.paint_button.clicked.connect(lambda _checked: self.new_strokes())
        self.background.setRange(0, 999)
        self.background.setSpecialValueText("stays a class")
        self.background.setPrefix("class ")
        self.background.setToolTip("The number that was painted on the background: it becomes 0")
        hint = QLabel(
            "Paint some of each class with its own number, the background too. What is not painted "
            "is unknown."
        )
        hint.setWordWrap(True)
        body = QWidget()
        inner = QVBoxLayout(body)
        inner.setContentsMargins(0, 0, 6, 0)
        fields = QWidget()
        form = form_layout(fields)
        form.addRow("strokes", self.strokes)
        form.addRow(self.paint_button)
        form.addRow("background", self.background)
        form.addRow(self.live.box)
        self.strokes.currentIndexChanged.connect(lambda _index: self.live.follow_strokes())
        for changed in (self.background.valueChanged, self.form.changed, self.source.changed):
            changed.connect(self.live.refresh)
        more = Section("More settings")
        layout = form_layout(more.body)
        layout.addRow(self.form.native)
        layout.addRow("folder", self.folder.native)
        for widget in (
            heading("Image"), self.source.native, heading("Strokes"), hint, fields,
            more, self.train_button,
        ):  # fmt: skip
            inner.addWidget(widget)
        inner.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(6, 6, 6, 6)
        outer.addWidget(scrolling(body), 1)
        outer.addWidget(self.running)

    def new_strokes(self) -> LabelsLayer:
        """Add an empty Labels layer on the image's grid, ready to be painted."""
        image = self.source.image()
        axes = "".join(a for a in self.source.axes if a != "C")
        shape = tuple(image.size(a) for a in axes)
        layer = self.source.layer
        drop = int(self.source.axes.startswith("C"))
        name = f"{layer.name} {STROKES}"
        attributes = {"name": name, "metadata": {KEY: {STROKES: True}}, **geometry(layer, drop)}
        made = LabelsLayer(np.zeros(shape, np.int32), **attributes)
        self.viewer.add_layer(made)
        made.brush_size, made.mode = BRUSH, "paint"
        self.strokes.layer = made
        return made

    def examples(self) -> dict[str, Any] | None:
        """Return the image and the strokes as a training takes them; None without strokes."""
        if self.strokes.layer is None:
            return None
        background = self.background.value()
        return {"image": self.source.layer, "labels": self.strokes.layer, "task": "examples",
                "background": background}  # fmt: skip

    def make_job(self) -> Job:
        """Make the job that trains on the strokes and segments the image, as the form says."""
        image, painted = self.source.image(), self.strokes.layer
        if painted is None:
            raise InputError("There are no strokes: press “New strokes” and paint some.")
        strokes = labels_of(painted, image.axes.replace("C", "")).replace(holds="classes")
        layer, axes = snapshot(self.source.layer), self.source.axes
        folder = self.folder.to_use()
        settings = {
            **self.form.settings,
            "background": self.background.value() or "none",
            "out": str(folder),
            "overwrite": True,  # of this dock's own folder; another was refused above
        }
        recipe = api.recipe_of(
            ("classifier", {"checkpoint": folder}),
            apply_to=self.source.apply_to,
            times=self.source.times,
        )
        pairs = [((image, copies.writer(self.source.layer)), (strokes, copies.writer(painted)))]

        def prepare(job_folder: Path) -> dict[str, Any]:
            return {
                "pairs": save_pairs(pairs, job_folder),
                "settings": settings,
                "recipe": recipe.model_dump(mode="json"),
            }

        def receive(result: dict[str, Any]) -> Any:
            plain = keep(result["labels"]) if image.is_lazy else result["labels"]
            labels = load_stack(plain, memory=not image.is_lazy)
            assert isinstance(labels, Labels)
            return result_layers(labels, layer, axes, f"{layer.name} classes"), result["report"]

        return Job("classify", prepare, receive)

    def finished(self, result: Any) -> None:
        """Show the classes, in place of those of the last run, and say how sure they are."""
        layers, report = result
        if self.result is not None and self.result in self.viewer.layers:
            self.viewer.layers.remove(self.result)
        painted = self.strokes.layer
        self.live.hide()
        self.result = [self.viewer.add_layer(Layer.create(*one)) for one in layers][-1]
        self.result.opacity = 0.4
        if painted in self.viewer.layers:
            self.viewer.layers.move(self.viewer.layers.index(painted), len(self.viewer.layers))
            self.viewer.layers.selection.active = painted  # to be painted on
        self.folder.value = self.folder.own
        self.running.say(_summary(report, self.folder.own))


def _summary(report: dict[str, Any], folder: Path) -> str:
    """Say what was learnt, how well, and where it is, in a few sentences."""
    counts = ", ".join(f"{n:,} of class {c}" for c, n in report["samples"].items())
    text = f"Learnt from {counts} painted voxels."
    if report["out_of_bag"] is not None:
        text += (
            f" {report['out_of_bag']:.0%} of them are recognised by trees that did not see them."
        )
    best = sorted(report["importances"].items(), key=lambda item: -item[1])[:3]
    text += " Most telling: " + ", ".join(name for name, _ in best) + "."
    return f"{text} The classifier is in {folder}."
