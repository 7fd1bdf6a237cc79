"""Cityscapes as it lies on disk."""

import numpy as np
from shared.pictures import PHOTO, save

from napari_segment.io.datasets import open_layout
from napari_segment.io.datasets.pairs import Pairs


def test_cityscapes(tmp_path):
    ids = np.array([[3, 7, 26, 26001, 26002], [24001, 33, 7, 1, 26001]], np.uint16)
    save(tmp_path / "leftImg8bit/val/bonn/bonn_1_leftImg8bit.png", PHOTO[:2])
    save(tmp_path / "gtFine/val/bonn/bonn_1_gtFine_instanceIds.png", ids)
    save(tmp_path / "leftImg8bit/val/bonn/bonn_2_leftImg8bit.png", PHOTO[:2])
    pairs = Pairs.of(tmp_path)
    assert [(c.name, c.part) for c in pairs] == [("bonn_1", "validation")]
    assert (pairs.ignore_index, len(pairs.names), len(pairs.notes)) == (255, 19, 2)
    expected = [[255, 1, 14, 14, 14], [12, 19, 1, 255, 14]]
    np.testing.assert_array_equal(pairs.read(0)[1].data, expected)
    assert (pairs.names[1], pairs.names[14], pairs.names[12]) == ("road", "car", "person")
    objects = open_layout(tmp_path, ("cityscapes", {"what": "objects"}))
    np.testing.assert_array_equal(objects.read(0)[1].data, [[0, 0, 0, 2, 3], [1, 0, 0, 0, 2]])
    (tmp_path / "gtFine/val/bonn/bonn_1_gtFine_instanceIds.png").unlink()
    training_ids = np.array([[255, 0, 13, 13, 13], [11, 18, 0, 255, 13]], np.uint8)
    save(tmp_path / "gtFine/val/bonn/bonn_1_gtFine_labelTrainIds.png", training_ids)
    np.testing.assert_array_equal(Pairs.of(tmp_path).read(0)[1].data, expected)
