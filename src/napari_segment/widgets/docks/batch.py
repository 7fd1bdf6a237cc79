"""The Batch dock widget: one recipe, or one trained network, over many files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSize
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_segment import api
from napari_segment.errors import InputError
from napari_segment.recipe import Recipe
from napari_segment.step import FileStep, Step
from napari_segment.widgets.docks.dock import Dock
from napari_segment.widgets.forms.checkpoint import CheckpointField
from napari_segment.widgets.forms.fields import PathField, narrow_combo
from napari_segment.widgets.forms.layout import form_layout, heading, scrolling
from napari_segment.widgets.forms.likely import newest_result
from napari_segment.widgets.forms.run_bar import Running
from napari_segment.widgets.forms.source import LayerMenu, is_labels
from napari_segment.widgets.jobs.job import Job
from napari_segment.widgets.layers.conversion import recipe_of_layer, stack_layer

if TYPE_CHECKING:
    from napari.viewer import Viewer

RESULT, FILE, NETWORK = range(3)  # rows of the menu that asks what is run
REPORT = "report.json"


class Batch(Dock):
    """Segments the files of a folder as one image was; those that fail do not end the work.

    Parameters
    ----------
    napari_viewer : napari Viewer
        Whose results give recipes, and where files are opened.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.rows: list[Mapping[str, Any]] = []
        self.what = QComboBox()
        self.what.addItems(["as a result of this window", "a recipe file", "a trained network"])
        narrow_combo(self.what)
        self.result = LayerMenu(napari_viewer, _has_recipe)
        self.recipe_file, self.network = PathField(folder=False), CheckpointField()
        self.folder, self.output = PathField(folder=True), PathField(folder=True)
        self.pattern = QLineEdit("*")
        self.pattern.setToolTip("Of the names of the files, such as *.tif or plate?_*.nii.gz")
        self.below = QCheckBox("folders below too")
        self.go_on = QCheckBox("leave out what exists")
        self.go_on.setToolTip("Make no result again that exists: a run that was ended goes on")
        self.go_on.setChecked(True)
        self.table = QTableWidget(0, 2)
        self.open_button = QPushButton("Open the chosen")
        self.pause_button = QPushButton("Pause")
        self.running = Running("Run all", self.make_job, self.finished)
        self._build()
        self.result.layer = newest_result(la for la in napari_viewer.layers if _has_recipe(la))
        self._show_fields()

    def sizeHint(self) -> Any:
        return QSize(340, 600)

    def _build(self) -> None:
        body = QWidget()
        self._form = form_layout(body)
        for label, widget in (
            ("segment", self.what), ("result", self.result), ("recipe", self.recipe_file.native),
            ("network", self.network.native), ("files in", self.folder.native),
            ("named", self.pattern), ("", self.below), ("results to", self.output.native),
            ("", self.go_on),
        ):  # fmt: skip
            self._form.addRow(*((label, widget) if label else (widget,)))
        self.table.setHorizontalHeaderLabels(["file", "what came of it"])
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.cellDoubleClicked.connect(lambda row, _: self.open(row))
        self.table.setToolTip("Double-click a file to open it with its labels")
        self.table.setMinimumHeight(120)
        self.open_button.setToolTip("Add the image of the chosen row and its labels to the window")
        self.open_button.clicked.connect(lambda: self.open(self.table.currentRow()))
        self.pause_button.setToolTip("Wait after the file at hand; press again to go on")
        self.pause_button.setCheckable(True)
        self.pause_button.setEnabled(False)
        self.pause_button.toggled.connect(self.pause)
        for button in (self.pause_button, self.open_button):
            self.running.more_buttons.addWidget(button, 1)
        self.what.currentIndexChanged.connect(self._show_fields)
        self.running.began.connect(partial(self.pause_button.setEnabled, True))
        self.running.ended.connect(self._ended)
        self.running.stepped.connect(self._step)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 6, 0)
        for part in (heading("Many files"), body, self.table):
            column.addWidget(part)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(scrolling(page), 1)
        layout.addWidget(self.running)

    def _show_fields(self, _: int = 0) -> None:
        chosen = self.what.currentIndex()
        for index, widget in (
            (RESULT, self.result), (FILE, self.recipe_file.native), (NETWORK, self.network.native)
        ):  # fmt: skip
            self._form.setRowVisible(widget, index == chosen)

    def recipe(self) -> Recipe:
        """Return the recipe that is run on every file.

        Raises
        ------
        InputError
            If none is chosen.
        FormatError
            If the file holds none.
        """
        chosen = self.what.currentIndex()
        if chosen == NETWORK:
            if self.network.value == Path():
                raise InputError("Choose a trained network.")
            return api.recipe_of(("network", {"checkpoint": str(self.network.value)}))
        if chosen == FILE:
            if self.recipe_file.value == Path():
                raise InputError("Choose the file of a recipe.")
            return Recipe.load(self.recipe_file.value)
        recipe = None if self.result.layer is None else recipe_of_layer(self.result.layer)
        if recipe is None:
            raise InputError(
                "There is no result in this window. Segment one image first, or take a recipe file."
            )
        return recipe.model_copy(update={"warnings": ()})

    def make_job(self) -> Job:
        """Return the work on all files that the form names.

        Raises
        ------
        InputError
            If a folder is missing, or both are the same.
        """
        recipe, folder, output = self.recipe(), self.folder.value, self.output.value
        if folder == Path() or not folder.is_dir():
            raise InputError("Choose the folder of the files.")
        if output == Path() or output.resolve() == folder.resolve():
            raise InputError("Choose another folder for the results than that of the files.")
        pattern = self.pattern.text().strip() or "*"
        whole = pattern == "*"
        below, target = self.below.isChecked(), output.absolute()
        names = [str(folder)] if whole else [str(folder / ("**" if below else "") / pattern)]
        batch = {"recursive": below, "skip_existing": self.go_on.isChecked()}
        message = {
            "inputs": names, "output": str(target), "recipe": recipe.model_dump(mode="json"),
            "batch": batch | {"report": str(target / REPORT)},
        }  # fmt: skip
        target.mkdir(parents=True, exist_ok=True)  # so that one file too goes into it
        self.rows = []
        self.table.setRowCount(0)
        return Job("segment_files", lambda folder: message)  # noqa: ARG005

    def pause(self, on: bool) -> None:
        """Wait after the step at hand, or go on."""
        if self.running.job is not None:
            self.running.job.pause(on)
            self.running.say("Paused." if on else "Going on …")
        self.pause_button.setText("Go on" if on else "Pause")

    def _ended(self) -> None:
        self.pause_button.setChecked(False)
        self.pause_button.setEnabled(False)

    def _step(self, step: Step) -> None:
        if isinstance(step, FileStep):
            self._add(step.row)

    def _add(self, row: Mapping[str, Any]) -> None:
        """List what became of a file."""
        self.rows.append(row)
        at = self.table.rowCount()
        self.table.insertRow(at)
        count, holds = row.get("count"), row.get("holds", "")
        became = {
            "failed": str(row.get("error")), "skipped": "exists already",
            "done": f"{count:,} {holds}" if count is not None else f"done ({holds})",
        }[row["status"]]  # fmt: skip
        for column, text in enumerate((Path(row["input"]).name, became)):
            item = QTableWidgetItem(text)
            item.setToolTip(f"{row['input']}\n{became}")
            self.table.setItem(at, column, item)
        self.table.scrollToBottom()

    def finished(self, result: dict[str, Any]) -> None:
        """Count what became of the files, and say where the report is."""
        counts = result["counts"]
        parts = [f"{counts[s]:,} {s}" for s in ("done", "skipped", "failed") if counts.get(s)]
        self.running.conclude(f"{', '.join(parts)}. The report is {result['report']}")

    def open(self, at: int) -> None:
        """Add the image of a row and its labels to the window."""
        if not 0 <= at < len(self.rows):
            self.running.say("Choose a file in the table.")
            return
        row = self.rows[at]
        stacks: list[Any] = [api.read(row["input"])]
        if Path(row["output"]).exists():
            stacks.append(api.as_labels(row["output"]))
        for stack in stacks:
            data, attributes, kind = stack_layer(stack)
            getattr(self.viewer, f"add_{kind}")(data, **attributes)


def _has_recipe(layer: object) -> bool:
    return is_labels(layer) and bool(
        getattr(layer, "metadata", {}).get("napari-segment", {}).get("recipe")
    )
