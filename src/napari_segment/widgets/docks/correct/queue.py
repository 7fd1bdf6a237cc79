"""The review: objects one after the other, the most doubtful first, until all are seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal
from qtpy.QtWidgets import QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from napari_segment import api
from napari_segment.errors import SegmentError
from napari_segment.recipe import Edit
from napari_segment.widgets.docks.correct.button_grid import ButtonGrid
from napari_segment.widgets.layers.camera import look_at
from napari_segment.widgets.layers.conversion import labels_of
from napari_segment.widgets.layers.edits import LayerEdits

if TYPE_CHECKING:
    import pandas as pd
    from napari.viewer import Viewer

NEXT, PREVIOUS, ACCEPT_NEXT = "Shift-J", "Shift-H", "Shift-Y"


class Queue(QWidget):
    """Leads from object to object, and shows how many were seen.

    Parameters
    ----------
    viewer : napari Viewer
        Whose camera moves to the object.
    """

    accepted = Signal(object)  # an Edit
    said = Signal(str)

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self.viewer = viewer
        self.edits: LayerEdits | None = None
        self.table: pd.DataFrame | None = None
        self.position = -1  # of the object that is shown, in the table
        self.order_button = QPushButton("Order by doubt")
        self.previous_button, self.next_button = QPushButton("Previous"), QPushButton("Next")
        self.accept_button = QPushButton("Accept, next")
        self.progress, self.about = QProgressBar(), QLabel()
        self._build()

    def _build(self) -> None:
        self.order_button.setToolTip(
            "Order the objects: outliers of size and shape, low scores, those at the border first"
        )
        self.next_button.setToolTip("Show the next object that is not accepted (Shift+J)")
        self.previous_button.setToolTip("Show the object before (Shift+H)")
        self.accept_button.setToolTip("Accept the object and show the next (Shift+Y)")
        self.order_button.clicked.connect(lambda _: self.order())
        self.next_button.clicked.connect(lambda _: self.step(1))
        self.previous_button.clicked.connect(lambda _: self.step(-1))
        self.accept_button.clicked.connect(lambda _: self.accept())
        self.about.setWordWrap(True)
        self.progress.setMinimumWidth(1)
        buttons = ButtonGrid(
            (self.order_button, self.accept_button, self.previous_button, self.next_button), 2
        )
        layout: Any = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(buttons)
        layout.addWidget(self.progress)
        layout.addWidget(self.about)
        self.follow(None)

    def follow(self, edits: LayerEdits | None) -> None:
        """Take the edits of another layer, or none; the order is that of its objects."""
        self.edits, self.table, self.position = edits, None, -1
        self.about.setText("")
        if edits is not None:
            for key, call in (
                (NEXT, lambda _: self.step(1)),
                (PREVIOUS, lambda _: self.step(-1)),
                (ACCEPT_NEXT, lambda _: self.accept()),
            ):
                edits.layer.bind_key(key, call, overwrite=True)
        self.refresh()

    def leave(self) -> None:
        """Give the keys back."""
        if self.edits is not None:
            for key in (NEXT, PREVIOUS, ACCEPT_NEXT):
                self.edits.layer.bind_key(key, None, overwrite=True)
        self.follow(None)

    def order(self) -> None:
        """Order the objects as they are now, and show the first that is not accepted."""
        if self.edits is None:
            return
        try:
            labels = labels_of(self.edits.layer, self.edits.axes)
            self.table = api.review(labels.replace(holds="objects"))
        except SegmentError as error:
            self.said.emit(str(error))
            return
        self.position = -1
        self.refresh()
        self.step(1)

    def step(self, by: int) -> None:
        """Show the next object that is there and not accepted, or the one before."""
        if self.edits is None:
            return
        if self.table is None:
            self.order()
            return
        seen = self.edits.session.accepted
        position = self.position + by
        while 0 <= position < len(self.table):
            if self._is_there(position) and (by < 0 or self._label(position) not in seen):
                self._show(position)
                return
            position += by
        left = sum(self._is_there(i) and self._label(i) not in seen for i in range(len(self.table)))
        if left and by > 0 and self.position >= 0:
            self.position = -1  # some were passed over: from the beginning
            self.step(1)
            return
        self.about.setText("All objects are accepted." if not left else "This is the first.")

    def accept(self) -> None:
        """Accept the object that is shown, and show the next."""
        if self.table is None or not 0 <= self.position < len(self.table):
            self.step(1)
            return
        at = self._at(self.position)
        number = self._label(self.position)
        self.accepted.emit(Edit(name="accept", settings={"numbers": (number,)}, at=at))
        self.step(1)

    def refresh(self) -> None:
        """Show how many objects are accepted."""
        ready = self.edits is not None
        for button in (self.order_button, self.next_button, self.accept_button):
            button.setEnabled(ready)
        self.previous_button.setEnabled(ready and self.table is not None)
        self.progress.setVisible(ready and self.table is not None)
        if self.edits is None or self.table is None:
            return
        there = {self._label(i) for i in range(len(self.table)) if self._is_there(i)}
        seen = len(there & self.edits.session.accepted)
        self.progress.setRange(0, max(len(there), 1))
        self.progress.setValue(seen)
        self.progress.setFormat(f"{seen} of {len(there)} accepted")

    # ---- one object ----

    def _label(self, position: int) -> int:
        assert self.table is not None
        return int(self.table["label"].iloc[position])

    def _at(self, position: int) -> dict[str, int]:
        assert self.table is not None
        return {"T": int(self.table["time"].iloc[position])} if "time" in self.table else {}

    def _is_there(self, position: int) -> bool:
        assert self.edits is not None
        time = self._at(position).get("T")
        return self.edits.session.history.index.box(self._label(position), time) is not None

    def _show(self, position: int) -> None:
        """Move sliders and camera to an object, and say why it is doubtful."""
        assert self.edits is not None
        assert self.table is not None
        self.position = position
        layer, axes = self.edits.layer, self.edits.axes
        at = self._at(position)
        box = self.edits.session.history.index.box(self._label(position), at.get("T"))
        assert box is not None
        centre = np.array([(side.start + side.stop - 1) / 2 for side in box])
        if "T" in at:
            centre[axes.index("T")] = at["T"]
        look_at(self.viewer, layer, centre.tolist())
        layer.selected_label = self._label(position)
        self.viewer.layers.selection.active = layer
        self.about.setText(self._text(position))

    def _text(self, position: int) -> str:
        assert self.table is not None
        row = self.table.iloc[position]
        reasons = row["reasons"] or "nothing unusual"
        return f"Object {self._label(position)}: {reasons} (doubt {row['doubt']:.2f})."
