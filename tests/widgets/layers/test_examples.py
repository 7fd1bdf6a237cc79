"""Layers of examples, in which objects take a class number."""

import numpy as np
import pytest
from napari.layers import Labels

from napari_segment.errors import InputError
from napari_segment.widgets.layers.examples import counts_of, examples_layer, give_class


def test_an_object_takes_a_class_and_gives_it_back():
    data = np.zeros((9, 9), np.int32)
    data[1:3, 1:3], data[5:8, 5:8] = 4, 6
    objects = Labels(data, scale=(0.5, 0.5), units=("micrometer",) * 2)
    layer = examples_layer(objects)
    np.testing.assert_allclose(layer.scale, objects.scale)
    give_class(layer, objects, 6, 2, (3.0, 3.0))
    np.testing.assert_array_equal(layer.data == 2, data == 6)
    give_class(layer, objects, 4, 1, (0.5, 0.5))
    assert counts_of(layer, objects) == {1: 1, 2: 1}
    give_class(layer, objects, 6, 1, (3.0, 3.0))  # another class
    assert counts_of(layer, objects) == {1: 2}
    give_class(layer, objects, 6, 1, (3.0, 3.0))
    assert counts_of(layer, objects) == {1: 1}


def test_several_resolutions_are_refused():
    pyramid = Labels([np.zeros((8, 8), np.int32), np.zeros((4, 4), np.int32)], multiscale=True)
    with pytest.raises(InputError, match="several resolutions"):
        examples_layer(pyramid)


def test_of_objects_over_time_only_the_time_in_view_is_given(viewer):
    data = np.zeros((2, 9, 9), np.int32)
    data[:, 2:5, 2:5] = 7
    objects = viewer.add_labels(data, axis_labels=("t", "y", "x"))
    layer = examples_layer(objects)
    give_class(layer, objects, 7, 3, (1.0, 3.0, 3.0))
    assert not layer.data[0].any()
    np.testing.assert_array_equal(layer.data[1] == 3, data[1] == 7)
    layer.undo()
    assert not layer.data.any()
