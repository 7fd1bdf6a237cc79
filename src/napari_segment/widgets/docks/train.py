"""The Train dock widget."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QSize, Qt
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
from napari_segment.widgets.docks.training_status import (
    has_own_loss,
    proposal,
    report,
    status,
)
from napari_segment.widgets.forms.curves import Curves, Pictures, picture_of
from napari_segment.widgets.forms.devices import DeviceMenu
from napari_segment.widgets.forms.fields import Field
from napari_segment.widgets.forms.form import EntryMenu, Form
from napari_segment.widgets.forms.layout import heading, narrow, order_tabs, scrolling
from napari_segment.widgets.forms.pairs import PairsField, save_pairs
from napari_segment.widgets.forms.recent import networks
from napari_segment.widgets.forms.run_bar import Running
from napari_segment.widgets.forms.run_folder import RunFolder, runs_folder
from napari_segment.widgets.forms.train_labels import TRAIN_LABELS
from napari_segment.widgets.forms.training_time import TrainingTime, earlier_runs
from napari_segment.widgets.jobs.job import Job

if TYPE_CHECKING:
    from napari.viewer import Viewer

NOT_DRAWN = ("elapsed", "epoch", "lr", "seconds")
SCORES = ("ap", "dice", "iou", "accuracy")  # over all classes, from 0 to 1
PROGRESS = 1  # the tab's place
MOST = 12  # lines of the plan that are shown
EVERY = 0.5  # seconds between two looks at time and memory
CHANGED = 7  # changed patches that are shown next to the one before any change
PLANNED = ("patch", "spacing")  # settings of networks and losses that the plan fills in
FIELDS: Mapping[str, Callable[[], Field]] = {
    "device": lambda: DeviceMenu("train"),
    "model": lambda: EntryMenu(list(models.values()), hide=PLANNED),
    "loss": lambda: EntryMenu(list(losses.values()), hide=PLANNED),
    "out": RunFolder,
}
FIRST = ("out", "model", "loss", "minutes", "epochs", "device", "resume", "overwrite")


class Train(Dock):
    """Trains a network in a process of its own, and shows how it learns.

    Parameters
    ----------
    napari_viewer : napari Viewer
        Whose layers can be trained on.
    """

    needs: ClassVar[str] = (
        "Open images and the labels that belong to them, or train on two folders or a data set."
    )
    samples: ClassVar[Mapping[str, str]] = {"nuclei": "Nuclei", "two_tissues": "Two tissues"}

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.pairs = PairsField(napari_viewer)
        self.form = Form(ENTRY, only=FIRST, instead=FIELDS, labels=TRAIN_LABELS)
        self.form.fields["out"].value = ""
        self.time = TrainingTime(self.form)
        self.more = Form(
            ENTRY, hide=(*FIRST, "task", "background"), labels=TRAIN_LABELS, grouped=True
        )
        self.losses = Curves(napari_viewer, "loss")
        self.scores = Curves(napari_viewer, "validation")
        self.pictures = Pictures()
        self.tabs = QTabWidget()
        self.plan, self.status = QLabel(), QLabel()  # its reasons; time left, memory
        self.proposal, self.report = QLabel(), QLabel()
        self.check_button = QPushButton("Check the pairs")
        self.hint = QLabel("Curves and validation pictures of the training appear here.")
        self.running = Running("Train", self.make_job, self.finished, process_name="train")
        self.stop_button = QPushButton("Stop, keep best")
        self.cross_box = QCheckBox("cross-validation")
        self.cross_box.setToolTip("Train once for each of the folds; together they are an ensemble")
        self.augment_button = QPushButton("Augmentation …")
        self.network_button = QPushButton("Network …")
        self.sheets: dict[str, Any] = {}
        self._first = 0.0  # when the first update was done
        self._said = 0.0  # when the status was last shown
        self._rate: float | None = None
        self._build()
        self._propose()
        self.running.began.connect(self._began)
        self.running.stepped.connect(self._step)
        self.running.ended.connect(self._ended)
        self.stop_button.clicked.connect(self.stop)
        self.check_button.clicked.connect(
            lambda: self.running.begin(self.make_check_job, self.checked)
        )
        for part in (self.form.changed, self.more.changed, self.pairs.changed):
            part.connect(self._propose)
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
        toggle.setText("Advanced")
        toggle.setCheckable(True)
        toggle.setToolTip("The network, the loss, the run folder and all else that is proposed")
        advanced = QWidget()
        inside = QVBoxLayout(advanced)
        inside.setContentsMargins(0, 0, 0, 0)
        for widget in (self.form.native, self.cross_box, self.more.native):
            inside.addWidget(widget)
        toggle.toggled.connect(advanced.setVisible)
        advanced.hide()
        for label in (self.proposal, self.report):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)  # whatever is named in files
        self.report.hide()
        self.check_button.setToolTip("Shapes, voxel sizes, classes, and what does not fit")
        for widget in (
            heading("1  What to learn from"), self.pairs.native, self.check_button, self.report,
            heading("2  What the numbers mean"), self.pairs.task_box,
            heading("3  How long"), self.time,
            heading("Proposed"), self.proposal, toggle, advanced,
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
        for label in (self.hint, self.status, self.plan):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)  # whatever is named in files
            column.addWidget(label)
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
        given = {**self.form.settings, **self.more.settings, **self.pairs.label_settings}
        folder: Any = self.form.fields["out"]
        return ENTRY.spec(given | {"out": folder.to_use(given["model"].name)}).settings

    def make_job(self) -> Job:
        """Return the training that the form describes."""
        return self._job("train", cross=self.cross_box.isChecked())

    def make_check_job(self) -> Job:
        """Return a look at the pairs before a training: what does not fit."""
        pairs, unknown = self.pairs.snapshot(), self.pairs.unknown
        return Job("check", lambda folder: {"pairs": save_pairs(pairs, folder), **unknown})

    def checked(self, result: dict[str, Any]) -> None:
        """Show what was found about the pairs."""
        self.report.setText(report(result["findings"]))
        self.report.show()
        self.running.conclude("Checked")

    def _propose(self, _: object = None) -> None:
        """Say in words what the settings amount to."""
        settings = {**self.form.settings, **self.more.settings}
        self.proposal.setText(proposal(settings, self.pairs.count))
        own = has_own_loss(settings["model"].name)
        self.form.show_field("loss", shown=not own)

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
        self.time.runs = earlier_runs(runs_folder())
        self.time.describe()
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
        for button in (self.augment_button, self.network_button, self.check_button):
            button.setEnabled(False)
        if self.running.job is None or self.running.job.verb != "train":
            return
        self.stop_button.setEnabled(True)
        self.tabs.setCurrentIndex(PROGRESS)
        self.hint.show()
        self.plan.clear()
        self.status.clear()
        self._first = 0.0  # when the first update was done
        for view in (self.losses, self.scores, self.pictures):
            view.clear()
            view.hide()

    def _ended(self) -> None:
        self.stop_button.setEnabled(False)
        for button in (self.augment_button, self.network_button, self.check_button):
            button.setEnabled(True)

    def _show_status(self, step: Step) -> None:
        """Say how far the training is, twice a second; before it, what was planned and why."""
        if not step.numbers:
            if step.message and not step.done and not self.losses.points:
                self.plan.setText("\n".join([*self.plan.text().splitlines(), step.message][-MOST:]))
            return
        self._first = self._first or perf_counter()
        self._rate = step.numbers.get("lr", self._rate)
        if perf_counter() - self._said < EVERY and step.done < step.total:
            return
        self._said = perf_counter()
        seconds, pid = perf_counter() - self._first, self.running.process.pid
        self.status.setText(status(step.done, step.total, seconds, self._rate, pid))

    def _step(self, step: Step) -> None:
        if self.running.job is None or self.running.job.verb != "train":
            return
        self._show_status(step)
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
