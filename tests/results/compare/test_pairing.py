"""Two stacks of labels on one grid."""

import numpy as np
import pytest

from napari_segment.errors import InputError
from napari_segment.image import Labels
from napari_segment.results.compare.pairing import annotated, paired, times


def test_labels_are_turned_onto_the_axes_of_the_reference():
    data = np.arange(6).reshape(1, 2, 3)
    labels, reference, holds = paired(Labels(data.T, "XYT"), Labels(data, "TYX"))
    assert (labels.axes, reference.axes, holds) == ("TYX", "TYX", "objects")
    np.testing.assert_array_equal(labels.data, data)
    ((a, b),) = times(labels, reference)
    assert a.axes == b.axes == "YX"


def test_what_is_compared_follows_from_both():
    numbers = np.array([[0, 1, 2]])
    assert paired(numbers > 0, numbers)[2] == "mask"
    with pytest.raises(InputError, match="classes"):
        paired(Labels(numbers, holds="classes"), numbers)


def test_pairs_without_annotation_are_left_out():
    pairs = np.array([[1, -1], [1, 0], [1, 2], [1, 255]])
    table = annotated(pairs, np.array([4, 3, 2, 1]), 255)
    assert table.pairs.tolist() == [[1, 0], [1, 2]]
    assert table.voxels.tolist() == [3, 2]
