"""Train, then predict, in a window."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from shared.windows import assert_done, layer_of, open_dock, run

from napari_segment import samples
from napari_segment.image import Image, Labels

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


MAKE = """
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
spec = spec_from_file_location("made", sys.argv[1])
made = module_from_spec(spec)
spec.loader.exec_module(made)
own = made.configuration((8, 16, 16), (1, 1, 1))
results = made.Results(Path(sys.argv[2]), {"3d_fullres": own})
results.write("3d_fullres")
results.fold("3d_fullres", own=True)
"""


@pytest.mark.slow
def test_a_results_folder_of_nnunet(qtbot, viewer, tmp_path):
    """The folder is made in another process: the window's has no torch."""
    helper = Path(__file__).parents[2] / "exchange" / "nnunet" / "oracle.py"
    subprocess.run([sys.executable, "-P", "-c", MAKE, str(helper), str(tmp_path)], check=True)
    folder = tmp_path / "Dataset001_Made" / "nnUNetTrainer__nnUNetPlans__3d_fullres"
    volume = np.random.default_rng(0).normal(size=(9, 20, 20)).astype(np.float32)
    viewer.add_layer(layer_of(Image(volume, "ZYX", (1.0,) * 3, "mm", name="ct")))
    dock = open_dock(viewer, "Predict")
    dock.method.name = "nnunet"
    assert dock.method.summary.text().startswith("Segment with a results folder of nnU-Net v2.")
    dock.method.form.settings = {"model_folder": folder, "device": "cpu"}
    assert_done(run(qtbot, dock))
    layer = viewer.layers[-1]
    assert layer.data.shape == (9, 20, 20)
    recipe = layer.metadata["napari-segment"]["recipe"]
    assert recipe["method"]["settings"]["model_folder"] == str(folder)
    dock.method.name = "totalsegmentator"
    dock.method.form.settings = {"task": "total", "weights_folder": tmp_path}
    assert "Dataset291_" in run(qtbot, dock)
