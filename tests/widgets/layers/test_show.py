"""Images and labels of Python in napari's window."""

import numpy as np
import pytest

import napari_segment as ns
from napari_segment.errors import InputError

AFFINE = np.array([[2.0, 0, 5], [0, 0.5, 7], [0, 0, 1]])


@pytest.fixture
def labels():
    data = np.zeros((4, 6), np.uint8)
    data[1:3, 2:5] = 3
    return ns.Labels(data, "YX", unit="micrometer", affine=AFFINE, name="cells")


def test_a_layer_lies_where_its_stack_does(labels):
    layer = labels.to_layer()
    assert layer._type_string == "labels"
    assert layer.name == "cells"
    np.testing.assert_allclose(layer.data_to_world((1, 2)), (7, 8))
    assert [str(unit) for unit in layer.units] == ["micrometer", "micrometer"]
    np.testing.assert_array_equal(layer.data, labels.data)


def test_an_image_becomes_an_image_layer():
    layer = ns.Image(np.eye(5, dtype=np.float32), "YX", spacing=(2, 3)).to_layer()
    assert layer._type_string == "image"
    np.testing.assert_array_equal(layer.scale, (2, 3))


def test_adding_labels_themselves_says_what_to_do(labels):
    from napari.layers import Labels as LabelsLayer

    with pytest.raises(InputError, match="to_layer"):
        LabelsLayer(labels)
    with pytest.raises(InputError, match="take"):
        labels[0]
    assert np.asarray(labels).sum() == 18  # as an array it is one


def test_show_refuses_plain_arrays():
    with pytest.raises(InputError, match="ndarray"):
        ns.show(np.eye(3))


@pytest.mark.screen
def test_show_adds_to_the_open_window(qtbot, viewer, labels):
    image = ns.Image(np.eye(6, dtype=np.uint8)[:4], "YX", unit="micrometer", affine=AFFINE)
    assert ns.show(image, labels) is viewer
    assert [layer._type_string for layer in viewer.layers] == ["image", "labels"]
