"""CamVid as it lies on disk."""

import numpy as np
from shared.pictures import PHOTO, save

from napari_segment.io.datasets.pairs import Pairs


def test_camvid_in_colours_and_numbers(tmp_path):
    save(tmp_path / "train/1.png", PHOTO)
    painted = np.zeros((4, 5, 3), np.uint8)
    painted[0], painted[1] = (128, 64, 128), (128, 128, 128)
    save(tmp_path / "trainannot/1.png", painted)
    (tmp_path / "train.txt").write_text(
        "/SegNet/CamVid/train/1.png /SegNet/CamVid/trainannot/1.png\n/train/2.png /x/2.png\n"
    )
    pairs = Pairs.of(tmp_path)
    _, labels = pairs.read(0)
    assert (pairs.names[labels.data[0, 0]], pairs.names[labels.data[1, 0]]) == ("Road", "Sky")
    assert (labels.data[2:] == pairs.ignore_index).all()
    assert len(pairs.names) == 31
    assert pairs.notes[1] == "/train/2.png or its annotation is not there; it was left out."
    save(
        tmp_path / "trainannot/1.png",
        np.full((4, 5), 11, np.uint8) - np.eye(4, 5, dtype=np.uint8) * 8,
    )
    pairs = Pairs.of(tmp_path)
    _, labels = pairs.read(0)
    assert pairs.names[labels.data[0, 0]] == "Road"
    assert labels.data[0, 1] == pairs.ignore_index
