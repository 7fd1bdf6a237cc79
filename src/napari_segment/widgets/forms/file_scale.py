"""An offer of the voxel size of a layer's source file, where the layer has none."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.compat import isalive
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from napari_segment.widgets.forms.number import written
from napari_segment.widgets.jobs.threads import call_in_thread
from napari_segment.widgets.layers.conversion import shape_of
from napari_segment.widgets.layers.files import file_attributes

if TYPE_CHECKING:
    from napari.layers import Layer


class FileScale(QWidget):
    """Says that a layer has no voxel size although its file has one; a button takes it."""

    def __init__(self) -> None:
        super().__init__()
        self.layer: Any = None
        self.attributes: dict[str, Any] = {}
        self.message = QLabel()
        self.message.setWordWrap(True)
        self.message.setTextFormat(Qt.TextFormat.PlainText)  # whatever is named in files
        self.button = QPushButton("Take the voxel size of the file")
        self.button.setToolTip("Set scale, units and axes of the layer as its file states them")
        self.button.setMinimumWidth(60)
        self.button.clicked.connect(self.take)
        layout: Any = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.message)
        layout.addWidget(self.button)
        self.hide()

    def look(self, layer: Layer | None) -> None:
        """Read, in a thread, what the file of a layer without voxel size states."""
        if layer is self.layer and layer is not None:
            return
        self.layer = layer
        self.hide()
        path = None if layer is None else layer.source.path
        if layer is not None and path and _is_bare(layer) and Path(path).exists():
            read = partial(file_attributes, str(path), shape_of(layer))
            call_in_thread(read, partial(self._offer, layer))

    def take(self) -> None:
        """Give the layer what its file states."""
        for name, value in self.attributes.items():
            setattr(self.layer, name, value)
        self.hide()

    def _offer(self, layer: Layer, attributes: dict[str, Any] | None, _: Exception | None) -> None:
        if not attributes or not isalive(self) or layer is not self.layer:
            return
        self.attributes = attributes
        matrix = np.asarray(attributes.get("affine", np.eye(layer.ndim + 1)))[:-1, :-1]
        scale = attributes.get("scale", np.linalg.norm(matrix, axis=0))
        size = " × ".join(written(float(f"{value:.4g}")) for value in scale)
        unit = str(attributes["units"][-1])
        self.message.setText(f"The layer has no voxel size, but its file states {size} {unit}.")
        self.show()


def _is_bare(layer: Layer) -> bool:
    """Return whether a layer's voxels are of size 1 and of no unit."""
    plain = np.allclose(layer.scale, 1) and np.allclose(
        layer.affine.affine_matrix, np.eye(layer.ndim + 1)
    )
    return plain and all(str(unit) == "pixel" for unit in layer.units)
