"""The box of a number, and boxes that leave the mouse wheel to the form."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QValidator
from qtpy.QtWidgets import QAbstractSpinBox, QDoubleSpinBox, QWidget


def written(value: float) -> str:
    """Return a float in no more digits than tell it apart."""
    short = f"{value:.12g}"
    return short if float(short) == value else repr(float(value))


class NumberBox(QDoubleSpinBox):
    """A spin box that shows any float as Python writes it, so that 3e-4 is not 0.00."""

    def __init__(self, low: float, high: float) -> None:
        super().__init__()
        self.setDecimals(300)
        self.setRange(low, high)
        self.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)

    def textFromValue(self, value: float) -> str:
        return written(value)

    def valueFromText(self, text: str) -> float:
        return float(text)

    def validate(self, text: str, position: int) -> tuple[Any, str, int]:
        try:
            number = float(text)
        except ValueError:
            typing = not text.strip("0123456789.eE+-")
            state = QValidator.State.Intermediate if typing else QValidator.State.Invalid
            return state, text, position
        inside = self.minimum() <= number <= self.maximum()
        state = QValidator.State.Acceptable if inside else QValidator.State.Intermediate
        return state, text, position

    def stepBy(self, steps: int) -> None:
        """Go by a tenth of the number's own size; 0 goes to 0.1."""
        from math import floor, log10

        value = self.value()
        size = 10.0 ** (floor(log10(abs(value))) - 1) if value else 0.1
        self.setValue(float(f"{(round(value / size) + steps) * size:.12g}"))


class _StillWheel(QObject):
    """Keeps the wheel for scrolling: a box takes it only once it has been clicked."""

    def eventFilter(self, box: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Wheel and not box.hasFocus():
            event.ignore()
            return True
        return False


def still_wheel(box: QWidget) -> None:
    """Let the wheel scroll the form, not change a box that it happens to pass."""
    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    box.installEventFilter(_StillWheel(box))
