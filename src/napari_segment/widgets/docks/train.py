"""The Train dock widget."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QSize
from qtpy.QtGui import QPixmap
from qtpy.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_segment.deep.training import ENTRY
from napari_segment.registry import losses, models
from napari_segment.step import Step
from napari_segment.widgets.docks.dialogs import network_sheet, picture_sheet
from napari_segment.widgets.docks.dock import Dock
from napari_segment.widgets.docks.training_outcome import training_outcome
from napari_segment.widgets.forms.curves import Curves, Pictures, picture_of
from napari_segment.widgets.forms.devices import DeviceMenu
from napari_segment.widgets.forms.fields import Field
from napari_segment.widgets.forms.form import EntryMenu, Form
from napari_segment.widgets.forms.layout import heading, narrow, order_tabs, scrolling
from napari_segment.widgets.forms.pairs import PairsField, save_pairs
from napari_segment.widgets.forms.recent import networks
from napari_segment.widgets.forms.run_bar import Running
from napari_segment.widgets.forms.train_labels import TRAIN_LABELS
from napari_segment.widgets.jobs.job import Job

if TYPE_CHECKING:
    from napari.viewer import Viewer

NOT_DRAWN = ("elapsed", "epoch", "lr", "seconds")
SCORES = ("ap", "dice", "iou", "accuracy")  # over all classes, from 0 to 1
PROGRESS = 1  # the tab's place
CHANGED = 7  # changed patches that are shown next to the one before any change
PLANNED = ("patch", "spacing")  # settings of networks and losses that the plan fills in
FIELDS: Mapping[str, Callable[[], Field]] = {
    "device": lambda: DeviceMenu("train"),
    "model": lambda: EntryMenu(list(models.values()), hide=PLANNED),
    "loss": lambda: EntryMenu(list(losses.values()), hide=PLANNED),
}
FIRST = ("out", "model", "loss", "minutes", "epochs", "device", "resume", "overwrite")


class Train(Dock):
    """Trains a network in a process of its own, and shows how it learns.

    Parameters
    ----------
    napari_viewer : napari Viewer
        Whose layers can be trained on.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.pairs = PairsField(napari_viewer)
        self.form = Form(ENTRY, only=FIRST, instead=FIELDS, labels=TRAIN_LABELS)
        self.more = Form(ENTRY, hide=(*FIRST, "task"), labels=TRAIN_LABELS, grouped=True)
        self.losses = Curves(napari_viewer, "loss")
        self.scores = Curves(napari_viewer, "validation")
        self.pictures = Pictures()
        self.tabs = QTabWidget()
        self.hint = QLabel("Curves and validation pictures of the training appear here.")
        self.hint.setWordWrap(True)
        self.running = Running("Train", self.make_job, self.finished, process_name="train")
        self.stop_button = QPushButton("Stop, keep best")
        self.cross_box = QCheckBox("cross-validation")
        self.cross_box.setToolTip("Train once for each of the folds; together they are an ensemble")
        self.augment_button = QPushButton("Augmentation …")
        self.network_button = QPushButton("Network …")
        self.sheets: dict[str, Any] = {}
        self._build()
        self.running.began.connect(self._began)
        self.running.stepped.connect(self._step)
        self.running.ended.connect(self._ended)
        self.stop_button.clicked.connect(self.stop)
        self.augment_button.clicked.connect(
            lambda: self.running.begin(self.make_augment_job, self.show_augmentation)
        )
        self.network_button.clicked.connect(
            lambda: self.running.begin(self.make_network_job, self.show_network)
        )

    def sizeHint(self) -> Any:
        return QSize(360, 720)

    def _build(self) -> None:
        self.tabs.addTab(scrolling(self._settings_page()), "Settings")
        self.tabs.addTab(scrolling(self._progress_page()), "Progress")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(self.tabs, 1)
        self.stop_button.setEnabled(False)
        self.stop_button.setToolTip("End the training now; the best network so far is kept")
        self.running.more_buttons.addWidget(self.stop_button, 1)
        layout.addWidget(self.running)

    def _settings_page(self) -> Any:
        body = QWidget()
        form = QVBoxLayout(body)
        form.setContentsMargins(0, 0, 6, 0)
        toggle = QToolButton()
        toggle.setText("More settings")
        toggle.setCheckable(True)
        toggle.toggled.connect(self.more.native.setVisible)
        self.more.native.hide()
        for widget in (
            heading("Images and their labels"), self.pairs.native,
            heading("Training"), self.form.native, self.cross_box, toggle, self.more.native,
        ):  # fmt: skip
            form.addWidget(widget)
        line = QHBoxLayout()
        self.augment_button.setToolTip("How the random changes alter a patch of the first pair")
        self.network_button.setToolTip("Its parameters, memory, layers and graph, before training")
        narrow(self.augment_button, self.network_button, self.stop_button)
        for button in (self.augment_button, self.network_button):
            line.addWidget(button)
        form.addLayout(line)
        form.addStretch(1)
        for part in (self.form, self.more):
            part.changed.connect(lambda: order_tabs(body))
        return body

    def _progress_page(self) -> Any:
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 6, 6, 0)
        column.addWidget(self.hint)
        for view in (self.losses, self.scores, self.pictures):
            view.hide()
            column.addWidget(view)
        column.addStretch(1)
        return body

    def settings(self) -> dict[str, Any]:
        """Return the settings of the form, validated and in plain values.

        Raises
        ------
        SettingError
            Naming the setting that is wrong.
        InputError
            If it is open whether label numbers are classes or objects.
        """
        given = {**self.form.settings, **self.more.settings, "task": self.pairs.task}
        plain = ENTRY.spec(given).settings
        return plain | {"out": str(Path(plain["out"]).expanduser().absolute())}

    def make_job(self) -> Job:
        """Return the training that the form describes."""
        return self._job("train", cross=self.cross_box.isChecked())

    def make_augment_job(self) -> Job:
        """Return a look at the random changes that the form describes."""
        return self._job("augment_preview", _array_of, count=CHANGED)

    def make_network_job(self) -> Job:
        """Return a look at the network that the form describes."""
        return self._job("network_preview", _with_drawing)

    def _job(
        self, verb: str, receive: Callable[[Any], Any] = lambda result: result, **more: Any
    ) -> Job:
        pairs, settings = self.pairs.snapshot(), self.settings()

        def prepare(folder: Path) -> dict[str, Any]:
            return {"pairs": save_pairs(pairs, folder), "settings": settings, **more}

        return Job(verb, prepare, receive)

    def stop(self) -> None:
        """End the training with the best network so far."""
        if self.running.job is not None:
            self.stop_button.setEnabled(False)
            self.running.say("Stopping …")
            self.running.job.stop()

    def finished(self, result: dict[str, Any]) -> None:
        """Offer the networks to the Predict widget."""
        folders = [Path(folder) for folder in result["checkpoints"]]
        for folder in reversed(folders):
            networks.add(folder)
        self.running.say(training_outcome(folders, result["scores"], result["tests"]))

    def show_augmentation(self, pictures: NDArray[Any]) -> None:
        """Show a patch before and after the random changes in a window of its own."""
        names = ["as it is", *[f"changed {n}" for n in range(1, len(pictures))]]
        self._open("augmentation", picture_sheet(self, "Random changes", pictures, names))

    def show_network(self, result: dict[str, Any]) -> None:
        """Show the network in a window of its own, and its costs here."""
        self.running.say(result["costs"])
        drawing = QPixmap.fromImage(picture_of(result["drawing"]))
        self._open("network", network_sheet(self, result["costs"], drawing, result["table"]))

    def _open(self, name: str, sheet: QWidget) -> None:
        if name in self.sheets:
            self.sheets[name].close()
            self.sheets[name].deleteLater()
        self.sheets[name] = sheet
        sheet.show()

    def _began(self) -> None:
        for button in (self.augment_button, self.network_button):
            button.setEnabled(False)
        if self.running.job is None or self.running.job.verb != "train":
            return
        self.stop_button.setEnabled(True)
        self.tabs.setCurrentIndex(PROGRESS)
        self.hint.show()
        for view in (self.losses, self.scores, self.pictures):
            view.clear()
            view.hide()

    def _ended(self) -> None:
        self.stop_button.setEnabled(False)
        for button in (self.augment_button, self.network_button):
            button.setEnabled(True)

    def _step(self, step: Step) -> None:
        numbers = {name: n for name, n in step.numbers.items() if name not in NOT_DRAWN}
        losses = {name: n for name, n in numbers.items() if "loss" in name}
        scores = {}
        if "epoch" in step.numbers:  # a validation
            losses.pop("loss", None)  # the epoch's mean: it has been drawn, update by update
            scores = {name: numbers[name] for name in SCORES if name in numbers}
        for view, chosen in ((self.losses, losses), (self.scores, scores)):
            if chosen:
                self.hint.hide()
                view.show()
                view.add(step.done, chosen)
        if step.preview:
            self.pictures.show()
            self.pictures.show_pictures(step.preview)


def _array_of(result: dict[str, Any]) -> Any:
    return np.load(result["pictures"])


def _with_drawing(result: dict[str, Any]) -> dict[str, Any]:
    from imagecodecs import png_decode

    pixels = png_decode(Path(result["drawing"]).read_bytes())
    return result | {"drawing": pixels}
