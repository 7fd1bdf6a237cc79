"""Panoptic annotations in the form of COCO."""

import json

import numpy as np
from shared.pictures import PHOTO, save

from napari_segment.io.datasets import open_layout
from napari_segment.io.datasets.pairs import Pairs


def test_coco_panoptic(tmp_path):
    save(tmp_path / "val2017/7.jpg", PHOTO)
    segments = np.zeros((4, 5, 3), np.uint8)
    segments[0], segments[1], segments[2] = (44, 1, 0), (5, 0, 1), (9, 0, 0)
    save(tmp_path / "annotations/panoptic_val2017/7.png", segments)
    listed = [
        {"id": 300, "category_id": 3, "iscrowd": 0},
        {"id": 65541, "category_id": 90, "iscrowd": 0},
        {"id": 9, "category_id": 3, "iscrowd": 1},
    ]
    document = {
        "images": [{"id": 1, "file_name": "7.jpg", "height": 4, "width": 5}],
        "annotations": [{"image_id": 1, "file_name": "7.png", "segments_info": listed}],
        "categories": [
            {"id": 90, "name": "sky", "isthing": 0}, {"id": 3, "name": "car", "isthing": 1}
        ],
    }  # fmt: skip
    path = tmp_path / "annotations/panoptic_val2017.json"
    path.write_text(json.dumps(document))
    pairs = Pairs.of(tmp_path)
    assert (pairs.names, pairs.ignore_index) == ({1: "car", 2: "sky"}, 3)
    assert pairs.read(0)[1].data[:, 0].tolist() == [1, 2, 3, 3]
    things = open_layout(path, ("coco_panoptic", {"holds": "objects"}))
    assert things.read(0)[1].data[:, 0].tolist() == [1, 0, 0, 0]
    assert things.cases[0].classes == {1: 1}
