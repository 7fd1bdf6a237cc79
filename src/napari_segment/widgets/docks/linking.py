"""The Track and Consensus dock widgets: what joins objects that were segmented apart."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from napari.layers import Layer
from qtpy.QtCore import QSize
from qtpy.QtWidgets import QCheckBox, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_segment.api.entries import verb
from napari_segment.errors import InputError
from napari_segment.image import Labels, named_axes
from napari_segment.widgets.docks.dock import Dock
from napari_segment.widgets.forms.form import Form
from napari_segment.widgets.forms.layout import form_layout, heading, scrolling
from napari_segment.widgets.forms.run_bar import Running
from napari_segment.widgets.forms.source import LayerMenu, follow, is_labels
from napari_segment.widgets.jobs.job import Job, keep
from napari_segment.widgets.jobs.layer_copies import Writer, copies
from napari_segment.widgets.layers.conversion import (
    IN_TIME,
    labels_of,
    result_layer,
    snapshot,
)
from napari_segment.worker.stacks import load_stack, save_stack

if TYPE_CHECKING:
    from napari.viewer import Viewer

IN_SPACE = {2: "YX", 3: "ZYX"}


class LinkingDock(Dock):
    """Labels layers, the settings of a verb, and a new Labels layer.

    Parameters
    ----------
    napari_viewer : napari Viewer
        Whose layers are joined.
    """

    verb: ClassVar[str]
    description: ClassVar[str]  # what it does, above the form
    suffix: ClassVar[str]  # of the new layer's name
    button: ClassVar[str]

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.added: list[Any] = []
        self.form = Form(verb(self.verb))
        self.running = Running(self.button, self.make_job, self.add_result)
        self.undo_button = QPushButton("Undo")
        self.undo_button.setToolTip("Remove what the last run added")
        self.undo_button.setEnabled(False)
        self.undo_button.clicked.connect(self.undo)
        follow(self, napari_viewer.layers.events.removed, self._offer_undo)
        self.running.buttons.addWidget(self.undo_button, 1)
        description = QLabel(self.description)
        description.setWordWrap(True)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 6, 0)
        parts = (heading(verb(self.verb).title), description, self.choice(), self.form.native)
        for part in parts:
            column.addWidget(part)
        column.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(scrolling(body), 1)
        layout.addWidget(self.running)

    def sizeHint(self) -> Any:
        return QSize(340, 320)

    def choice(self) -> Any:
        """Return the part of the form that asks for layers."""
        raise NotImplementedError

    def chosen(self) -> list[tuple[Any, str]]:
        """Return the layers, each with its axes.

        Raises
        ------
        InputError
            If they are too few, or cannot be joined.
        """
        raise NotImplementedError

    def make_job(self) -> Job:
        """Return the run that the form describes."""
        layers = self.chosen()
        stacks: list[tuple[Labels, Writer]] = [
            (labels_of(layer, axes).replace(holds="objects"), copies.writer(layer))
            for layer, axes in layers
        ]
        settings = self.form.spec().settings
        source, axes = snapshot(layers[0][0]), layers[0][1]
        lazy = any(labels.is_lazy for labels, _ in stacks)

        def prepare(folder: Path) -> dict[str, Any]:
            saved = [
                save_stack(labels, folder, f"labels-{i}", write)
                for i, (labels, write) in enumerate(stacks)
            ]
            return {"labels": saved, "settings": settings}

        def receive(result: dict[str, Any]) -> Any:
            labels = load_stack(
                keep(result["labels"]) if lazy else result["labels"], memory=not lazy
            )
            assert isinstance(labels, Labels)
            return result_layer(labels, source, axes, f"{source.name} {self.suffix}")

        return Job(self.verb, prepare, receive)

    def add_result(self, data: Any) -> None:
        """Add the joined labels."""
        layer = self.viewer.add_layer(Layer.create(*data))
        self.added.append(layer)
        self._offer_undo()
        self.viewer.layers.selection.active = layer
        self.running.say(f"Done: {int(layer.data.max(initial=0)):,} objects.")

    def undo(self) -> None:
        """Remove the layer that the last run added, of those that are still there."""
        self.viewer.layers.remove(self._left()[-1])

    def _left(self) -> list[Any]:
        return [layer for layer in self.added if layer in self.viewer.layers]

    def _offer_undo(self, _: object = None) -> None:
        """Forget layers that are gone, so that their pixels are freed."""
        self.added = self._left()
        self.undo_button.setEnabled(bool(self.added))


class Track(LinkingDock):
    """Gives an object one number through time."""

    needs: ClassVar[str] = "Open a time-lapse and segment it."
    samples: ClassVar[Mapping[str, str]] = {"time_lapse": "Moving cells"}
    verb: ClassVar[str] = "track"
    suffix: ClassVar[str] = "tracks"
    button: ClassVar[str] = "Track"
    description: ClassVar[str] = (
        "An object keeps its number, and so its colour, from one time to the next."
    )

    def choice(self) -> Any:
        """Return one Labels layer."""
        self.labels = LayerMenu(self.viewer, is_labels)
        body = QWidget()
        form_layout(body).addRow("labels", self.labels)
        return body

    def chosen(self) -> list[tuple[Any, str]]:
        """Return the layer; without names of its axes, the first is time."""
        layer = self.labels.layer
        if layer is None:
            raise InputError("There is no Labels layer. Segment a time-lapse first.")
        axes = named_axes(layer) or IN_TIME.get(layer.ndim, "")
        if "T" not in axes:
            raise InputError(
                f"Tracks need a time axis, but {layer.name!r} has {layer.ndim} dimensions"
                + (f" named {axes}." if axes else ".")
            )
        return [(layer, axes)]


class Consensus(LinkingDock):
    """Joins several segmentations of one image into what most of them agree on."""

    verb: ClassVar[str] = "consensus"
    suffix: ClassVar[str] = "consensus"
    button: ClassVar[str] = "Join"
    description: ClassVar[str] = (
        "A voxel belongs to an object where more than half of the ticked segmentations say so."
    )

    def choice(self) -> Any:
        """Return a box for each Labels layer."""
        self.boxes: dict[Any, QCheckBox] = {}
        self.rows = QWidget()
        self._column = QVBoxLayout(self.rows)
        self._column.setContentsMargins(0, 0, 0, 0)
        events = self.viewer.layers.events
        for event in (events.inserted, events.removed, events.reordered, events.renamed):
            follow(self.rows, event, self._refresh)
        self._refresh()
        return self.rows

    def chosen(self) -> list[tuple[Any, str]]:
        """Return the ticked layers; `consensus` brings them to the grid of the first."""
        layers = [layer for layer, box in self.boxes.items() if box.isChecked()]
        if len(layers) < 2:
            raise InputError("Tick at least two Labels layers of one image; three decide better.")
        chosen = [(layer, named_axes(layer) or IN_SPACE.get(layer.ndim, "")) for layer in layers]
        if any("T" in axes or not axes for _, axes in chosen):
            raise InputError("A consensus is of one time point, 2-D or 3-D: take each by itself.")
        if len({layer.ndim for layer in layers}) > 1:
            listed = ", ".join(f"{layer.name!r} {axes}" for layer, axes in chosen)
            raise InputError(
                f"A consensus is of planes or of volumes, but was given {listed}. Tick those of "
                "one kind."
            )
        return chosen

    def _refresh(self, _: object = None) -> None:
        ticked = [layer for layer, box in self.boxes.items() if box.isChecked()]
        while self._column.count():
            self._column.takeAt(0).widget().deleteLater()
        self.boxes = {
            layer: QCheckBox(layer.name) for layer in self.viewer.layers if is_labels(layer)
        }
        for layer, box in self.boxes.items():
            box.setChecked(layer in ticked)
            self._column.addWidget(box)
        if not self.boxes:
            self._column.addWidget(QLabel("There is no Labels layer."))
