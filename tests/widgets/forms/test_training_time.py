"""Presets of a training's time, and what earlier runs say of it."""

from pathlib import Path

import pytest

from napari_segment.deep.training import ENTRY
from napari_segment.deep.training.record.runs import Run
from napari_segment.widgets.docks.train import FIELDS
from napari_segment.widgets.forms import training_time
from napari_segment.widgets.forms.form import EntryMenu, Form
from napari_segment.widgets.forms.training_time import OWN, TrainingTime, estimate


def run(model, epochs, minutes, score):
    return Run(Path(model), model, "dice_ce", epochs, minutes, {"dice": score} if score else {})


def test_the_estimate_is_the_median_rate_of_runs_of_the_same_model():
    runs = [
        run("unet", 10, 1, 0.8),
        run("unet", 20, 1, 0.9),
        run("unet", 90, 3, 0),
        run("fpn", 9, 9, 1),
    ]
    text = estimate(runs, "unet", 5.0)
    assert text.startswith("About 100 epochs, as in 3 earlier runs of this model")
    assert text.endswith("reached dice 0.90.")
    assert "is seen as it runs" in estimate(runs, "segresnet", 5.0)
    assert estimate(runs, "unet", "none") == ""


@pytest.fixture
def form(qtbot, monkeypatch, tmp_path):
    monkeypatch.setattr(training_time, "runs_folder", lambda: tmp_path)
    fields = {name: FIELDS[name] for name in ("model", "loss")}
    made = Form(ENTRY, only=("model", "loss", "minutes", "epochs"), instead=fields)
    qtbot.addWidget(made.native)
    assert isinstance(made.fields["model"], EntryMenu)
    return made


def test_a_preset_sets_the_form_and_the_form_its_preset(qtbot, form):
    time = TrainingTime(form)
    qtbot.addWidget(time)
    assert time.menu.currentText() == "standard"
    assert form.settings["minutes"] == 20.0
    time.menu.setCurrentText("quick look")
    assert form.settings["minutes"] == 3.0
    form.settings = {"epochs": 7}
    assert time.menu.currentText() == OWN
    assert form.settings["minutes"] == 3.0
    assert "At most 7 epochs" in time.estimate.text()
    form.settings = {"epochs": "auto", "minutes": 180.0}
    assert time.menu.currentText() == "best quality"
