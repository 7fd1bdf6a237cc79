"""The Predict dock widget."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from qtpy.QtWidgets import QLabel, QPushButton

from napari_segment import api
from napari_segment.errors import SegmentError
from napari_segment.image import Labels
from napari_segment.registry import Entry
from napari_segment.widgets.docks.model_fit import misfits_of
from napari_segment.widgets.docks.segment import SegmentDock
from napari_segment.widgets.forms.checkpoint import CheckpointField
from napari_segment.widgets.forms.devices import DeviceMenu
from napari_segment.widgets.forms.fields import Field
from napari_segment.widgets.layers.conversion import LayerData, go_to
from napari_segment.widgets.layers.results import doubt_of

if TYPE_CHECKING:
    from napari.viewer import Viewer

PREDICT_LABELS: Mapping[str, str] = {
    "backend": "computed by",
    "batch": "tiles at once",
    "checkpoint": "network",
    "ensemble": "further networks",
    "maps": "further layers",
    "overlap": "overlap of tiles",
    "stack": "segment as",
    "store": "store on disk",
    "test_time_augmentation": "average of flips",
    "tile": "tile size",
}
MODELS = ("checkpoint", "package", "model", "model_folder")  # settings that name one
COUNT = 10  # planes that are offered to be labelled
APART = 3


class Predict(SegmentDock):
    """A trained network, of this project or from elsewhere, run in the worker process.

    Parameters
    ----------
    napari_viewer : napari Viewer
        Whose layers are segmented.
    """

    previews: ClassVar[bool] = False
    first: ClassVar[str] = "network"
    labels: ClassVar[Mapping[str, str]] = PREDICT_LABELS
    instead: ClassVar[Mapping[str, Callable[[], Field]]] = {
        "checkpoint": CheckpointField,
        "device": partial(DeviceMenu, "work"),
    }

    def __init__(self, napari_viewer: Viewer) -> None:
        self.unsure: list[int] = []  # planes to label next, the most unsure first
        self.axis = ("", 0)
        self.shown_plane = -1
        self.next_button = QPushButton("To label next")
        self.fit_label = QLabel()  # what of the image does not fit the network
        self.fit_label.setWordWrap(True)
        super().__init__(napari_viewer)
        self.next_button.setToolTip(
            "Go to the plane that the network is most unsure of, then to the next one; needs "
            "'entropy' or 'disagreement' ticked under “further layers”"
        )
        self.next_button.setEnabled(False)
        self.next_button.clicked.connect(self.go_to_next)
        self.running.more_buttons.addWidget(self.next_button)
        self.running.ended.connect(self._look)
        self.method.changed.connect(self._look)
        self.source.changed.connect(self._look)
        self._look()

    def more(self) -> Sequence[Any]:
        """Return the line that says what does not fit, under the network's form."""
        return (self.fit_label,)

    def _look(self, _: object = None) -> None:
        """Let Run be pressed once a model is chosen; say what of the image does not fit it."""
        form = self.method.form
        fields = form.fields if form is not None else {}
        chosen = [f.value for name, f in fields.items() if name in MODELS]
        ready = Path() not in chosen
        self.running.allow(ready, "" if ready else "Choose a model first: train one, or add one.")
        misfits: list[str] = []
        if ready and "checkpoint" in fields:
            try:
                misfits = misfits_of(Path(fields["checkpoint"].value), self.source.image())
            except SegmentError:  # no image yet, or its axes are open: Run says so
                misfits = []
        self.fit_label.setText(" ".join(misfits))
        self.fit_label.setVisible(bool(misfits))

    @staticmethod
    def offers(entry: Entry) -> bool:
        """Return whether a method is in this widget's menu."""
        return entry.group == "network"

    def shown(self, labels: Labels, layers: list[LayerData], axes: str) -> Any:
        """Return the layers, and the planes worth labelling: their dimension and indices."""
        doubt = doubt_of(labels)
        leading = [a for a in ("Z", "T") if doubt is not None and a in doubt.axes]
        if doubt is None or not leading:
            return layers, ("", 0), []
        axis: Any = leading[0]
        planes = api.slices_to_label_next(doubt, count=COUNT, axis=axis, apart=APART)
        return layers, (axis, axes.removeprefix("C").index(axis)), planes

    def add_result(self, result: Any) -> None:
        """Add what a run gave, and offer the planes that the network was unsure of."""
        layers, self.axis, self.unsure = result
        super().add_result(layers)
        self.shown_plane = -1
        self.next_button.setEnabled(bool(self.unsure))

    def go_to_next(self) -> None:
        """Show the next of the planes to label."""
        there = [layer for run in self.results[-1:] for layer in run if layer in self.viewer.layers]
        if not there:
            self.running.say("The layers of the last run are gone. Run again.")
            return
        layer = there[0]
        self.shown_plane = (self.shown_plane + 1) % len(self.unsure)
        plane = self.unsure[self.shown_plane]
        name, dimension = self.axis
        go_to(self.viewer, layer, dimension, plane)
        rank = f"number {self.shown_plane + 1} of {len(self.unsure)} to label"
        self.running.say(f"{name} {plane}: {rank}.")
