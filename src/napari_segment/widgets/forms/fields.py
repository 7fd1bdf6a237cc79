"""Fields: one input of a form for each type that a setting can have.

A field is anything with a ``value`` that can be read and set, a ``changed`` signal and a Qt
widget called ``native``. Most are magicgui's; those that magicgui lacks are here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, get_args, get_origin

from magicgui.widgets import CheckBox, ComboBox, LineEdit, SpinBox
from psygnal import Signal
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_segment.registry import alternatives
from napari_segment.widgets.forms.number import NumberBox, still_wheel, written
from napari_segment.widgets.forms.sliders import SliderNumber, has_range

WHOLE = 2**53  # integers beyond are not distinguished as floats
FAR = 1e300  # of floats
NARROW = 112  # pixels to which a menu may shrink: "automatic" at 100 %


class Field(Protocol):
    """What a form asks of its inputs."""

    changed: ClassVar[Signal]
    native: Any
    value: Any


def shown(choice: object) -> str:
    """Return a choice as a menu shows it: "automatic" for "auto"."""
    return "automatic" if choice == "auto" else str(choice)


class Number:
    """A float."""

    changed = Signal(object)

    def __init__(self, low: float, high: float) -> None:
        self.native = NumberBox(low, high)
        self.native.setKeyboardTracking(False)
        self.native.valueChanged.connect(self.changed.emit)

    @property
    def value(self) -> float:
        return float(self.native.value())

    @value.setter
    def value(self, value: float) -> None:
        self.native.setValue(float(value))


class PathField:
    """A file or a folder, typed or chosen in a dialog."""

    changed = Signal(object)

    def __init__(self, *, folder: bool) -> None:
        self.folder = folder
        self.line = QLineEdit()
        self.line.setPlaceholderText("folder" if folder else "file")
        button = QToolButton()
        button.setText("…")
        button.setToolTip("Choose a folder" if folder else "Choose a file")
        button.clicked.connect(self.choose)
        self.native = _row([self.line, button])
        self.line.textChanged.connect(lambda _: self.changed.emit(self.value))

    @property
    def value(self) -> Path:
        return Path(self.line.text().strip())

    @value.setter
    def value(self, value: str | Path) -> None:
        self.line.setText("" if Path(value) == Path() else str(value))

    def choose(self) -> None:
        """Ask in a dialog; nothing changes if it is dismissed."""
        start = self.line.text()
        if self.folder:
            chosen = QFileDialog.getExistingDirectory(self.native, "Choose a folder", start)
        else:
            chosen = QFileDialog.getOpenFileName(self.native, "Choose a file", start)[0]
        if chosen:
            self.line.setText(chosen)


class TextList:
    """Any number of values, typed with commas between."""

    changed = Signal(object)

    def __init__(self, kind: type) -> None:
        self.kind = kind
        self.native = QLineEdit()
        self.native.setPlaceholderText("values with commas between")
        self.native.editingFinished.connect(lambda: self.changed.emit(self.value))

    @property
    def value(self) -> tuple[Any, ...]:
        parts = [p.strip() for p in self.native.text().split(",") if p.strip()]
        try:
            return tuple(self.kind(p) for p in parts)
        except ValueError:
            return tuple(parts)  # the entry's validation says what is wrong with them

    @value.setter
    def value(self, value: Sequence[Any]) -> None:
        before = self.native.text()
        self.native.setText(", ".join(written(v) if self.kind is float else str(v) for v in value))
        self.native.setCursorPosition(0)  # or the end of a long list would be shown
        if self.native.text() != before:
            self.changed.emit(self.value)


class Ticks:
    """A box for each of several values; the value is a tuple of those that are ticked."""

    changed = Signal(object)

    def __init__(self, values: Sequence[Any]) -> None:
        self.boxes = {value: QCheckBox(str(value)) for value in values}
        self.native = QWidget()
        column = QVBoxLayout(self.native)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for box in self.boxes.values():
            box.setMinimumWidth(60)  # in a large font the end of a long name may be cut off
            column.addWidget(box)
            box.setMinimumWidth(56)  # the tool tip has the whole name
            box.setToolTip(box.text())
            box.toggled.connect(lambda _: self.changed.emit(self.value))

    @property
    def value(self) -> tuple[Any, ...]:
        return tuple(value for value, box in self.boxes.items() if box.isChecked())

    @value.setter
    def value(self, values: Sequence[Any]) -> None:
        for value, box in self.boxes.items():
            box.setChecked(value in values)


class Row:
    """A fixed number of fields side by side, whose value is a tuple."""

    changed = Signal(object)

    def __init__(self, fields: Sequence[Field]) -> None:
        self.fields = list(fields)
        self.native = _row([f.native for f in self.fields])
        for field in self.fields:
            field.changed.connect(lambda *_: self.changed.emit(self.value))

    @property
    def value(self) -> tuple[Any, ...]:
        return tuple(f.value for f in self.fields)

    @value.setter
    def value(self, value: Sequence[Any]) -> None:
        for field, part in zip(self.fields, value, strict=True):
            field.value = part


class LiteralOr:
    """A menu of literals such as "auto", and a field for any other value."""

    changed = Signal(object)
    OTHER = "set to"

    def __init__(self, literals: Sequence[str], field: Field) -> None:
        self.literals, self.field = tuple(literals), field
        self.menu = QComboBox()
        for literal in self.literals:
            self.menu.addItem(shown(literal), literal)
        self.menu.addItem(self.OTHER, None)
        narrow_combo(self.menu)
        self.native = _row([self.menu, field.native])
        self._show_field()
        self.menu.currentIndexChanged.connect(self._chosen)
        field.changed.connect(lambda *_: self.changed.emit(self.value))

    @property
    def value(self) -> Any:
        literal = self.menu.currentData()
        return self.field.value if literal is None else literal

    @value.setter
    def value(self, value: Any) -> None:
        literal = isinstance(value, str) and value in self.literals
        if not literal:
            self.field.value = value
        self.menu.setCurrentIndex(self.menu.findData(value) if literal else len(self.literals))

    def _chosen(self, _: int) -> None:
        self._show_field()
        self.changed.emit(self.value)

    def _show_field(self) -> None:
        other = self.menu.currentData() is None
        self.field.native.setVisible(other)
        self.menu.setMinimumWidth(72 if other else NARROW)  # next to a field it says "set to"


def plain_field(annotation: Any, marks: Sequence[Any] = (), *, folder: bool = False) -> Field:
    """Return the field for a setting's type.

    Parameters
    ----------
    annotation : type
        bool, int, float, str, Path, Literal, a tuple of those, or one with a literal.
    marks : sequence
        Bounds, as pydantic keeps them in a field's metadata.
    folder : bool
        Whether a Path is a folder.
    """
    origin, arguments = get_origin(annotation), get_args(annotation)
    if hasattr(annotation, "__metadata__"):
        folder = folder and not any(map(_is_file, arguments[1:]))
        return plain_field(arguments[0], [*marks, *_flat(arguments[1:])], folder=folder)
    literals, other = alternatives(annotation)
    if literals:
        return LiteralOr(literals, plain_field(other, marks, folder=folder))
    if origin is Literal:
        return _modest(_choice(arguments))
    if origin is tuple:
        return _tuple_field(arguments, folder=folder)
    if annotation is Path:
        return PathField(folder=folder)
    low, high = _bounds(marks, whole=annotation is int)
    made: dict[Any, Any] = {
        bool: lambda: CheckBox(text=""),
        int: lambda: SpinBox(min=int(low), max=int(high)),
        float: lambda: (SliderNumber if has_range(low, high) else Number)(low, high),
    }
    return _modest(made.get(annotation, LineEdit)())


def _choice(values: Sequence[Any]) -> Any:
    return ComboBox(choices=[(shown(v), v) for v in values])


def _tuple_field(arguments: tuple[Any, ...], *, folder: bool) -> Field:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        inner = arguments[0]
        while hasattr(inner, "__metadata__"):
            inner = get_args(inner)[0]
        if get_origin(inner) is Literal:
            return Ticks(get_args(inner))
        return TextList(inner if inner in (int, float) else str)
    return Row([plain_field(a, folder=folder) for a in arguments])


def _is_file(mark: object) -> bool:
    extra = getattr(mark, "json_schema_extra", None)
    return isinstance(extra, Mapping) and extra.get("format") == "file-path"


def _flat(marks: Sequence[Any]) -> list[Any]:
    """Return the constraints inside pydantic's Field(...) marks."""
    return [inner for mark in marks for inner in (getattr(mark, "metadata", None) or [mark])]


def _bounds(marks: Sequence[Any], *, whole: bool) -> tuple[float, float]:
    far = float(WHOLE) if whole else FAR
    low, high = -far, far
    for mark in marks:
        below, above = getattr(mark, "gt", None), getattr(mark, "lt", None)
        if below is not None:
            low = below + 1 if whole else below + _near(below)
        if above is not None:
            high = above - 1 if whole else above - _near(above)
        low = low if getattr(mark, "ge", None) is None else mark.ge
        high = high if getattr(mark, "le", None) is None else mark.le
    return low, high


def _near(bound: float) -> float:
    """Return the closest value to a bound that is not itself allowed."""
    return max(abs(bound), 1.0) * 1e-12


def _row(widgets: Sequence[Any]) -> Any:
    box = QWidget()
    layout = QHBoxLayout(box)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(3)
    for widget in widgets:
        layout.addWidget(widget)
    return box


def _modest(field: Field) -> Field:
    """Let a box be narrow, whatever the widest value it could hold, and leave the wheel alone."""
    box = field.native
    if isinstance(box, QAbstractSpinBox):
        box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        box.setMinimumWidth(56)
        box.setMaximumWidth(16_777_215)
        still_wheel(box)
    if isinstance(box, QComboBox):
        narrow_combo(box)
    return field


def narrow_combo(box: QComboBox) -> None:
    """Let a combo box be narrower than its longest item, and leave the wheel alone."""
    still_wheel(box)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(8)
    box.setMinimumWidth(NARROW)
    box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
