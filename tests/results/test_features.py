"""Tables of features of objects."""

import numpy as np

from napari_segment.results.features import joined


def test_joined_takes_the_columns_of_both_by_object_and_time():
    known = {
        "label": np.array([1, 2, 1]),
        "time": np.array([0, 0, 1]),
        "score": np.array([0.1, 0.2, 0.3]),
    }
    added = {"label": np.array([1, 2]), "time": np.array([1, 0]), "class": np.array(["a", "b"])}
    table = joined(known, added)
    assert table["score"].tolist() == [0.3, 0.2]
    assert table["class"].tolist() == ["a", "b"]
    assert table["label"].tolist() == [1, 2]


def test_joined_leaves_out_what_is_not_known_of_all():
    known = {"label": np.array([1]), "score": np.array([0.1])}
    added = {"label": np.array([1, 5]), "class": np.array(["a", "b"])}
    assert set(joined(known, added)) == {"label", "class"}
    assert joined({}, added) == added
    assert joined(known, {}) == known
