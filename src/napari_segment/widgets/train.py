"""The Train dock widget."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import QSize
from qtpy.QtWidgets import QPushButton, QToolButton, QVBoxLayout, QWidget

from napari_segment.deep.train import ENTRY
from napari_segment.step import Step
from napari_segment.widgets.curves import Curves, Pictures
from napari_segment.widgets.devices import DeviceMenu
from napari_segment.widgets.form import Form
from napari_segment.widgets.job import Job
from napari_segment.widgets.pairs import PairsField, save_pairs
from napari_segment.widgets.recent import networks
from napari_segment.widgets.running import Running
from napari_segment.widgets.segment import heading, scrolling

NOT_DRAWN = ("elapsed", "epoch", "lr", "seconds")
FIRST = ("out", "model", "loss", "minutes", "epochs", "device", "resume", "overwrite")


class Train(QWidget):
    """Trains a network in a process of its own, and shows how it learns.

    Parameters
    ----------
    napari_viewer : napari Viewer
        Whose layers can be trained on.
    """

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__()
        self.pairs = PairsField(napari_viewer)
        device = {"device": lambda: DeviceMenu("train")}
        self.form = Form(ENTRY, only=FIRST, instead=device)
        self.more = Form(ENTRY, hide=FIRST)
        self.losses = Curves(napari_viewer, "loss")
        self.scores = Curves(napari_viewer, "validation")
        self.pictures = Pictures()
        self.running = Running("Train", self.make_job, self.finished, process_name="train")
        self.stop_button = QPushButton("Stop, keep best")
        self._build()
        self.running.began.connect(self._began)
        self.running.stepped.connect(self._step)
        self.running.ended.connect(lambda: self.stop_button.setEnabled(False))
        self.stop_button.clicked.connect(self.stop)

    def sizeHint(self) -> Any:
        return QSize(360, 720)

    def _build(self) -> None:
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
            heading("Training"), self.form.native, toggle, self.more.native,
        ):  # fmt: skip
            form.addWidget(widget)
        form.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(scrolling(body), 1)
        for view in (self.losses, self.scores, self.pictures):
            view.hide()
            layout.addWidget(view)
        self.stop_button.setEnabled(False)
        self.stop_button.setToolTip("End the training now; the best network so far is kept")
        self.running.buttons.addWidget(self.stop_button, 2)
        layout.addWidget(self.running)

    def settings(self) -> dict[str, Any]:
        """What the form says, checked and in plain values.

        Raises
        ------
        SettingError
            Naming the setting that is wrong.
        """
        plain = ENTRY.spec({**self.form.settings, **self.more.settings}).settings
        return plain | {"out": str(Path(plain["out"]).expanduser().absolute())}

    def make_job(self) -> Job:
        """The training that the form describes."""
        pairs, settings = self.pairs.snapshot(), self.settings()

        def prepare(folder: Path) -> dict[str, Any]:
            return {"pairs": save_pairs(pairs, folder), "settings": settings}

        return Job("train", prepare)

    def stop(self) -> None:
        """End the training with the best network so far."""
        if self.running.job is not None:
            self.stop_button.setEnabled(False)
            self.running.say("Stopping …")
            self.running.job.stop()

    def finished(self, result: dict[str, Any]) -> None:
        """Offer the network to the Predict widget."""
        folder = Path(result["checkpoint"])
        networks.add(folder)
        self.running.say(f"The network is in {folder}. The Predict widget offers it.")

    def _began(self) -> None:
        self.stop_button.setEnabled(True)
        for view in (self.losses, self.scores, self.pictures):
            view.clear()
            view.hide()

    def _step(self, step: Step) -> None:
        numbers = {name: n for name, n in step.numbers.items() if name not in NOT_DRAWN}
        losses = {name: n for name, n in numbers.items() if "loss" in name}
        if "epoch" in step.numbers:  # its mean loss has been drawn, update by update
            losses.pop("loss", None)
        scores = {name: n for name, n in numbers.items() if "loss" not in name}
        for view, chosen in ((self.losses, losses), (self.scores, scores)):
            if chosen:
                view.show()
                view.add(step.done, chosen)
        if step.preview:
            self.pictures.show()
            self.pictures.show_pictures(step.preview)
