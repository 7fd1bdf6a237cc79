"""Outlines in the form of YOLO."""

import numpy as np
import pytest
from shared.pictures import PHOTO, save

from napari_segment.errors import FormatError
from napari_segment.io.datasets import open_layout
from napari_segment.io.datasets.pairs import Pairs


def test_yolo(tmp_path):
    save(tmp_path / "images/train/a.png", PHOTO)
    (tmp_path / "labels/train").mkdir(parents=True)
    square = "1 0 0 0.4 0 0.4 0.5 0 0.5"
    text = tmp_path / "labels/train/a.txt"
    text.write_text(f"{square}\n0 0.5 0.5 0.2 0.2\n")
    (tmp_path / "data.yaml").write_text("names: {0: cat, 1: dog}\n")
    pairs = Pairs.of(tmp_path)
    assert (pairs.names, pairs.cases[0].part) == ({1: "cat", 2: "dog"}, "train")
    expected = np.zeros((4, 5), int)
    expected[:2, :2] = 1
    np.testing.assert_array_equal(pairs.read(0)[1].data, expected)
    assert pairs.cases[0].classes == {1: 2}
    assert "line 2 is no polygon" in pairs.notes[1]
    text.write_text("dog 1 2 3\n")
    with pytest.raises(FormatError, match=r"a\.txt, line 1: a class and the corners"):
        open_layout(tmp_path, "yolo")
