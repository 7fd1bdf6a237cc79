"""The Compare dock widget."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QFontDatabase, QIntValidator
from qtpy.QtWidgets import QLabel, QLineEdit, QVBoxLayout, QWidget

from napari_segment.errors import InputError
from napari_segment.widgets.docks.dock import Dock
from napari_segment.widgets.forms.layout import form_layout, heading, scrolling
from napari_segment.widgets.forms.likely import newest_result, reference_for
from napari_segment.widgets.forms.run_bar import Running
from napari_segment.widgets.forms.source import LayerMenu, follow, is_labels
from napari_segment.widgets.jobs.job import Job
from napari_segment.widgets.jobs.layer_copies import copies
from napari_segment.widgets.layers.conversion import labels_of
from napari_segment.worker.stacks import save_stack

if TYPE_CHECKING:
    from napari.viewer import Viewer


class Compare(Dock):
    """Scores a Labels layer against a reference.

    Parameters
    ----------
    napari_viewer : napari Viewer
        Whose layers are compared.
    """

    needs: ClassVar[str] = "Open two Labels layers of one image: a result, and its reference."
    samples: ClassVar[Mapping[str, str]] = {"nuclei": "Nuclei"}

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.result = LayerMenu(napari_viewer, is_labels)
        self.reference = LayerMenu(napari_viewer, is_labels)
        self.result.layer = newest_result(napari_viewer.layers)
        self.result.currentIndexChanged.connect(self._choose_reference)
        for event in (napari_viewer.layers.events.inserted, napari_viewer.layers.events.removed):
            follow(self, event, self._choose_reference)
        self._choose_reference()
        self.running = Running("Compare", self.make_job, self.finished)
        self.ignore_index = QLineEdit()
        self.ignore_index.setPlaceholderText("none")
        self.ignore_index.setValidator(QIntValidator())
        self.ignore_index.setToolTip(
            "Number in the reference of voxels without annotation, which are left out as negative "
            "ones are."
        )
        self.scores: dict[str, float] = {}
        self.report = QLabel()
        self.report.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.report.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.report.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.report.setWordWrap(True)
        self.report.setTextFormat(Qt.TextFormat.PlainText)  # whatever is named in files
        layout = QVBoxLayout(self)
        body = QWidget()
        form = form_layout(body)
        form.addRow("result", self.result)
        form.addRow("reference", self.reference)
        form.addRow("ignore index", self.ignore_index)
        layout.addWidget(heading("With a reference"))
        layout.addWidget(body)
        layout.addWidget(self.running)
        layout.addWidget(scrolling(self.report), 1)

    def sizeHint(self) -> Any:
        return QSize(340, 400)

    def _choose_reference(self, _: object = None) -> None:
        """Choose other labels than the result, unless that was done."""
        if self.reference.layer is None or self.reference.layer is self.result.layer:
            self.reference.layer = reference_for(self.result.layer, self.viewer.layers)

    def make_job(self) -> Job:
        """Return the comparison that the form describes."""
        if self.result.layer is None or self.result.layer is self.reference.layer:
            raise InputError("Choose two Labels layers: the result and its reference.")
        result = labels_of(self.result.layer)
        reference = labels_of(self.reference.layer).replace(holds=result.holds)
        write, write_reference = map(copies.writer, (self.result.layer, self.reference.layer))

        ignored = self.ignore_index.text().strip()
        settings = {"ignore_index": int(ignored)} if ignored else {}

        def prepare(folder: Path) -> dict[str, Any]:
            return {
                "labels": save_stack(result, folder, "labels", write),
                "reference": save_stack(reference, folder, "reference", write_reference),
                "settings": settings,
            }

        return Job("compare", prepare)

    def finished(self, result: dict[str, Any]) -> None:
        """Show the scores."""
        self.scores = result["summary"]
        self.report.setText(result["text"])
