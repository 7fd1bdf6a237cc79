"""Settings in sections that open and close."""

from typing import Annotated, Literal

import pytest
from pydantic import Field
from qtpy.QtCore import Qt

from napari_segment.registry import Entry
from napari_segment.widgets.forms.form import Form

pytestmark = pytest.mark.screen


def fit(
    pairs,
    *,
    seed: int = 0,
    batch: Annotated[
        int | Literal["auto"], Field(title="patches", json_schema_extra={"group": "network"})
    ] = "auto",
    lr: Annotated[float, Field(json_schema_extra={"group": "optimisation"})] = 0.1,
):
    """Fit."""


def test_settings_stand_in_the_section_of_their_group(qtbot):
    form = Form(
        Entry("trainings", "fit", "Fit", fit, gives=""), labels={"lr": "rate"}, grouped=True
    )
    qtbot.addWidget(form.native)
    form.native.show()
    assert list(form.sections) == ["network", "optimisation"]
    box, section = form.fields["batch"].native, form.sections["network"]
    assert form.fields["seed"].native.isVisible()
    assert not box.isVisible()
    qtbot.mouseClick(section.button, Qt.MouseButton.LeftButton)
    assert box.isVisible()
    assert form.fields["batch"].menu.currentText() == "automatic"
    assert form.settings == {"seed": 0, "batch": "auto", "lr": 0.1}
