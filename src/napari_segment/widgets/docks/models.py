"""The Models dock widget: what is on this machine, its card, and what is added or removed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QPixmap
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QMessageBox,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_segment import api
from napari_segment.errors import InputError, SegmentError
from napari_segment.widgets.docks.dock import Dock
from napari_segment.widgets.forms.layout import heading, narrow, scrolling
from napari_segment.widgets.forms.recent import networks
from napari_segment.widgets.forms.run_bar import Running
from napari_segment.widgets.forms.source import follow
from napari_segment.widgets.jobs.job import Job

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from napari_segment.deep.card import Measured
    from napari_segment.exchange.catalogue import Model

LIST_HEIGHT = 130  # pixels
SCORES = 3  # that are shown of each part of the cases
FILES = "Models (*.zip *.onnx *.json *.yaml);;All files (*)"


class Models(Dock):
    """The models of this machine.

    Parameters
    ----------
    napari_viewer : napari Viewer
        In whose window they are used.
    """

    chosen_changed = Signal(object)

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.models: list[Model] = []
        self.list, self.picture, self.card = QListWidget(), QLabel(), QLabel()
        self.list.setMaximumHeight(LIST_HEIGHT)
        self.list.currentRowChanged.connect(self._show)
        self.card.setTextFormat(Qt.TextFormat.PlainText)  # whatever is named in files
        self.card.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.card.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.card.setWordWrap(True)
        for part in (self.card, self.picture):  # as wide as the dock, whatever is in them
            part.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.running = Running("Verify", self.make_verify_job, self.verified)
        self.running.button.setToolTip("Hash the files of the model again: are they as they came?")
        self.add_button, self.use_button = QPushButton("Add"), QPushButton("Use in Predict")
        self.remove_button = QPushButton("Remove")
        self.use_button.setToolTip("Choose this network in the Predict widget")
        self.use_button.clicked.connect(self.use)
        self.remove_button.clicked.connect(self.ask_to_remove)
        self.add_button.setMenu(self._menu())
        narrow(self.add_button, self.use_button, self.remove_button)
        self._arrange()
        self.refresh()
        follow(self, networks.changed, self.refresh)

    def sizeHint(self) -> Any:
        return QSize(340, 480)

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        menu.addAction("A folder …", self._ask_folder)
        menu.addAction("A file …", self._ask_file)
        menu.addAction("An address …", self._ask_address)
        return menu

    def _arrange(self) -> None:
        buttons = QHBoxLayout()
        for button in (self.add_button, self.use_button, self.remove_button):
            buttons.addWidget(button)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 6, 0)
        column.addWidget(self.picture)
        column.addWidget(self.card)
        column.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(heading("Models of this machine"))
        layout.addWidget(self.list)
        layout.addLayout(buttons)
        layout.addWidget(scrolling(body), 1)
        layout.addWidget(self.running)

    # ---- the list ----

    @property
    def chosen(self) -> Model | None:
        """The model whose card is shown."""
        row = self.list.currentRow()
        return self.models[row] if 0 <= row < len(self.models) else None

    def refresh(self, name: str = "") -> None:
        """List the models again, with the same one chosen, or one by name."""
        name = name or (self.chosen.name if self.chosen is not None else "")
        self.models = api.list_models()
        self.list.blockSignals(True)
        self.list.clear()
        for model in self.models:
            item = QListWidgetItem(f"{model.name} · {model.origin} · {model.kind.title}")
            item.setToolTip(str(model.folder))
            self.list.addItem(item)
        known = [model.name for model in self.models]
        self.list.setCurrentRow(known.index(name) if name in known else 0)
        self.list.blockSignals(False)
        self._show()

    def _show(self, _: int = 0) -> None:
        model = self.chosen
        self.use_button.setEnabled(model is not None and model.kind.name == "network")
        self.remove_button.setEnabled(model is not None and model.origin in ("added", "trained"))
        self.running.button.setEnabled(model is not None)
        self.card.setText(
            "No model yet: train one, or add one." if model is None else text_of(model)
        )
        path = model.picture if model is not None else None
        pixmap = QPixmap(str(path)) if path is not None else QPixmap()
        self.picture.setVisible(not pixmap.isNull())
        if not pixmap.isNull():
            width = min(pixmap.width(), max(self.width() - 40, 200))
            smooth = Qt.TransformationMode.SmoothTransformation
            self.picture.setPixmap(pixmap.scaledToWidth(width, smooth))
        self.chosen_changed.emit(model)

    # ---- what can be done ----

    def use(self) -> None:
        """Choose the network in the Predict widget."""
        if self.chosen is not None:
            name = next(iter(self.chosen.recipe[1].values()))
            networks.add(Path(name))
            self.running.say(f"{self.chosen.name} is chosen in the Predict widget.")

    def _ask_folder(self) -> None:
        self.add(QFileDialog.getExistingDirectory(self, "Add a model: its folder"))

    def _ask_file(self) -> None:
        self.add(QFileDialog.getOpenFileName(self, "Add a model: its file", "", FILES)[0])

    def _ask_address(self) -> None:
        text, agreed = QInputDialog.getText(self, "Add a model", "Address of its file (https://…)")
        if agreed:
            self.add(text.strip())

    def add(self, source: str) -> None:
        """Add a model from a folder, a file or an address."""
        if not source:
            return

        def make() -> Job:
            return Job("add_model", lambda _: {"source": source})

        self.running.begin(make, self.added)

    def added(self, result: dict[str, Any]) -> None:
        """Show the model that was added."""
        self.refresh(result["name"])
        networks.changed.emit()
        self.running.say(f"{result['name']} is added.")

    def make_verify_job(self) -> Job:
        """Return the hashing of the chosen model's files."""
        if self.chosen is None:
            raise InputError("Choose a model.")
        name = self.chosen.name
        return Job("verify_models", lambda _: {"names": [name]})

    def verified(self, result: dict[str, Any]) -> None:
        """Say what the hashes were."""
        self.running.say("\n".join(result["lines"]))

    def ask_to_remove(self) -> None:
        """Remove the chosen model, if that is really meant."""
        model = self.chosen
        if model is None:
            return
        trained = model.origin == "trained"
        what = f"Its folder {model.folder} stays." if trained else f"{model.folder} is deleted."
        answer = QMessageBox.question(self, "Remove a model", f"Remove {model.name}? {what}")
        if answer == QMessageBox.StandardButton.Yes:
            self.remove(model.name)

    def remove(self, name: str) -> None:
        """Remove a model."""
        try:
            api.remove_model(name)
        except (SegmentError, OSError) as error:
            self.running.say(str(error))
            return
        self.refresh()
        networks.changed.emit()
        self.running.say(f"{name} is removed.")


def text_of(model: Model) -> str:
    """Return a model's card as plain text: its scores first, with what they were measured on."""
    scores = [_score(scores) for scores in model.card.scores]
    facts = {name: value for name, value in model.facts().items() if name != "name"}
    if "weights" in facts:
        facts["weights"] = facts["weights"][:19] + " …"
    lines = [f"{name}: {value}" for name, value in facts.items()]
    text = "\n".join([*scores, *lines, f"method: {model.recipe[0]}"])
    return text.replace("/", "/\N{ZERO WIDTH SPACE}")  # where a path may be broken


def _score(scores: Measured) -> str:
    first = dict(list(scores.values.items())[:SCORES])
    return f"score: {scores.model_copy(update={'values': first})}"
