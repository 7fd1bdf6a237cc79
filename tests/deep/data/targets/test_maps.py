"""Targets from labels, and objects from targets."""

import numpy as np
import pytest

from napari_segment.deep.data.targets import (
    borders,
    class_indices,
    decode,
    object_maps,
    relative_depth,
)
from napari_segment.deep.planning.label_semantics import Objects


def touching_squares(ndim):
    labels = np.zeros((12,) * (ndim - 1) + (24,), np.uint16)
    inner = (slice(2, 10),) * (ndim - 1)
    labels[(*inner, slice(3, 12))] = 5
    labels[(*inner, slice(12, 21))] = 300
    return labels


def test_class_indices_by_hand():
    labels = np.array([0, 4, 9, 255, 7])
    np.testing.assert_array_equal(class_indices(labels, (0, 4, 9), 255), [0, 1, 2, -1, 0])


def test_background_may_be_a_label_of_its_own():
    """Sparse labels: 0 is unlabelled, 1 was painted as background."""
    np.testing.assert_array_equal(class_indices(np.array([0, 1, 2]), (1, 2), 0), [-1, 0, 1])


def test_depth_is_one_in_the_middle_of_each_object_and_zero_outside():
    labels = touching_squares(2)
    depth = relative_depth(labels)
    assert depth[labels == 0].max() == 0
    assert depth[labels == 5].max() == depth[labels == 300].max() == 1
    assert 0 < depth[labels == 5].min() < 0.5


def test_depth_knows_the_spacing():
    labels = np.zeros((9, 9), int)
    labels[1:8, 3:6] = 1
    # Across, the middle is 2 * 10 deep; along, the object is 7 voxels long.
    assert relative_depth(labels, (1.0, 10.0))[2, 4] == pytest.approx(2 / 4)


@pytest.mark.parametrize("shape", [(6, 7), (1, 1), (4, 5, 6)])
def test_an_object_that_fills_the_image(shape):
    full = np.ones(shape, np.uint8)
    assert np.isfinite(relative_depth(full)).all()
    assert (decode(object_maps(full, Objects()), Objects()) == 1).all()


def test_nothing_there():
    empty = np.zeros((5, 6), np.int32)
    assert relative_depth(empty).max() == 0
    assert decode(object_maps(empty, Objects()), Objects()).max() == 0


def test_borders_by_hand():
    np.testing.assert_array_equal(borders(np.array([[0, 0, 1, 1, 1, 2, 0, 0]])),
                                  [[0, 1, 1, 0, 1, 1, 1, 0]])  # fmt: skip


@pytest.mark.parametrize("target", ["distance", "border", "seeds", "flow"])
def test_unlabelled_voxels_are_unknown_in_all_maps(target):
    maps = object_maps(np.array([[0, 1, 1, -1]]), Objects(target=target))
    assert (maps[:, 0, 3] == -1).all()
    assert maps[0, 0].tolist() == [0, 1, 1, -1]


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int64, np.uint8])
def test_negative_labels_and_those_to_ignore_mean_the_same(dtype):
    labels = np.array([[0, 1, 2, 100]], dtype)
    if np.dtype(dtype).kind == "i":
        labels[0, 0] = -3
    expected = [[-1 if np.dtype(dtype).kind == "i" else 0, 1, 2, -1]]
    assert class_indices(labels, (0, 1, 2), 100).tolist() == expected
