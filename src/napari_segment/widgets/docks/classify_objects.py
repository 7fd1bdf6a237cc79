"""The Classify objects dock widget: clicks in, an object classifier and classes of objects out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Labels as LabelsLayer
from napari.layers import Layer
from qtpy.QtCore import QSize
from qtpy.QtWidgets import QLabel, QLineEdit, QPushButton, QSpinBox, QVBoxLayout, QWidget

from napari_segment.classical.object_classifier.training import ENTRY
from napari_segment.errors import InputError
from napari_segment.image import Image, Labels
from napari_segment.widgets.docks.dock import Dock
from napari_segment.widgets.forms.form import Form
from napari_segment.widgets.forms.layout import form_layout, heading, scrolling
from napari_segment.widgets.forms.model_folder import ModelFolder
from napari_segment.widgets.forms.run_bar import Running
from napari_segment.widgets.forms.section import Section
from napari_segment.widgets.forms.source import LayerMenu, is_image, is_labels
from napari_segment.widgets.jobs.job import Job
from napari_segment.widgets.jobs.layer_copies import copies
from napari_segment.widgets.layers.conversion import (
    KEY,
    image_of,
    labels_of,
    snapshot,
)
from napari_segment.widgets.layers.examples import EXAMPLES, clicking, counts_of, examples_layer
from napari_segment.widgets.layers.features import add_features
from napari_segment.widgets.layers.results import result_layers
from napari_segment.widgets.layers.unpainted import unpainted_recipe
from napari_segment.worker.stacks import load_stack, save_stack

if TYPE_CHECKING:
    from napari.viewer import Viewer

SETTING_LABELS = {
    "properties": "properties", "trees": "number of trees", "min_leaf": "least objects in a leaf",
    "max_depth": "longest path", "seed": "random seed",
}  # fmt: skip
HINT = (
    "Click some objects of each class, the first with class 1, then change the class. A second "
    "click takes the class back."
)


class ClassifyObjects(Dock):
    """Learns from clicked objects which of them are alike, and gives every object a class.

    Parameters
    ----------
    napari_viewer : napari Viewer
        Whose layers are used.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.objects = LayerMenu(napari_viewer, _is_objects)
        self.image = LayerMenu(napari_viewer, is_image, "none")
        self.examples = LayerMenu(napari_viewer, _is_examples, "none yet")
        self.new_button = QPushButton("Click examples")
        self.number, self.name = QSpinBox(), QLineEdit()
        self.names: dict[int, str] = {}
        self.folder = ModelFolder()
        self.form = Form(ENTRY, hide=("out", "overwrite"), labels=SETTING_LABELS)
        self.running = Running("Learn and classify", self.make_job, self.finished)
        self.result: Any = None
        self._of: Any = None  # the layer of the objects that are classified
        self._build()

    def sizeHint(self) -> Any:
        return QSize(340, 460)

    def _build(self) -> None:
        self.new_button.setToolTip("Add a layer in which a click gives an object the class below")
        self.new_button.clicked.connect(lambda _checked: self.new_examples())
        self.number.setRange(1, 999)
        self.number.setToolTip("The class that the next clicked object gets")
        self.number.valueChanged.connect(self._choose)
        self.name.setPlaceholderText("class 1")
        self.name.setToolTip("What this class is called, such as “round”")
        self.name.textEdited.connect(self._rename)
        hint = QLabel(HINT)
        hint.setWordWrap(True)
        more = Section("More settings")
        layout = form_layout(more.body)
        layout.addRow(self.form.native)
        layout.addRow("folder", self.folder.native)
        body = QWidget()
        inner = QVBoxLayout(body)
        inner.setContentsMargins(0, 0, 6, 0)
        for widget in (
            heading("Objects"), self._rows(("objects", self.objects), ("image", self.image)),
            heading("Examples"), hint,
            self._rows(("examples", self.examples), ("", self.new_button), ("class", self.number),
                       ("its name", self.name)),
            more,
        ):  # fmt: skip
            inner.addWidget(widget)
        inner.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(6, 6, 6, 6)
        outer.addWidget(scrolling(body), 1)
        outer.addWidget(self.running)

    def _rows(self, *rows: tuple[str, QWidget]) -> QWidget:
        fields = QWidget()
        form = form_layout(fields)
        for label, widget in rows:
            form.addRow(*((label, widget) if label else (widget,)))
        return fields

    # ---- examples ----

    def new_examples(self) -> LabelsLayer:
        """Add an empty layer for examples over the objects, ready to be clicked on."""
        objects = self._chosen()
        made = examples_layer(objects)
        self.viewer.add_layer(made)
        made.mouse_drag_callbacks.append(clicking(lambda: self.objects.layer, self._count))
        made.events.selected_label.connect(self._follow_class)
        self.examples.layer = made
        self.objects.layer = objects
        self.viewer.layers.selection.active = made
        made.mode = "pan_zoom"
        self.number.setValue(1)
        return made

    def _chosen(self) -> Any:
        if self.objects.layer is None:
            raise InputError(
                "There are no objects. Segment an image first, with a cleanup that numbers them."
            )
        return self.objects.layer

    def _choose(self, number: int) -> None:
        layer = self.examples.layer
        if layer is not None and layer.selected_label != number:
            layer.selected_label = number
        self.name.setPlaceholderText(f"class {number}")
        self.name.setText(self.names.get(number, ""))

    def _follow_class(self, _: object = None) -> None:
        if self.examples.layer is not None:
            self.number.setValue(max(int(self.examples.layer.selected_label), 1))

    def _rename(self, text: str) -> None:
        self.names[self.number.value()] = text.strip()

    def _called(self, number: int) -> str:
        return self.names.get(number) or f"class {number}"

    def _count(self) -> None:
        """Say how many objects of each class were clicked."""
        counts = counts_of(self.examples.layer, self.objects.layer)
        self.running.say(", ".join(f"{n} of {self._called(c)}" for c, n in counts.items()))

    # ---- the work ----

    def make_job(self) -> Job:
        """Make the job that trains on the examples and classifies all objects."""
        layer, examples, picture = self._chosen(), self.examples.layer, self.image.layer
        if examples is None:
            raise InputError(
                "There are no examples: press “Click examples” and click some objects."
            )
        objects = labels_of(layer).replace(holds="objects")
        painted = labels_of(examples, objects.axes)
        names = {number: name for number, name in self.names.items() if name}
        painted = painted.replace(holds="classes", names=names)
        image = picture and image_of(picture)
        self._of = layer
        folder = self.folder.to_use()
        settings = {**self.form.settings, "out": str(folder), "overwrite": True}
        stacks: dict[str, tuple[Image | Labels, Layer]] = {
            "labels": (objects, layer), "examples": (painted, examples)
        }  # fmt: skip
        stacks |= {"image": (image, picture)} if image else {}
        writers = {name: copies.writer(of) for name, (_, of) in stacks.items()}
        where, axes = snapshot(layer), objects.axes
        recipe = self._recipe(layer, picture)

        def prepare(job_folder: Path) -> dict[str, Any]:
            saved = {
                name: save_stack(stack, job_folder, name, writers[name])
                for name, (stack, _) in stacks.items()
            }
            return {**saved, "settings": settings, "recipe": recipe}

        def receive(result: dict[str, Any]) -> Any:
            labels = load_stack(result["labels"], memory=True)
            assert isinstance(labels, Labels)
            shown = result_layers(labels, where, axes, f"{where.name} classes")
            return shown, result["features"], result["report"]

        return Job("classify_objects", prepare, receive)

    def _recipe(self, layer: Layer, picture: Layer | None) -> Any:
        """Return the recipe of the objects where they were made of the chosen image."""
        recipe = unpainted_recipe(layer)
        source = (layer.metadata.get(KEY) or {}).get("source")
        if recipe is None or recipe.edits or (picture is not None and picture.name != source):
            return None
        return recipe.model_dump(mode="json")

    def finished(self, result: Any) -> None:
        """Show the classes, in place of those of the last run; objects get class and score."""
        layers, features, report = result
        if self.result is not None and self.result in self.viewer.layers:
            self.viewer.layers.remove(self.result)
        examples = self.examples.layer
        self.result = [self.viewer.add_layer(Layer.create(*one)) for one in layers][-1]
        self.result.opacity = 0.9  # else the colours of the objects below mix with it
        if self._of in self.viewer.layers and "time" not in features:
            add_features(self._of, features)
        if examples in self.viewer.layers:
            self.viewer.layers.move(self.viewer.layers.index(examples), len(self.viewer.layers))
            self.viewer.layers.selection.active = examples  # to be clicked on
        self.folder.value = self.folder.own
        self.running.say(_summary(report, self.folder.own))


def _is_examples(layer: object) -> bool:
    return is_labels(layer) and bool((layer.metadata.get(KEY) or {}).get(EXAMPLES))  # type: ignore[attr-defined]


def _is_objects(layer: object) -> bool:
    return is_labels(layer) and not _is_examples(layer)


def _summary(report: dict[str, Any], folder: Path) -> str:
    """Say what was learnt, how well, what came of it, and where it is."""
    learnt = ", ".join(f"{n:,} of {name}" for name, n in report["samples"].items())
    given = ", ".join(f"{n:,} {name}" for name, n in report["counts"].items())
    text = f"Learnt from {learnt}. All objects: {given}."
    if report["out_of_bag"] is not None:
        text += (
            f" {report['out_of_bag']:.0%} of the examples are recognised by trees that did not see "
            "them."
        )
    best = sorted(report["importances"].items(), key=lambda item: -item[1])[:3]
    text += " Most telling: " + ", ".join(name.replace("_", " ") for name, _ in best) + "."
    return f"{text} The classifier is in {folder}."
