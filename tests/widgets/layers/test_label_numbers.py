"""What the numbers of layers without provenance look like."""

import numpy as np
import pytest
from napari.layers import Labels

from napari_segment.widgets.layers.label_numbers import (
    Numbers,
    describe,
    likely_task,
    numbers_of,
    recorded_holds,
)


def test_pieces_are_counted_for_each_number():
    data = np.zeros((9, 9), np.uint8)
    data[0, 0] = data[1, 1] = 1  # corners touch: one piece
    data[4, 4] = data[8, 8] = 2
    assert numbers_of(Labels(data)) == Numbers((1, 2), (1, 2))
    assert numbers_of(Labels(np.zeros((4, 4), int))) == Numbers((), ())
    assert numbers_of(Labels(np.arange(64).reshape(8, 8))).pieces == ()


def test_of_a_large_layer_the_middle_is_counted():
    data = np.zeros((100, 300, 300), np.uint8)
    data[0] = 3
    data[50, 10, 10] = 4
    assert numbers_of(Labels(data)) == Numbers((4,), (1,))


@pytest.mark.parametrize(
    ("layers", "task"),
    [
        ([Numbers(tuple(range(1, 41)), ())], "objects"),
        ([Numbers((1, 2), (14, 3))], "classes"),
        ([Numbers((1,), (1,))], "classes"),
        ([Numbers((1, 2, 3), (1, 1, 1))], ""),
        ([Numbers((1, 2), (1, 1)), Numbers((1, 2), (1, 1))], "classes"),
        ([Numbers((1, 2), (1, 1)), Numbers((1, 2, 3), (1, 1, 1))], "objects"),
        ([Numbers((), ())], ""),
    ],
)
def test_numbers_are_classes_or_objects_or_open(layers, task):
    assert likely_task(layers) == task


def test_numbers_are_described():
    assert describe([Numbers((), ())]) == "The labels are empty."
    assert describe([Numbers((1,), (1,))]) == "1 label number, each in 1 connected piece."
    two = [Numbers((1, 2), (1, 14))]
    assert describe(two) == "2 label numbers, each in 1 to 14 connected pieces."


def test_the_record_of_a_layer():
    data = np.zeros((4, 4), int)
    assert recorded_holds(Labels(data)) == ""
    assert recorded_holds(Labels(data, metadata={"napari-segment": {"holds": "mask"}})) == "mask"
