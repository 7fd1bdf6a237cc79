"""Oxford-IIIT Pet as it lies on disk."""

import numpy as np
from shared.pictures import PHOTO, save

from napari_segment.io.datasets import open_layout
from napari_segment.io.datasets.pairs import Pairs


def test_oxford_pet(tmp_path):
    trimap = np.full((4, 5), 2, np.uint8)
    trimap[1:3, 1:3], trimap[1, 1] = 1, 3
    for name in ("Abyssinian_10", "Abyssinian_2", "pug_1"):
        save(tmp_path / f"images/{name}.jpg", PHOTO)
        save(tmp_path / f"annotations/trimaps/{name}.png", trimap)
    (tmp_path / "annotations/trimaps/._pug_1.png").write_bytes(b"?")
    lists = tmp_path / "annotations"
    (lists / "trainval.txt").write_text("#Image ID\nAbyssinian_10 1 1 1\nAbyssinian_2 1 1 1\n")
    (lists / "test.txt").write_text("pug_1 2 2 1\nlost_1 3 1 1\n")
    pairs = Pairs.of(tmp_path)
    assert [(c.name, c.part) for c in pairs] == [
        ("Abyssinian_2", "train"), ("Abyssinian_10", "train"), ("pug_1", "test")
    ]  # fmt: skip
    assert pairs.names == {1: "pet", 2: "border"}
    assert "lost_1" in pairs.notes[1]
    expected = np.zeros((4, 5), int)
    expected[1:3, 1:3], expected[1, 1] = 1, 2
    np.testing.assert_array_equal(pairs.read(0)[1].data, expected)
    without = open_layout(tmp_path, ("oxford_pet", {"border": "unlabelled"}))
    assert without.read(0)[1].data[1, 1] == without.ignore_index == 255
