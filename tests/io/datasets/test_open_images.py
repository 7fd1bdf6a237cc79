"""Open Images as it lies on disk."""

import numpy as np
from shared.pictures import save

from napari_segment.io.datasets.pairs import Pairs


def test_open_images(tmp_path):
    save(tmp_path / "images/train/a.jpg", np.zeros((8, 10, 3), np.uint8))
    big, small = np.zeros((4, 5), bool), np.zeros((16, 20), bool)
    big[:, :3], small[2:6, 2:6] = True, True
    save(tmp_path / "masks/train/a_1.png", small)
    save(tmp_path / "masks/train/a_2.png", big)
    notes = tmp_path / "annotations"
    notes.mkdir()
    (notes / "train-annotations-object-segmentation.csv").write_text(
        "MaskPath,ImageID,LabelName\na_1.png,a,/m/1\na_2.png,a,/m/0\nlost.png,b,/m/0\n"
    )
    (notes / "class-descriptions.csv").write_text("/m/0,Zebra\n/m/1,Apple\n")
    pairs = Pairs.of(tmp_path)
    assert (pairs.names, pairs[0].classes) == ({1: "Apple", 2: "Zebra"}, {1: 1, 2: 2})
    expected = np.zeros((8, 10), int)
    expected[:, :6] = 2
    expected[1:3, 1:3] = 1
    np.testing.assert_array_equal(pairs.read(0)[1].data, expected)
    assert len(pairs.notes) == 2
