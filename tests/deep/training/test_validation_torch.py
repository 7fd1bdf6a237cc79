"""Scores of validation cases."""

import numpy as np

from napari_segment.deep.training.validation_torch import Counts, means, of_planes


def test_dice_by_hand():
    counts = Counts.of(np.array([0, 1, 1, 2]), np.array([0, 1, 2, -1]), 4)
    np.testing.assert_allclose(counts.dice(), [1, 2 / 3, 0, np.nan])


def test_means_leave_out_distances_that_no_case_has():
    nan = float("nan")
    actual = means([{"dice a": 0.5, "iou a": nan, "hd95 a": 3.0}, {"dice a": 1.0, "hd95 b": nan}])
    assert actual == {
        "dice": 0.75, "iou": 0.0, "hd95": 3.0, "dice a": 0.75, "hd95 a": 3.0, "iou a": 0.0,
    }  # fmt: skip


def test_objects_of_planes_are_numbered_apart():
    labels = np.zeros((3, 2, 2), np.int32)
    labels[:2, 0, 0], labels[1, 1, 1] = 2, 1
    actual = of_planes(labels)
    assert np.unique(actual).size == 4
    assert actual[2].max() == 0
    assert (actual > 0).tolist() == (labels > 0).tolist()
