"""Objects are ordered by how doubtful they are, with reasons."""

import numpy as np
import pytest

import napari_segment as ns
from napari_segment.errors import InputError


def squares():
    """Sixteen squares of 6 x 6 pixels, none at the border."""
    labels = np.zeros((80, 80), np.uint16)
    for i in range(16):
        y, x = 6 + 18 * (i // 4), 6 + 18 * (i % 4)
        labels[y : y + 6 + i % 2, x : x + 6] = i + 1
    return labels


def test_outliers_come_first_with_their_reasons():
    labels = squares()
    labels[42:56, 40:58] = 11  # large
    labels[labels == 4] = 0
    labels[7, 61] = 4  # small
    labels[labels == 13] = 0
    labels[60:76, 6] = labels[60, 6:22] = 13  # an L: irregular
    table = ns.review(ns.Labels(labels, "YX"))
    assert set(table["label"][:3]) == {4, 11, 13}
    reasons = dict(zip(table["label"], table["reasons"], strict=True))
    assert "small" in reasons[4]
    assert "large" in reasons[11]
    assert "irregular" in reasons[13]
    assert reasons[1] == ""
    assert table["doubt"].is_monotonic_decreasing
    assert table["doubt"].between(0, 1).all()


def test_the_border_and_low_scores_count():
    labels = squares()
    labels[0:6, 6:12], labels[6:12, 6:12] = 1, 0
    features = {"label": np.arange(1, 17), "score": np.full(16, 0.95)}
    features["score"][6] = 0.2
    table = ns.review(ns.Labels(labels, "YX", features=features))
    assert table["label"].tolist()[:2] == [7, 1]
    assert table["reasons"].tolist()[:2] == ["low score", "at the border"]
    assert table["doubt"][0] == pytest.approx(0.8)


def test_times_are_rows_of_their_own():
    movie = np.stack([squares(), squares()])
    movie[1][movie[1] == 5] = 0
    movie[1, 24, 6] = 5
    table = ns.review(ns.Labels(movie, "TYX"))
    assert (table["label"][0], table["time"][0]) == (5, 1)
    assert len(table) == 32


def test_little_or_nothing_to_compare():
    assert len(ns.review(ns.Labels(np.zeros((5, 5), np.uint8), "YX"))) == 0
    one = ns.Labels(np.pad(np.ones((3, 3), np.uint8), 2), "YX")
    assert ns.review(one)["doubt"].tolist() == [0]


def test_classes_are_refused():
    with pytest.raises(InputError, match="these labels hold classes"):
        ns.review(ns.Labels(squares(), "YX", holds="classes"))


def test_the_command_line_writes_the_same_table(tmp_path):
    import pandas as pd

    from napari_segment.cli import main

    path, out = tmp_path / "labels.tif", tmp_path / "review.csv"
    ns.write(ns.Labels(squares(), "YX"), path)
    assert main(["review", str(path), "-o", str(out)]) == 0
    expected = ns.review(path)
    assert pd.read_csv(out)["label"].tolist() == expected["label"].tolist()
