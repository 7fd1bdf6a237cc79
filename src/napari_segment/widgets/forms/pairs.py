"""What a network is trained on: pairs of layers, or two folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

from qtpy.QtWidgets import QComboBox, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from napari_segment.errors import InputError
from napari_segment.image import Image, Labels
from napari_segment.widgets.forms.fields import PathField, still_wheel
from napari_segment.widgets.forms.form import form_layout, order_tabs
from napari_segment.widgets.forms.source import LayerMenu, is_image, is_labels
from napari_segment.widgets.jobs.layer_copies import Writer, copies
from napari_segment.widgets.layers.conversion import (
    image_of,
    known_axes,
    labels_of,
    possible_axes,
    shape_of,
)
from napari_segment.worker.stacks import save_stack

Pair: TypeAlias = tuple[tuple[Image, Writer], tuple[Labels, Writer]]


class PairsField:
    """Asks for pairs; `snapshot` then holds what was chosen, whatever happens to the layers.

    Parameters
    ----------
    viewer : napari Viewer
        Whose layers are offered.
    """

    def __init__(self, viewer: Any) -> None:
        self.viewer = viewer
        self.native = QWidget()
        self.where = QComboBox()
        self.where.addItems(["layers of this window", "two folders"])
        still_wheel(self.where)
        self.rows: list[tuple[LayerMenu, LayerMenu]] = []
        self.images, self.labels = PathField(folder=True), PathField(folder=True)
        layout = QVBoxLayout(self.native)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.where)
        self._layers_box, self._folders_box = QWidget(), QWidget()
        layout.addWidget(self._layers_box)
        layout.addWidget(self._folders_box)
        self._build_layers()
        form = form_layout(self._folders_box)
        form.addRow("images", self.images.native)
        form.addRow("labels", self.labels.native)
        self.where.currentIndexChanged.connect(self._show)
        self.add_row()
        self._show()

    def add_row(self) -> None:
        """Offer one more pair of layers."""
        pair = LayerMenu(self.viewer, is_image), LayerMenu(self.viewer, is_labels, "no labels")
        labels = pair[1]
        if labels.count() > 1:
            labels.setCurrentIndex(min(len(self.rows) + 1, labels.count() - 1))
        pair[0].setCurrentIndex(min(len(self.rows), pair[0].count() - 1))
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        for menu in pair:
            line.addWidget(menu, 1)
        self._rows_layout.insertWidget(len(self.rows), row)
        self.rows.append(pair)
        order_tabs(self.native)

    def snapshot(self) -> dict[str, str] | list[Pair]:
        """What was chosen, as the worker's job wants it.

        Raises
        ------
        InputError
            If nothing was, or a layer's axes are open.
        """
        if self.where.currentIndex() == 1:
            paths = {"images": self.images.value, "labels": self.labels.value}
            for name, path in paths.items():
                if not path.is_dir() or path == Path():
                    raise InputError(f"Choose the folder of the {name}.")
            return {name: str(path) for name, path in paths.items()}
        chosen = [(i.layer, lab.layer) for i, lab in self.rows if i.layer and lab.layer]
        if not chosen:
            raise InputError("Choose an image layer and the Labels layer that belongs to it.")
        return [_pair(image, labels) for image, labels in chosen]

    def _build_layers(self) -> None:
        self._rows_layout = QVBoxLayout(self._layers_box)
        self._rows_layout.setContentsMargins(0, 0, 0, 0)
        button = QToolButton()
        button.setText("+ Add a pair")
        button.clicked.connect(lambda _checked: self.add_row())
        self._rows_layout.addWidget(button)

    def _show(self, _: int = 0) -> None:
        folders = self.where.currentIndex() == 1
        self._folders_box.setVisible(folders)
        self._layers_box.setVisible(not folders)


def save_pairs(pairs: Any, folder: Path) -> Any:
    """Write the pixels of pairs of layers; folders are named only."""
    if isinstance(pairs, dict):
        return pairs
    return [
        [
            save_stack(image, folder, f"image-{i}", write_image),
            save_stack(labels, folder, f"labels-{i}", write_labels),
        ]
        for i, ((image, write_image), (labels, write_labels)) in enumerate(pairs)
    ]


def _pair(image_layer: Any, labels_layer: Any) -> Pair:
    """A pair on one grid; of a stack with open axes the likeliest are taken, as labels show."""
    axes = known_axes(image_layer) or next(iter(possible_axes(image_layer)), "")
    image = image_of(image_layer, axes)
    own = "".join(a for a in image.axes if a != "C")
    expected = tuple(image.size(a) for a in own)
    shape = shape_of(labels_layer)
    if shape != expected:
        raise InputError(
            f"The labels {labels_layer.name!r} have shape {shape}, but the image {image.name!r} "
            f"has {expected} (axes {own}). Choose the layers that belong together."
        )
    labels = labels_of(labels_layer, own)
    labels = labels.replace(**image.geometry())
    return (image, copies.writer(image_layer)), (labels, copies.writer(labels_layer))
