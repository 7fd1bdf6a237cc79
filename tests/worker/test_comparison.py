"""Rows of a comparison, with where each object lies."""

import dask.array as da
import numpy as np
import pytest

from napari_segment.image import Labels
from napari_segment.results.compare import compare
from napari_segment.worker.comparison import centres_of, class_rows, object_rows

LARGE = 2**40


@pytest.mark.parametrize("lazy", [False, True])
def test_centres_are_along_the_axes_of_the_labels(lazy):
    data = np.zeros((4, 6, 3), np.int64)  # Y, X, T
    data[0:3, 2:4, 1] = LARGE
    data[3, 5, 1] = 5
    data[0, 0, 2] = -1
    stack = Labels(da.from_array(data, chunks=2) if lazy else data, "YXT")
    assert centres_of(stack) == {(1, LARGE): [1.0, 2.5, 1.0], (1, 5): [3.0, 5.0, 1.0]}


def test_rows_of_objects_lead_to_the_reference_or_to_the_object():
    labels = np.array([[1, 1, 0, 0, 2, 0]])
    reference = np.array([[7, 7, 0, 9, 0, 0]])
    centres = tuple(centres_of(Labels(a)) for a in (labels, reference))
    rows = object_rows(compare(labels, reference), centres)
    assert [(r["outcome"], r["of"], r["at"]) for r in rows] == [
        ("missed", "reference", [0.0, 3.0]),
        ("false positive", "labels", [0.0, 4.0]),
        ("matched", "reference", [0.0, 0.5]),
    ]


def test_rows_of_classes():
    labels, reference = (
        Labels(np.array(a), holds="classes", names={1: "bone"})
        for a in ([[1, 0, 3, 3]], [[1, 1, 0, 0]])
    )
    scores = compare(labels, reference)
    rows = class_rows(scores, (centres_of(labels), centres_of(reference)))
    assert [(r["class"], r["dice"], r["of"], r["at"]) for r in rows] == [
        ("bone", pytest.approx(2 / 3), "reference", [0.0, 0.5]),
        ("class 3", 0.0, "labels", [0.0, 2.5]),
    ]
    assert rows[1]["recall"] is None
    assert object_rows(scores, ({}, {})) == []
