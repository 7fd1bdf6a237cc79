"""Sliders of numbers whose range is known, pressed and dragged."""

import pytest
from qtpy.QtCore import Qt

from napari_segment.registry import methods
from napari_segment.widgets.forms.fields import Number, plain_field
from napari_segment.widgets.forms.form import Form
from napari_segment.widgets.forms.sliders import STEPS, SliderNumber, has_range


@pytest.fixture
def number(qtbot):
    def make(low, high):
        made = SliderNumber(low, high)
        qtbot.addWidget(made.native)
        return made

    return make


def test_a_linear_slider_goes_from_bound_to_bound(number):
    made = number(0.0, 4.0)
    assert [made.value_at(step) for step in (0, STEPS // 4, STEPS // 2, STEPS)] == [0, 1, 2, 4]
    made.value = 3.0
    assert made.slider.value() == 3 * STEPS // 4


def test_a_logarithmic_slider_takes_equal_factors(number):
    made = number(1e-4, 1.0)
    assert made.logarithmic
    assert [made.value_at(step * STEPS // 4) for step in range(5)] == [1e-4, 1e-3, 1e-2, 0.1, 1.0]
    made.value = 0.01
    assert made.slider.value() == STEPS // 2


def test_a_typed_number_is_not_rounded_to_a_step(number):
    made, emitted = number(0.0, 1.0), []
    made.changed.connect(emitted.append)
    made.value = 0.123456
    assert made.value == 0.123456
    assert emitted == [0.123456]


def test_a_press_of_a_key_on_the_slider_changes_the_number(qtbot, number):
    made = number(0.0, 1.0)
    made.value = 0.5
    qtbot.keyClick(made.slider, Qt.Key.Key_Right)
    assert made.value == 0.505


def test_the_form_of_canny_has_sliders_for_its_limits_and_none_for_sigma(qtbot):
    form = Form(methods["canny"])
    qtbot.addWidget(form.native)
    assert isinstance(form.fields["low"], SliderNumber)
    assert isinstance(form.fields["sigma"], Number)
    assert not has_range(0, 1e300)
    assert isinstance(plain_field(float), Number)
