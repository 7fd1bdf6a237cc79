"""The choice of a trained network: those of this session, of this machine, or any folder."""

from __future__ import annotations

from pathlib import Path

from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_segment import api
from napari_segment.errors import SegmentError
from napari_segment.widgets.forms.fields import narrow_combo
from napari_segment.widgets.forms.recent import networks
from napari_segment.widgets.forms.source import follow


class CheckpointField:
    """A field whose value is a checkpoint's folder; says what the network is."""

    changed = Signal(object)

    def __init__(self) -> None:
        self.native = QWidget()
        self._newest = ""  # the network that was trained or used last
        self.menu, self.description = QComboBox(), QLabel()
        narrow_combo(self.menu)
        self.menu.setMinimumWidth(80)  # its placeholder would ask for all of its width
        self.menu.setPlaceholderText("choose …")
        self.description.setWordWrap(True)
        self.description.setTextFormat(Qt.TextFormat.PlainText)  # whatever is named in files
        button = QToolButton()
        button.setText("…")
        button.setToolTip("Choose the folder that a training wrote")
        button.clicked.connect(self._ask)
        line = QHBoxLayout()
        line.addWidget(self.menu, 1)
        line.addWidget(button)
        column = QVBoxLayout(self.native)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(line)
        column.addWidget(self.description)
        self._refresh()
        self.menu.currentIndexChanged.connect(self._chosen)
        follow(self.native, networks.changed, self._refresh)

    @property
    def value(self) -> Path:
        return Path(self.menu.currentData() or "")

    @value.setter
    def value(self, folder: str | Path) -> None:
        if Path(folder) == Path():
            return
        if self.menu.findData(str(folder)) < 0:
            networks.add(Path(folder))
        self.menu.setCurrentIndex(self.menu.findData(str(folder)))

    def _refresh(self) -> None:
        """List the networks again; one that is new, as after a training, is chosen."""
        newest = str(next(iter(networks.folders), ""))
        chosen = self.menu.currentData() if newest == self._newest else newest
        self._newest = newest
        self.menu.blockSignals(True)
        self.menu.clear()
        for folder in networks.folders:
            self.menu.addItem(folder.name, str(folder))
        for label, value in networks_of_this_machine():
            if self.menu.findData(value) < 0:
                self.menu.addItem(label, value)
        self.menu.blockSignals(False)
        self.menu.setCurrentIndex(self.menu.findData(chosen) if chosen else self.menu.count() and 0)
        self._chosen()

    def _chosen(self, _: int = 0) -> None:
        self.description.setText(_described(self.value))
        self.description.setVisible(bool(self.description.text()))
        self.menu.setToolTip(self.menu.currentData() or "")
        self.changed.emit(self.value)

    def _ask(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self.native, "Choose a trained network")
        if chosen:
            self.value = chosen


def networks_of_this_machine() -> list[tuple[str, str]]:
    """Return the networks that came with this package, were added or trained: label and value."""
    return [
        (f"{model.name} ({model.origin})", next(iter(model.recipe[1].values())))
        for model in api.list_models()
        if model.kind.name == "network" and not model.problem
    ]


def _described(folder: Path) -> str:
    """Describe a network in one line; or say why it cannot be read."""
    from napari_segment.deep.card import ModelCard
    from napari_segment.deep.checkpoint import Checkpoint
    from napari_segment.io.models_folder import located

    if folder == Path():
        return ""
    try:
        checkpoint = Checkpoint.load(located(folder))
        best = ModelCard.load(checkpoint.folder).best
    except (SegmentError, OSError) as error:
        return str(error)
    channels = f"{checkpoint.channels_in} channel" + "s" * (checkpoint.channels_in != 1)
    names = ", ".join(checkpoint.names.values())
    values = best.values if best is not None else checkpoint.scores
    scores = ", ".join(f"{name} {score:.2f}" for name, score in list(values.items())[:1])
    scores += f" on {best.on}, {best.caution}" if best is not None and scores else ""
    parts = (
        f"{checkpoint.model.name}, {checkpoint.ndim}-D, {channels}",
        checkpoint.holds,
        names,
        scores,
    )
    return " · ".join(part for part in parts if part)
