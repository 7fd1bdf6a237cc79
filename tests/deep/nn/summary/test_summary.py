"""The table and the drawing of a network."""

import pytest
import torch
from torch import nn

from napari_segment.deep.nn.summary import summary

TEXTBOOK = ("textbook_unet", {"features": 4, "levels": 3})


@pytest.fixture(scope="module")
def textbook():
    return summary(TEXTBOOK, channels_in=3, channels_out=2, ndim=2, size=(40, 48), batch=2)


def test_every_layer_with_its_shape_and_parameters(textbook):
    assert textbook.size == (2, 3, 40, 48)
    first, last = textbook.layers[0], textbook.layers[-1]
    assert (first.kind, first.shape, first.parameters) == ("Conv2d", (4, 40, 48), 3 * 4 * 9)
    assert (last.kind, last.shape, last.parameters) == ("Conv2d", (2, 40, 48), 4 * 2 + 2)
    assert first.inputs == (-1,)
    assert sum(layer.parameters for layer in textbook.layers) == textbook.parameters


def test_skip_connections_are_detected(textbook):
    joins = [layer for layer in textbook.layers if len(layer.inputs) == 2]
    assert len(joins) == 2
    kinds = [{textbook.layers[i].kind for i in layer.inputs} for layer in joins]
    assert kinds == [{"ReLU", "ConvTranspose2d"}] * 2


def test_memory_is_that_of_weights_and_outputs(textbook):
    outputs = 4 * 2 * sum(torch.Size(layer.shape).numel() for layer in textbook.layers)
    assert textbook.activations == outputs
    assert textbook.memory_training == 16 * textbook.parameters + outputs
    assert textbook.memory_prediction < textbook.memory_training
    assert "parameters" in textbook.costs()


def test_frozen_parameters_are_counted():
    net = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(2, 1, 1))
    net[0].requires_grad_(False)
    actual = summary(net, size=(8, 8))
    assert (actual.parameters, actual.trainable) == (23, 3)
    assert "20 of them frozen" in actual.costs()
    assert next(net.parameters()).device.type == "cpu"


def test_markdown_has_a_row_for_each_layer(textbook):
    text = textbook.to_markdown()
    assert text.count("\n|") == len(textbook.layers) + 2
    assert "| 0 | net.down.0.0 | Conv2d | 4 × 40 × 48 | 108 | image |" in text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "ndim"),
    [("unet", 3), ("dyn_unet", 3), ("unetr", 2), ("deeplabv3plus", 2), ("gated_scnn", 2)],
)
def test_any_network(model, ndim, tmp_path):
    actual = summary(model, channels_in=2, channels_out=3, ndim=ndim)
    assert actual.layers[-1].shape[0] == 3
    assert actual.draw(tmp_path / "net.png").is_file()


def test_a_detector_is_followed_through_its_heads():
    actual = summary("mask_rcnn", size=(64, 64), batch=2)
    last = actual.layers[-1]
    assert last.name.endswith("mask_fcn_logits")
    assert last.shape == (500, 2, 28, 28)
    assert sum(layer.parameters for layer in actual.layers) >= actual.parameters  # shared heads
