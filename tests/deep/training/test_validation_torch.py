"""Scores of validation cases."""

import numpy as np
from shared.trainings import discs, short

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


def test_surfaces_are_measured_for_the_best_and_the_last_network(tmp_path):
    spaced = [(i.replace(spacing=(1.0, 2.0), unit="um"), m) for i, m in discs(5)]
    steps, checkpoint = short(spaced, tmp_path, epochs=4, steps=12)
    rows = [s.numbers for s in steps if "dice" in s.numbers and "epoch" in s.numbers]
    assert "hd95" in rows[-1]
    best = max(rows, key=lambda r: r["dice"])
    assert best["hd95"] == checkpoint.scores["hd95"]
    assert {"hd95 small", "hd95 7", "iou small", "iou"} <= set(checkpoint.scores)
    for row in rows:
        assert row["iou small"] <= row["dice small"]
