"""A number with a slider, where the range of a setting is known."""

from __future__ import annotations

from math import exp, log

from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QSlider, QWidget

from napari_segment.widgets.forms.number import NumberBox, still_wheel

STEPS = 200  # of a slider
WIDEST = 1000.0  # the upper bound up to which a range is one that a slider can show
LOGARITHMIC = 100.0  # from this ratio of the bounds on, equal steps are equal factors
DECADES = 1e-6  # of the upper bound: the least that a logarithmic slider shows


def has_range(low: float, high: float) -> bool:
    """Return whether a slider can show all values from one bound to the other."""
    return -WIDEST <= low < high <= WIDEST


class SliderNumber:
    """A float between bounds, dragged or typed.

    Parameters
    ----------
    low, high : float
        The bounds. Where `low` is above 0 and far below `high`, the slider is logarithmic.
    """

    changed = Signal(object)

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high
        self.logarithmic = low > 0 and high / low >= LOGARITHMIC
        self._start = max(low, high * DECADES) if self.logarithmic else low
        self.box = NumberBox(low, high)
        self.box.setKeyboardTracking(False)
        self.box.setMinimumWidth(56)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, STEPS)
        self.slider.setMinimumWidth(40)
        for part in (self.box, self.slider):
            still_wheel(part)
        self.native = QWidget()
        layout = QHBoxLayout(self.native)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self.slider, 1)
        layout.addWidget(self.box, 1)
        self.slider.sliderMoved.connect(self._dragged)
        self.slider.actionTriggered.connect(lambda _: self._dragged(self.slider.sliderPosition()))
        self.box.valueChanged.connect(self._typed)
        self._follow(self.value)

    @property
    def value(self) -> float:
        return float(self.box.value())

    @value.setter
    def value(self, value: float) -> None:
        self.box.setValue(float(value))
        self._follow(self.value)

    def position_of(self, value: float) -> int:
        """Return the slider's step that is nearest to a value."""
        if self.logarithmic:
            span = log(self.high / self._start)
            part = log(max(value, self._start) / self._start) / span
        else:
            part = (value - self.low) / (self.high - self.low)
        return round(STEPS * min(max(part, 0.0), 1.0))

    def value_at(self, position: int) -> float:
        """Return the value of a step, in three digits, and at the ends the bounds themselves."""
        if position in (0, STEPS):
            return self._start if position == 0 else self.high
        part = position / STEPS
        if self.logarithmic:
            return float(f"{self._start * exp(part * log(self.high / self._start)):.3g}")
        return float(f"{self.low + part * (self.high - self.low):.3g}")

    def _dragged(self, position: int) -> None:
        self.box.setValue(self.value_at(position))

    def _typed(self, value: float) -> None:
        self._follow(value)
        self.changed.emit(value)

    def _follow(self, value: float) -> None:
        """Move the slider to a value, unless it is being dragged."""
        if not self.slider.isSliderDown():
            self.slider.setValue(self.position_of(value))
