"""Train, then predict, in a window."""

import json
import os
import sys

import numpy as np
import pytest
from shared.windows import assert_done, layer_of, open_dock, run

from napari_segment import samples
from napari_segment.image import Labels

pytestmark = pytest.mark.screen


@pytest.mark.slow
def test_train_then_predict(qtbot, viewer, tmp_path):
    torch_was_here = "torch" in sys.modules  # from tests before; the widgets never load it
    for seed in range(3):
        image, truth = samples.nuclei((64, 64), seed=seed)
        mask = Labels((truth.data > 0).astype(np.uint8), holds="mask", name=f"mask {seed}")
        viewer.add_layer(layer_of(image.replace(name=f"nuclei {seed}")))
        viewer.add_layer(layer_of(mask.replace(spacing=truth.spacing, unit=truth.unit)))
    dock = open_dock(viewer, "Train")
    dock.pairs.add_row()
    dock.pairs.add_row()
    model = {"name": "unet", "settings": {"features": (4, 8)}}
    dock.form.settings = {"epochs": 2, "out": tmp_path / "net", "model": model, "device": "cpu"}
    dock.more.settings = {"steps": 4, "patch": (32, 32), "batch": 2, "workers": 0}
    message = run(qtbot, dock)
    assert str(tmp_path / "net") in message
    assert len(dock.losses.points["loss"]) == 8
    assert dock.scores.points
    assert set(dock.pictures._labels) == {"image", "reference", "prediction"}
    assert json.loads((tmp_path / "net" / "model.json").read_text())
    predict = open_dock(viewer, "Predict")
    assert predict.running.button.isEnabled()
    assert predict.fit_label.isHidden()
    assert "unet" in predict.method.form.fields["checkpoint"].description.text()
    assert_done(run(qtbot, predict))
    labels = viewer.layers[-1]
    assert labels.data.shape == (64, 64)
    assert labels.units == viewer.layers["nuclei 0"].units
    recipe = labels.metadata["napari-segment"]["recipe"]
    assert recipe["method"]["settings"]["checkpoint"] == str(tmp_path / "net")
    assert os.getpid() != predict.running.process.pid
    assert torch_was_here or "torch" not in sys.modules


def test_nothing_runs_before_a_model_is_chosen(viewer, monkeypatch):
    from napari_segment.widgets.forms import checkpoint

    monkeypatch.setattr(checkpoint, "networks_of_this_machine", list)
    monkeypatch.setattr(checkpoint.networks, "folders", [])
    viewer.add_layer(layer_of(samples.nuclei((32, 32))[0]))
    predict = open_dock(viewer, "Predict")
    assert not predict.running.button.isEnabled()
    assert "Choose a model" in predict.running.button.toolTip()
