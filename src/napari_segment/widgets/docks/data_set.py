"""The Data set dock widget: what is wrong with images and their labels, and other layouts."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_warning
from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QStyle,
    QVBoxLayout,
    QWidget,
)

from napari_segment.errors import InputError, message_of
from napari_segment.io.datasets.pairs import Pairs, open_layout
from napari_segment.io.datasets.writers import WRITERS
from napari_segment.registry import layouts
from napari_segment.widgets.docks.dock import Dock
from napari_segment.widgets.forms.fields import PathField, narrow_combo
from napari_segment.widgets.forms.layout import form_layout, heading, narrow
from napari_segment.widgets.forms.run_bar import Running
from napari_segment.widgets.jobs.job import Job
from napari_segment.widgets.jobs.threads import call_in_thread
from napari_segment.widgets.layers.conversion import stack_layer

if TYPE_CHECKING:
    from napari.viewer import Viewer

ICONS = {
    "error": QStyle.StandardPixmap.SP_MessageBoxCritical,
    "warning": QStyle.StandardPixmap.SP_MessageBoxWarning,
    "note": QStyle.StandardPixmap.SP_MessageBoxInformation,
}
_CASES = Qt.ItemDataRole.UserRole


class DataSet(Dock):
    """Checks a data set before a network is trained on it, and writes it in another layout.

    Parameters
    ----------
    napari_viewer : napari Viewer
        Where cases are shown.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.layout_menu, self.target_menu = QComboBox(), QComboBox()
        self.layout_menu.addItem("two folders", "")
        self.layout_menu.addItem("recognised", "auto")
        for entry in layouts.values():
            self.layout_menu.addItem(entry.title, entry.name)
        self.target_menu.addItems(list(WRITERS))
        narrow_combo(self.layout_menu)
        narrow_combo(self.target_menu)
        self.folder, self.images, self.labels, self.output = (
            PathField(folder=True) for _ in range(4)
        )
        self.suffix = QLineEdit()
        self.suffix.setPlaceholderText("as usual in the layout")
        self.suffix.setToolTip("The format of the images, such as .nii.gz")
        self.running = Running("Check", self.make_check, self.checked)
        self.convert_button = QPushButton("Convert")
        self.convert_button.setToolTip("Write the data set into a new folder")
        self.findings = QListWidget()
        self.findings.setWordWrap(True)
        self.findings.setToolTip("Double-click a line to show the first case that it names")
        self.save_button = QPushButton("Save …")
        self.save_button.setToolTip("Write what was found to a JSON file")
        self.save_button.setEnabled(False)
        self.report: list[dict[str, Any]] = []
        self._checked: dict[str, str] = {}
        self._build()
        self._connect()

    def sizeHint(self) -> Any:
        return QSize(340, 520)

    def _build(self) -> None:
        layout, body, target = QVBoxLayout(self), QWidget(), QWidget()
        self.form = form_layout(body)
        self.form.addRow("layout", self.layout_menu)
        self.form.addRow("folder", self.folder.native)
        self.form.addRow("images", self.images.native)
        self.form.addRow("labels", self.labels.native)
        into = form_layout(target)
        into.addRow("layout", self.target_menu)
        into.addRow("suffix", self.suffix)
        into.addRow("new folder", self.output.native)
        narrow(self.convert_button, self.save_button)
        self.running.buttons.addWidget(self.save_button, 1)
        layout.addWidget(heading("Images and their labels"))
        layout.addWidget(body)
        layout.addWidget(self.running)
        layout.addWidget(self.findings, 1)
        layout.addWidget(heading("Write in another layout"))
        layout.addWidget(target)
        layout.addWidget(self.convert_button)
        self._show_fields()

    def _connect(self) -> None:
        self.layout_menu.currentIndexChanged.connect(self._show_fields)
        self.convert_button.clicked.connect(self._convert)
        self.save_button.clicked.connect(self._ask_save)
        self.findings.itemDoubleClicked.connect(self.show_case)
        self.running.began.connect(lambda: self.convert_button.setEnabled(False))
        self.running.ended.connect(lambda: self.convert_button.setEnabled(True))

    def _show_fields(self, _: int = 0) -> None:
        two = self.layout_menu.currentData() == ""
        self.form.setRowVisible(self.folder.native, not two)
        self.form.setRowVisible(self.images.native, two)
        self.form.setRowVisible(self.labels.native, two)

    def given(self) -> dict[str, str]:
        """The data set as the worker takes it.

        Raises
        ------
        InputError
            If a folder is not there.
        """
        layout = self.layout_menu.currentData()
        fields = {"images": self.images, "labels": self.labels} if not layout else {
            "folder": self.folder
        }  # fmt: skip
        for name, field in fields.items():
            if field.value == Path() or not field.value.exists():
                of = "data set" if name == "folder" else name
                raise InputError(f"Choose the folder of the {of}.")
        return {name: str(field.value) for name, field in fields.items()} | (
            {"layout": str(layout)} if layout else {}
        )

    def make_check(self) -> Job:
        """Return the check of the data set that the form names."""
        given = self.given()
        self._checked = given
        self.findings.clear()
        self.report = []
        self.save_button.setEnabled(False)
        return Job("check", lambda folder: {"pairs": given})  # noqa: ARG005

    def checked(self, result: dict[str, Any]) -> None:
        """List what was found, errors first."""
        self.report = result["findings"]
        for finding in self.report:
            icon = self.style().standardIcon(ICONS[finding["severity"]])
            item = QListWidgetItem(icon, finding["message"])
            item.setData(_CASES, finding["cases"])
            item.setToolTip(finding["kind"])
            self.findings.addItem(item)
        self.save_button.setEnabled(True)
        counts = {
            kind: sum(f["severity"] == kind for f in self.report) for kind in ("error", "warning")
        }
        parts = [f"{n} {kind}{'' if n == 1 else 's'}" for kind, n in counts.items() if n]
        self.running.conclude(" and ".join(parts) or "Nothing is wrong")

    def make_conversion(self) -> Job:
        """Return the conversion that the form describes."""
        given, target = self.given(), self.output.value
        if target == Path():
            raise InputError("Choose the new folder into which the data set is written.")
        settings = {
            "layout": self.target_menu.currentText(), "suffix": self.suffix.text().strip()
        }  # fmt: skip
        return Job(
            "convert_pairs",
            lambda folder: {"pairs": given, "target": str(target), "settings": settings},  # noqa: ARG005
        )

    def _convert(self, _: bool = False) -> None:
        self.running.begin(self.make_conversion, self.converted)

    def converted(self, result: dict[str, Any]) -> None:
        """Say where the data set is."""
        self.running.conclude(f"Written to {result['folder']}")

    def show_case(self, item: QListWidgetItem) -> None:
        """Add the image and the labels of the first case that a finding names."""
        cases = item.data(_CASES)
        if cases:
            call_in_thread(partial(_read_case, self._checked, cases[0]), self._add_case)

    def _add_case(self, layers: Any, error: Exception | None) -> None:
        if error is not None:
            show_warning(message_of(error))
            return
        for data, attributes, kind in layers:
            getattr(self.viewer, f"add_{kind}")(data, **attributes)

    def save(self, path: str | Path) -> None:
        """Write the findings as JSON, as ``napari-segment check --json`` prints them."""
        Path(path).write_text(json.dumps(self.report, indent=2), "utf-8")

    def _ask_save(self, _: bool = False) -> None:
        path, _filter = QFileDialog.getSaveFileName(
            self, "Save the report", "check.json", "JSON (*.json)"
        )
        if path:
            self.save(path)


def _read_case(given: dict[str, str], name: str) -> list[Any]:
    pairs = pairs_of(given)
    case = next(case for case in pairs if case.name == name)
    return [stack_layer(stack) for stack in pairs.read(case)]


def pairs_of(given: dict[str, str]) -> Pairs:
    """The data set that `DataSet.given` names."""
    if "folder" in given:
        return open_layout(given["folder"], given["layout"])
    return Pairs.of((Path(given["images"]), Path(given["labels"])))
