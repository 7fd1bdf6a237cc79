"""What came of a segmentation, in numbers and text."""

import dask.array as da
import numpy as np
import pytest

from napari_segment import Labels, segment
from napari_segment.api.outcome import outcome_of

LINE = np.array([[1, 1, 0, 2, 0, 0, 5]], np.uint8)


@pytest.mark.parametrize(
    ("holds", "count", "text"),
    [
        ("objects", 3, "3 objects"),
        ("classes", 3, "3 classes"),
        ("mask", 3, "A mask of 3 pieces, 0.57 of all voxels"),
    ],
)
def test_what_labels_hold_is_counted(holds, count, text):
    outcome = outcome_of(Labels(LINE, "YX", holds=holds))
    assert (outcome.count, outcome.text) == (count, text)
    assert outcome.fraction == pytest.approx(4 / 7)


def test_time_points_are_counted_each():
    movie = np.stack([LINE, LINE * 0, LINE])
    assert outcome_of(Labels(movie, "TYX", holds="objects")).text == "6 objects in 3 time points"
    assert outcome_of(Labels(movie, "TYX", holds="mask")).count == 6
    assert outcome_of(Labels(movie, "TYX", holds="classes")).count == 3


def test_one_of_each_is_singular():
    one = (LINE == 1).astype(np.uint8)
    assert outcome_of(Labels(one, "YX", holds="objects")).text == "1 object"
    assert outcome_of(Labels(one, "YX", holds="mask")).text.startswith("A mask of 1 piece,")


def test_lazy_labels_are_not_computed():
    def fail(block):
        raise AssertionError

    lazy = da.zeros((4, 4), np.uint8, chunks=2).map_blocks(fail, dtype=np.uint8, meta=np.uint8(0))
    assert outcome_of(Labels(lazy, "YX", holds="mask")).count is None


RAMP = np.arange(20, dtype=np.float32).reshape(4, 5)


@pytest.mark.parametrize(
    ("image", "settings", "reason"),
    [
        (RAMP, {"value": 812}, "the threshold 812 is above every voxel (the largest is 19)"),
        (RAMP, {"value": 19}, "the threshold 19 is above every voxel (the largest is 19)"),
        (RAMP, {"value": -1, "objects": "dark"}, "the threshold -1 is below every voxel"),
        (RAMP * 0 + 3, {"value": 3}, "every voxel of the image has the value 3"),
        (RAMP * np.nan, {"value": 3}, "the image has no finite value"),
    ],
)
def test_an_empty_result_is_explained(image, settings, reason):
    labels = segment(image, "manual", **settings)
    outcome = outcome_of(labels, image)
    assert outcome.count == 0
    assert outcome.text.startswith(f"Nothing was found: {reason}")


def test_the_reason_is_of_what_the_method_sees():
    labels = segment(RAMP, "manual", value=15, filters=[("gaussian", {"sigma": 50})])
    outcome = outcome_of(labels, RAMP)
    assert "the threshold 15 is above every voxel" in outcome.text
    assert outcome_of(labels).text == "Nothing was found"


def test_cleanups_may_have_removed_everything():
    labels = segment(RAMP, "manual", value=3, cleanups=[("remove_small", {"size": 900})])
    assert outcome_of(labels, RAMP).text.endswith("the cleanups may have removed all of it")


def test_pieces_are_not_counted_unless_asked():
    outcome = outcome_of(Labels(LINE, "YX", holds="mask"), pieces=False)
    assert (outcome.count, outcome.text) == (None, "A mask of 0.57 of all voxels")
    empty = outcome_of(Labels(LINE * 0, "YX", holds="mask"), pieces=False)
    assert (empty.count, empty.text) == (0, "Nothing was found")
