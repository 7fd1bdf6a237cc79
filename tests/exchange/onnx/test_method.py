"""ONNX files with a card: the same labels from Python, the command line and a recipe."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile

from napari_segment import Image, api, segment
from napari_segment.cli import main
from napari_segment.deep.planning.normalisation import Normalisation
from napari_segment.errors import FormatError, InputError
from napari_segment.exchange.onnx import OnnxCard

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

LEVELS = np.float32([0, 1, 3])  # the outputs are -(x - level)²


@pytest.fixture
def model(tmp_path):
    """A file ``(B, Y, X, 1)`` to ``(B, Y, X, 3)``: the class whose level is nearest."""
    helper, number = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [
            helper.make_node("Sub", ["x", "levels"], ["d"]),
            helper.make_node("Mul", ["d", "d"], ["s"]),
            helper.make_node("Neg", ["s"], ["y"]),
        ],
        "nearest",
        [helper.make_tensor_value_info("x", number, ["b", 16, 16, 1])],
        [helper.make_tensor_value_info("y", number, ["b", 16, 16, 3])],
        [onnx.numpy_helper.from_array(LEVELS.reshape(1, 1, 1, 3), "levels")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path = tmp_path / "nearest.onnx"
    onnx.save(made, path)
    return path


def card(**changes):
    fields = {
        "input_axes": "byxc", "normalisation": (Normalisation(scheme="none"),), "tile": (16, 16),
        "classes": ("background", "low", "high"), "values": (0, 5, 9), **changes,
    }  # fmt: skip
    return OnnxCard(**fields)


@pytest.fixture
def image():
    return np.random.default_rng(0).uniform(0, 4, (40, 50)).astype(np.float32)


def nearest(image):
    index = np.abs(image[..., None] - LEVELS).argmin(-1)
    return np.array([0, 5, 9])[index]


def test_classes_are_those_of_the_card(model, image):
    card().save(model.with_suffix(".json"))
    labels = segment(image, "onnx", model=model)
    assert np.array_equal(labels.data, nearest(image))
    assert labels.names == {5: "low", 9: "high"}
    assert labels.holds == "classes"
    stack = np.stack([image, image.T[:40, :40].repeat(2, 1)[:, :50]])
    assert np.array_equal(segment(stack, "onnx", model=model, apply_to="auto").data, nearest(stack))


def test_the_command_line_and_a_recipe_give_the_same(model, image, tmp_path):
    card().save(model.with_suffix(".json"))
    tifffile.imwrite(tmp_path / "image.tif", image)
    out = tmp_path / "labels.tif"
    given = ["segment", "onnx", str(tmp_path / "image.tif"), "--model", str(model), "-o", str(out)]
    assert main(given) == 0
    assert np.array_equal(tifffile.imread(out), nearest(image))
    recipe = segment(image, "onnx", model=model).recipe
    again = api.replay(recipe, image)
    assert np.array_equal(again.data, nearest(image))


def test_normalisation_and_spacing_are_those_of_the_card(model, image):
    fixed = (Normalisation(scheme="fixed", shift=10.0, scale=2.0),)
    card(normalisation=fixed, spacing=(1.0, 1.0), unit="micrometer").save(
        model.with_suffix(".json")
    )
    scaled = Image(image * 2 + 10, "YX", (1.0, 1.0), "micrometer")
    assert np.array_equal(segment(scaled, "onnx", model=model).data, nearest(image))
    steps = np.kron(np.float32([[0, 1], [3, 1]]), np.ones((20, 20), np.float32))
    fine = np.kron(steps, np.ones((2, 2), np.float32)) * 2 + 10
    labels = segment(Image(fine, "YX", (500.0, 500.0), "nm"), "onnx", model=model)
    assert (labels.data == nearest((fine - 10) / 2)).mean() > 0.97  # but for the edges
    with pytest.raises(InputError, match="Give the image its spacing"):
        segment(Image(fine, "YX", (1.0, 1.0), "pixel"), "onnx", model=model)


def test_a_threshold_per_class(model, image):
    card().save(model.with_suffix(".json"))
    logits = -((image - LEVELS[:, None, None]) ** 2)
    high = np.exp(logits[2]) / np.exp(logits).sum(0)
    low = np.exp(logits[1]) / np.exp(logits).sum(0)
    labels = segment(image, "onnx", model=model, threshold=0.9).data
    assert np.array_equal(labels == 9, high >= 0.9)
    assert np.array_equal(labels == 5, low >= 0.9)


def test_a_card_that_is_absent_or_wrong_is_explained(model, image):
    with pytest.raises(FormatError, match=r"Write them to .*nearest\.json, such as"):
        segment(image, "onnx", model=model)
    card(tile=(32, 16)).save(model.with_suffix(".json"))
    with pytest.raises(FormatError, match="its card says 32 along 'y'"):
        segment(image, "onnx", model=model)
    card(normalisation=(Normalisation(),) * 2).save(model.with_suffix(".json"))
    with pytest.raises(FormatError, match="along 'c'"):
        segment(np.stack([image, image]), "onnx", model=model, axes="CYX")
    text = {**json.loads(card().model_dump_json()), "input_axes": "bcqyx"}
    model.with_suffix(".json").write_text(json.dumps(text))
    with pytest.raises(FormatError, match="An example of a card"):
        segment(image, "onnx", model=model)


def test_what_export_wrote_needs_no_card(tmp_path, image):
    pytest.importorskip("onnxscript")
    import torch

    from napari_segment.deep.checkpoint import Checkpoint
    from napari_segment.deep.nn import models
    from napari_segment.recipe import Spec

    spec = Spec(name="unet", settings={"features": (4, 8), "residual_units": 0})
    torch.manual_seed(0)
    Checkpoint(
        folder=tmp_path / "run", model=spec, ndim=2, channels=("c",), channels_out=2,
        activation="softmax", holds="mask", values=(0, 7), names={7: "cell"},
        normalisation=(Normalisation(),), patch=(32, 32),
    ).save(models.build(spec, 1, 2, 2).state_dict())  # fmt: skip
    file = api.export(tmp_path / "run", tmp_path / "net.onnx")
    wanted = segment(image, "network", checkpoint=tmp_path / "run")
    labels = segment(image, "onnx", model=file)
    assert labels.holds == wanted.holds == "mask"
    assert (labels.data == wanted.data).mean() > 0.999
