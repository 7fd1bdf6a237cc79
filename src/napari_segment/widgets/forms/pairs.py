"""What a network is trained on: pairs of layers, or two folders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_segment.errors import InputError
from napari_segment.image import Image, Labels
from napari_segment.widgets.forms.fields import PathField, narrow_combo
from napari_segment.widgets.forms.layout import form_layout, order_tabs
from napari_segment.widgets.forms.likely import image_for, labels_for
from napari_segment.widgets.forms.source import LayerMenu, follow, is_image, is_labels
from napari_segment.widgets.jobs.layer_copies import Writer, copies
from napari_segment.widgets.layers.conversion import (
    image_of,
    known_axes,
    labels_of,
    possible_axes,
    shape_of,
)
from napari_segment.widgets.layers.label_numbers import (
    Numbers,
    describe,
    likely_task,
    numbers_of,
    recorded_holds,
)
from napari_segment.worker.stacks import save_stack

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.viewer import Viewer

Pair: TypeAlias = tuple[tuple[Image, Writer], tuple[Labels, Writer]]

LAYERS, FOLDERS, DATA_SET = range(3)  # rows of the menu that asks where pairs are
TASKS = {
    "auto": "automatic", "classes": "one class", "objects": "one object",
    "examples": "only an example",
}  # fmt: skip
UNKNOWN = "What is not painted is unknown: nothing is learnt there."


class PairsField:
    """Asks for pairs; `snapshot` then holds what was chosen, whatever happens to the layers.

    Parameters
    ----------
    viewer : napari Viewer
        Whose layers are offered.
    """

    changed = Signal()

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.native = QWidget()
        self.where = QComboBox()
        self.where.addItems(["layers of this window", "two folders", "a data set"])
        narrow_combo(self.where)
        self.rows: list[tuple[LayerMenu, LayerMenu]] = []
        self.images, self.labels = PathField(folder=True), PathField(folder=True)
        self.data_set = PathField(folder=True)
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
        self._data_set_box = QWidget()
        form_layout(self._data_set_box).addRow("folder", self.data_set.native)
        layout.addWidget(self._data_set_box)
        self.task_box = self._build_task()
        self.where.currentIndexChanged.connect(self._show)
        self.add_row()
        self._show()
        follow(self.native, viewer.layers.events.inserted, self.choose_labels)

    def add_row(self) -> None:
        """Offer one more pair of layers."""
        pair = LayerMenu(self.viewer, is_image), LayerMenu(self.viewer, is_labels, "no labels")
        labels = pair[1]
        pair[0].setCurrentIndex(min(len(self.rows), pair[0].count() - 1))
        self._choose_labels(pair)
        pair[0].currentIndexChanged.connect(lambda _: self._choose_labels(pair))
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        for menu in pair:
            line.addWidget(menu, 1)
        self._rows_layout.insertWidget(len(self.rows), row)
        self.rows.append(pair)
        labels.currentIndexChanged.connect(self._describe)
        order_tabs(self.native)
        self._describe()

    def choose_labels(self, _: object = None) -> None:
        """Choose labels of the image's shape in rows that have none."""
        for pair in self.rows:
            self._choose_labels(pair)

    def _choose_labels(self, pair: tuple[LayerMenu, LayerMenu]) -> None:
        """Choose labels that no other row has, unless some of the image's shape are chosen."""
        image, labels = pair[0].layer, pair[1]
        taken = [other.layer for _, other in self.rows if other is not labels]
        free = [layer for layer in self.viewer.layers if layer not in taken]
        if labels.layer is None or labels_for(image, [labels.layer]) is None:
            labels.layer = labels_for(image, free)

    def choose(
        self, image: Layer | None, labels: Layer, *, task: str = "auto", background: int = 0
    ) -> None:
        """Choose a pair of layers, and what the numbers of its labels mean.

        Parameters
        ----------
        image, labels : napari layers
            Without an image, one of the labels' shape is taken.
        task : {"auto", "classes", "objects", "examples"}
            What each label number is.
        background : int
            The class number that was painted on the background; 0 where none was.
        """
        self.where.setCurrentIndex(LAYERS)
        for _, other in self.rows[1:]:
            if other.layer is labels:
                other.layer = None
        images, chosen = self.rows[0]
        images.layer = image if image is not None else image_for(labels, self.viewer.layers)
        chosen.layer = labels
        self.task_menu.setCurrentIndex(self.task_menu.findData(task))
        self.background.setValue(background)

    @property
    def label_settings(self) -> dict[str, Any]:
        """The settings of a training that say what label numbers mean.

        Raises
        ------
        InputError
            If the layers do not say so and their numbers could be either.
        """
        if self.task_menu.currentData() != "examples":
            return {"task": self.task}
        return {"task": "classes", **self.unknown}

    @property
    def unknown(self) -> dict[str, int]:
        """The settings that say which voxels are without annotation; none where all have one."""
        if self.task_menu.currentData() != "examples":
            return {}
        background = self.background.value()
        return {"background": background} if background else {"ignore_index": 0}

    @property
    def task(self) -> str:
        """Whether each label number is a class or an object; "auto" where the labels say so.

        Raises
        ------
        InputError
            If the layers do not say so and their numbers could be either.
        """
        chosen = str(self.task_menu.currentData())
        unknown = self._unknown()
        if chosen != "auto" or not unknown:
            return chosen
        known = {recorded_holds(layer) for layer in self._label_layers()} - {""}
        if known:
            return "objects" if known == {"objects"} else "classes"
        task = likely_task(unknown)
        if not task and any(numbers.values for numbers in unknown):
            raise InputError(
                "The labels do not say whether each number is a class or an object. "
                f"{describe(unknown)} Choose one under “each label number is”."
            )
        return task or "auto"

    def snapshot(self) -> dict[str, str] | list[Pair]:
        """Return the chosen pairs as the worker's job takes them.

        Raises
        ------
        InputError
            If nothing was, or a layer's axes are open.
        """
        if self.where.currentIndex() == DATA_SET:
            if self.data_set.value == Path() or not self.data_set.value.exists():
                raise InputError("Choose the folder of the data set.")
            return {"folder": str(self.data_set.value), "layout": "auto"}
        if self.where.currentIndex() == FOLDERS:
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

    def _build_task(self) -> Any:
        body = QWidget()
        self.task_menu, self.numbers = QComboBox(), QLabel()
        for value, text in TASKS.items():
            self.task_menu.addItem(text, value)
        self.task_menu.setToolTip(
            "Automatic: as the labels' own record says, else as their numbers and pieces look"
        )
        narrow_combo(self.task_menu)
        self.background = QSpinBox()
        self.background.setRange(0, 999)
        self.background.setSpecialValueText("none was painted")
        self.background.setPrefix("class ")
        self.background.setToolTip("The number that was painted on the background: it becomes 0")
        self.background.valueChanged.connect(lambda _: self.changed.emit())
        self.numbers.setWordWrap(True)
        self.numbers.setTextFormat(Qt.TextFormat.PlainText)  # whatever is named in files
        self.task_menu.currentIndexChanged.connect(self._describe)
        form = form_layout(body)
        form.addRow("each label number is", self.task_menu)
        form.addRow("background", self.background)
        form.addRow(self.numbers)
        self._task_form = form
        return body

    def _label_layers(self) -> list[Any]:
        """Return the chosen Labels layers; none where folders are chosen."""
        if self.where.currentIndex() != LAYERS:
            return []
        return [labels.layer for _, labels in self.rows if labels.layer is not None]

    def _unknown(self) -> list[Numbers]:
        """Return the numbers of the chosen layers that do not record what they hold."""
        return [numbers_of(la) for la in self._label_layers() if not recorded_holds(la)]

    def _describe(self, _: int = 0) -> None:
        """Show what the numbers of layers without a record look like."""
        examples = self.task_menu.currentData() == "examples"
        for widget in (self.background, self._task_form.labelForField(self.background)):
            widget.setVisible(examples)
        unknown = self._unknown() if self.task_menu.currentData() == "auto" else []
        likely = {"classes": " Each looks like a class.", "objects": " Each looks like an object."}
        asked = " Choose what each number is."
        text = describe(unknown) + likely.get(likely_task(unknown), asked) if unknown else ""
        text = UNKNOWN if examples else text
        self.numbers.setText(text)
        self.numbers.setVisible(bool(text))
        self.changed.emit()

    @property
    def count(self) -> int | None:
        """How many pairs of layers are chosen; None where folders are."""
        if self.where.currentIndex() != LAYERS:
            return None
        return sum(bool(image.layer and labels.layer) for image, labels in self.rows)

    def _show(self, _: int = 0) -> None:
        chosen = self.where.currentIndex()
        for index, box in ((LAYERS, self._layers_box), (FOLDERS, self._folders_box),
                           (DATA_SET, self._data_set_box)):  # fmt: skip
            box.setVisible(chosen == index)
        self._describe()


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


def _pair(image_layer: Layer, labels_layer: Layer) -> Pair:
    """Return a pair on one grid; open axes are taken as the labels show."""
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
