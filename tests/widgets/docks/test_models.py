"""The Models dock in a window, and the networks that the Predict dock offers."""

from pathlib import Path

import numpy as np
import pytest
from qtpy.QtWidgets import QMessageBox
from shared.windows import open_dock

from napari_segment import api, samples
from napari_segment.deep.checkpoint import Checkpoint
from napari_segment.deep.planning.normalisation import Normalisation
from napari_segment.io.models_folder import VARIABLE
from napari_segment.recipe import Spec
from napari_segment.widgets.forms.recent import networks

pytestmark = pytest.mark.screen
TINY = Spec(name="textbook_unet", settings={"features": 4, "levels": 2})


@pytest.fixture
def run_folder(tmp_path, monkeypatch, fresh_processes):
    from napari_segment.deep.nn.models import build

    monkeypatch.setenv(VARIABLE, str(tmp_path / "models"))
    made = Checkpoint(
        folder=tmp_path / "run", model=TINY, ndim=2, channels=("dna",), channels_out=1,
        activation="sigmoid", holds="mask", values=(0, 1), patch=(32, 32),
        normalisation=(Normalisation(scheme="zscore"),), scores={"dice": 0.5},
    )  # fmt: skip
    monkeypatch.setattr(networks, "folders", [])  # none of tests before
    made.save(build(TINY, 1, 1, 2).state_dict())
    return made.folder


def test_a_model_is_added_shown_verified_used_and_removed(qtbot, viewer, run_folder, monkeypatch):
    dock = open_dock(viewer, "Models")
    before = [model.name for model in dock.models]
    dock.add(str(run_folder))
    qtbot.waitUntil(lambda: dock.running.job is None, timeout=60_000)
    assert [m.name for m in dock.models] == [*before, "run"], dock.running.message.text()
    assert dock.chosen.name == "run"
    assert "dice 0.500 on the validation cases, which also chose the epoch" in dock.card.text()
    dock.running.start()
    qtbot.waitUntil(lambda: dock.running.job is None, timeout=60_000)
    assert "2 files as when it was recorded" in dock.running.message.text()
    dock.use()
    predict = open_dock(viewer, "Predict")
    assert predict.method.form.fields["checkpoint"].value == Path("run")
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.No)
    dock.ask_to_remove()
    assert "run" in [model.name for model in dock.models]
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    dock.ask_to_remove()
    assert [model.name for model in dock.models] == before


def test_what_cannot_be_added_is_said(qtbot, viewer, run_folder):
    dock = open_dock(viewer, "Models")
    (run_folder / "model.json").write_text("{}")
    dock.add(str(run_folder))
    qtbot.waitUntil(lambda: dock.running.job is None, timeout=60_000)
    assert "cannot be used" in dock.running.message.text()


def test_the_first_click_on_predict_finds_nuclei(qtbot, viewer, run_folder):
    image, truth = samples.nuclei((128, 128), seed=3)
    viewer.add_image(np.asarray(image), scale=image.spacing)
    dock = open_dock(viewer, "Predict")
    assert dock.method.form.fields["checkpoint"].value == Path("nuclei-fluorescence")
    dock.running.start()
    qtbot.waitUntil(lambda: dock.running.job is None, timeout=120_000)
    labels = viewer.layers[-1]
    scores = api.compare(np.asarray(labels.data), np.asarray(truth))
    assert scores.summary["f1"] > 0.9
