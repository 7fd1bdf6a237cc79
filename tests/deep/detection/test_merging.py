"""Detections of tiles merged to objects, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from napari_segment.deep.detection.merging import Detection, merge_detections


def square(y, x, side, score=0.9, truncated=False):
    return Detection((y, x), np.ones((side, side), bool), score, truncated=truncated)


def test_the_same_object_in_two_tiles_comes_once():
    one = merge_detections([square(2, 2, 6, 0.8), square(2, 3, 6, 0.9)], (20, 20))
    assert one.labels.max() == 1
    assert one.scores.tolist() == [pytest.approx(0.9)]
    assert one.labels[2, 3] == 1
    assert one.labels[2, 2] == 0
    assert one.boxes.tolist() == [[2, 3, 8, 9]]


def test_a_whole_object_wins_over_its_cut_part():
    one = merge_detections([square(0, 0, 4, 0.99, truncated=True), square(0, 0, 8, 0.6)], (20, 20))
    assert np.count_nonzero(one.labels) == 64


def test_cut_parts_that_overlap_are_joined():
    left = Detection((0, 0), np.ones((6, 12), bool), 0.9, truncated=True)
    right = Detection((0, 4), np.ones((6, 12), bool), 0.8, truncated=True)
    one = merge_detections([left, right], (20, 20))
    assert one.labels.max() == 1
    assert np.count_nonzero(one.labels) == 6 * 16


def test_neighbours_stay_apart_and_unsure_ones_out():
    one = merge_detections([square(0, 0, 5), square(0, 4, 5), square(10, 10, 3, 0.2)], (20, 20))
    assert one.labels.max() == 2
    assert one.labels[0, 4] == 1  # where they overlap the first keeps the pixels


def test_no_detections():
    one = merge_detections([], (4, 5))
    assert one.labels.shape == (4, 5)
    assert len(one.scores) == len(one.boxes) == 0
