"""Stacks of napari layers, taken without napari."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from napari_segment.errors import InputError
from napari_segment.image import from_layer


def layer(data, **changes):
    """A stand-in with the attributes of a napari layer."""
    n = changes.pop("n", data.ndim)
    fields = {
        "data": data, "scale": np.ones(n), "translate": np.zeros(n), "rotate": np.eye(n),
        "shear": np.zeros(n * (n - 1) // 2), "affine": np.eye(n + 1), "units": (),
        "axis_labels": tuple(f"axis {i - n}" for i in range(n)), "rgb": False,
        "multiscale": False, "name": "a", "metadata": {},
    }  # fmt: skip
    return SimpleNamespace(**{**fields, **changes})


def test_layer_roles_come_from_axis_labels_and_rgb():
    stack = layer(np.zeros((2, 3, 4, 5)), axis_labels=("time", "z", "Y", "x"))
    assert from_layer(stack).axes == "TZYX"
    colour = layer(np.zeros((40, 50, 3), np.uint8), rgb=True, n=2)
    assert from_layer(colour).axes == "YXC"
    assert from_layer(colour).is_rgb
    with pytest.raises(InputError, match="axes named"):
        from_layer(layer(np.zeros((2, 3, 4, 5))))
    assert from_layer(layer(np.zeros((2, 3, 4, 5))), axes="CZYX").axes == "CZYX"


def test_multiscale_layers_give_their_full_resolution():
    levels = [np.zeros((8, 8)), np.zeros((4, 4))]
    pyramid = layer(levels[0], multiscale=True)
    pyramid.data = levels
    assert from_layer(pyramid).shape == (8, 8)


def test_layer_geometry_equals_napari():
    napari_layers = pytest.importorskip("napari.layers")
    rng = np.random.default_rng(0)
    given = napari_layers.Image(
        rng.random((3, 4, 5)), scale=(4, 2, 1), translate=(7, 8, 9), rotate=(10, 20, 30),
        shear=(0.1, 0.2, 0.3), units=("mm", "um", "um"),
    )  # fmt: skip
    image = from_layer(given, axes="ZYX")
    index = np.array([2.0, 3.0, 1.0])
    world = image.world() @ [*index, 1.0]
    expected = np.array(given.data_to_world(index))
    assert image.unit == "micrometer"
    assert np.allclose(world[1:3], expected[1:])
    assert np.allclose(world[0], expected[0] * 1000)
