"""How long a training takes: presets, minutes, and an estimate from earlier runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QLabel, QVBoxLayout, QWidget

from napari_segment.errors import SegmentError
from napari_segment.widgets.forms.fields import narrow_combo
from napari_segment.widgets.forms.layout import form_layout
from napari_segment.widgets.forms.run_folder import runs_folder

if TYPE_CHECKING:
    from napari_segment.deep.training.record.runs import Run
    from napari_segment.widgets.forms.form import Form

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "quick look": {"minutes": 3.0, "epochs": "auto"},
    "standard": {"minutes": 20.0, "epochs": "auto"},
    "best quality": {"minutes": 180.0, "epochs": "auto"},
}
TIP = Qt.ItemDataRole.ToolTipRole
OWN = "as set below"
TIPS = {
    "quick look": "3 minutes: whether it learns anything at all",
    "standard": "20 minutes: usable where images look alike",
    "best quality": "3 hours: the last few per cent",
    OWN: "Another time limit, or a number of epochs",
}


class TrainingTime(QWidget):
    """Asks how long to train; the answer is held by the fields of the training's form.

    Parameters
    ----------
    form : Form
        Of the training; its fields "minutes" and "epochs" are set.
    """

    def __init__(self, form: Form) -> None:
        super().__init__()
        self.form = form
        self.runs = earlier_runs(runs_folder())
        self.menu, self.estimate = QComboBox(), QLabel()
        for name in (*PRESETS, OWN):
            self.menu.addItem(name)
            self.menu.setItemData(self.menu.count() - 1, TIPS[name], TIP)
        self.menu.setToolTip("A time limit: the learning rate reaches its end with it")
        narrow_combo(self.menu)
        self.estimate.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        body = QWidget()
        form_layout(body).addRow("preset", self.menu)
        column.addWidget(body)
        column.addWidget(self.estimate)
        self.menu.setCurrentText("standard")
        self._chosen()
        self.menu.currentIndexChanged.connect(self._chosen)
        form.changed.connect(self.follow)

    def _chosen(self, _: int = 0) -> None:
        self.form.settings = dict(PRESETS.get(self.menu.currentText(), {}))
        self.describe()

    def follow(self) -> None:
        """Show what the form says, if it was set there."""
        settings = {name: self.form.fields[name].value for name in ("minutes", "epochs")}
        name = next((n for n, preset in PRESETS.items() if preset == settings), OWN)
        if name != self.menu.currentText():
            self.menu.blockSignals(True)
            self.menu.setCurrentText(name)
            self.menu.blockSignals(False)
        self.describe()

    def describe(self) -> None:
        """Say what the time is likely to be enough for, as far as earlier runs tell."""
        minutes, epochs = (self.form.fields[name].value for name in ("minutes", "epochs"))
        model = self.form.fields["model"].value.name
        text = f"{minutes:g} minutes. " if minutes != "none" else "No time limit. "
        if epochs != "auto":
            text += f"At most {epochs:,} epochs. "
        more = estimate(self.runs, model, minutes) if epochs == "auto" else ""
        self.estimate.setText(text + more)


def estimate(runs: Iterable[Run], model: str, minutes: float | str) -> str:
    """Return what earlier runs of a model say about a time limit, in a sentence."""
    same = [run for run in runs if run.model == model and run.epochs and run.minutes]
    if not same or isinstance(minutes, str):
        return "" if isinstance(minutes, str) else "How many epochs that makes is seen as it runs."
    rates = sorted(run.epochs / run.minutes for run in same)
    count = round(rates[len(rates) // 2] * minutes)
    best = max((next(iter(run.scores.items())) for run in same if run.scores), key=lambda s: s[1],
               default=None)  # fmt: skip
    reached = f"; the best of them reached {best[0]} {best[1]:.2f}" if best else ""
    return f"About {count:,} epochs, as in {len(same)} earlier runs of this model{reached}."


def earlier_runs(folder: Path) -> list[Run]:
    """Return the trainings in a folder; none where there are no readable ones."""
    from napari_segment.api import find_runs

    try:
        return find_runs([folder]) if folder.is_dir() else []
    except (SegmentError, OSError):
        return []
