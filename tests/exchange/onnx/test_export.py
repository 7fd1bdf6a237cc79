"""A trained network as ONNX gives what it gives here."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import torch

from napari_segment import api
from napari_segment.cli import main
from napari_segment.deep.checkpoint import Checkpoint
from napari_segment.deep.nn import models
from napari_segment.deep.planning.label_semantics import Objects
from napari_segment.deep.planning.normalisation import Normalisation
from napari_segment.errors import MissingError, SettingError
from napari_segment.recipe import Spec


@pytest.fixture
def checkpoint(tmp_path):
    spec = Spec(name="unet", settings={"features": (4, 8), "residual_units": 0})
    torch.manual_seed(0)
    made = Checkpoint(
        folder=tmp_path / "run", model=spec, ndim=2, channels=("red", "green"), channels_out=3,
        activation="softmax", holds="classes", values=(0, 1, 2), names={1: "one", 2: "two"},
        normalisation=(Normalisation(scheme="none"),) * 2, patch=(32, 48),
    )  # fmt: skip
    return made.save(models.build(spec, 2, 3, 2).state_dict())


@pytest.mark.parametrize("tile", [(), (24, 40)])
def test_the_file_gives_the_networks_outputs(checkpoint, tmp_path, tile):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    file = tmp_path / "network.onnx"
    given = ["export", str(checkpoint.folder), "-o", str(file)]
    assert main([*given, *(["--tile", ",".join(map(str, tile))] if tile else [])]) == 0
    session = runtime.InferenceSession(file, providers=["CPUExecutionProvider"])
    image = np.random.default_rng(0).normal(size=(3, 2, *(tile or (32, 48)))).astype(np.float32)
    (actual,) = session.run(None, {session.get_inputs()[0].name: image})
    with torch.inference_mode():
        wanted = checkpoint.network()(torch.from_numpy(image)).numpy()
    np.testing.assert_allclose(actual, wanted, atol=1e-4)
    card = json.loads(session.get_modelmeta().custom_metadata_map["napari_segment"])
    assert card["channels"] == ["red", "green"]
    assert [p.name for p in tmp_path.glob("*.onnx")] == ["network.onnx"]


def test_what_cannot_be_exported_is_said(checkpoint, tmp_path):
    with pytest.raises(SettingError, match=r"ends with \.onnx"):
        api.export(checkpoint.folder, tmp_path / "network.pt")
    with pytest.raises(SettingError, match="2 sides"):
        api.export(checkpoint.folder, tmp_path / "a.onnx", tile=(8, 8, 8))
    detector = checkpoint.model_copy(update={"objects": Objects(target="instances")})
    from napari_segment.exchange.onnx.export import export

    with pytest.raises(SettingError, match="detector"):
        export(detector, tmp_path / "a.onnx")
    assert not list(tmp_path.glob("*.onnx"))


def test_what_is_missing_is_named_as_it_is_installed(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingError, match="pip install onnxruntime, and onnxscript"):
        api.export(checkpoint.folder, tmp_path / "network.onnx")
