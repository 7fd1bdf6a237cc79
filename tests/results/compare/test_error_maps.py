"""Maps of errors, of labels drawn by hand."""

import dask.array as da
import numpy as np
import pytest

from napari_segment.errors import InputError
from napari_segment.image import Labels
from napari_segment.results.compare import ERRORS, compare, error_map

# Every kind of error in one plane, a reference object or two in each row.
REFERENCE = np.array([
    [1, 1, 1, 1, 0, 0, 0, 0],  # matched, one voxel too long and one too short
    [2, 2, 2, 0, 0, 0, 0, 0],  # missed
    [0, 0, 0, 0, 0, 0, 0, 0],  # nothing there
    [3, 3, 3, 0, 4, 4, 4, 0],  # merged
    [5, 5, 5, 5, 5, 5, 5, 5],  # split into halves
    [6, 6, 6, 6, 6, 6, 0, 0],  # too little of it
    [7, 7, 7, 7, 7, 7, 8, 8],  # 7 is matched by an object that takes 8 in
    [9, 9, 9, 9, 9, 9, 0, 0],  # matched, a piece of it is split off
])  # fmt: skip
LABELS = np.array([
    [0, 1, 1, 1, 1, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 2, 2, 0, 0, 0, 0],
    [3, 3, 3, 3, 3, 3, 3, 3],
    [4, 4, 4, 4, 5, 5, 5, 5],
    [6, 6, 0, 0, 0, 0, 0, 0],
    [7, 7, 7, 7, 7, 7, 7, 7],
    [8, 8, 8, 8, 9, 9, 0, 0],
])  # fmt: skip
EXPECTED = np.array([
    [3, 1, 1, 1, 2, 0, 0, 0],
    [3, 3, 3, 0, 0, 0, 0, 0],
    [0, 0, 2, 2, 0, 0, 0, 0],
    [4, 4, 4, 2, 4, 4, 4, 2],
    [1, 1, 1, 1, 5, 5, 5, 5],
    [3, 3, 3, 3, 3, 3, 0, 0],
    [1, 1, 1, 1, 1, 1, 4, 4],
    [1, 1, 1, 1, 5, 5, 0, 0],
])  # fmt: skip
OUTCOMES = {
    1: "matched", 2: "missed", 3: "merged", 4: "merged", 6: "missed", 7: "matched", 8: "merged",
    9: "matched",
}  # fmt: skip


def split_evenly():
    """The plane, with 5 split into three so that no piece matches."""
    labels, expected = LABELS.copy(), EXPECTED.copy()
    labels[4], expected[4] = [4, 4, 4, 5, 5, 5, 10, 10], 5
    return labels, expected


def test_every_kind_of_error_of_objects():
    labels, expected = split_evenly()
    errors = error_map(labels, REFERENCE)
    np.testing.assert_array_equal(errors.data, expected)
    assert (errors.holds, errors.data.dtype) == ("classes", np.uint8)
    assert errors.names == {n: ERRORS[n] for n in range(1, 6)}
    np.testing.assert_array_equal(error_map(LABELS, REFERENCE).data, EXPECTED)


def test_outcomes_of_objects_are_those_of_the_map():
    labels, _ = split_evenly()
    table = compare(labels, REFERENCE).per_object
    outcomes = dict(zip(table["reference"], table["outcome"], strict=True))
    assert {n: o for n, o in outcomes.items() if n} == OUTCOMES | {5: "split"}
    alone = table[table["reference"] == 0]
    assert dict(zip(alone["label"], alone["outcome"], strict=True)) == {
        2: "false positive", 3: "merged", 4: "split", 5: "split", 6: "false positive", 9: "split",
        10: "split",
    }  # fmt: skip


def test_classes_and_masks():
    labels, reference = np.array([[1, 2, 0, 1, 0, 2]]), np.array([[1, 1, 2, 0, 0, 2]])
    both = [Labels(a, holds="classes") for a in (labels, reference)]
    errors = error_map(*both)
    assert errors.data.tolist() == [[1, 6, 3, 2, 0, 1]]
    assert set(errors.names.values()) == {
        "true positive", "false positive", "missed", "wrong class",
    }  # fmt: skip
    assert error_map(labels > 0, reference > 0).data.tolist() == [[1, 1, 3, 2, 0, 1]]
    with pytest.raises(InputError, match="hold"):
        error_map(both[0], reference)


def test_voxels_without_annotation_are_no_errors():
    reference = np.where(np.arange(8) < 4, REFERENCE, 255)
    reference[0, 4] = -1
    errors = error_map(LABELS, reference, ignore_index=255)
    assert not errors.data[:, 4:].any()
    assert errors.data[1].tolist() == [3, 3, 3, 0, 0, 0, 0, 0]
    assert errors.data[4].tolist() == [1, 1, 1, 1, 0, 0, 0, 0]


@pytest.mark.parametrize("lazy", [False, True])
def test_time_points_are_compared_each_alone(lazy):
    labels, expected = split_evenly()
    blank = np.zeros_like(labels)
    stack = np.stack([np.stack([labels, blank]), np.stack([blank, blank])])
    truth = np.stack([np.stack([REFERENCE, blank]), np.stack([blank, REFERENCE])])
    if lazy:
        stack, truth = (da.from_array(a, chunks=(1, 1, 3, 5)) for a in (stack, truth))
    errors = error_map(Labels(stack, "TZYX"), Labels(truth, "TZYX", (2.0, 1.0, 1.0), "um"))
    assert errors.is_lazy == lazy
    assert (errors.axes, errors.spacing[0]) == ("TZYX", 2.0)
    data = np.asarray(errors.data)
    np.testing.assert_array_equal(data[0, 0], expected)
    np.testing.assert_array_equal(data[1, 1], np.where(REFERENCE > 0, 3, 0))
    assert not data[0, 1].any()
    assert not data[1, 0].any()


def test_axes_are_those_of_the_reference():
    errors = error_map(Labels(LABELS, "YX"), Labels(REFERENCE.T, "XY"))
    assert errors.axes == "XY"
    np.testing.assert_array_equal(errors.data, EXPECTED.T)


def test_nothing_in_either():
    blank = np.zeros((3, 4), int)
    assert not error_map(blank, blank).data.any()
